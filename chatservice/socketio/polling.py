"""The twisted.web side: long-polling, client files, and the way on for a WebSocket that comes by here."""

from __future__ import annotations

from typing import Any

import orjson
from autobahn.twisted.resource import WebSocketResource
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from chatservice.socketio.clientfiles import ClientFiles, takes_gzip
from chatservice.socketio.errors import BAD_REQUEST, UNKNOWN_SID, BadPacket, HTTPRefusal
from chatservice.socketio.handshake import Handshake, is_allowed, jsonp_index, judge, read_query, version
from chatservice.socketio.house import House
from chatservice.socketio.outgoing import POLL3_BINARY, Batch
from chatservice.socketio.payload import decode_payload, jsonp_answer, jsonp_body
from chatservice.socketio.session import Session
from chatservice.wires.headers import FORGED, fold_raw

TEXT = b"text/plain; charset=UTF-8"
BYTES = b"application/octet-stream"  # exactly: the 2.x browser client compares with ===
SCRIPT = b"text/javascript; charset=UTF-8"


class _Poll:
    """A GET that waits for packets."""

    __slots__ = ("_request", "_resource", "_session")

    def __init__(self, resource: PollingResource, request: Request, session: Session) -> None:
        self._resource = resource
        self._request = request
        self._session = session

    def wait(self) -> None:
        """It was not answered at once: know when the client gives up."""
        self._request.notifyFinish().addErrback(self._lost)

    def answer(self, batch: Batch, form: int) -> None:
        """See `Poll.answer`."""
        request, zip_bytes = self._request, self._resource.house.options.zip_bytes
        if request._disconnected or request.finished:  # the news of the client's end is under way
            return
        index = self._session.jsonp
        if index is not None:
            body, kind = jsonp_answer(index, batch.joined(form)), SCRIPT
            request.setHeader(b"X-Content-Type-Options", b"nosniff")
        else:
            body, kind = batch.joined(form), BYTES if form == POLL3_BINARY else TEXT
            if zip_bytes is not None and len(body) >= zip_bytes and takes_gzip(request):
                body = batch.zipped(form)
                request.setHeader(b"Content-Encoding", b"gzip")
        _finish(request, 200, kind, body)

    @property
    def is_answered(self) -> bool:
        """It is over."""
        return bool(self._request.finished)

    def _lost(self, _failure: Failure) -> None:
        self._session.poll_lost(self)


