"""`control.sock` in the data directory: how commands of `chatservice` reach the running service.

One JSON object on one line asks, one answers. Whoever may open the socket may do everything: it is there for the
user the service runs as, and for root.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

from chatservice.dialects.phrases import say
from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.transports.inherited import listen_at

SOCKET = "control.sock"
LINE_BYTES = 16_384
_PEER = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED


class Commands(Protocol):
    """What can be asked."""

    def run(self, fields: Mapping[str, Any], uid: int) -> Promise[Mapping[str, Any]]:
        """Do it for the user of the operating system who has that number; see `operator.Operator`."""


class Control(LineOnlyReceiver):
    """One connection."""

    factory: ControlFactory
    delimiter = b"\n"
    MAX_LENGTH = LINE_BYTES

    def connectionMade(self) -> None:
        """Nobody else may ask, even if the socket's mode was changed."""
        transport: Any = self.transport
        sock = transport.socket
        _, uid, _ = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if uid not in (0, os.geteuid()):
            transport.abortConnection()
        self._uid = uid

    def lineReceived(self, line: bytes) -> None:
        """A command."""
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict):
            self.sendLine(error_line(Refused(Code.BAD_JSON)))
            return
        self.factory.commands.run(fields, self._uid).then(self._answer)

    def _answer(self, done: Promise[Mapping[str, Any]]) -> None:
        error = done.error
        if error is None:
            self.sendLine(orjson.dumps({"ok": True, **done.result()}))
            return
        if not isinstance(error, Refused):
            self.factory.report(error)
            error = Refused(Code.INTERNAL)
        self.sendLine(error_line(error))


class ControlFactory(Factory[Control]):
    """Makes the connections."""

    protocol = Control
    noisy = False

    def __init__(self, commands: Commands, report: Callable[[BaseException], None]) -> None:
        self.commands = commands
        self.report = report

    def buildProtocol(self, addr: IAddress | None) -> Control:
        """A protocol for one connection."""
        control = Control()
        control.factory = self
        return control


def error_line(refusal: Refused) -> bytes:
    """What a refused command is answered."""
    told = {"ok": False, "code": refusal.code.value, "error": say("en", refusal.about, refusal.params)}
    return orjson.dumps(told)


def listen_for_control(
    reactor: Any,
    data: Path,
    commands: Commands,
    report: Callable[[BaseException], None],
    shared: int | None = None,
) -> IListeningPort:
    """Listen at `control.sock`. The data directory is locked, so a socket that is there is a dead one's.

    :param shared: the descriptor of that socket, where several workers listen at it: any of them may answer.
    """
    if shared is not None:
        adopted: IListeningPort = listen_at(reactor, shared, ControlFactory(commands, report))
        return adopted
    path = data / SOCKET
    path.unlink(missing_ok=True)
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    # From the first moment on: the mode that Twisted sets comes after the socket is there.
    mask = os.umask(0o177)
    try:
        # The address of a socket has room for 107 bytes (unix(7)), which the path of a directory may not fit.
        port: IListeningPort = reactor.listenUNIX(
            f"/proc/self/fd/{directory}/{SOCKET}", ControlFactory(commands, report), mode=0o600
        )
    finally:
        os.umask(mask)
    return port


def address_of(data: Path) -> tuple[str, int]:
    """How to reach the socket, and the descriptor of the directory to be closed afterwards.

    :raises OSError: if there is no such directory.
    """
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    return f"/proc/self/fd/{directory}/{SOCKET}", directory
