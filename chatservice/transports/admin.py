"""`/admin/`: the operator's page, and what it asks for (docs/admin.md). There is none until there is an owner."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from chatservice.dialects.full_voice import FullVoice, full_voice
from chatservice.dialects.phrases import choose_language
from chatservice.domain.commands import Moderate
from chatservice.domain.errors import Code, Refused
from chatservice.domain.permissions import room_name
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise, start
from chatservice.domain.rules import rank
from chatservice.domain.trust import Identity
from chatservice.transports.admin_live import Onlookers, about
from chatservice.transports.api import answer, client_address, query, read_fields, refuse, refuse_method
from chatservice.transports.assets import StaticFile
from chatservice.transports.credentials import header, media_type, token_of
from chatservice.transports.files import FileResource
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.visitors import Visitors

PAGE = b"/admin/"
ME, STATE, LIVE, MOD = b"/admin/api/me", b"/admin/api/state", b"/admin/api/live", b"/admin/api/mod"

ACTIONS = frozenset({"kick", "ban", "unban", "mute", "unmute"})
"""What can be done to a person here; the rest is done in the room."""


class Admin:
    """Page and API of one listener.

    :param file: the page.
    """

    def __init__(self, file: StaticFile, around: Surroundings, manners: Manners) -> None:
        self._around = around
        visitors = Visitors(around)
        onlookers = Onlookers(around)
        self._pages: dict[bytes, IResource] = {
            PAGE: FileResource(file),
            b"/admin": _Slash(),
            ME: _Me(around, manners),
            STATE: _State(around, manners, onlookers),
            LIVE: _Live(around, manners, onlookers),
            MOD: _Mod(around, manners, visitors),
        }

    def find(self, path: bytes) -> IResource | None:
        """What is at that path, if there is an owner to see it."""
        page = self._pages.get(path)
        if page is None or not self._around.hub.registry.has_owner:
            return None
        return page


class _Slash(Resource):
    """`/admin`: relative addresses need the slash."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        """See `Resource.render`. The address is relative: the service may be below any path."""
        request.setResponseCode(308)
        request.setHeader(b"Location", b"admin/")
        return b""


class _Asked(Resource):
    """A part of the API: only for those who keep order."""

    isLeaf = True
    method = b"GET"

    def __init__(self, around: Surroundings, manners: Manners) -> None:
        super().__init__()
        self._around = around
        self._manners = manners

    def render(self, request: Request) -> int:
        """Whatever the method."""
        voice = full_voice(choose_language(query(request, "lang"), self._manners.lang))
        if request.method != self.method:
            return refuse_method(request, voice, self.method)
        done: Promise[None] = start(self._run(request, voice))
        done.then(lambda done: self._failed(request, voice, done))
        return int(NOT_DONE_YET)

    async def _run(self, request: Request, voice: FullVoice) -> None:
        origin = header(request, "origin").strip()
        if not self._manners.admits(origin, request.getRequestHostname().decode("ascii", "replace")):
            raise Refused(Code.FORBIDDEN)
        await self.serve(request, self.identify(request), voice)

    def identify(self, request: Request) -> Any:
        """Who asks; see `identify`."""
        return identify(self._around, request)

    async def serve(self, request: Request, identity: Any, voice: FullVoice) -> None:
        """Answer somebody who may ask."""
        raise NotImplementedError

    def _failed(self, request: Request, voice: FullVoice, done: Promise[None]) -> None:
        if done.error is not None:
            refuse(request, voice, done.error, self._around.report)


def identify(around: Surroundings, request: Request, least: str = "mod") -> Identity:
    """Who asks.

    :raises Refused: unless it is somebody of that rank everywhere.
    """
    token, passes = token_of(request), around.hub.passes
    if token is None or passes is None:
        raise Refused(Code.UNAUTHORIZED)
    identity = passes.read(token)
    if rank(identity.role) < rank(least):
        raise Refused(Code.FORBIDDEN)
    return identity


class _Me(_Asked):
    """Who asks; nobody is an answer too, so that a page need not fail to find out that one has to sign in."""

    async def serve(self, request: Request, identity: Identity | None, voice: FullVoice) -> None:
        """See `_Asked.serve`."""
        you = None if identity is None else about(identity)
        answer(request, 200, {"type": "ok", "you": you})

    def identify(self, request: Request) -> Identity | None:
        """See `_Asked.identify`."""
        try:
            return identify(self._around, request, least="guest")
        except Refused:
            return None


class _State(_Asked):
    """The state once, for scripts."""

    def __init__(self, around: Surroundings, manners: Manners, onlookers: Onlookers) -> None:
        super().__init__(around, manners)
        self._onlookers = onlookers

    async def serve(self, request: Request, identity: Identity, voice: FullVoice) -> None:
        """See `_Asked.serve`."""
        await self._onlookers.learn()
        answer(request, 200, {**self._onlookers.introduction(identity), **self._onlookers.look()})


class _Live(_State):
    """The state every two seconds, as server-sent events."""

    async def serve(self, request: Request, identity: Identity, voice: FullVoice) -> None:
        """See `_Asked.serve`."""
        self._onlookers.add(request, identity, lambda: identify(self._around, request))


class _Mod(_Asked):
    """Throw somebody out, ban, mute, or take that back: the command of chat.v1, by its rules and in its log."""

    method = b"POST"

    def __init__(self, around: Surroundings, manners: Manners, visitors: Visitors) -> None:
        super().__init__(around, manners)
        self._visitors = visitors

    async def serve(self, request: Request, identity: Identity, voice: FullVoice) -> None:
        """See `_Asked.serve`."""
        # A form of another page can post text and forms everywhere, JSON only where it is let.
        if identity.role != "owner" or media_type(request) != "application/json":
            raise Refused(Code.FORBIDDEN)
        command, token = _command(request), token_of(request)
        visitor = self._visitors.find(token, client_address(request), None)
        done = await visitor.act(room_name(visitor.session, command.room or ""), token, command)
        assert isinstance(done, Appended)
        answer(request, 200, orjson.loads(voice.answer(None, done)[0]))


def _command(request: Request) -> Moderate:
    f = read_fields(request)
    action = f.text("action")
    if action not in ACTIONS:
        raise Refused(Code.BAD_REQUEST, "bad_mod")
    return Moderate(f.text("room"), action, f.text("user"), f.number("for_s", 0) or 0, "", f.text("reason", ""))
