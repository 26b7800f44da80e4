"""Why a command has no answer."""

from __future__ import annotations


class RedisError(Exception):
    """What went wrong with a command or a connection."""


class Refusal(RedisError):
    """The server answered with an error: the command was not done.

    :ivar code: the first word of it, such as `OOM`, `READONLY`, `NOSCRIPT`.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.code = words.partition(" ")[0]


class NotConnected(RedisError):
    """There is no connection: the command was certainly not done."""


class Lost(RedisError):
    """The connection was lost, or given up, while the answer was still to come: the command may have been done.
    Only what can be done twice without harm may be tried again."""


class Unusable(RedisError):
    """There is a server, but it cannot be used; the text is one sentence for the operator."""
