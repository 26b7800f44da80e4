"""Starting a program with sockets as a service manager hands them over: sd_listen_fds(3)."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Mapping, Sequence

FIRST = 3
"""The first of the descriptors that are handed over."""


def spawn(
    command: Sequence[str],
    environment: Mapping[str, str],
    sockets: Sequence[tuple[str, int]],
    out: int,
    error: int,
) -> int:
    """Start it in a process group of its own, so that what is typed at a terminal reaches the parent alone.

    To be called in a process with one thread: what is done between fork and exec is Python.

    :param sockets: names and descriptors; the program finds them at 3 and above.
    :param out: what its stdout is, and `error` its stderr.
    :returns: its process id.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(one, signal.SIG_DFL)
        # Out of the way first: one may be where another has to go.
        above = FIRST + len(sockets)
        moved = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, above) for _, number in sockets]
        streams = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, above) for number in (out, error)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(streams[0], 1)
        os.dup2(streams[1], 2)
        for number, sock in enumerate(moved, FIRST):
            os.dup2(sock, number)
        handed = {
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": str(len(sockets)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in sockets),
        }
        os.execve(command[0], list(command), {**environment, **handed})
    except BaseException as why:  # the copy of the parent must not go on
        os.write(2, f"chat: cannot start {command[0]}: {why}\n".encode())
    finally:
        os._exit(127)
