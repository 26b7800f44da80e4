"""The plain HTTP side: the page, its files, and friendly words where there is nothing to see."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.web import http as responses
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from chatservice.dialects.registry import PATHS
from chatservice.socketio.site import refuse_body, requested
from chatservice.transports.api import Rooms
from chatservice.transports.frontdoor import FORGED
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.watch import Deadline
from chatservice.transports.websocket import ChatWebSocketFactory

# Everything the page needs comes from here; nothing else may run in it or be fetched by it.
SECURITY_HEADERS: Mapping[bytes, bytes] = {
    b"Content-Security-Policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        b" manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        b" require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    b"X-Content-Type-Options": b"nosniff",
    b"Referrer-Policy": b"no-referrer",
    b"Cross-Origin-Opener-Policy": b"same-origin",
    b"Permissions-Policy": b"camera=(), microphone=(), geolocation=()",
}

_TYPES = {
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
    "txt": b"text/plain; charset=utf-8",
    "ts": b"text/plain; charset=utf-8",  # no browser runs it, people read it
}

STATIC: Traversable = files("chatservice").joinpath("static")

LIBRARY = (b"client.js", b"client.iife.js", b"client.d.ts")
"""The client library, for everybody's pages. Built from web/: a checkout need not have it."""

_FOR_EVERYBODY: Mapping[bytes, bytes] = {b"Access-Control-Allow-Origin": b"*"}
_NOT_BUILT = "not built: `make web` in the checkout does that (it needs Node 18 and npm); wheels have it\n"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of the package, read once."""

    content_type: bytes
    plain: bytes
    zipped: bytes
    etag: bytes


def load_static(folder: Traversable) -> dict[bytes, StaticFile]:
    """Its files by name. Names not in here do not exist: no path ever meets a disk."""
    found = {}
    for file in folder.iterdir() if folder.is_dir() else ():
        suffix = file.name.rpartition(".")[2]
        if suffix in _TYPES:
            plain = file.read_bytes()
            etag = b'"' + hashlib.sha256(plain).hexdigest()[:20].encode() + b'"'
            found[file.name.encode()] = StaticFile(_TYPES[suffix], plain, gzip.compress(plain, 9, mtime=0), etag)
    return found


class FileResource(Resource):
    """Serves one static file; the browser asks each time whether it is still the same."""

    isLeaf = True

    def __init__(self, file: StaticFile, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__()
        self._file = file
        self._headers = headers or {}

    def render(self, request: Request) -> bytes:
        """Only to be read. Twisted's own page for other methods shows the peer's words."""
        if request.method in (b"GET", b"HEAD"):
            return super().render(request)  # type: ignore[no-any-return]
        return _READ_ONLY.render(request)

    def render_GET(self, request: Request) -> bytes:
        """The file, or 304 when the browser has it."""
        request.setHeader(b"Content-Type", self._file.content_type)
        request.setHeader(b"Cache-Control", b"no-cache")
        request.setHeader(b"Vary", b"Accept-Encoding")
        for name, value in self._headers.items():
            request.setHeader(name, value)
        if request.setETag(self._file.etag):
            return b""
        if b"gzip" in (request.getHeader(b"Accept-Encoding") or b""):
            request.setHeader(b"Content-Encoding", b"gzip")
            return self._file.zipped
        return self._file.plain


class WordsResource(Resource):
    """A status and a few lines of plain text."""

    isLeaf = True

    def __init__(self, status: int, words: str, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__()
        self._status = status
        self._words = words.encode()
        self._headers = headers or {}

    def render(self, request: Request) -> bytes:
        """The words, whatever the method."""
        request.setResponseCode(self._status, responses.RESPONSES.get(self._status, b"Upgrade Required"))
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        for name, value in self._headers.items():
            request.setHeader(name, value)
        return b"" if request.method == b"HEAD" else self._words


_READ_ONLY = WordsResource(405, "this can only be read: GET or HEAD\n", {b"Allow": b"GET, HEAD"})

NOT_FOUND = """\
404: there is nothing here.  这里什么都没有。

  /          the chat page (GET) and the simple dialect (WebSocket)
             聊天页面（GET），simple 方言（WebSocket）
  /v1        WebSocket, chat.v1, for clients that want to miss nothing  完整协议
  /text      WebSocket, plain text  纯文本
  /echo      WebSocket, sends back what you send  回声
  /scream    WebSocket, SHOUTS BACK!!!  大写回喊
  /client.js  the JavaScript client library (/client.iife.js, /client.d.ts)  客户端库
  /socket.io/  Socket.IO 2.x and 4.x  兼容 Socket.IO 客户端
  /api/rooms/ROOM/messages (POST), /events, /export (GET)
