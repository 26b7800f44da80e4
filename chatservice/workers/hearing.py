"""What workers say by sd_notify(3): an abstract datagram socket on which the kernel tells who has sent what."""

from __future__ import annotations

import os
import socket
import struct

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7), SCM_CREDENTIALS
_BYTES = 65_536


class Ear:
    """Bound when it is made, to a name that the kernel chooses."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind("")  # unix(7), Autobind feature
        self.socket.setblocking(False)

    @property
    def address(self) -> str:
        """For `NOTIFY_SOCKET`."""
        name: bytes = self.socket.getsockname()
        return "@" + name[1:].decode("ascii")

    def hear(self) -> tuple[int, dict[str, str]] | None:
        """The process that has said something, and what; None if nobody has."""
        while True:
            try:
                data, more, _, _ = self.socket.recvmsg(_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return None
            for level, kind, said in more:
                if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                    pid, uid, _ = _CREDENTIALS.unpack(said)
                    if uid == os.geteuid():  # anybody may send to such a name
                        return pid, read_told(data)


def read_told(data: bytes) -> dict[str, str]:
    """The assignments of one message."""
    lines = data.decode("utf-8", "replace").split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)
