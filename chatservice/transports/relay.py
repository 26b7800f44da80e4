"""A request asked of another worker on behalf of a client: its answer is handed back as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.server import Request

_OF_THIS_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
"""Headers that mean one connection and no other (RFC 9110 section 7.6.1)."""


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


class Relays(set["Relay"]):
    """Those of one process that are not over.

    :ivar are_last: the process is about to end, so their clients are to ask for what comes next by another way.
    """

    are_last = False


class Relay(Protocol):
    """The connection to the other worker, whose answer is of version 1.0: a head, then a body up to the end.

    :param said: what it is asked.
    :param gone: called if it goes away before it has answered anything.
    :param among: has this one as long as it is not over.
    """

    def __init__(self, said: bytes, request: Request, gone: Callable[[], object], among: Relays) -> None:
        self._said = said
        self._request: Any = request
        self._gone = gone
        self._among = among
        self._head = b""
        self._has_answered = self._is_over = False

    def connectionMade(self) -> None:
        """Ask."""
        self._among.add(self)
        self._request.notifyFinish().addBoth(self._finished)
        self._transport.write(self._said)

    def dataReceived(self, data: bytes) -> None:
        """A piece of the answer."""
        if self._is_over:
            return
        if not self._has_answered:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._has_answered = True
            self._begin(head)
        if data:
            self._request.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other worker has said all it has to say, or is gone."""
        self._among.discard(self)
        if self._is_over:
            return
        self._is_over = True
        if self._has_answered:
            self._request.finish()
        else:
            self._gone()

    def _begin(self, head: bytes) -> None:
        status, *lines = head.split(b"\r\n")
        _, code, reason = (*status.split(b" ", 2), b"", b"")[:3]
        self._request.setResponseCode(int(code), reason)
        headers, told = self._request.responseHeaders, set()
        for name, _, value in (line.partition(b":") for line in lines):
            small = name.lower()
            if small in _OF_THIS_CONNECTION:
                continue
            if small not in told:  # the other one's say all there is to say
                headers.removeHeader(name)
                told.add(small)
            headers.addRawHeader(name, value.strip())
        if self._among.are_last:
            headers.setRawHeaders(b"Connection", [b"close"])
            self._request.channel.persistent = False

    def _finished(self, _: object) -> None:
        """The client has its answer, or does not want it any more; the other worker is to know."""
        self._is_over = True
        self._transport.abortConnection()

    @property
    def _transport(self) -> Any:
        return self.transport
