"""Dialects of named events, as Socket.IO has them: a name and one value each. Pure; the packets are not ours.

*Taught* is what the lessons' pages speak: `news`, `enter`, `mes`, `message`, `leave`, in sentences.
*Full* is chat.v1: its objects under their own names, its answers as acknowledgements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import orjson

from chatservice.dialects.base import SILENT, Asked, Outcome, Parsed, Speak, Unreadable
from chatservice.dialects.full import TYPES, Fields
from chatservice.dialects.full_voice import FullVoice, full_voice, shown_room
from chatservice.dialects.full_voice import entry as full_entry
from chatservice.dialects.phrases import say
from chatservice.dialects.slash import read_typed
from chatservice.dialects.spoken import Spoken
from chatservice.domain import commands as c
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import (
    Crowded,
    Deleted,
    Edited,
    Entered,
    Entry,
    Event,
    Greeted,
    Left,
    Pinged,
    Reacted,
    Said,
)
from chatservice.domain.results import Browsed, Joined, Members, Replayed, Told

Named = tuple[str, object]
"""An event's name and its one argument."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a peer has emitted.

    :ivar id: by which it is acknowledged; None if the peer asks for no acknowledgement.
    """

    name: str
    arguments: Sequence[Any] = ()
    id: int | None = None


class NamedVoice(Protocol):
    """How a dialect of named events tells what happens; peers with the same voice get the same packets."""

    def events(self, event: Event) -> Sequence[Named]:
        """The events to emit for it, in order. Never raises."""

    def own_events(self, entry: Entry) -> Sequence[Named] | None:
        """The same for the entry's own author, None if that is no different."""

    def answered(self, outcome: Outcome) -> Sequence[Named]:
        """What is emitted to whoever gave a command and asked for no acknowledgement."""

    def acknowledgement(self, outcome: Outcome) -> object:
        """The one argument of an acknowledgement."""

    def __hash__(self) -> int: ...


# --- what the lessons teach ---


class TaughtVoice(Spoken):
    """Sentences under the lessons' names. `mes` goes to all, `message` (the bare text) to the others."""

    def events(self, event: Event) -> Sequence[Named]:
        """See `NamedVoice.events`."""
        match event:
            case Greeted():
                return (("news", {"hello": "world"}),)
            case Entered(summed_up=True) | Left(summed_up=True):
                return ()
            case Crowded(one=one) if one is not None:
                return self.events(one)
            case Entered(user=user):
                return (self._entered(user.nick),)
            case Left(user=user):
                return (("leave", self.shown(self.left(user.nick))),)
            case Entry(body=Said(erased=False) as body):
                return (self._said(event), ("message", self.shown(body.text)))
            case Entry(body=Edited() | Deleted() | Reacted()):
                fields = full_entry(event)
                return ((fields["type"], fields),)
        sentence = self.sentence(event)
        return () if sentence is None else (("notice", self.shown(sentence)),)

    def own_events(self, entry: Entry) -> Sequence[Named] | None:
        """See `NamedVoice.own_events`."""
        body = entry.body
        return (self._said(entry),) if isinstance(body, Said) and not body.erased else None

    def answered(self, outcome: Outcome) -> Sequence[Named]:
        """See `NamedVoice.answered`."""
        match outcome:
            case Refused():
                return (("chat_error", self._refusal(outcome)),)
            case Joined(state=state, entries=entries):
                past = [
                    self._said(Entry(outcome.room, m.seq, "", m.ts, Said(m.user, m.text, m.action)))
                    for m in state
                    if not m.deleted
                ]
                later = [event for item in entries for event in self.events(item)]
                return (*past, *later, self._entered(outcome.user.nick))
            case Browsed() | Replayed() | Members() | Told():
                return [("notice", payload.decode()) for payload in self.told(outcome) if payload is not None]
        return ()

    def acknowledgement(self, outcome: Outcome) -> object:
        """See `NamedVoice.acknowledgement`: `{error}` for a refusal, else chat.v1's answer."""
        if isinstance(outcome, Refused):
            return {"error": self._refusal(outcome)}
        return _answer(full_voice(self.lang), outcome)

    def _entered(self, nick: str) -> Named:
        return "enter", self.shown(say(self.lang, "enter", {"nick": nick}))

    def _said(self, entry: Entry) -> Named:
        return "mes", self.shown(self.entry(entry.body, entry.ts) or "")

    def _refusal(self, refusal: Refused) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "code": refusal.code.value,
            "message": self.shown(say(self.lang, refusal.about, refusal.params)),
            "temporary": refusal.temporary,
        }
        return fields | ({"retry_ms": refusal.retry_ms} if refusal.retry_ms else {})


