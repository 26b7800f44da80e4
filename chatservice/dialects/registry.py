"""Which dialects there are and how a connection comes by one: it is chosen, never guessed from content."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from chatservice.dialects.base import Dialect

DIALECTS: dict[str, str] = {
    "echo": "chatservice.dialects.echo:EchoDialect",
    "scream": "chatservice.dialects.echo:ScreamDialect",
    "text": "chatservice.dialects.text:TextDialect",
    "full": "chatservice.dialects.full:FullDialect",
    "simple": "chatservice.dialects.simple:SimpleDialect",
    "line": "chatservice.dialects.line:LineDialect",
}

PATHS: dict[str, str | None] = {
    "/": None,
    "/v1": "full",
    "/text": "text",
    "/echo": "echo",
    "/scream": "scream",
    "/wire": "echo",
}
"""WebSocket paths; None is the listener's default dialect. `/wire` also tells what it saw."""

PAGES = ("/", "/wire")
"""Paths at which there is a page too."""

SUBPROTOCOLS: dict[str, str] = {"chat.v1": "full", "superchat": "full", "chat": "simple", "chat.text": "text"}
"""Names in Sec-WebSocket-Protocol (RFC 6455 section 11.3.4)."""

DEFAULTS: tuple[str, ...] = ("simple", "full", "text", "echo", "scream")
"""What `--default-dialect` may be: whatever speaks whole messages over WebSocket."""


@cache
def dialect(name: str) -> Dialect:
    """The dialect of that name, loaded when it is first asked for."""
    module, _, attribute = DIALECTS[name].partition(":")
    made: Dialect = getattr(import_module(module), attribute)()
    return made


def by_subprotocol(offered: Sequence[str]) -> tuple[str, str] | None:
    """The first offered subprotocol that we know and its dialect's name; None if there is none."""
    for subprotocol in offered:
        if subprotocol in SUBPROTOCOLS:
            return subprotocol, SUBPROTOCOLS[subprotocol]
    return None
