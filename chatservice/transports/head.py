"""One request head, read with a bound in size and one in time."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from chatservice.transports.doorkeeper import Asked
from chatservice.transports.headers import refusal
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.watch import Deadline
from chatservice.wires.headers import FORGED

HEAD_BYTES = 16_384
"""A request head may be this long; twisted.web has the same bound, Autobahn has none."""


HEAD_LINES = 102
"""The first line, a hundred headers, the empty line: a browser behind three proxies sends forty."""


class HeadReader(Protocol):
    """Waits for one whole request head, for at most ten seconds and 16 KiB."""

    transport: Transport  # type: ignore[assignment]
    around: Surroundings
    headers: Mapping[bytes, bytes]

    def __init__(self) -> None:
        self._head = b""
        self._deadline: Deadline | None = None
        self._farewell: Deadline | None = None

    @abstractmethod
    def headReceived(self, head: bytes, received: bytes) -> None:
        """It is there.

        :param received: the head and what came behind it.
        """

    def connectionMade(self) -> None:
        """Somebody is at the door. Under TLS its handshake is still to come, within the same ten seconds."""
        self._deadline = Deadline(self.transport.abortConnection)
        self.around.handshakes.add(self._deadline)

    def dataReceived(self, data: bytes) -> None:
        """Collect the head."""
        if self._deadline is None:
            return  # refused already; what it still sends is nobody's
        begin = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", begin)
        # Both say the same in however many pieces it comes: no head of more than HEAD_BYTES.
        if end + 4 > HEAD_BYTES or (end < 0 and len(self._head) >= HEAD_BYTES):
            if self._head.find(b"\r\n", 0, HEAD_BYTES) < 0:
                self.refuse(b"414 URI Too Long", "the request's first line has more than 16 KiB")
            else:
                self.refuse(b"431 Request Header Fields Too Large", "the request head has more than 16 KiB")
        elif end >= 0:
            head = self._head[: end + 4]
            if head.count(b"\r\n") > HEAD_LINES:
                self.refuse(b"431 Request Header Fields Too Large", "the request has more than 100 header lines")
            elif FORGED.search(head):
                self.refuse(b"400 Bad Request", "the request head holds a character that belongs in none")
            else:
                received, self._head = self._head, b""
                self.headReceived(head, received)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It went away before it had said what it wanted, or after it was refused."""
        self.forget_deadline()
        if self._farewell is not None:
            self.around.farewells.remove(self._farewell)

    def refuse(self, status: bytes, why: str, more: Mapping[bytes, bytes] | None = None) -> None:
        """Answer, and end the connection.

        :param why: one line.
        :param more: header lines for this answer alone.
        """
        self.forget_deadline()
        self.transport.write(refusal(status, why.encode(), {**self.headers, **(more or {})}))
        self.transport.loseConnection()
        # An orderly end waits until the peer has read; this one may never do that.
        self._farewell = Deadline(self.transport.abortConnection)
        self.around.farewells.add(self._farewell)

    def forget_deadline(self) -> None:
        """It has said what it wants."""
        if self._deadline is not None:
            self.around.handshakes.remove(self._deadline)
            self._deadline = None


class RawHead(Asked):
    """A request's head as bytes, looked into as far as needed."""

    def __init__(self, head: bytes, *, is_upgrade: bool) -> None:
        self._head = head
        self.is_upgrade = is_upgrade
        self.method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        self.target, _, self.version = rest.partition(b" ")
        self.path = self.target.partition(b"?")[0]

    def values(self, name: bytes) -> Sequence[str]:
        """See `Asked.values`."""
        return [value.decode("latin-1").strip(" \t") for value in _line(name).findall(self._head)]


@lru_cache
def _line(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?i)\r\n" + re.escape(name) + rb":([^\r\n]*)")
