"""The HTTP twin of chat.v1: say something with one POST, read by long-poll or as a stream (docs/wire/http.md)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import orjson
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from chatservice.dialects.base import Unreadable
from chatservice.dialects.full import Fields
from chatservice.dialects.full_voice import FullVoice, full_voice
from chatservice.dialects.phrases import choose_language
from chatservice.domain.commands import Say
from chatservice.domain.errors import Code, Refused
from chatservice.domain.permissions import room_name
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise, start
from chatservice.transports.api_events import export, poll, stream
from chatservice.transports.credentials import header, media_type, token_of
from chatservice.transports.networks import LOCAL
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.visitors import Visitor, Visitors

STATUS: dict[Code, int] = {
    Code.BAD_JSON: 400,
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.TOKEN_EXPIRED: 401,
    Code.FORBIDDEN: 403,
    Code.MUTED: 403,
    Code.NO_ROOM: 404,
    Code.NO_MESSAGE: 404,
    Code.CONFLICT: 409,
    Code.CID_CONFLICT: 409,
    Code.NICK_TAKEN: 409,
    Code.TOO_LARGE: 413,
    Code.RATE_LIMITED: 429,
    Code.LIMIT: 429,
    Code.INTERNAL: 500,
    Code.BUSY: 503,
    Code.UNAVAILABLE: 503,
}


ASKED_FOR = b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
"""Headers that pages of other origins may send."""

METHODS = {"messages": b"POST", "events": b"GET, HEAD", "export": b"GET, HEAD"}


class Rooms(Resource):
    """`/api/rooms/…`: everything below it."""

    isLeaf = True

    def __init__(self, around: Surroundings, manners: Manners) -> None:
        super().__init__()
        self._around = around
        self._manners = manners
        self._visitors = Visitors(around)

    def render(self, request: Request) -> int:
        """Whatever the method."""
        if self._lets_page_read(request) and request.method == b"OPTIONS":
            request.setHeader(b"Access-Control-Allow-Methods", b"GET, HEAD, POST")
            request.setHeader(b"Access-Control-Allow-Headers", ASKED_FOR)
            request.setHeader(b"Access-Control-Max-Age", b"600")
            request.setResponseCode(204)
            request.finish()
            return int(NOT_DONE_YET)
        if request.method not in (b"GET", b"HEAD", b"POST"):
            return refuse_method(request, full_voice("en"), b"GET, HEAD, POST")
        return int(super().render(request))

    def _lets_page_read(self, request: Request) -> bool:
        """Tell the browser whether the page that asks may see the answer; no cookies are sent along."""
        origin = (request.getHeader(b"origin") or b"").decode("latin-1").strip()
        request.setHeader(b"Vary", b"Origin")
        if not (origin and origin.isascii() and origin.isprintable()):
            return False
        if not self._manners.admits(origin, request.getRequestHostname().decode("ascii", "replace")):
            return False
        request.setHeader(b"Access-Control-Allow-Origin", origin.encode())
        return True

    def render_GET(self, request: Request) -> int:
        """`/api/rooms/R/events` and `/api/rooms/R/export`."""
        if request.postpath and request.postpath[-1] == b"export":
            return self._render(request, "export", self._export)
        return self._render(request, "events", self._events)

    def render_POST(self, request: Request) -> int:
        """`/api/rooms/R/messages`."""
        return self._render(request, "messages", self._say)

    def _render(self, request: Request, what: str, serve: Any) -> int:
        voice = full_voice(choose_language(query(request, "lang"), self._manners.lang))
        done: Promise[Any] = start(self._serve(request, what, serve, voice))
        done.then(lambda promise: self._failed(request, voice, promise))
        return int(NOT_DONE_YET)

    async def _serve(self, request: Request, what: str, serve: Any, voice: FullVoice) -> None:
        origin = header(request, "origin").strip()
        host = request.getRequestHostname().decode("ascii", "replace")
        if not self._manners.admits(origin, host):
            raise Refused(Code.FORBIDDEN)
        rest = [unquote(part.decode("ascii", "replace")) for part in request.postpath or ()]
        if len(rest) != 2 or rest[1] not in METHODS:
            raise Refused(Code.NO_ROOM)
        if rest[1] != what:
            refuse_method(request, voice, METHODS[rest[1]])
            return
        visitor = self._visitors.find(token_of(request), client_address(request), query(request, "nick"))
        await serve(request, visitor, room_name(visitor.session, rest[0]), voice)

    async def _events(self, request: Request, visitor: Visitor, name: str, voice: FullVoice) -> None:
        wants_stream = "text/event-stream" in header(request, "accept")
        serve: Coroutine[Any, Any, None] = (stream if wants_stream else poll)(
            request, self._around, visitor, name, voice
        )
        await serve

    async def _export(self, request: Request, visitor: Visitor, name: str, voice: FullVoice) -> None:
        await export(request, self._around, visitor, name)

    async def _say(self, request: Request, visitor: Visitor, name: str, voice: FullVoice) -> None:
        traffic = self._around.counted.traffic["http"]
        traffic.received += 1
        command = _message(request, name)
        done = await visitor.act(name, token_of(request), command)
        if not isinstance(done, Appended):
            raise Refused(Code.BAD_REQUEST, "empty_text")
        answer(request, 200 if done.duplicate else 201, orjson.loads(voice.answer(None, done)[0]))

    def _failed(self, request: Request, voice: FullVoice, done: Promise[Any]) -> None:
        if done.error is not None:
            refuse(request, voice, done.error, self._around.report)


def client_address(request: Request) -> str:
    """Whose request it is, without the port."""
    return str(getattr(request.getClientAddress(), "host", LOCAL))


def read_fields(request: Request) -> Fields:
    """The JSON object in a body.

    :raises Refused: `bad_json` for anything else.
    """
    assert request.content is not None
    try:
        members = orjson.loads(request.content.read())
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        raise Refused(Code.BAD_JSON)
    return Fields(members)


def refuse_method(request: Request, voice: FullVoice, allowed: bytes) -> int:
    """Answer a request whose method is none of those that are `allowed` here; what `render` answers then."""
    request.setHeader(b"Allow", allowed)
    answer(request, 405, orjson.loads(voice.answer(None, Refused(Code.NOT_AVAILABLE))[0]))
    return int(NOT_DONE_YET)


def refuse(
    request: Request, voice: FullVoice, error: BaseException, report: Callable[[BaseException], None]
) -> None:
    """Answer with an error; one of ours is reported and not told."""
    if isinstance(error, Unreadable):
        error = error.refusal
    if not isinstance(error, Refused):
        report(error)
        error = Refused(Code.INTERNAL)
    if error.code in (Code.UNAUTHORIZED, Code.TOKEN_EXPIRED):
        request.setHeader(b"WWW-Authenticate", b"Bearer")
    if error.retry_ms:
        request.setHeader(b"Retry-After", b"%d" % max(1, -(-error.retry_ms // 1000)))
    answer(request, STATUS.get(error.code, 400), orjson.loads(voice.answer(None, error)[0]))


def answer(request: Request, status: int, fields: dict[str, Any]) -> None:
    """Write a whole JSON answer."""
    if request.finished or request._disconnected:
        return
    body = orjson.dumps(fields) + b"\n"
    request.setResponseCode(status, HTTPStatus(status).phrase.encode())  # Twisted does not know 429
    request.setHeader(b"Content-Type", b"application/json")
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"Content-Length", b"%d" % len(body))
    request.write(body)
    request.finish()


def _message(request: Request, room: str) -> Say:
    """The message in a POST: its text, or a JSON object with it.

    :raises Refused: `bad_json`, `bad_request`.
    """
    assert request.content is not None
    body = request.content.read()
    cid = header(request, "idempotency-key") or None
    if cid is not None and len(cid) > 64:
        raise Refused(Code.BAD_REQUEST, "bad_field", params={"field": "Idempotency-Key"})
    kind = media_type(request)
    if kind != "application/json" and not kind.endswith("+json"):
        try:
            return Say(body.decode().removesuffix("\n"), room=room, cid=cid)
        except UnicodeDecodeError:
            raise Refused(Code.BAD_REQUEST, "bad_utf8") from None
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        raise Refused(Code.BAD_JSON)
    f = Fields(members)
    cid = f.text("cid", cid, 64)
    return Say(f.text("text"), f.flag("action", False), room, cid, f.number("reply", None), f.meta("meta"))


def query(request: Request, name: str) -> str | None:
    """A parameter of the address."""
    values = request.args.get(name.encode())
    return values[0].decode("utf-8", "replace") if values else None
