"""chat.v1, inbound: one JSON object a text frame (docs/wire/chat.v1.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from chatservice.dialects.base import SILENT, Asked, Id, Parsed, Parser, Speak, Unreadable, Voice
from chatservice.dialects.full_voice import full_voice
from chatservice.domain import commands as c
from chatservice.domain.errors import BAD_PROTOCOL, BAD_VERSION, NOT_TEXT, Code, Ended, Refused
from chatservice.domain.limits import FRAME_BYTES, MEMBERS_PAGE, META_BYTES, ROOMS
from chatservice.socketio.errors import BadPacket
from chatservice.socketio.jsontext import loads

BAD_JSON_ALLOWED = 2  # the third time it is no accident
ID_CHARACTERS = 64
TOKEN = 4096  # whoever puts more than names and rooms into a token would pay for it with each connection
META_DEPTH = 16  # orjson refuses to write more than 254 levels, and an answer adds its own
BIGGEST = 2**53 - 1  # JavaScript's safe integers

NO_WORDS: frozenset[str] = frozenset()  # one for all: each takes 216 bytes

_NONE = object()


class Fields:
    """A command's members, taken out by type.

    Every method raises `Refused` (`bad_request`, naming the member) when it is missing or of another type.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def _wrong(self, name: str) -> Refused:
        return Refused(Code.BAD_REQUEST, "bad_field", params={"field": name})

    def _get(self, name: str, default: Any) -> Any:
        value = self._members.get(name)
        if value is None:
            if default is _NONE:
                raise self._wrong(name)
            return default
        return value

    def text(self, name: str, default: Any = _NONE, most: int = FRAME_BYTES) -> Any:
        """A string of at most `most` characters."""
        value = self._get(name, default)
        if value is not default and not (isinstance(value, str) and len(value) <= most):
            raise self._wrong(name)
        return value

    def number(self, name: str, default: Any = _NONE) -> Any:
        """An integer from 0 to 2^53 - 1."""
        value = self._get(name, default)
        if value is not default and not (type(value) is int and 0 <= value <= BIGGEST):
            raise self._wrong(name)
        return value

    def flag(self, name: str, default: Any = _NONE) -> Any:
        """True or false."""
        value = self._get(name, default)
        if value is not default and type(value) is not bool:
            raise self._wrong(name)
        return value

    def word(self, name: str, most: int) -> str:
        """A string, or a number as one; empty if there is none."""
        value = self._members.get(name)
        return str(value) if type(value) is int and abs(value) <= BIGGEST else self.text(name, "", most)

    def position(self, name: str) -> c.Position | None:
        """`{"epoch","seq"}`, or None."""
        return self._position(name, self._members.get(name))

    def _position(self, name: str, value: Any) -> c.Position | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name)
        inner = Fields(value)
        return c.Position(inner.text("epoch", most=64), inner.number("seq"))

    def positions(self, name: str) -> dict[str, c.Position | None]:
        """Rooms, each with a position, with `{}`, or with null."""
        value = self._get(name, {})
        if not isinstance(value, dict):
            raise self._wrong(name)
        if len(value) > ROOMS:
            raise Refused(Code.LIMIT, "too_many_rooms", params={"limit": ROOMS})
        return {room: self._position(name, None if at == {} else at) for room, at in value.items()}

    def words(self, name: str) -> frozenset[str]:
        """A list of strings."""
        value = self._get(name, [])
        if not isinstance(value, list) or len(value) > 64 or not all(isinstance(word, str) for word in value):
            raise self._wrong(name)
        return frozenset(value) if value else NO_WORDS

    def meta(self, name: str) -> dict[str, Any] | None:
        """An object of at most 4 KiB."""
        value = self._get(name, None)
        if value is None:
            return None
        try:
            if (
                isinstance(value, dict)
                and not _is_deeper(value, META_DEPTH)
                and len(orjson.dumps(value)) <= META_BYTES
            ):
                return value
        except TypeError:  # bytes, which Socket.IO has and JSON has not
            pass
        raise self._wrong(name)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and arrays are nested deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _hello(f: Fields) -> c.Hello:
    if f.number("v", 1) != 1:
        raise Ended(BAD_VERSION)
    return c.Hello(
        f.text("token", None, TOKEN),
        f.text("nick", None),
        f.text("resume", None, 256),
        f.positions("rooms"),
        f.words("caps"),
    )


