"""The line dialect: one line is said, one line tells (the taught TCP `net` chat, telnet, nc)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from chatservice.dialects.base import Asked, Parsed, Parser, Voice
from chatservice.dialects.phrases import say
from chatservice.dialects.slash import read_typed
from chatservice.dialects.spoken import Spoken
from chatservice.domain.commands import Leave
from chatservice.domain.errors import BAD_UTF8, NOT_A_CHAT, Ended
from chatservice.domain.events import Event, Greeted
from chatservice.domain.results import Joined

# A browser that is made to POST here would otherwise speak its headers into the room.
_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) \S+ HTTP/")


class LineParser:
    """Lines without their end. `bye` alone ends politely."""

    def __init__(self) -> None:
        self._first = True

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`; the payload is not known to be UTF-8 here."""
        if self._first and _HTTP.match(payload):
            raise Ended(NOT_A_CHAT)
        self._first = False
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Ended(BAD_UTF8) from None
        return (Asked(None, Leave()),) if text.strip() == "bye" else read_typed(text)


class LineVoice(Spoken):
    """One event, one line: a line break inside a message must not look like another person's line."""

    def message(self, nick: str, text: str) -> str:
        """As the lesson's server writes it, in every language."""
        return f"{nick}say:{text}"

    def left(self, nick: str) -> str:
        """As the lesson's server writes it."""
        return say(self.lang, "line_leave", {"nick": nick})

    def shown(self, text: str) -> str:
        """See the class."""
        return super().shown(text).replace("\n", " ⏎ ")

    def sentence(self, event: Event) -> str | None:
        """The event in words."""
        if isinstance(event, Greeted):
            return say(self.lang, "greeting", {"address": event.address})
        return super().sentence(event)

    def arrival(self, joined: Joined) -> bytes:
        """To the newcomer: a person at a terminal sees no list, so it says where they are."""
        return self.shown(
            self.notice("line_welcome", nick=joined.user.nick, room=joined.room, n=joined.n)
        ).encode()


class LineDialect:
    """TCP lines."""

    name = "line"
    chats = True
    has_hello = False

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return LineParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """See `Dialect.voice`."""
        return _voice(lang, escape)


@lru_cache
def _voice(lang: str, escape: bool) -> LineVoice:
    return LineVoice(lang, escape)
