"""`POST /v1/login`, `/v1/logout`, `/v1/password` (docs/identity.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from chatservice.dialects.full import Fields
from chatservice.dialects.full_voice import FullVoice, full_voice
from chatservice.dialects.phrases import choose_language
from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise, start
from chatservice.domain.trust import Identity
from chatservice.transports.api import answer, client_address, query, read_fields, refuse, refuse_method
from chatservice.transports.credentials import header, media_type, set_cookie, token_of
from chatservice.transports.surroundings import Manners, Surroundings

LOGIN, LOGOUT, PASSWORD = b"/v1/login", b"/v1/logout", b"/v1/password"


class SignInResource(Resource):
    """One of the three."""

    isLeaf = True

    def __init__(self, path: bytes, around: Surroundings, manners: Manners) -> None:
        super().__init__()
        self._around = around
        self._manners = manners
        self._serve: Callable[[Request, Fields], Any] = {
            LOGIN: self._login,
            LOGOUT: self._logout,
            PASSWORD: self._password,
        }[path]

    def render(self, request: Request) -> int:
        """Whatever the method."""
        voice = full_voice(choose_language(query(request, "lang"), self._manners.lang))
        if request.method != b"POST":
            return refuse_method(request, voice, b"POST")
        done: Promise[None] = start(self._run(request))
        done.then(lambda done: self._failed(request, voice, done))
        return int(NOT_DONE_YET)

    def _failed(self, request: Request, voice: FullVoice, done: Promise[None]) -> None:
        if done.error is not None:
            refuse(request, voice, done.error, self._around.report)

    async def _run(self, request: Request) -> None:
        origin = header(request, "origin").strip()
        # A form of another page can post text and forms everywhere, JSON only where it is let.
        if not self._manners.admits(origin, header(request, "host")) or media_type(request) != "application/json":
            raise Refused(Code.FORBIDDEN)
        await self._serve(request, read_fields(request))

    @property
    def _sign_in(self) -> Any:
        sign_in: Any = self._around.hub.sign_in
        if sign_in is None:
            raise Refused(Code.NOT_AVAILABLE)
        return sign_in

    async def _login(self, request: Request, fields: Fields) -> None:
        name, password = fields.text("name", most=256), fields.text("password", most=1024)
        identity, token = await self._sign_in.login(name, password, client_address(request))
        self._signed_in(request, identity, token, fields.flag("cookie", False))

    async def _logout(self, request: Request, fields: Fields) -> None:
        """From this browser; with `everywhere` all sessions and tokens of the account end."""
        if fields.flag("everywhere", False):
            identity = self._identity(request)
            await self._sign_in.end_sessions(identity.user_id)
        request.responseHeaders.addRawHeader("Set-Cookie", set_cookie("", _is_secure(request), 0))
        answer(request, 200, {"type": "ok"})

    async def _password(self, request: Request, fields: Fields) -> None:
        old, new = fields.text("password", most=1024), fields.text("new", most=1024)
        mine = self._identity(request)
        identity, token = await self._sign_in.change(mine.user_id, old, new, client_address(request))
        self._signed_in(request, identity, token, fields.flag("cookie", False))

    def _identity(self, request: Request) -> Identity:
        token, passes = token_of(request), self._around.hub.passes
        if token is None or passes is None:
            raise Refused(Code.UNAUTHORIZED)
        return passes.read(token)

    def _signed_in(self, request: Request, identity: Identity, token: str, as_cookie: bool) -> None:
        max_age_s = max(0, (identity.until_ms - self._around.hub.now_ms) // 1000)
        user = {"id": identity.user_id, "nick": identity.nick, "guest": False, "role": identity.role}
        told: dict[str, Any] = {"type": "ok", "user": user, "expires_s": max_age_s}
        if as_cookie:  # then no script need ever see it
            cookie = set_cookie(token, _is_secure(request), max_age_s)
            request.responseHeaders.addRawHeader("Set-Cookie", cookie)
        else:
            told["token"] = token
        answer(request, 200, told)


def _is_secure(request: Request) -> bool:
    """Under TLS, also where a proxy has taken it off: a browser says in `Origin` what it came by."""
    return request.isSecure() or header(request, "origin").startswith("https://")
