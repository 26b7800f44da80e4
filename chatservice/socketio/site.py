"""A twisted.web site with servers in it, that says no to a body before it comes and writes no access log."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from twisted.web.http import Request as HTTPRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from chatservice.socketio.engine import Server
from chatservice.socketio.handshake import Handshake, read_query
from chatservice.socketio.house import House
from chatservice.socketio.polling import cross_origin
from chatservice.wires.headers import fold_raw


class BoundedRequest(Request):
    """twisted.web reads any body to its end, a big one into a file, before it asks a resource. This one counts.

    Its site says how much, by `body_limit`, and how a longer one is refused, by `refuse_body`; see `SocketSite`.
    """

    _refused = False
    _limit = 0

    def process(self) -> None:
        """See `Request.process`. Half a body is no request."""
        if not self._refused:
            super().process()

    def gotLength(self, length: int | None) -> None:
        """The headers are here."""
        self.content = BytesIO()
        channel: Any = self.channel
        self._limit = channel.site.body_limit(channel)
        if length is not None and length > self._limit:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body; without a length beforehand we count."""
        if self._refused:
            return
        if self.content is not None and self.content.tell() + len(data) > self._limit:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self._refused = True
        channel: Any = self.channel
        channel.site.refuse_body(self, channel)


def requested(channel: Any) -> bytes:
    """The address a request is for, while its body is still coming: the channel knows it, the request not yet."""
    uri: bytes = getattr(channel, "_path", b"")
    return uri


def refuse_body(house: House, request: Request, channel: Any, common: Mapping[bytes, bytes] | None = None) -> None:
    """Answer 413 before the body has come, end the session it is for, and end the connection.

    :param channel: the request's `HTTPChannel`.
    :param common: headers that all answers of the site carry.
    """
    query = read_query(requested(channel).partition(b"?")[2].decode("latin-1"))
    headers = fold_raw(request.requestHeaders.getAllRawHeaders())
    session = house.find(query.get("sid", ""))
    if session is not None:
        session.close()
    told = [*(common or {}).items(), *cross_origin(house, Handshake(query, headers))]
    more = b"".join(b"%b: %b\r\n" % header for header in told)
    transport = channel.transport
    transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n%b\r\n" % more)
    transport.loseConnection()
    # An orderly end waits until the peer has read; this one may go on sending for ever.
    house.add_farewell(transport.abortConnection)


class Mount(Resource):
    """A tree with servers in it, which are found by their whole path."""

    def __init__(self, servers: tuple[Server, ...], root: Resource | None = None) -> None:
        super().__init__()
        self._servers = servers
        self._root = root

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """The server, if the path is one's; else what the tree has."""
        for server in self._servers:
            if server.serves(request.path):
                return server.resource
        if self._root is None:
            return notFound()
        return self._root.getChildWithDefault(path, request)  # type: ignore[no-any-return]


class SocketSite(Site):
    """A site with one or more servers. It keeps no access log, because query strings hold session ids.

    :param root: a tree for all other paths.
    :param more: what `twisted.web.server.Site` takes.
    """

    requestFactory = BoundedRequest
    displayTracebacks = False
    noisy = False

    def __init__(self, *servers: Server, root: Resource | None = None, **more: Any) -> None:
        super().__init__(Mount(servers, root), **more)
        self.servers = servers

    def body_limit(self, channel: Any) -> int:
        """How long the body of the request may be that this channel is reading."""
        return self._server(channel).options.max_payload

    def refuse_body(self, request: Request, channel: Any) -> None:
        """It is longer."""
        refuse_body(self._server(channel).house, request, channel)

    def _server(self, channel: Any) -> Server:
        """Other paths are bounded like those of the first server."""
        path = requested(channel).partition(b"?")[0]
        return next((server for server in self.servers if server.serves(path)), self.servers[0])

    def log(self, request: HTTPRequest) -> None:
        """Nothing; see the class."""
