"""A request asked of another worker on behalf of a client: its answer is handed back as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPClient
from twisted.web.server import Request

_OF_THIS_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
"""Headers that mean one connection and no other (RFC 9110 section 7.6.1)."""

_HEAD_BYTES = 16_384


def as_head(request: Request, *, upgrades: bool) -> bytes:
    """The head of a request that twisted.web has read, to be asked again.

    :param upgrades: it is to become something else than HTTP; otherwise one answer ends the connection, which
        version 1.0 says in all ways: it has no chunks either.
    """
    lines = [b"%b %b HTTP/1.%d" % (request.method, request.uri, upgrades)]
    for name, values in request.requestHeaders.getAllRawHeaders():
        small = name.lower()
        if small == b"content-length" or (small in _OF_THIS_CONNECTION and not upgrades):
            continue
        lines += [b"%b: %b" % (name, value) for value in values]
    content: Any = request.content
    if not upgrades:
        size = len(content.getvalue())
        content.seek(0)
        if size or request.method == b"POST":
            lines.append(b"Content-Length: %d" % size)
    return b"\r\n".join((*lines, b"", b""))


class Relay(HTTPClient):
    """The connection to the other worker.

    :param said: what it is asked.
    :param gone: called if it goes away before it has answered anything.
    """

    MAX_LENGTH = _HEAD_BYTES

    def __init__(self, said: bytes, request: Request, gone: Callable[[], object]) -> None:
        self._said = said
        self._request: Any = request
        self._gone = gone
        self._has_answered = self._is_over = False

    def connectionMade(self) -> None:
        """Ask."""
        self._request.notifyFinish().addBoth(self._finished)
        self._write(self._said)

    def handleStatus(self, version: bytes, status: bytes, message: bytes) -> None:
        """The answer begins."""
        self._has_answered = True
        self._request.setResponseCode(int(status), message)

    def handleHeader(self, key: bytes, val: bytes) -> None:
        """One of its headers, which are all there are: also ours were made by it."""
        if key.lower() not in _OF_THIS_CONNECTION:
            self._request.responseHeaders.setRawHeaders(key, [val])

    def handleResponsePart(self, buffer: bytes) -> None:
        """A piece of the body."""
        if not self._is_over:
            self._request.write(buffer)

    def handleResponseEnd(self) -> None:
        """That was all."""
        if not self._is_over:
            self._is_over = True
            self._request.finish()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other worker has said all it has to say, or is gone."""
        if self._is_over:
            return
        if self._has_answered:
            HTTPClient.connectionLost(self, reason)
        else:
            self._is_over = True
            self._gone()

    def _finished(self, _: object) -> None:
        """The client has its answer, or does not want it any more; the other worker is to know."""
        self._is_over = True
        transport: Any = self.transport
        transport.abortConnection()

    def _write(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.write(data)
