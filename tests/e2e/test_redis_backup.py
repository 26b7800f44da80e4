"""The recipes of docs/scaling.md for backups with Redis: each command is run, on a real one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from e2e.server import CHECKOUT, Server, clean_environment, eventually
from e2e.test_accounts import chatservice, post
from e2e.test_shipped_redis import ROOM, Shipped, say
from e2e.v1peer import Frame, V1Peer
from examples import examples

PAGE = CHECKOUT / "docs" / "scaling.md"
KEEP = 256
FIRST, MORE, LOST = 600, 300, 10
WORDS = "correct horse"


def recipe(kind: str) -> list[str]:
    """The commands of that block, one a line."""
    ((_, block),) = [example for example in examples(PAGE, "sh") if example[0] == kind]
    return block.splitlines()


class Machine:
    """A place in which the page's paths are: the commands are run as they stand, but for those.

    :ivar said: what is exported.
    """

    def __init__(self, directory: Path, redis: Shipped, server: Server) -> None:
        self.redis, self.server = redis, server
        self.backups = directory / "backups"
        self.backups.mkdir()
        self.said: list[str] = []
        self.done: list[str] = []
        bin = directory / "bin"
        bin.mkdir()
        (bin / "chatservice").write_text(f'#!/bin/sh\nexec {sys.executable} -m chatservice.cli "$@"\n')
        real = shutil.which("redis-cli")
        (bin / "redis-cli").write_text(f'#!/bin/sh\nexec {real} -p {redis.port} "$@"\n')
        for program in bin.iterdir():
            program.chmod(0o755)
        self._environment = {**clean_environment(), "PATH": f"{bin}:{os.environ['PATH']}"}

    def run(self, line: str) -> None:
        """One command."""
        if line.startswith("systemctl "):
            _, what, *units = line.split()
            for unit in units:
                if not unit.endswith(".socket"):
                    getattr(self, f"_{what}_{unit.replace('-', '_')}")()
            return
        for was, becomes in (
            ("/var/lib/redis", str(self.redis.file.parent)),
            ("/var/lib/chatservice", str(self.server.data)),
            ("/srv/backups", str(self.backups)),
            ("-o redis -g redis ", ""),  # which takes root
        ):
            line = line.replace(was, becomes)
        if line.startswith(("export ", "umask ")):
            self.said.append(line)
            return
        done = subprocess.run(
            ["sh", "-euc", "\n".join([*self.said, line])],
            env=self._environment,
            cwd=self.backups,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        self.done.append(done.stdout + done.stderr)

    def _stop_chat(self) -> None:
        self.server.stop()

    def _start_chat(self) -> None:
        self.server.start()

    def _stop_redis_server(self) -> None:
        self.redis.stop()

    def _start_redis_server(self) -> None:
        self.redis.start()


class WithBackups(Shipped):
    """The shipped settings with the line for backups."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        text = self.file.read_text()
        line = "#user backup on >BACKUP-PASSWORD "
        assert text.count(line) == 1
        self.stop()
        self.file.write_text(text.replace(line, line[1:]))
        self.start()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[WithBackups]:
    """One, ended at the end."""
    redis = WithBackups(tmp_path / "redis")
    yield redis
    redis.kill9()


def is_copied(server: Server, entries: int) -> bool:
    """Whether so many have been copied to the archive, and none waits."""
    done = subprocess.run(["curl", "-s", f"{server.page_url}metrics"], capture_output=True, text=True, timeout=20)
    rows = (line.rpartition(" ") for line in done.stdout.splitlines() if not line.startswith("#"))
    numbers = {name: float(value) for name, _, value in rows}
    return numbers["chat_archive_entries_total"] >= entries and numbers["chat_archive_lag_entries"] == 0


def back(server: Server, position: Frame, **who: str) -> V1Peer:
    """Somebody who resumes there, as soon as that can be: first the archive is cut back to where Redis ends, and
    until then the room is `unavailable`, to be tried again."""

    def resumed() -> V1Peer | None:
        peer = V1Peer(server, rooms={ROOM: position}, **who)
        if "error" not in peer.hello["rooms"][ROOM]:
            return peer
        assert peer.hello["rooms"][ROOM]["error"]["temporary"], peer.hello
        peer.connection.close()
        return None

    return cast(V1Peer, eventually(resumed, "the room"))


def test_there_and_back(redis: WithBackups, tmp_path: Path) -> None:
    """Redis and the archive are copied while people talk; when the machine is lost, what was said before that
    comes back without a gap, with accounts and guests; who had seen more is told what is gone."""
    options = (f"--store={redis.url}", "--archive=sqlite:", f"--redis-keep={KEEP}")
    with Server(tmp_path / "a", *options, "--insecure-no-limits", "--metrics-listen=public") as server:
        assert chatservice(server.directory, "user", "add", "Ann", typed=WORDS).returncode == 0
        machine = Machine(tmp_path, redis, server)
        with V1Peer(server, "Bob", rooms={ROOM: None}) as bob:
            who = bob.id
            token, epoch = bob.hello["guest_token"], bob.hello["rooms"][ROOM]["epoch"]
            say(bob, FIRST)
            for line in recipe("backup"):
                machine.run(line)
                if "redis.rdb" in line:  # the archive's copy is to have more than that of Redis
                    say(bob, MORE)
                    eventually(lambda: is_copied(server, FIRST + MORE), "the copy in the archive")
            say(bob, LOST)
        assert {copy.stat().st_mode & 0o777 for copy in machine.backups.iterdir()} == {0o600}
        assert "that is the archive" in "".join(machine.done)
        restoring = recipe("restore")
        # A socket that stands would start the chat again at the next who comes, without its Redis.
        assert [line.split()[1:] for line in (restoring[0], restoring[-1])] == [
            ["stop", "chat.socket", "chat-lines.socket", "chat", "redis-server"],
            ["start", "redis-server", "chat.socket", "chat-lines.socket", "chat"],
        ]
        machine.run(restoring[0])
        for lost in (*server.data.glob("archive.db*"), server.data / "guest.key", server.data / "owner.token"):
            lost.unlink()
        for line in restoring[1:]:
            machine.run(line)
        exported = chatservice(server.directory, "export", ROOM).stdout.splitlines()
        assert [json.loads(line)["seq"] for line in exported] == list(range(1, FIRST + 1))
        position = {"epoch": epoch, "seq": FIRST + MORE + LOST}
        with back(server, position, token=token) as bob:
            assert bob.id == who  # a nick is kept only as long as its worker lives, or soon comes back
            joined = bob.hello["rooms"][ROOM]
            assert joined["reason"] == "truncated" and joined["valid"] == joined["seq"] == FIRST, joined
            assert joined["epoch"] != epoch
            assert bob.ask("message", room=ROOM, text="on we go")["seq"] == FIRST + 1
        with back(server, {"epoch": epoch, "seq": FIRST - 5}, nick="Cid") as other:
            joined = other.hello["rooms"][ROOM]
            assert joined["recovered"], joined
            assert [event["seq"] for event in joined["events"]] == list(range(FIRST - 4, FIRST + 2))
        assert "token" in post(server, "/v1/login", {"name": "Ann", "password": WORDS})


def test_what_is_not_copied_here(redis: WithBackups, tmp_path: Path) -> None:
    """Without an archive on SQLite the sentence says by what the rest is copied."""
    with Server(tmp_path / "a", f"--store={redis.url}") as server:
        done = chatservice(server.directory, "backup")
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "redis-cli --rdb" in done.stderr and "pg_dump" in done.stderr
