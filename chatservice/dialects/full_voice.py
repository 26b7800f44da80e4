"""chat.v1, outbound: events and answers as JSON objects (docs/wire/chat.v1.md; key order as there)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from chatservice.dialects.base import SILENT, Id, Outcome, Voice
from chatservice.dialects.phrases import say
from chatservice.domain import events as e
from chatservice.domain import results as r
from chatservice.domain.errors import Code, Refused
from chatservice.domain.limits import (
    ANSWER_BYTES,
    FRAME_BYTES,
    HISTORY_LIMIT,
    MESSAGES,
    PING_MS,
    PONG_MS,
    ROOMS,
    TYPING_EXPIRE_MS,
    TYPING_MS,
)
from chatservice.domain.message import Message
from chatservice.domain.names import TEXT_CODE_POINTS
from chatservice.domain.ports import Appended
from chatservice.domain.recovery import RECOVER_LIMIT

LIMITS = {
    "frame": FRAME_BYTES,
    "text": TEXT_CODE_POINTS,
    "rooms": ROOMS,
    "recover": RECOVER_LIMIT,
    "answer": ANSWER_BYTES,
    "history": HISTORY_LIMIT,
    "msg_burst": MESSAGES.burst,
    "msg_per_s": MESSAGES.per_s,
    "typing_ms": TYPING_MS,
    "typing_expire_ms": TYPING_EXPIRE_MS,
}

Fields = dict[str, Any]


def _user(user: e.User) -> Fields:
    return {"id": user.id, "nick": user.nick}


def shown_room(name: str) -> str:
    """A room as its members call it: nobody sees another's stream."""
    return "@me" if name.startswith("@") else name


def _given(**fields: Any) -> Fields:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value}


# --- events ---


def _said(body: e.Said) -> Fields:
    if body.erased:
        return {"from": _user(body.user), "deleted": True, **_given(reply=body.reply, action=body.action)}
    more = _given(reply=body.reply, mentions=list(body.mentions), meta=body.meta, action=body.action)
    return {"from": _user(body.user), "text": body.text, **more}


def _moderated(body: e.Moderated) -> Fields:
    target = None if body.target is None else _user(body.target)
    more = _given(user=target, value=body.value, until=body.until, reason=body.reason)
    return {"action": body.action, "by": body.user.id, **more}


_BODIES: dict[type[e.Body], tuple[str, Callable[[Any], Fields]]] = {
    e.Said: ("message", _said),
    e.Edited: (
        "edit",
        lambda b: {
            "ref": b.ref,
            "by": b.user.id,
            **({"deleted": True} if b.erased else {"text": b.text}),
            "rev": b.rev,
        },
    ),
    e.Deleted: ("delete", lambda b: {"ref": b.ref, "by": b.user.id, **_given(reason=b.reason)}),
    e.Reacted: ("react", lambda b: {"ref": b.ref, "emoji": b.emoji, "by": b.user.id, "on": b.on, "n": b.n}),
    e.Moderated: ("mod", _moderated),
    e.Opened: ("dm", lambda b: {"dm": b.dm, "with": _user(b.other)}),
}


def entry(event: e.Entry) -> Fields:
    """A durable event."""
    kind, fields = _BODIES[type(event.body)]
    return {"type": kind, "room": shown_room(event.room), "seq": event.seq, "ts": event.ts, **fields(event.body)}


