"""The plain HTTP side: the page, its files, and friendly words where there is nothing to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from chatservice.dialects.registry import PAGES, PATHS
from chatservice.socketio.site import BoundedRequest, refuse_body, requested
from chatservice.transports.admin import Admin
from chatservice.transports.api import Rooms
from chatservice.transports.assets import LIBRARY, Pages
from chatservice.transports.doorkeeper import Asked, Doorkeeper, Turned
from chatservice.transports.files import ASK_EACH_TIME, FOR_EVER, FileResource, WordsResource
from chatservice.transports.headers import naming, refusal, security_headers
from chatservice.transports.health import HealthResource
from chatservice.transports.signin import LOGIN, LOGOUT, PASSWORD, SignInResource
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.watch import Deadline
from chatservice.transports.websocket import ChatWebSocketFactory
from chatservice.transports.wireview import PATH as WIRE
from chatservice.transports.wireview import WireFactory
from chatservice.wires.headers import FORGED

_FOR_EVERYBODY: Mapping[bytes, bytes] = {b"Access-Control-Allow-Origin": b"*"}
_NOT_BUILT = "not built: `make web` in the checkout does that (it needs Node 18 and npm); wheels have it\n"

# By these names the page's files stand beside it; all others of the build are below app/.
_BESIDE_THE_PAGE = {"index.html": b"/", "sw.js": b"/sw.js", "manifest.webmanifest": b"/manifest.webmanifest"}

NOT_FOUND = """\
404: there is nothing here.  这里什么都没有。

  /          the chat page (GET) and the simple dialect (WebSocket)
             聊天页面（GET），simple 方言（WebSocket）
  /lite      a small chat page without any library  不用任何库的小页面
  /v1        WebSocket, chat.v1, for clients that want to miss nothing  完整协议
  /text      WebSocket, plain text  纯文本
  /echo      WebSocket, sends back what you send  回声
  /scream    WebSocket, SHOUTS BACK!!!  大写回喊
  /wire      your own connection, octet by octet  逐字节看自己的连接
  /client.js  the JavaScript client library (/client.iife.js, /client.d.ts)  客户端库
  /socket.io/  Socket.IO 2.x and 4.x  兼容 Socket.IO 客户端
  /v1/login (POST), /v1/logout, /v1/password  登录、退出、改密码
  /health, /health/ready  for probes  健康检查
  /api/rooms/ROOM/messages (POST), /events, /export (GET)
