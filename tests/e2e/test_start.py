"""Starting and stopping: a clear line when it cannot, a banner when it can, in the background too."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import Serve
from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import connected
from e2e.server import Server, assert_quiet, clean_environment, eventually, free_port, twistd


def refusal(directory: Path, *options: str, daemonise: bool = False) -> str:
    """Start with these options where it must fail: exit status 1 and one line, which is returned."""
    own = [] if any("--line" in option for option in options) else ["--line=none"]
    own += (
        []
        if any("--listen" in option for option in options)
        else [f"--listen=tcp:{free_port()}:interface=127.0.0.1"]
    )
    result = subprocess.run(
        [*twistd(), *([] if daemonise else ["-n"]), "chat", *own, *options],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1, result
    assert_quiet(result.stdout + result.stderr)
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("chat: "), result
    assert not (directory / "twistd.pid").exists()
    return lines[0].removeprefix("chat: ")


@pytest.mark.parametrize("daemonise", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("option", ["--listen", "--line"])
def test_a_busy_port_is_one_line(tmp_path: Path, option: str, daemonise: bool) -> None:
    """A port that somebody else uses is named in one line, also when it would go into the background."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refusal(tmp_path, f"{option}=tcp:{port}:interface=127.0.0.1", daemonise=daemonise)
    assert line == f"port {port} on 127.0.0.1 is in use"


def test_the_same_port_twice_is_one_line(tmp_path: Path) -> None:
    """Two listeners at one port are told in one line as well, though the port is free."""
    port = free_port()
    listen, line = f"--listen=tcp:{port}:interface=127.0.0.1", f"--line=tcp:{port}"
    assert refusal(tmp_path, listen, line) == f"port {port} is asked for twice"


def test_an_unreadable_key_is_one_line(tmp_path: Path) -> None:
    """A key that is not there, or is no key, is named in one line."""
    missing = tmp_path / "missing.pem"
    line = refusal(tmp_path, f"--listen=ssl:{free_port()}:privateKey={missing}")
    assert line == f"cannot read {missing}: No such file or directory"
    empty = tmp_path / "empty.pem"
    empty.touch()
    line = refusal(tmp_path, f"--listen=ssl:{free_port()}:privateKey={empty}")
    assert str(empty) in line and "PEM" in line


def test_an_unwritable_directory_is_one_line(tmp_path: Path) -> None:
    """A data directory that cannot be made is named in one line."""
    # Below a file nobody can make a directory, not even root.
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    assert refusal(tmp_path, f"--data={data}") == f"cannot write the data directory {data}: Not a directory"


