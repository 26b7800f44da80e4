"""The simple dialect: typed JSON of the taught chat (`enter`, `message`, `leave`), and a little more.

`data` is always a ready sentence and `type` one of three words; a beginner's page needs no more. The other
members let a better page number, resume and list without another protocol.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from chatservice.dialects.base import Parser, Voice
from chatservice.dialects.phrases import say
from chatservice.dialects.slash import TypedParser
from chatservice.dialects.spoken import Spoken
from chatservice.domain.errors import Refused
from chatservice.domain.events import (
    Body,
    Crowded,
    Deleted,
    Edited,
    Entered,
    Entry,
    Event,
    Left,
    Moderated,
    Noticed,
    Reacted,
    Renamed,
    Said,
    Stalled,
    User,
)
from chatservice.domain.results import Joined, Members


def _user(user: User) -> dict[str, str]:
    return {"id": user.id, "nick": user.nick}


def _body(body: Body) -> dict[str, Any]:
    match body:
        case Said():
            said: dict[str, Any] = {"from": _user(body.user), "text": body.text}
            return said | ({"action": True} if body.action else {})
        case Edited():
            return {"notice": True, "code": "edit", "ref": body.ref, "text": body.text}
        case Deleted():
            return {"notice": True, "code": "delete", "ref": body.ref}
        case Reacted():
            return {"notice": True, "code": "react", "ref": body.ref, "emoji": body.emoji, "n": body.n}
        case Moderated():
            return {"notice": True, "code": "mod", "action": body.action}
    return {"notice": True}


class SimpleVoice(Spoken):
    """JSON objects, one a message; key order as in docs/wire."""

    def encode(self, event: Event) -> bytes | None:
        """See `Voice.encode`."""
        sentence = self.sentence(event)
        if sentence is None:
            return self._erased(event) if isinstance(event, Entry) else None
        kind, more = self._members(event)
        return self._frame(kind, sentence, more)

    def _erased(self, entry: Entry) -> bytes:
        """An entry without words: still told, because its number must not be missing."""
        more = {"notice": True, "code": "erased", "room": entry.room, "seq": entry.seq, "ts": entry.ts}
        return self._frame("message", self.notice("erased"), more)

    def _frame(self, kind: str, sentence: str, more: dict[str, Any]) -> bytes:
        return orjson.dumps({"type": kind, "data": self.shown(sentence), **more})

    def _notice(self, sentence: str, code: str, **more: object) -> bytes:
        return self._frame("message", sentence, {"notice": True, "code": code, **more})

    def _members(self, event: Event) -> tuple[str, dict[str, Any]]:
        match event:
            case Entry(room=room, seq=seq, ts=ts, body=body):
                return "message", {"room": room, "seq": seq, "ts": ts, **_body(body)}
            case Entered(room=room, user=user, n=n):
                return "enter", {"room": room, "user": _user(user), "n": n}
            case Left(room=room, user=user, n=n):
                return "leave", {"room": room, "user": _user(user), "n": n}
            case Crowded(one=one) if one is not None:
                return self._members(one)
            case Crowded(room=room, came=came, left=left, n=n):
                return "message", {
                    "notice": True,
                    "code": "crowded",
                    "room": room,
                    "came": came,
                    "left": left,
                    "n": n,
                }
            case Renamed(room=room, user=user):
                return "message", {"notice": True, "code": "renamed", "room": room, "user": _user(user)}
            case Noticed(about=about):
                return "message", {"notice": True, "code": about}
            case Stalled(is_away=is_away):
                return "message", {"notice": True, "code": "stalled" if is_away else "going_on"}
        return "message", {"notice": True, "code": type(event).__name__.lower()}

    def refusal(self, refusal: Refused) -> bytes:
        """Why a command was not done, with its code."""
        more = {"retry_ms": refusal.retry_ms} if refusal.retry_ms else {}
        return self._notice("* " + say(self.lang, refusal.about, refusal.params), refusal.code.value, **more)

    def arrival(self, joined: Joined) -> bytes:
        """To the newcomer: you are in; all you asked for has been sent, and this is where you stand."""
        more = {
            "room": joined.room,
            "user": _user(joined.user),
            "n": joined.n,
            "you": True,
            "epoch": joined.epoch,
            "seq": joined.seq,
            "members": [_user(user) for user in joined.members or ()],
        }
        return self._frame("enter", say(self.lang, "enter", {"nick": joined.user.nick}), more)

    def position_lost(self, joined: Joined) -> bytes:
        """To the newcomer: your position does not hold, and why."""
        sentence = self.notice("position_lost", room=joined.room, reason=joined.reason)
        about = {"reason": joined.reason, "valid": joined.valid, "room": joined.room}
        return self._notice(sentence, "position_lost", **about)

    def members(self, members: Members) -> bytes:
        """Who is in the room."""
        listed = [_user(user) for user in members.users]
        return self._notice(self.roll_call(members), "members", room=members.room, n=members.n, members=listed)


class SimpleDialect:
    """`/`, subprotocol `chat`."""

    name = "simple"
    chats = True
    has_hello = False

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return TypedParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """See `Dialect.voice`."""
        return _voice(lang, escape)


@lru_cache
def _voice(lang: str, escape: bool) -> SimpleVoice:
    return SimpleVoice(lang, escape)