_EVENTS: dict[type[e.Event], Callable[[Any], Fields]] = {
    e.Entry: entry,
    e.Entered: lambda v: {"type": "enter", "room": v.room, "user": _user(v.user), "n": v.n},
    e.Left: lambda v: {"type": "leave", "room": v.room, "user": _user(v.user), "n": v.n},
    e.Renamed: lambda v: {"type": "nick", "room": shown_room(v.room), "user": _user(v.user), "was": v.was},
    e.Counted: lambda v: {"type": "count", "room": v.room, "n": v.n},
    e.Presence: lambda v: {
        "type": "presence",
        "user": _user(v.user),
        "status": v.status,
        "conns": v.conns,
        **_given(text=v.text),
    },
    e.Typing: lambda v: {"type": "typing", "room": v.room, "user": _user(v.user), "on": v.on},
    e.Expiring: lambda v: {"type": "expiring", "at": v.until_ms},
    e.Stalled: lambda v: {"type": "status", "engine": "down" if v.is_away else "up"},
    e.ReadElsewhere: lambda v: {
        "type": "read",
        "room": shown_room(v.room),
        "seq": v.seq,
        "unread": v.unread,
        "mentions": v.mentions,
    },
    e.Truncated: lambda v: {
        "type": "truncate",
        "room": shown_room(v.room),
        "after": v.after,
        "epoch": v.epoch,
        "seq": v.seq,
    },
    e.EpochChanged: lambda v: {"type": "epoch", "room": shown_room(v.room), "epoch": v.epoch},
    e.Lagged: lambda v: {
        "type": "lag",
        "room": shown_room(v.room),
        "from": v.first,
        "to": v.last,
        "epoch": v.epoch,
    },
    e.Pinged: lambda v: {
        "type": "ping",
        "t": v.t,
        "tops": {shown_room(room): top for room, top in v.tops.items()},
    },
    e.Bye: lambda v: {"type": "bye", "code": v.code, "reconnect": v.reconnect, "after_ms": v.after_ms},
}


# --- answers ---


def message(shown: Message) -> Fields:
    """A message in its final state."""
    more = _given(
        edited=shown.rev > 0,
        reply=shown.reply,
        mentions=list(shown.mentions),
        meta=shown.meta,
        action=shown.action,
        reactions={emoji: {"n": tally.n, "me": tally.me} for emoji, tally in shown.reactions.items()},
    )
    words: Fields = {"deleted": True} if shown.deleted else {"text": shown.text}
    return {"seq": shown.seq, "ts": shown.ts, "from": _user(shown.user), **words, "rev": shown.rev, **more}


def joined(result: r.Joined) -> Fields:
    """How a room stands."""
    fields: Fields = {"room": result.room, "epoch": result.epoch, "seq": result.seq}
    fields |= {"was_recovering": result.was_recovering, "recovered": result.recovered}
    if result.reason:
        fields["reason"] = result.reason
    if result.reason == "truncated":
        fields["valid"] = result.valid
    fields["events"] = [entry(item) for item in result.entries]
    fields["state"] = [message(item) for item in result.state]
    fields |= {"read": result.read, "unread": result.unread, "mentions": result.mentions, "n": result.n}
    if result.members is not None:
        fields["members"] = [_user(user) for user in result.members]
    fields |= _given(topic=result.topic, private=result.private, locked=result.locked, slow=result.slow_s)
    return fields | {"you": {"role": result.role, "can": list(result.can)}}


def _in_hello(name: str, room: r.Joined | Refused) -> Fields:
    return {"room": name, "error": room} if isinstance(room, Refused) else joined(room)


def _greeting(result: r.Greeting) -> Fields:
    person = {**_user(result.user), "guest": result.guest, "role": result.role}
    return {
        "v": 1,
        "session": result.session,
        "user": person,
        "time": result.time_ms,
        "build": result.build,
        "cid_ttl_s": result.cid_ttl_s,
        **_given(guest_token=result.guest_token),
        "durability": result.durability,
        "ping_ms": PING_MS,
        "pong_ms": PONG_MS,
        "limits": {**LIMITS, "msg_burst": result.messages.burst, "msg_per_s": result.messages.per_s},
        "rooms": {name: _in_hello(name, room) for name, room in result.rooms.items()},
    }


def _accepted(result: Appended) -> Fields:
    fields: Fields = {"room": shown_room(result.room)}
    if result.seq:
        fields |= {"seq": result.seq, "ts": result.ts}
    return fields | {"dup": result.duplicate}


