"""HTTP to a `SocketSite` in memory."""

from __future__ import annotations

import re

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site


class Browser:
    """One connection."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self.clock = clock
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 4711))
        protocol = site.buildProtocol(self.transport.getPeer())
        assert protocol is not None
        self.protocol = self.transport.protocol = protocol  # type: ignore[attr-defined]
        protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Bytes as they are, to whoever has the connection by now."""
        self.transport.protocol.dataReceived(data)  # type: ignore[attr-defined]
        self.clock.advance(0)

    def ask(self, address: str, method: str = "GET", body: bytes = b"", **headers: str) -> None:
        """A whole request."""
        if method == "POST":
            headers["Content-Length"] = str(len(body))
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        self.send(f"{method} {address} HTTP/1.1\r\nHost: chat.example\r\n{''.join(lines)}\r\n".encode() + body)

    def get(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer, which must be whole."""
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        self.transport.clear()
        headers = {name.lower(): value for name, value in re.findall(r"([^:\r\n]+): ([^\r\n]*)", head.decode())}
        if "content-length" in headers:
            assert len(body) == int(headers["content-length"])
        return int(head.split()[1]), headers, body

    def lose(self) -> None:
        """The connection is gone."""
        self.transport.protocol.connectionLost(Failure(connectionDone.value))  # type: ignore[attr-defined]
        self.clock.advance(0)
