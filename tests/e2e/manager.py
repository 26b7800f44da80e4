"""What systemd is to a service, as far as the service can see: inherited sockets, and a socket that is told."""

from __future__ import annotations

import secrets
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from e2e.server import PATIENCE_S, Server, twistd

# Runs in the process that becomes the service: its sockets are moved to 3, 4, …, and it is named as theirs.
BECOME = """
import os, sys
names, *there = sys.argv[1].split(",")
for number, descriptor in enumerate(map(int, there), 100): os.dup2(descriptor, number)
for number in range(len(there)): os.dup2(100 + number, 3 + number)
for number in range(len(there)): os.close(100 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(there)), LISTEN_FDNAMES=names)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """Stands in for systemd where that is not process 1.

    :param sockets: listening ones with their names; they stay open from one process to the next.
    :param directory: where the socket is that is told; None makes an abstract one.
    """

    def __init__(self, *sockets: tuple[str, socket.socket], directory: Path | None = None) -> None:
        self.sockets = sockets
        address = f"@chat-test-{secrets.token_hex(8)}" if directory is None else str(directory / "notify")
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(address.replace("@", "\0", 1) if directory is None else address)
        self.environment = {"NOTIFY_SOCKET": address}
        self.told: list[str] = []

    @property
    def command(self) -> list[str]:
        """How to begin a command line."""
        return self.becoming(*twistd(), "-n")

    def becoming(self, *command: str) -> list[str]:
        """The command, run with the sockets."""
        names = ":".join(name for name, _ in self.sockets)
        there = ",".join(str(sock.fileno()) for _, sock in self.sockets)
        return [sys.executable, "-c", BECOME, f"{names},{there}", *command]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the process inherits."""
        return tuple(sock.fileno() for _, sock in self.sockets)

    def until(self, said: str) -> list[str]:
        """Everything it was told since the last time, up to and with a message that has this in it."""
        deadline = time.monotonic() + PATIENCE_S
        new: list[str] = []
        while not new or said not in new[-1]:
            self._told.settimeout(max(0.01, deadline - time.monotonic()))
            new.append(self._told.recv(4096).decode())
        self.told += new
        return new

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._told.close()
        for _, sock in self.sockets:
            sock.close()


def listening(family: int = socket.AF_INET, address: Any = ("127.0.0.1", 0)) -> socket.socket:
    """A socket as a .socket unit opens it."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(family))
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(4096)
        stack.pop_all()
        return sock


def managed(
    directory: Path, manager: Manager, *options: str, environment: Mapping[str, str] | None = None
) -> Server:
    """A service that is given the manager's sockets and tells it how it is; it listens nowhere else."""
    server = Server(
        directory,
        *options,
        command=manager.command,
        environment={**manager.environment, **(environment or {})},
        descriptors=manager.descriptors,
        own_ports=False,
    )
    for name, sock in manager.sockets:
        if sock.family == socket.AF_INET and name in ("web", "lines"):
            port = sock.getsockname()[1]
            if name == "web":
                server.web_port = port
            else:
                server.line_port = port
    return server