"""


class Root(Resource):
    """The tree of the main port."""

    def __init__(self, chat: ChatWebSocketFactory, sockets: ChatSockets) -> None:
        super().__init__()
        self._sockets = sockets.server
        self._chat = WebSocketResource(chat)
        self._rooms = Rooms(chat.around, chat.manners)
        self._not_found = WordsResource(404, NOT_FOUND)
        self._forged = WordsResource(400, "a header holds a character that belongs in none\n")
        upgrade_needed = WordsResource(
            426, "this is a WebSocket address; open it with new WebSocket(…)\n", {b"Upgrade": b"websocket"}
        )
        static, app = load_static(STATIC), load_static(STATIC.joinpath("app"))
        not_built = WordsResource(404, _NOT_BUILT, _FOR_EVERYBODY)
        self._files: dict[bytes, IResource] = {
            b"/static/" + name: FileResource(file) for name, file in static.items()
        }
        self._files[b"/"] = FileResource(static[b"index.html"])
        self._files |= {
            b"/" + name: FileResource(app[name], _FOR_EVERYBODY) if name in app else not_built for name in LIBRARY
        }
        self._files |= {path.encode(): upgrade_needed for path in PATHS if path != "/"}

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """By the whole path at once: there are no directories."""
        if self._sockets.serves(request.path):
            return self._sockets.resource
        # An upgrade on a kept-alive connection comes past the front door (some proxies do that).
        if (request.getHeader(b"Upgrade") or b"").lower() == b"websocket":
            values = (value for _, found in request.requestHeaders.getAllRawHeaders() for value in found)
            return self._forged if any(map(FORGED.search, values)) else self._chat
        if request.path.startswith(b"/api/rooms/"):
            request.postpath = request.path.split(b"/")[3:]
            return self._rooms
        return self._files.get(request.path, self._not_found)


BODY_BYTES = 65_536
"""A request body may be this long: the biggest message in JSON has 24 000."""


class PageRequest(Request):
    """A request whose answer carries the security headers, whoever writes it."""

    _refused = False
    _body_due: Deadline | None = None

    def process(self) -> None:
        """See `Request.process`. Half a body is no request."""
        if self._body_due is not None:
            self._around().handshakes.remove(self._body_due)
        if self._refused:
            return
        for name, value in SECURITY_HEADERS.items():
            self.setHeader(name, value)
        super().process()

    def gotLength(self, length: int | None) -> None:
        """twisted.web would read any body to its end, a big one into a file; we say no before it comes."""
        self.content = BytesIO()
        if length is not None and length > BODY_BYTES:
            self._refuse_body()
        elif length != 0:
            # The channel's own time limit begins anew with each byte: a slow drip could hold a place for hours.
            channel: Any = self.channel
            self._body_due = Deadline(channel.transport.abortConnection)
            self._around().handshakes.add(self._body_due)

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body; without a length beforehand we count."""
        if self._refused:
            return
        if self.content is not None and self.content.tell() + len(data) > BODY_BYTES:
            self._refuse_body()
        else:
            super().handleContentChunk(data)

    def _around(self) -> Surroundings:
        channel: Any = self.channel
        around: Surroundings = channel.site.around
        return around

    def _refuse_body(self) -> None:
        self._refused = True
        channel: Any = self.channel
        sockets = channel.site.sockets
        if sockets.serves(requested(channel).partition(b"?")[0]):
            refuse_body(sockets.house, self, channel)
            return
        transport = channel.transport
        transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        transport.loseConnection()
        # An orderly end waits until the peer has read; this one may go on sending for ever.
        self._around().farewells.add(Deadline(transport.abortConnection))

    def setHeader(self, name: bytes | str, value: bytes | str) -> None:
        """As always, but which server of which version this is concerns nobody."""
        if name not in (b"Server", b"server"):
            super().setHeader(name, value)


class PageSite(Site):
    """The site of one listener. It keeps no access log: query strings may hold tokens."""

    requestFactory = PageRequest
    displayTracebacks = False
    noisy = False

    def __init__(self, chat: ChatWebSocketFactory, sockets: ChatSockets) -> None:
        super().__init__(Root(chat, sockets), timeout=15, reactor=chat.reactor)
        self.around = chat.around
        self.sockets = sockets.server

    def log(self, request: HTTPRequest) -> None:
        """Nothing; see the class."""