def _history(f: Fields) -> c.Browse:
    before, after, around = f.number("before", None), f.number("after", None), f.number("around", None)
    return c.Browse(f.text("room"), before, after, around, f.number("limit", 50))


def _say(f: Fields) -> c.Say:
    return c.Say(
        f.text("text"),
        f.flag("action", False),
        f.text("room"),
        f.text("cid", None, 64),
        f.number("reply", None),
        f.meta("meta"),
    )


def _mod(f: Fields) -> c.Moderate:
    return c.Moderate(
        f.text("room"),
        f.text("action", most=32),
        f.text("user", None, 64),
        f.number("for_s", 0),
        f.word("value", 200),
        f.text("reason", ""),
    )


TYPES: dict[str, Callable[[Fields], c.Command]] = {
    "hello": _hello,
    "auth": lambda f: c.Authenticate(f.text("token", most=TOKEN)),
    "join": lambda f: c.Join(
        f.text("room"), f.number("last", 0), f.position("since"), invite=f.text("invite", None, TOKEN)
    ),
    "part": lambda f: c.Part(f.text("room")),
    "rooms": lambda f: c.Rooms(),
    "message": _say,
    "edit": lambda f: c.Edit(f.text("room"), f.number("ref"), f.text("text"), f.number("rev")),
    "delete": lambda f: c.Delete(f.text("room"), f.number("ref"), f.text("reason", "")),
    "react": lambda f: c.React(f.text("room"), f.number("ref"), f.text("emoji", most=64), f.flag("on", True)),
    "read": lambda f: c.Read(f.text("room"), f.number("seq")),
    "history": _history,
    "events": lambda f: c.Replay(f.text("room"), f.number("after"), f.number("limit", 200)),
    "search": lambda f: c.Search(
        f.text("q"), f.text("room", None), f.number("before", None), f.number("limit", 20)
    ),
    "status": lambda f: c.SetStatus(f.text("status", most=16), f.text("text", "")),
    "typing": lambda f: c.Type(f.text("room"), f.flag("on", True)),
    "nick": lambda f: c.Rename(f.text("nick")),
    "members": lambda f: c.Who(f.text("room"), f.text("after", None, 64), f.number("limit", MEMBERS_PAGE)),
    "mod": _mod,
    "invite": lambda f: c.Invite(f.text("room"), f.number("for_s", 7 * 86400), f.number("uses", 1)),
    "pong": lambda f: c.Pong(),
}
"""Every command by its `type`."""


class FullParser:
    """One connection's decoder."""

    def __init__(self) -> None:
        self._bad = 0

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        if is_binary:
            raise Ended(NOT_TEXT)
        members = _loads(payload)
        if not isinstance(members, dict):
            self._bad += 1
            if self._bad > BAD_JSON_ALLOWED:
                raise Ended(BAD_PROTOCOL)
            raise Unreadable(Refused(Code.BAD_JSON))
        id = _id(members)
        kind = members.get("type")
        make = TYPES.get(kind) if isinstance(kind, str) else None
        if make is None:
            name = kind[:32] if isinstance(kind, str) else ""
            return (Asked(id, c.Unknown(name)),)
        try:
            asked = Asked(id, make(Fields(members)))
            lang = Fields(members).text("lang", None, 64) if kind == "hello" else None
        except Refused as refusal:
            raise Unreadable(refusal, id) from None
        batches = isinstance(asked.command, c.Hello) and "batch" in asked.command.caps
        return (asked,) if lang is None and not batches else (Speak(lang, batches), asked)


def _loads(payload: bytes) -> Any:
    """The value, None if it is no JSON. Half of an emoji, which browsers send, becomes U+FFFD."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        return loads(payload.decode())
    except (BadPacket, UnicodeDecodeError):
        return None


def _id(members: Mapping[str, Any]) -> Id:
    id = members.get("id")
    if id is None:
        return SILENT
    if (type(id) is int and -BIGGEST <= id <= BIGGEST) or (isinstance(id, str) and len(id) <= ID_CHARACTERS):
        return id
    raise Unreadable(Refused(Code.BAD_REQUEST, "bad_field", params={"field": "id"}))


class FullDialect:
    """`/v1`, subprotocol `chat.v1`."""

    name = "full"
    chats = True
    has_hello = True

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return FullParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """See `Dialect.voice`; nothing is ever escaped here."""
        return full_voice(lang)
