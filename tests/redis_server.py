"""A real redis-server of our own: on a UNIX socket in a directory of its own, ended by its process id."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

from ports import free_port

from chatservice.redis.address import Address, Place
from chatservice.redis.blocking import Asker
from chatservice.redis.errors import RedisError
from chatservice.redis.words import pack

PATIENCE_S = 20.0
SAFE = ("--appendonly", "yes", "--appendfsync", "always")
BINARY = os.environ.get("CHAT_TEST_REDIS", "redis-server")
"""What is started: a Redis or a Valkey."""


class RedisServer:
    """Started when it is made.

    :param settings: as on its command line; later ones win over the safe ones.
    :param before: what stands before the command.
    """

    def __init__(self, *settings: str, before: Sequence[str] = ()) -> None:
        # Not in pytest's directory: the path of a UNIX socket has 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="cs-redis-"))
        self.socket = self.directory / "redis.sock"
        self.settings = settings
        self._before = before
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address((Place(path=str(self.socket)),))

    @property
    def url(self) -> str:
        """The same for `--store`."""
        return f"unix:{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self._process is None
        self.socket.unlink(missing_ok=True)
        local = ("--port", "0", "--unixsocket", str(self.socket), "--enable-debug-command", "local", "--save", "")
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._before, BINARY, "--dir", str(self.directory), *local, *SAFE, *self.settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("PING")
                return
            except (OSError, RedisError):
                assert self._process.poll() is None, (self.directory / "log").read_text()
                assert time.monotonic() < end, "redis-server does not answer"
                # There is nothing to wait on before its socket is there.
                subprocess.run(["sleep", "0.005"], check=True)

    def ask(self, *words: str | bytes | int) -> Any:
        """The answer to one command, whatever kind of server it is."""
        try:
            answer = self._ask(words)
        except ConnectionError:  # a sentinel that gives it another role cuts everybody off
            answer = self._ask(words)
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def _ask(self, words: Sequence[str | bytes | int]) -> Any:
        with Asker(self.address.places[0], None, PATIENCE_S) as asking:
            return asking.ask(words)[0]

    def send(self, *words: str | bytes | int) -> None:
        """A command whose answer nobody waits for."""
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(PATIENCE_S)
            one.connect(str(self.socket))
            one.sendall(pack(words))

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill9(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._process = None

    def lose_data(self) -> None:
        """While it does not run: its files are gone."""
        assert self._process is None
        shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)

    def restart(self) -> None:
        """End it in order and start it again."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._process = None
        self.start()

    def finish(self) -> None:
        """End it and take its files away."""
        if self._process is not None:
            self.kill9()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()


@cache
def shared_server(number: int = 0) -> RedisServer:
    """One for all tests that do not care what else is in it, ended with the process; another for each number."""
    server = RedisServer("--appendfsync", "no")
    atexit.register(server.finish)
    return server


COPIED = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "5", "--repl-diskless-sync-delay", "0")
"""What `--durability replica` needs of a server."""


class Pair:
    """A primary and its replica, on ports of their own; either may be the primary.

    :ivar now: the primary, and `other` the replica.
    """

    def __init__(self, *settings: str) -> None:
        self.ports = {}
        servers = []
        for _ in range(2):
            port = free_port()
            servers.append(RedisServer("--port", str(port), "--bind", "127.0.0.1", *COPIED, *settings))
            self.ports[servers[-1]] = port
        self.now, self.other = servers
        self.follow()

    def follow(self) -> None:
        """The other one is the replica of this one; until it has all."""
        self.other.ask("REPLICAOF", "127.0.0.1", self.ports[self.now])
        self.wait()

    def wait(self) -> None:
        """Until the replica follows, and says so in time."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                with Asker(self.now.address.places[0], None, PATIENCE_S) as asking:
                    # WAIT means what was written up to this connection's last command.
                    if asking.ask(("PING",), ("WAIT", 1, 500))[1]:
                        return
            except ConnectionError:
                pass  # as in `RedisServer.ask`
            assert time.monotonic() < end, "the replica does not follow"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.now.finish()
        self.other.finish()


class Sentinel:
    """A real sentinel.

    :param conf: its configuration, which it rewrites.
    """

    def __init__(self, conf: Path, port: int) -> None:
        self._place = Place("127.0.0.1", port)
        self._process = subprocess.Popen(
            [
                BINARY,
                str(conf),
                "--sentinel",
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                conf.parent,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                with Asker(self._place) as asking:
                    asking.ask(("PING",))
                    return
            except OSError:
                assert self._process.poll() is None and time.monotonic() < end, "the sentinel does not answer"
                subprocess.run(["sleep", "0.005"], check=True)

    def ask(self, *words: str) -> Any:
        """The answer to one command."""
        with Asker(self._place) as asking:
            (answer,) = asking.ask(words)
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)
