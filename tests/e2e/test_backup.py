"""`chatservice backup` and `restore`, as an operator uses them."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from e2e.conftest import Serve
from e2e.peers import WebSocketPeer
from e2e.server import Server
from e2e.test_accounts import chatservice


def say(server: Server, *texts: str) -> None:
    """Somebody says it in the lobby."""
    with WebSocketPeer(server.socket_url(nick="Ann")) as ann:
        ann.arrived()
        for text in texts:
            ann.say(text)
        ann.until(lambda _: [frame["text"] for frame in ann.said][-len(texts) :] == list(texts))


def history(server: Server) -> list[str]:
    """What is in the lobby."""
    with WebSocketPeer(server.socket_url(last=200)) as reader:
        reader.arrived()
        return [frame["text"] for frame in reader.said]


def test_there_and_back(server: Server, tmp_path: Path) -> None:
    """A copy is made while the chat runs and nobody notices; put back after a stop it is what was there; who had
    seen more is told that it did not survive."""
    say(server, "one", "two")
    copy = tmp_path / "copy.db"
    with WebSocketPeer(server.socket_url(nick="Bob")) as bob:
        arrived = bob.arrived()
        done = chatservice(server.directory, "backup", str(copy))
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{copy} ({copy.stat().st_size:,} bytes)\n"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert list((server.data / "backup").iterdir()) == []
        bob.say("after the copy")
        bob.until(lambda _: [frame["text"] for frame in bob.said] == ["after the copy"])
    server.stop()
    done = chatservice(server.directory, "restore", str(copy))
    assert done.returncode == 1 and "--force puts the copy in its place" in done.stderr
    done = chatservice(server.directory, "restore", "--force", str(copy))
    assert done.returncode == 0 and done.stdout.startswith(str(server.data / "chat.db")), done.stderr
    server.start()
    assert history(server) == ["one", "two"]
    with WebSocketPeer(server.socket_url(since=3, epoch=arrived["epoch"])) as back:
        back.until(lambda heard: any("position_lost" in words or "truncated" in words for words in heard))
        assert back.arrived()["epoch"] != arrived["epoch"]


def test_beside_a_running_chat(server: Server, tmp_path: Path) -> None:
    """While it runs nothing is put in its place, whatever is said; a file that is there is not overwritten unless
    that is said; without a name the copy is in the data directory."""
    say(server, "one")
    copy = tmp_path / "copy.db"
    copy.write_text("somebody's")
    done = chatservice(server.directory, "backup", str(copy))
    assert done.returncode == 1 and "--force" in done.stderr and copy.read_text() == "somebody's"
    assert chatservice(server.directory, "backup", "--force", str(copy)).returncode == 0
    done = chatservice(server.directory, "restore", "--force", str(copy))
    assert done.returncode == 1 and "another chatservice uses the data directory" in done.stderr
    done = chatservice(server.directory, "backup")
    made = Path(done.stdout.rsplit(" (", 1)[0])
    assert made.parent == server.data / "backup"
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("SELECT text FROM message").fetchall() == [("one",)]
    assert history(server) == ["one"]


def test_without_a_running_chat(server: Server, tmp_path: Path) -> None:
    """A copy can also be made where no chat runs, and becomes the log of another directory; a copy that is none is
    one line."""
    say(server, "one", "two", "three")
    server.stop()
    copy = tmp_path / "copy.db"
    assert chatservice(server.directory, "backup", str(copy)).returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert chatservice(elsewhere, "restore", str(copy)).returncode == 0
    with Server(elsewhere) as other:
        assert history(other) == ["one", "two", "three"]
    (tmp_path / "none.db").write_text("no copy")
    done = chatservice(elsewhere, "restore", "--force", str(tmp_path / "none.db"))
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "cannot restore" in done.stderr


@pytest.mark.parametrize("command", [("backup",), ("restore", "copy.db")])
def test_a_chat_that_keeps_nothing(serve: Serve, command: tuple[str, ...]) -> None:
    """There is nothing to be copied, nor a place to put it."""
    server = serve("--store=memory:")
    done = chatservice(server.directory, *command, "--store=memory:")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
