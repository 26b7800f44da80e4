"""A real PostgreSQL of our own: on a UNIX socket in a directory of its own, ended by its process id.

It refuses to be run by root, so as root it runs as another user.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

PATIENCE_S = 30.0


def binary(name: str) -> str:
    """One of its programs: Debian keeps them out of PATH."""
    found = shutil.which(name) or next(
        (str(path / name) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None
    )
    assert found is not None, f"the tests need PostgreSQL's {name}: apt-get install postgresql"
    return found


class PostgresServer:
    """Started when it is made. Nothing is synced: what tests pull away is the process, not the power."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="cs-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        user = self._user()
        self._as = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if user is not None:
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        self._data = self.directory / "data"
        command = ["initdb", "-D", str(self._data), "-U", "chat", "-A", "trust", "-E", "UTF8", "--no-locale"]
        self._run([binary(command[0]), *command[1:], "--no-sync"])
        self.start()

    @staticmethod
    def _user() -> pwd.struct_passwd | None:
        if os.getuid():
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise AssertionError("there is nobody who could run PostgreSQL")

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, timeout=120, env=_environment(), **self._as
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self._process is None
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={self.directory}",
            "fsync=off",
            "max_connections=60",
        )
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("postgres"), "-D", str(self._data), *(word for one in settings for word in ("-c", one))],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                **self._as,
            )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("SELECT 1")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.directory / "log").read_text()
                assert time.monotonic() < end, "PostgreSQL does not answer"
                # There is nothing to wait on before its socket is there.
                subprocess.run(["sleep", "0.02"], check=True)

    def url(self, database: str = "postgres") -> str:
        """Where it is, for `--archive`."""
        return f"postgresql://chat@/{database}?host={self.directory}"

    def new_database(self) -> str:
        """The address of an empty one."""
        self._databases += 1
        self.ask(f"CREATE DATABASE chat{self._databases}")
        return self.url(f"chat{self._databases}")

    def ask(self, sql: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """At once: those who are connected are cut off."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_S)
        self._process = None

    def finish(self) -> None:
        """End it and take its files away."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@cache
def shared_postgres() -> PostgresServer:
    """One for all tests of this process, ended with it."""
    server = PostgresServer()
    atexit.register(server.finish)
    return server
