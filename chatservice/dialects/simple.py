"""The simple dialect: typed JSON of the taught chat (`enter`, `message`, `leave`), and a little more.

`data` is always a ready sentence and `type` one of three words; a beginner's page needs no more. The other
members let a better page number, resume and list without another protocol.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from chatservice.dialects.base import Parser, Voice
from chatservice.dialects.slash import TypedParser
from chatservice.dialects.spoken import Spoken
from chatservice.domain.events import (
    Entered,
    Entry,
    Event,
    Left,
    Members,
    Noticed,
    Renamed,
    User,
    Welcomed,
)


def _user(user: User) -> dict[str, str]:
    return {"id": user.id, "nick": user.nick}


class SimpleVoice(Spoken):
    """JSON objects, one a message; key order as in docs/wire."""

    def encode(self, event: Event) -> bytes | None:
        """See `Voice.encode`."""
        sentence = self.sentence(event)
        if sentence is None:
            return None
        kind, more = self._members(event)
        return orjson.dumps({"type": kind, "data": self.shown(sentence), **more})

    def _members(self, event: Event) -> tuple[str, dict[str, Any]]:
        match event:
            case Entry(room=room, seq=seq, ts=ts, body=body):
                said = {"room": room, "seq": seq, "ts": ts, "from": _user(body.user), "text": body.text}
                return "message", said | ({"action": True} if body.action else {})
            case Entered(room=room, user=user, n=n):
                return "enter", {"room": room, "user": _user(user), "n": n}
            case Left(room=room, user=user, n=n):
                return "leave", {"room": room, "user": _user(user), "n": n}
            case Welcomed():
                return "enter", {
                    "room": event.room,
                    "user": _user(event.user),
                    "n": event.n,
                    "you": True,
                    "epoch": event.epoch,
                    "seq": event.seq,
                    "members": [_user(user) for user in event.members],
                }
            case Renamed(room=room, user=user):
                return "message", {"notice": True, "code": "renamed", "room": room, "user": _user(user)}
            case Members(room=room, users=users, n=n):
                listed = [_user(user) for user in users]
                return "message", {"notice": True, "code": "members", "room": room, "n": n, "members": listed}
            case Noticed(about=about, params=params, code=code):
                return "message", {"notice": True, "code": code or about} | (dict(params) if not code else {})
        return "message", {"notice": True}


class SimpleDialect:
    """`/`, subprotocol `chat`."""

    name = "simple"
    chats = True

    def parser(self) -> Parser:
        """See `Dialect.parser`."""
        return TypedParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """See `Dialect.voice`."""
        return _voice(lang, escape)


@lru_cache
def _voice(lang: str, escape: bool) -> SimpleVoice:
    return SimpleVoice(lang, escape)