_ANSWERS: dict[type[Any], Callable[[Any], Fields]] = {
    r.Joined: joined,
    r.Greeting: _greeting,
    Appended: _accepted,
    r.Done: lambda v: _given(room=v.room),
    r.RoomList: lambda v: {
        "rooms": [
            {
                "room": seen.room,
                "seq": seen.seq,
                "unread": seen.unread,
                "mentions": seen.mentions,
                "joined": seen.joined,
            }
            for seen in v.rooms
        ]
    },
    r.Marked: lambda v: {"room": shown_room(v.room), "seq": v.seq, "unread": v.unread, "mentions": v.mentions},
    r.Browsed: lambda v: {
        "room": v.room,
        "messages": [message(item) for item in v.messages],
        "more": v.more,
        "epoch": v.epoch,
        **({"stale": True} if v.is_stale else {}),
    },
    r.Replayed: lambda v: {
        "room": v.room,
        "events": [entry(item) for item in v.entries],
        "more": v.more,
        "epoch": v.epoch,
        "seq": v.seq,
    },
    r.Hits: lambda v: {
        "hits": [{"room": hit.room, **message(hit.message)} for hit in v.hits],
        **_given(next=v.next),
    },
    r.Invited: lambda v: {"room": v.room, "invite": v.token, "until": v.until_ms, "uses": v.uses},
    r.Members: lambda v: {
        "room": v.room,
        "members": [_user(user) for user in v.users],
        "n": v.n,
        **_given(next=v.next),
    },
}


_OUR_WORDS = {"unknown_command": "unknown_type", "not_joined": "not_in_room"}
"""Where other dialects speak of commands that begin with a slash."""


class FullVoice:
    """The encoder for one language: only the words of errors differ."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def fields(self, event: e.Event) -> Fields | None:
        """The object that tells it; None if it is not told."""
        fields = _EVENTS.get(type(event))
        return None if fields is None else fields(event)

    def own_fields(self, event: e.Entry) -> Fields | None:
        """With the `cid`, by which the sender's other windows know their own message."""
        if not isinstance(event.body, e.Said) or event.body.cid is None:
            return None
        return {**entry(event), "cid": event.body.cid}

    def encode(self, event: e.Event) -> bytes | None:
        """See `Voice.encode`."""
        fields = self.fields(event)
        return None if fields is None else orjson.dumps(fields)

    def encode_own(self, event: e.Entry) -> bytes | None:
        """See `Voice.encode_own`."""
        fields = self.own_fields(event)
        return None if fields is None else orjson.dumps(fields)

    def answer(self, id: Id, outcome: Outcome) -> Sequence[bytes]:
        """See `Voice.answer`."""
        if id is SILENT:
            return ()
        head: Fields = {} if id is None else {"id": id}
        if isinstance(outcome, Refused):
            return (orjson.dumps({"type": "error", **head, **self._error(outcome)}),)
        fields = _ANSWERS.get(type(outcome))
        ok = {"type": "ok", **head, **(fields(outcome) if fields else {})}
        return (orjson.dumps(ok, default=self._error),)

    def _error(self, refusal: Refused) -> Fields:
        about = _OUR_WORDS.get(refusal.about, refusal.about)
        words = say(self.lang, about, refusal.params)
        fields: Fields = {"code": refusal.code.value, "message": words, "temporary": refusal.temporary}
        if refusal.retry_ms:
            fields["retry_ms"] = refusal.retry_ms
        if refusal.about == "storage_full":
            fields["reason"] = refusal.about
        if refusal.code is Code.RATE_LIMITED:
            fields["limit"] = refusal.params.get("kind", "login")
        return fields


class BatchingVoice(FullVoice):
    """The encoder for those who take several events in one frame. See `Batching`."""

    def batches(self, events: Sequence[e.Event]) -> Sequence[bytes]:
        """See `Batching.batches`. None is much longer than what a peer may send."""
        made: list[list[bytes]] = []
        size = FRAME_BYTES
        for payload in filter(None, map(self.encode, events)):
            if size + len(payload) > FRAME_BYTES:
                made.append([])
                size = 0
            made[-1].append(payload)
            size += len(payload)
        return [one[0] if len(one) == 1 else b'{"type":"batch","events":[%s]}' % b",".join(one) for one in made]


@lru_cache
def full_voice(lang: str) -> FullVoice:
    """The one voice of that language."""
    return FullVoice(lang)


@lru_cache
def _batching_voice(lang: str) -> BatchingVoice:
    return BatchingVoice(lang)


def batching(voice: Voice) -> Voice:
    """The same voice for those who take batches, if it has any."""
    return _batching_voice(voice.lang) if isinstance(voice, FullVoice) else voice
