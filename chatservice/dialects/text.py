"""The text dialect: what is said goes out as it was said (the taught broadcast chat)."""

from __future__ import annotations

from functools import lru_cache

from chatservice.dialects.base import Parser, Voice
from chatservice.dialects.slash import TypedParser
from chatservice.dialects.spoken import Spoken


class TextVoice(Spoken):
    """Plain sentences; a message is just its text."""

    def message(self, nick: str, text: str) -> str:
        """The text alone: the lesson's server sends on what it got."""
        return text


class TextDialect:
    """`/text`, subprotocol `chat.text`."""

    name = "text"
    chats = True
    has_hello = False

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return TypedParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """See `Dialect.voice`."""
        return _voice(lang, escape)


@lru_cache
def _voice(lang: str, escape: bool) -> TextVoice:
    return TextVoice(lang, escape)