"""


def _files(pages: Pages, headers: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, IResource]]:
    """Every file at its address."""
    small = {name: FileResource(file) for name, file in pages.small.items()}
    yield from ((b"/static/" + name.encode(), file) for name, file in small.items())
    yield from ((b"/lite", small["lite.html"]), (WIRE, small["wire.html"]), (b"/robots.txt", small["robots.txt"]))
    not_built = WordsResource(404, _NOT_BUILT, _FOR_EVERYBODY)
    for name in LIBRARY:
        file = pages.library.get(name)
        yield b"/" + name.encode(), not_built if file is None else FileResource(file, _FOR_EVERYBODY)
    for name, file in pages.older.items():
        yield b"/app/" + name.encode(), FileResource(file, kept=FOR_EVER)
    if pages.build is None:
        yield from ((b"/", small["lite.html"]), (b"/sw.js", small["sw-off.js"]))
        return
    for name, file in pages.build.files.items():
        if name not in LIBRARY:
            kept = FOR_EVER if name in pages.build.hashed else ASK_EACH_TIME
            own = naming(headers, pages.build.inline) if name == "index.html" else None
            yield _BESIDE_THE_PAGE.get(name, b"/app/" + name.encode()), FileResource(file, own, kept=kept)


class Root(Resource):
    """The tree of the main port.

    :param headers: what every answer carries; the page's own differ where it has a script in itself.
    """

    def __init__(
        self, chat: ChatWebSocketFactory, sockets: ChatSockets, pages: Pages, headers: Mapping[bytes, bytes]
    ) -> None:
        super().__init__()
        self._sockets = sockets.server
        self._chat: IResource = WebSocketResource(chat)
        self._wire: IResource = WebSocketResource(WireFactory(chat))
        self._rooms = Rooms(chat.around, chat.manners)
        self._not_found = WordsResource(404, NOT_FOUND)
        self._forged = WordsResource(400, "a header holds a character that belongs in none\n")
        upgrade_needed = WordsResource(
            426, "this is a WebSocket address; open it with new WebSocket(…)\n", {b"Upgrade": b"websocket"}
        )
        self._files: dict[bytes, IResource] = dict(_files(pages, headers))
        self._files |= {
            path: SignInResource(path, chat.around, chat.manners) for path in (LOGIN, LOGOUT, PASSWORD)
        }
        health = chat.around.health
        self._files |= {b"/health": HealthResource(health.live), b"/health/ready": HealthResource(health.ready)}
        self._admin = Admin(pages.small["admin.html"], chat.around, chat.manners)
        self._files |= {path.encode(): upgrade_needed for path in PATHS if path not in PAGES}

    def serve(self, path: bytes, resource: IResource) -> None:
        """Serve something more."""
        self._files[path] = resource

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """By the whole path at once: there are no directories."""
        if self._sockets.serves(request.path):
            return self._sockets.resource
        # An upgrade on a kept-alive connection comes past the front door (some proxies do that).
        if (request.getHeader(b"Upgrade") or b"").lower() == b"websocket":
            values = (value for _, found in request.requestHeaders.getAllRawHeaders() for value in found)
            if any(map(FORGED.search, values)):
                return self._forged
            return self._wire if request.path == WIRE else self._chat
        if request.path.startswith(b"/api/rooms/"):
            request.postpath = request.path.split(b"/")[3:]
            return self._rooms
        if request.path.startswith(b"/admin"):
            return self._admin.find(request.path) or self._not_found
        return self._files.get(request.path, self._not_found)


BODY_BYTES = 65_536
"""A request body may be this long: the biggest message in JSON has 24 000."""


class _Head(Asked):
    """The head of a request that twisted.web has read."""

    def __init__(self, request: PageRequest) -> None:
        self._headers = request.requestHeaders
        self.method, self.version = request.channel._command, request.channel._version
        self.path = requested(request.channel).partition(b"?")[0]
        self.is_upgrade = [value.lower() for value in self._headers.getRawHeaders(b"upgrade", [])] == [
            b"websocket"
        ]

    def values(self, name: bytes) -> Sequence[str]:
        """See `Asked.values`."""
        return [value.decode("latin-1") for value in self._headers.getRawHeaders(name, [])]


class PageRequest(BoundedRequest):
    """A request whose answer carries the security headers, whoever writes it. Its site is a `PageSite`."""

    channel: Any
    _body_due: Deadline | None = None

    def process(self) -> None:
        """See `Request.process`."""
        if self._body_due is not None:
            self._site().around.handshakes.remove(self._body_due)
        for name, value in self._site().headers.items():
            self.setHeader(name, value)
        super().process()

    def gotLength(self, length: int | None) -> None:
        """The headers are here."""
        super().gotLength(length)
        if self._refused:
            return
        try:
            self._site().doorkeeper.judge(self.channel.transport, _Head(self))
        except Turned as turned:
            self._refused = True
            self._site().turn_away(self.channel, turned.status, turned.why, turned.headers)
            return
        self.client = self.channel.getPeer()  # a proxy may have told us meanwhile whose request it is
        if length != 0:
            # The channel's own time limit begins anew with each byte: a slow drip could hold a place for hours.
            channel: Any = self.channel
            self._body_due = Deadline(channel.transport.abortConnection)
            self._site().around.handshakes.add(self._body_due)

    def _site(self) -> PageSite:
        channel: Any = self.channel
        site: PageSite = channel.site
        return site

    def setHeader(self, name: bytes | str, value: bytes | str) -> None:
        """As always, but which server of which version this is concerns nobody."""
        if name not in (b"Server", b"server"):
            super().setHeader(name, value)


class PageSite(Site):
    """The site of one listener. It keeps no access log: query strings may hold tokens.

    :param pages: what is served; by itself it takes what the package has.
    :ivar headers: what every answer carries.
    :ivar serve: serves something more.
    """

    requestFactory = PageRequest
    displayTracebacks = False
    noisy = False

    def __init__(
        self,
        chat: ChatWebSocketFactory,
        sockets: ChatSockets,
        pages: Pages | None = None,
        headers: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self.headers = headers or security_headers()
        root = Root(chat, sockets, pages or Pages.load(), self.headers)
        super().__init__(root, timeout=15, reactor=chat.reactor)
        self.serve = root.serve
        self.around = chat.around
        self.sockets = sockets.server
        self.doorkeeper = Doorkeeper(chat.around, chat.manners)

    def body_limit(self, _channel: Any) -> int:
        """See `BoundedRequest`."""
        return BODY_BYTES

    def refuse_body(self, request: Request, channel: Any) -> None:
        """See `BoundedRequest`."""
        if self.sockets.serves(requested(channel).partition(b"?")[0]):
            refuse_body(self.sockets.house, request, channel, self.headers)
            return
        self.turn_away(channel, b"413 Content Too Large")

    def turn_away(
        self, channel: Any, status: bytes, why: str = "", more: Mapping[bytes, bytes] | None = None
    ) -> None:
        """Answer a request before its body has come, and end the connection.

        :param why: one line.
        """
        transport = channel.transport
        transport.write(refusal(status, why.encode(), {**self.headers, **(more or {})}))
        transport.loseConnection()
        # An orderly end waits until the peer has read; this one may go on sending for ever.
        self.around.farewells.add(Deadline(transport.abortConnection))

    def log(self, request: HTTPRequest) -> None:
        """Nothing; see the class."""
