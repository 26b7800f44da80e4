"""echo and scream: the first two lessons. No room, no log; the answer goes to the sender alone."""

from __future__ import annotations

from collections.abc import Sequence

from chatservice.dialects.base import Answer, Parsed, Parser, Voice
from chatservice.dialects.text import TextDialect
from chatservice.domain.errors import NOT_TEXT, Ended


class EchoParser:
    """Sends back the same bytes, of the same type."""

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        return (Answer(payload, is_binary),)


class ScreamParser:
    """Sends back the text in capitals with three exclamation marks; binary ends the connection (1003)."""

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        if is_binary:
            raise Ended(NOT_TEXT)
        return (Answer((payload.decode().upper() + "!!!").encode(), False),)


class EchoDialect:
    """`/echo`."""

    name = "echo"
    chats = False
    has_hello = False

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return EchoParser()

    def voice(self, lang: str, escape: bool) -> Voice:
        """Sentences of the service (it says few here) are told as on `/text`."""
        return TextDialect().voice(lang, escape)


class ScreamDialect(EchoDialect):
    """`/scream`."""

    name = "scream"

    def parser(self) -> Parser[bytes]:
        """See `Dialect.parser`."""
        return ScreamParser()
