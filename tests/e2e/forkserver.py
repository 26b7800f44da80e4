"""Servers forked off one process that has imported everything: hundreds need not do that by themselves.

What is forked stands where `python twistd …` stands after its imports: no reactor, no thread, no file of the chat.
They are nearly all that a start costs, and nothing that most tests are about; those that are start it anew.

    python -m e2e.forkserver DESCRIPTOR

is that process. It is asked over a socket, tells of each child that it is there and how it ended, and goes when
the socket is closed.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

PATIENCE_S = 20.0
IMPORTED = ("chatservice.twistd", "chatservice.service", "twisted.internet.epollreactor")
MOST_BYTES = 65_536
"""Of one message; SOCK_SEQPACKET keeps them apart."""


class Forked:
    """A process that was forked off, to be used like `subprocess.Popen`."""

    def __init__(self) -> None:
        self.pid = 0
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, as soon as there is one.

        :raises subprocess.TimeoutExpired: if that takes longer than so many seconds.
        """
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("twistd", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """A signal, if it still runs."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """That process, seen from the tests; started when it is first needed and ended with this one.

    :param environment: of its own.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._asking: socket.socket | None = None
        self._young: list[Forked] = []
        self._grown: dict[int, Forked] = {}

    def fork(
        self,
        words: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        out: int,
        err: int,
        inherited: Sequence[int] = (),
    ) -> Forked:
        """A process that goes on as if it had been started with these words, there.

        :param out: the descriptor of its stdout, and `err` that of its stderr.
        :param inherited: descriptors that have the same numbers there.
        """
        forked = Forked()
        asked = {"words": words, "directory": str(directory), "environment": environment, "as": inherited}
        message = json.dumps(asked).encode()
        assert len(message) < MOST_BYTES
        with self._lock:  # they come in the order in which they were asked for
            if self._asking is None:
                self._asking = self._begin()
            self._young.append(forked)
            socket.send_fds(self._asking, [message], [out, err, *inherited])
        assert forked.begun.wait(PATIENCE_S), "nothing was forked"
        return forked

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "e2e.forkserver", str(theirs.fileno())],
                env=self._environment,
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        threading.Thread(target=self._hear, args=(ours,), daemon=True).start()

        def end() -> None:
            ours.shutdown(socket.SHUT_WR)
            process.wait(PATIENCE_S)

        atexit.register(end)
        return ours

    def _hear(self, told_at: socket.socket) -> None:
        while told := told_at.recv(MOST_BYTES):
            pid, status = json.loads(told)
            if status is None:
                forked = self._grown[pid] = self._young.pop(0)
                forked.pid = pid
                forked.begun.set()
            else:
                forked = self._grown.pop(pid)
                forked.returncode = status
                forked.ended.set()


# --- the process itself ---


def main(descriptor: int) -> None:
    """Fork whenever that is asked for."""
    from twisted.application.service import IServiceMaker
    from twisted.plugin import getPlugins
    from twisted.scripts import twistd

    for name in IMPORTED:
        import_module(name)
    list(getPlugins(IServiceMaker))
    assert "twisted.internet.reactor" not in sys.modules, "a reactor cannot be shared"
    asked = socket.socket(fileno=descriptor)
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno())
    while True:
        ready, _, _ = select.select([asked, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _reap(asked)
        if asked in ready:
            message, descriptors, _, _ = socket.recv_fds(asked, MOST_BYTES, 64)
            if not message:
                return
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for one in (asked, woken, waking):
                    one.close()
                _become(json.loads(message), descriptors)
                twistd.run()
                return
            for one in descriptors:
                os.close(one)
            asked.send(json.dumps([pid, None]).encode())


def _reap(asked: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            asked.send(json.dumps([pid, os.waitstatus_to_exitcode(status)]).encode())


def _become(asked: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Words, directory, environment and descriptors of another process."""
    high = [os.dup2(one, 200 + number) for number, one in enumerate(descriptors)]
    for one in descriptors:
        os.close(one)
    for one, number in zip(high, (1, 2, *asked["as"]), strict=True):
        os.dup2(one, number)
        os.close(one)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["words"]
    sys.path[0] = os.path.dirname(sys.argv[0])


if __name__ == "__main__":
    main(int(sys.argv[1]))
