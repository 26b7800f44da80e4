"""Events as sentences: what the text-like dialects have in common."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as escape_html

from chatservice.dialects.base import Id, Outcome
from chatservice.dialects.phrases import list_nicks, say
from chatservice.domain.errors import Refused, Span
from chatservice.domain.events import (
    Body,
    Bye,
    Crowded,
    Deleted,
    Edited,
    Entered,
    Entry,
    Event,
    Lagged,
    Left,
    Moderated,
    Noticed,
    Reacted,
    Renamed,
    Said,
    Stalled,
    Truncated,
)
from chatservice.domain.message import Message
from chatservice.domain.results import Browsed, Joined, Members, Replayed, Result, Told


class Spoken:
    """Tells events as ready sentences in one language; dialects override what they say differently."""

    def __init__(self, lang: str, escape: bool) -> None:
        self.lang = lang
        self._escape = escape

    def shown(self, text: str) -> str:
        """`text` as it may stand where the taught pages put it: into innerHTML."""
        return escape_html(text, quote=True) if self._escape else text

    def entry(self, body: Body, ts: int = 0) -> str | None:
        """An entry of the log, of that moment (milliseconds since 1970)."""
        by = body.user.nick
        match body:
            case Said(erased=True) | Edited(erased=True):
                return None
            case Said():
                return f"* {by} {body.text}" if body.action else self.message(by, body.text)
            case Edited():
                return self.notice("edited", nick=by, text=body.text)
            case Deleted():
                return self.notice("deleted", nick=by)
            case Reacted():
                return self.notice("reacted" if body.on else "unreacted", nick=by, emoji=body.emoji)
            case Moderated():
                target = "" if body.target is None else body.target.nick
                is_end = body.action != "topic" and body.value in ("0", "off")
                about = f"mod_{body.action}" + (f"_{body.value}" if is_end else "")
                words = self.notice(about, nick=by, target=target, value=body.value)
                long = [say(self.lang, "span", {"span": Span(-((ts - body.until) // 1000))})] if body.until else []
                why = ", ".join(long + [body.reason] * bool(body.reason))
                return f"{words} ({why})" if why else words
        return None

    def notice(self, about: str, **params: object) -> str:
        """A sentence of the service."""
        return "* " + say(self.lang, about, params)

    def message(self, nick: str, text: str) -> str:
        """What somebody said."""
        return say(self.lang, "says", {"nick": nick, "text": text})

    def left(self, nick: str) -> str:
        """Somebody is gone."""
        return say(self.lang, "leave", {"nick": nick})

    def sentence(self, event: Event) -> str | None:
        """The event in words; None when there is nothing to say."""
        match event:
            case Entry(body=body, ts=ts):
                return self.entry(body, ts)
            case Entered(summed_up=True) | Left(summed_up=True):
                return None
            case Crowded(one=one) if one is not None:
                return self.sentence(one)
            case Crowded(came=came, left=left):
                return self.notice("crowded", came=came, left=left)
            case Entered(user=user):
                return say(self.lang, "enter", {"nick": user.nick})
            case Left(user=user):
                return self.left(user.nick)
            case Renamed(user=user, was=was):
                return self.notice("renamed", nick=user.nick, was=was)
            case Truncated():
                return self.notice("truncated")
            case Stalled(is_away=is_away):
                return self.notice("stalled" if is_away else "going_on")
            case Lagged(first=first, last=last):
                n = last - first + 1
                return self.notice("lagged", n=n, ask=min(n, 200))
            case Bye(code=code, after_ms=after_ms):
                return self.notice(code, seconds=after_ms / 1000)
            case Noticed(about=about, params=params):
                return "* " + say(self.lang, about, params)
        return None

    def encode(self, event: Event) -> bytes | None:
        """See `Voice.encode`."""
        sentence = self.sentence(event)
        return None if sentence is None else self.shown(sentence).encode()

    def encode_own(self, entry: Entry) -> bytes | None:
        """See `Voice.encode_own`."""
        return None

    # --- answers ---

    def answer(self, id: Id, outcome: Outcome) -> Sequence[bytes]:
        """See `Voice.answer`."""
        if isinstance(outcome, Refused):
            return (self.refusal(outcome),)
        return [payload for payload in self.told(outcome) if payload is not None]

    def refusal(self, refusal: Refused) -> bytes:
        """Why a command was not done."""
        return self.shown("* " + say(self.lang, refusal.about, refusal.params)).encode()

    def told(self, result: Result) -> Sequence[bytes | None]:
        """The answer to a command that was done."""
        match result:
            case Joined():
                lost = self.position_lost(result) if result.was_recovering and not result.recovered else None
                return (
                    lost,
                    *self._past(result.room, result.state),
                    *map(self.encode, result.entries),
                    self.arrival(result),
                )
            case Browsed(room=room, messages=messages):
                return self._past(room, messages)
            case Replayed(entries=entries):
                return [self.encode(entry) for entry in entries]
            case Members():
                return (self.members(result),)
            case Told(about="help_mod"):
                return (self.encode(Noticed("help")), self.encode(Noticed("help_mod")))
            case Told(about=about, params=params):
                return (self.encode(Noticed(about, params)),)
        return ()

    def arrival(self, joined: Joined) -> bytes:
        """To the newcomer: you are in."""
        return self.shown(say(self.lang, "enter", {"nick": joined.user.nick})).encode()

    def position_lost(self, joined: Joined) -> bytes:
        """To the newcomer: your position does not hold."""
        return self.shown(self.notice("position_lost", room=joined.room, reason=joined.reason)).encode()

    def members(self, members: Members) -> bytes:
        """Who is in the room."""
        return self.shown(self.roll_call(members)).encode()

    def roll_call(self, members: Members) -> str:
        """Who is in the room, in words."""
        nicks = list_nicks(self.lang, [user.nick for user in members.users], members.n)
        return self.notice("members", room=members.room, n=members.n, nicks=nicks)

    def _past(self, room: str, messages: Sequence[Message]) -> list[bytes | None]:
        """Messages of before as if they were said now, in their final form."""
        return [
            self.encode(Entry(room, m.seq, "", m.ts, Said(m.user, m.text, m.action, reply=m.reply)))
            for m in messages
            if not m.deleted
        ]
