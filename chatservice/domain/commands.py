"""What a peer may ask for, in the imperative. A room of None means the session's own current room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a room's log: everything up to and including `seq`, as epoch `epoch` numbered it."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a room, leaving the current one.

    :ivar last: how many earlier messages to show, 0 to 200.
    :ivar since: resume after this position; wins over `last` when it can be honoured.
    """

    room: str
    last: int = 0
    since: Position | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Say `text` in the room; `action` is IRC's /me."""

    text: str
    action: bool = False


@dataclass(frozen=True, slots=True)
class Rename:
    """Take another nick."""

    nick: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who is in the room?"""


@dataclass(frozen=True, slots=True)
class History:
    """Show the last `last` messages again, or everything after `since` when that is given."""

    last: int = 20
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """Which commands are there?"""


@dataclass(frozen=True, slots=True)
class Leave:
    """End the connection politely."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command nobody knows: a row of the table like any other."""

    name: str


Command = Join | Say | Rename | Who | History | Help | Leave | Unknown
