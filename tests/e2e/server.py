"""A real `twistd -n chat` in a directory of its own, to be stopped, killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlencode

from ports import free_port

from e2e.forkserver import Forked, ForkServer

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0

Found = TypeVar("Found")


def twistd() -> list[str]:
    """The command `twistd` of the interpreter that runs the tests."""
    beside = Path(sys.executable).with_name("twistd")
    command = str(beside) if beside.exists() else shutil.which("twistd")
    assert command, "twistd is not installed beside this Python"
    return [sys.executable, command]


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without what would change the service's settings."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CHAT_") and name not in ("STATE_DIRECTORY", "PYTHONPATH")
    }
    # One port for metrics would be taken by the first of many servers.
    return {**ours, "PYTHONPATH": str(CHECKOUT), "CHAT_METRICS_LISTEN": "none", **(more or {})}


def eventually(look: Callable[[], Found], what: str, seconds: float = PATIENCE_S) -> Found:
    """What `look` finds, as soon as it is true; fails with `what` when that does not come in time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
    return found


def heeds(pid: int, number: int) -> bool:
    """Whether the process does something about that signal; Twisted does once its reactor runs, a moment after the
    banner."""
    (mask,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


_forks = ForkServer(clean_environment())


class Server:
    """One chat service as a process.

    :param directory: its working directory; chat-data is made in it.
    :param options: what else stands on the command line after `chat`.
    :param command: the start of the command line, up to and without `chat`; where it is `twistd -n` as ever, the
        process is forked off one that has been started already.
    :param descriptors: what it inherits.
    :param own_ports: False where `options` say where it listens.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        command: list[str] | None = None,
        descriptors: Sequence[int] = (),
        own_ports: bool = True,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.web_port = free_port()
        self.line_port = free_port()
        ports = [
            f"--listen=tcp:{self.web_port}:interface=127.0.0.1",
            f"--line=tcp:{self.line_port}:interface=127.0.0.1",
        ]
        self.options = [*(ports if own_ports else ()), *options]
        self._descriptors = descriptors
        self._command = command or [*twistd(), "-n"]
        # What Python itself reads when it starts is read only then.
        self._is_forked = command is None and not any(name.startswith("PYTHON") for name in environment or ())
        self._environment = clean_environment(environment)
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._out = directory / "out.txt"
        self._err = directory / "err.txt"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "chat-data"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.web_port}/"

    @property
    def lite_url(self) -> str:
        """Where the page without libraries is."""
        return f"{self.page_url}lite"

    def socket_url(self, path: str = "/", **query: str | int) -> str:
        """A WebSocket address."""
        return f"ws://127.0.0.1:{self.web_port}{path}{'?' + urlencode(query) if query else ''}"

    @property
    def banner(self) -> str:
        """All that was said on stderr."""
        return self._err.read_text() if self._err.exists() else ""

    @property
    def log(self) -> str:
        """All that was logged to stdout."""
        return self._out.read_text() if self._out.exists() else ""

    def start(self) -> None:
        """Start it and wait until it says where it is, which it does when all listeners are open."""
        assert self._process is None
        already = len(self.banner)
        with self._out.open("ab") as out, self._err.open("ab") as err:
            self._process = self._begin([*self._command, "chat", *self.options], out.fileno(), err.fileno())
        try:
            eventually(lambda: self._ended() or "  Data " in self.banner[already:], "the start banner")
            assert not self._ended(), f"it ended at once: {self.banner[already:]}{self.log}"
            eventually(lambda: self._ended() or heeds(self.pid, signal.SIGTERM), "its reactor")
        except AssertionError:
            self.kill9()
            raise

    def _begin(self, command: list[str], out: int, err: int) -> subprocess.Popen[bytes] | Forked:
        if self._is_forked:
            return _forks.fork(command[1:], self.directory, self._environment, out, err, self._descriptors)
        return subprocess.Popen(
            command,
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=self._descriptors,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def kill9(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._process = None

    def stop(self) -> None:
        """Ask it to stop; it must do so, and without complaint."""
        assert self._process is not None
        self._process.terminate()
        try:
            status = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise
        self._process = None
        # twistd, when all is done, ends itself by the signal that it got, as a shell expects it.
        assert status in (0, -signal.SIGTERM), f"exit status {status}: {self.banner}{self.log}"
        if "--log-level=warn" not in self.options:
            assert "Main loop terminated." in "".join(self.log.splitlines()[-3:]), self.log

    def restart(self) -> None:
        """Start it again, on the same ports, whether it still runs or not."""
        if self._process is not None:
            self.stop()
        self.start()

    def finish(self) -> None:
        """Stop it if it runs, and see that nothing unexpected happened in its whole life."""
        if self._process is not None:
            self.stop()
        assert_quiet(self.banner + self.log)

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


def assert_quiet(words: str) -> None:
    """Nothing in a log or on stderr tells of an error nobody handled (RELIABILITY.md, P20)."""
    for bad in ("Traceback", "Unhandled", "CRITICAL", "#critical"):
        assert bad not in words, words