class PollingResource(Resource):
    """Serves `/socket.io` and `/socket.io/` wherever it is put in a tree.

    :ivar house: the server's inside.
    """

    isLeaf = True

    def __init__(self, house: House, websocket_factory: Any) -> None:
        super().__init__()
        self.house = house
        self._websocket = WebSocketResource(websocket_factory)
        self._files = ClientFiles(house.options.clients)

    def render(self, request: Request) -> int | bytes:
        """Any method: an answer, or a promise of one."""
        elsewhere = self.house.options.elsewhere
        if elsewhere is not None:
            sid = read_query(request.uri.partition(b"?")[2].decode("latin-1")).get("sid")
            if sid is not None and elsewhere.take(sid, request, lambda: self._unknown(request)):
                return NOT_DONE_YET
        if (request.getHeader(b"Upgrade") or b"").lower() == b"websocket":
            values = (value for _, found in request.requestHeaders.getAllRawHeaders() for value in found)
            if not any(map(FORGED.search, values)):
                return self._websocket.render(request)  # type: ignore[no-any-return]
        asked = read_request(request)
        for name, value in cross_origin(self.house, asked):
            request.setHeader(name, value)
        if request.path.endswith(b".js"):
            body = self._files.render(request)
            if request.method == b"HEAD" and body:  # twisted.web would log a line for what it has to throw away
                request.setHeader(b"Content-Length", b"%d" % len(body))
                return b""
            return body
        if request.method == b"OPTIONS":
            request.setHeader(b"Access-Control-Allow-Methods", b"GET, POST")
            request.setHeader(b"Access-Control-Allow-Headers", b"Content-Type")
            request.setHeader(b"Access-Control-Max-Age", b"600")
            request.setResponseCode(204)
            return b""
        try:
            self._serve(request, asked)
        except HTTPRefusal as refusal:
            _refuse(request, refusal)
        return NOT_DONE_YET

    def _unknown(self, request: Request) -> None:
        for name, value in cross_origin(self.house, read_request(request)):
            request.setHeader(name, value)
        _refuse(request, HTTPRefusal(UNKNOWN_SID))

    def _serve(self, request: Request, asked: Handshake) -> None:
        method = request.method.decode("latin-1")
        session = judge(self.house, method, asked, is_upgrade=False)
        if session is None:
            index = self._jsonp(asked)
            base64 = "b64" in asked.query or index is not None
            spoken = version(self.house, asked.query)
            session = self.house.new_session(
                spoken, base64=base64, handshake=asked, jsonp=index, address=asked.address
            )
            self._bake(request, session, is_secure=asked.is_secure)
            session.open()
            self._poll(request, session)
        elif method == "GET":
            self._poll(request, session)
        elif method == "POST":
            self._post(request, session)
        else:
            raise HTTPRefusal(BAD_REQUEST)

    def _jsonp(self, asked: Handshake) -> str | None:
        index = jsonp_index(asked.query)
        if index is not None and (not self.house.options.jsonp or asked.query.get("EIO") != "3"):
            raise HTTPRefusal(BAD_REQUEST)
        return index

    def _bake(self, request: Request, session: Session, *, is_secure: bool) -> None:
        name = self.house.options.cookie
        if name is not None:
            request.addCookie(name, session.sid, path="/", secure=is_secure, httpOnly=True, sameSite="lax")

    def _poll(self, request: Request, session: Session) -> None:
        poll = _Poll(self, request, session)
        if not session.poll(poll):
            raise HTTPRefusal(BAD_REQUEST)
        if not poll.is_answered:
            poll.wait()

    def _post(self, request: Request, session: Session) -> None:
        content: Any = request.content
        body: bytes = content.read()
        if len(body) > self.house.options.max_payload:
            session.close()
            _finish(request, 413, TEXT, b"")
            return
        kind = (request.getHeader(b"Content-Type") or b"").partition(b";")[0].strip().lower()
        try:
            if session.jsonp is not None:
                body = jsonp_body(body)
            packets = decode_payload(session.version, body, is_binary=kind == BYTES)
        except BadPacket:
            session.bad_post()
            raise HTTPRefusal(BAD_REQUEST) from None
        try:
            session.post(packets)
        except BadPacket:
            raise HTTPRefusal(BAD_REQUEST) from None
        if not request._disconnected:
            _finish(request, 200, b"text/html; charset=UTF-8", b"ok")


def read_request(request: Request) -> Handshake:
    """A twisted.web request as a `Handshake`. The body's fields, which twisted.web mixes in, do not count."""
    headers = fold_raw(request.requestHeaders.getAllRawHeaders())
    peer = request.getClientAddress()
    query = read_query(request.uri.partition(b"?")[2].decode("latin-1"))
    return Handshake(query, headers, str(getattr(peer, "host", "")), request.isSecure())


def cross_origin(house: House, asked: Handshake) -> list[tuple[bytes, bytes]]:
    """The headers that let the asking page read the answer, an error too. The origin is echoed: clients 2.x send
    credentials always, and for those `*` does not count."""
    origin = asked.headers.get("origin")
    if origin is None:
        return [(b"Vary", b"Origin")]
    if not origin.isprintable() or not origin.isascii() or not is_allowed(house, asked.headers):
        return [(b"Vary", b"Origin")]
    return [
        (b"Vary", b"Origin"),
        (b"Access-Control-Allow-Origin", origin.encode()),
        (b"Access-Control-Allow-Credentials", b"true"),
    ]


def _refuse(request: Request, refusal: HTTPRefusal) -> None:
    body = orjson.dumps({"code": refusal.code, "message": str(refusal)})
    _finish(request, refusal.status, b"application/json", body)


def _finish(request: Request, status: int, kind: bytes, body: bytes) -> None:
    request.setResponseCode(status, RESPONSES.get(status, b"Error"))
    request.setHeader(b"Content-Type", kind)
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"Content-Length", b"%d" % len(body))
    if kind == TEXT and b"Trident/" in (request.getHeader(b"User-Agent") or b""):
        request.setHeader(b"X-XSS-Protection", b"0")  # its filter took long answers for attacks
    request.write(body)
    request.finish()