class TaughtParser:
    """What the lessons' pages emit. Other events are for servers we do not know, and are let pass."""

    def parse(self, payload: Emitted, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        name, first = payload.name, payload.arguments[0] if payload.arguments else None
        if name == "message":
            return _taught_message(first, payload.id)
        if name in TYPES and isinstance(first, dict):
            return _full_command(payload, first)
        return () if payload.id is None else (Asked(payload.id, c.Unknown(name[:32])),)


def _taught_message(said: Any, id: int | None) -> Sequence[Parsed]:
    if isinstance(said, str):
        try:
            typed = read_typed(said)
        except Unreadable as unreadable:
            raise Unreadable(unreadable.refusal, id) from None
        return tuple(Asked(id, asked.command) for asked in typed if isinstance(asked, Asked))
    if not isinstance(said, dict) or not isinstance(said.get("content"), str):
        raise Unreadable(Refused(Code.BAD_REQUEST, "bad_field", params={"field": "message"}), id)
    username = said.get("username")
    if isinstance(username, str) and username:
        return (Asked(SILENT, c.Rename(username)), Asked(id, c.Say(said["content"])))
    return (Asked(id, c.Say(said["content"])),)


# --- chat.v1 ---


class FullNamedVoice:
    """chat.v1's objects; each event is named as its `type`."""

    def __init__(self, lang: str) -> None:
        self._voice = full_voice(lang)

    def events(self, event: Event) -> Sequence[Named]:
        """See `NamedVoice.events`. Engine.IO pings by itself; what is left of ours is the tops of one's rooms."""
        if isinstance(event, Pinged):
            return (("tops", {shown_room(room): top for room, top in event.tops.items()}),)
        fields = self._voice.fields(event)
        return () if fields is None else ((fields["type"], fields),)

    def own_events(self, entry: Entry) -> Sequence[Named] | None:
        """See `NamedVoice.own_events`."""
        fields = self._voice.own_fields(entry)
        return None if fields is None else ((fields["type"], fields),)

    def answered(self, outcome: Outcome) -> Sequence[Named]:
        """See `NamedVoice.answered`: who asks for no acknowledgement is told of refusals only."""
        return (("chat_error", _answer(self._voice, outcome)),) if isinstance(outcome, Refused) else ()

    def acknowledgement(self, outcome: Outcome) -> object:
        """See `NamedVoice.acknowledgement`."""
        return _answer(self._voice, outcome)


class FullNamedParser:
    """chat.v1's commands as events: the name is the `type`, the argument the other members."""

    def parse(self, payload: Emitted, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        name, members = payload.name, payload.arguments[0] if payload.arguments else {}
        if not isinstance(members, dict):
            raise Unreadable(Refused(Code.BAD_JSON), payload.id)
        if name not in TYPES:
            return (Asked(payload.id, c.Unknown(name[:32])),)
        asked = _full_command(payload, members)
        lang = members.get("lang") if name == "hello" else None
        return (Speak(lang[:64]), *asked) if isinstance(lang, str) else asked


def _full_command(emitted: Emitted, members: dict[str, Any]) -> Sequence[Parsed]:
    try:
        return (Asked(emitted.id, TYPES[emitted.name](Fields(members))),)
    except Refused as refusal:
        raise Unreadable(refusal, emitted.id) from None


def _answer(voice: FullVoice, outcome: Outcome) -> object:
    """chat.v1's answer, encoded once."""
    return orjson.Fragment(voice.answer(None, outcome)[0])


@lru_cache
def taught_voice(lang: str, escape: bool) -> TaughtVoice:
    """The one voice for these arguments."""
    return TaughtVoice(lang, escape)


@lru_cache
def full_named_voice(lang: str) -> FullNamedVoice:
    """The one voice of that language."""
    return FullNamedVoice(lang)


@dataclass(frozen=True, slots=True)
class NamedDialect:
    """See `Dialect`; its payloads are `Emitted`."""

    name: str
    has_hello: bool
    chats: bool = True

    def parser(self) -> TaughtParser | FullNamedParser:
        """A decoder for one new connection."""
        return FullNamedParser() if self.has_hello else TaughtParser()

    def named_voice(self, lang: str, escape: bool) -> NamedVoice:
        """The encoder for `lang`, the same object for the same arguments."""
        return full_named_voice(lang) if self.has_hello else taught_voice(lang, escape)


TAUGHT, FULL = NamedDialect("taught", has_hello=False), NamedDialect("full", has_hello=True)