@pytest.mark.parametrize("daemonise", [False, True], ids=["foreground", "background"])
def test_a_broken_database_is_one_line(tmp_path: Path, daemonise: bool) -> None:
    """A file that is no database is named in one line and left as it is."""
    database = tmp_path / "chat-data" / "chat.db"
    database.parent.mkdir()
    database.write_text("These are not the tables you are looking for. " * 100)
    before = database.read_bytes()
    assert refusal(tmp_path, daemonise=daemonise) == f"cannot open the database {database}: file is not a database"
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--store=redis:"], "--store: a host is missing"),
        (["--store=memory:big"], "--store: there is "),
        (["--listen=somewhere"], "--listen somewhere: this is no endpoint"),
        (["--listen=pigeon:8080"], "pigeon:8080: "),
        (["--self-signed=https"], "--self-signed https: this is no port number"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_settings_that_make_no_sense_are_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    """A setting nobody knows is named in one line together with what there is."""
    assert refusal(tmp_path, *options).startswith(words)


def test_a_second_process_on_the_same_data_is_one_line(server: Server) -> None:
    """Two processes would fork the log, so the second on the same directory does not start."""
    elsewhere = server.directory / "elsewhere"
    elsewhere.mkdir()
    assert (
        refusal(elsewhere, f"--data={server.data}") == f"another chatservice uses the data directory {server.data}"
    )
    with WebSocketPeer(server.socket_url("/echo")) as peer:
        peer.say("the first goes on")
        peer.hears("the first goes on")


def test_the_banner_names_every_address(serve: Serve) -> None:
    """The banner names page, WebSocket, TCP and data, and what is unusual."""
    tls = free_port()
    server = serve(f"--self-signed={tls}", "--insecure-no-limits")
    for words in (
        f"http://127.0.0.1:{server.web_port}/   <- open this",
        f"ws://127.0.0.1:{server.web_port}/",
        f"https://127.0.0.1:{tls}/",
        f"wss://127.0.0.1:{tls}/",
        f"TCP lines  127.0.0.1:{server.line_port}\n",
        f"Data       {server.data}\n",
        "WARNING    --insecure-no-limits",
    ):
        assert words in server.banner


@pytest.fixture
def background(tmp_path: Path) -> Iterator[tuple[Path, int, str]]:
    """A service gone into the background: its directory, its line port, what was said before it went."""
    port = free_port()
    listen, line = f"--listen=tcp:{free_port()}:interface=127.0.0.1", f"--line=tcp:{port}:interface=127.0.0.1"
    with (tmp_path / "said.txt").open("w") as said:  # a pipe would stay open as long as the service lives
        subprocess.run(
            [*twistd(), "chat", listen, line],
            cwd=tmp_path,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=30,
            check=True,
        )
    yield tmp_path, port, (tmp_path / "said.txt").read_text()
    pid_file = tmp_path / "twistd.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text()), 9)


def test_in_the_background_it_says_log_and_stop_command(background: tuple[Path, int, str]) -> None:
    """Without -n it says where its log is and how to stop it, goes into the background, and that works."""
    directory, port, said = background
    assert re.search(rf"^  TCP lines  127\.0\.0\.1:{port}$", said, re.MULTILINE)
    log = re.search(r"^  Log +(.+)$", said, re.MULTILINE)
    stop = re.search(r"^  Stop +(.+)$", said, re.MULTILINE)
    assert log and stop, said
    assert Path(log[1]) == directory / "twistd.log"
    eventually(lambda: answers(port), "the service in the background")
    with LinePeer(port) as peer:
        peer.say("anybody here?")
        peer.until(lambda heard: any(words.endswith("say:anybody here?") for words in heard))
        subprocess.run(stop[1], shell=True, check=True, cwd="/")
        peer.ended()
        assert peer.heard[-1].startswith("* the server restarts; come back in ")
    eventually(lambda: not (directory / "twistd.pid").exists(), "the end of the service")
    words = Path(log[1]).read_text()
    assert "Server Shut Down." in words
    assert_quiet(said + words)


def answers(port: int) -> bool:
    """Whether anybody listens there."""
    try:
        connected(port).close()
    except ConnectionRefusedError:
        return False
    return True


def test_python_m_twisted_chat(tmp_path: Path) -> None:
    """`python -m twisted chat` is the same service."""
    with (
        Server(tmp_path, command=[sys.executable, "-m", "twisted"]) as server,
        WebSocketPeer(server.socket_url("/scream")) as peer,
    ):
        peer.say("hi")
        peer.hears("HI!!!")


def test_an_orderly_stop_tells_everybody(server: Server) -> None:
    """When the server is asked to stop, WebSocket peers get 1012 (come back soon) and line peers a sentence."""
    with (
        WebSocketPeer(server.socket_url()) as simple,
        WebSocketPeer(server.socket_url("/echo")) as echo,
        LinePeer(server.line_port) as line,
    ):
        line.until(lambda heard: any(words.startswith("* you are ") for words in heard))
        server.stop()
        assert (simple.close_code(), echo.close_code()) == (1012, 1012)
        assert line.ended()[-1].startswith("* the server restarts; come back in ")


def test_environment_variables_say_the_same(tmp_path: Path) -> None:
    """CHAT_… variables set what the options set; an option wins over its variable."""
    web, line, ignored = free_port(), free_port(), free_port()
    environment = {
        "CHAT_LISTEN": f"tcp:{web}:interface=127.0.0.1 tcp:{free_port()}:interface=127.0.0.1",
        "CHAT_LINE": f"tcp:{ignored}:interface=127.0.0.1",
        "CHAT_DATA": str(tmp_path / "kept here"),
        "CHAT_STORE": "sqlite:log.db",
        "CHAT_DEFAULT_DIALECT": "text",
        "CHAT_DEFAULT_ROOM": "茶馆",
        "CHAT_LANG": "zh-CN",
        "CHAT_INSECURE_NO_LIMITS": "yes",
    }
    server = Server(tmp_path, environment=environment)
    server.options = [f"--line=tcp:{line}:interface=127.0.0.1"]
    with server:
        assert server.banner.count("  Web  ") == 2 and not answers(ignored)
        assert "WARNING    --insecure-no-limits" in server.banner
        with WebSocketPeer(f"ws://127.0.0.1:{web}/") as peer, LinePeer(line) as other:
            peer.until(lambda heard: any(words.endswith(" 进来了") for words in heard))
            other.until(lambda heard: any("茶馆" in words for words in heard))
            for number in range(30):  # far more than the limit of ten would let through
                peer.say(f"消息 {number}")
            other.until(lambda heard: any(words.endswith("say:消息 29") for words in heard))
    assert (tmp_path / "kept here" / "log.db").exists()


def test_in_memory_nothing_is_kept(serve: Serve) -> None:
    """With `--store memory:` the chat works and says that it forgets; it leaves no database."""
    server = serve("--store=memory:")
    assert "memory, lost at the end" in server.banner
    with WebSocketPeer(server.socket_url()) as peer:
        peer.arrived()
        peer.say("forget me")
        peer.until(lambda _: peer.said)
    server.restart()
    with WebSocketPeer(server.socket_url(last=20)) as peer:
        assert peer.arrived()["seq"] == 0 and not peer.said
    assert not list(server.data.glob("*.db"))


def seen(server: Server) -> dict[str, object]:
    """What can be seen of a process from outside, but for its numbers."""
    process = Path(f"/proc/{server.pid}")
    signals = re.findall("^Sig(?:Blk|Ign|Cgt).*$", (process / "status").read_text(), re.M)
    files = sorted(re.sub("[0-9]+|.*/", "", os.readlink(file)) for file in (process / "fd").iterdir())
    return {"signals": signals, "files": files, "directory": os.readlink(process / "cwd")}


def test_forked_and_started(tmp_path: Path) -> None:
    """A server that is forked off one process for many is like one that `twistd` was started for: directory, open
    files and signals are the same, and it logs the same."""
    found, logged = [], []
    for command in (None, [*twistd(), "-n"]):
        server = Server(tmp_path, "--log-format=json", command=command)
        with server:
            found.append(seen(server))
        logged.append([json.loads(line).get("event") for line in server.log.splitlines() if line[:1] == "{"])
    assert found[0] == found[1]
    assert logged[1] == logged[0] * 2 != []
