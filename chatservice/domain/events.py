"""What happened, as peers are told it. Durable events are entries of a room's log; the rest is not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """An identity; one person may have several connections.

    :ivar id: never reused, begins with `u_`.
    :ivar nick: what people see; unique among the living.
    """

    id: str
    nick: str


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something.

    :ivar cid: the sender's own id for it; with room and user it makes a retry harmless.
    """

    user: User
    text: str
    action: bool = False
    cid: str | None = None


Body = Said
"""What an entry may hold; more kinds come with the full protocol."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A durable event: it has a number in its room, and anyone who saw it will find it again.

    :ivar seq: 1, 2, 3 … without a gap in its room.
    :ivar epoch: which opening of the log gave that number.
    :ivar ts: milliseconds since 1970.
    """

    room: str
    seq: int
    epoch: str
    ts: int
    body: Body


@dataclass(frozen=True, slots=True)
class Entered:
    """A user's first connection came into the room; `n` users are there now."""

    room: str
    user: User
    n: int


@dataclass(frozen=True, slots=True)
class Left:
    """A user's last connection left the room; `n` users are there now."""

    room: str
    user: User
    n: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A user of the room goes by another nick now."""

    room: str
    user: User
    was: str


@dataclass(frozen=True, slots=True)
class Greeted:
    """To a peer that has just connected, before anything else; `address` is its own, as we see it."""

    user: User
    address: str


@dataclass(frozen=True, slots=True)
class Welcomed:
    """To the newcomer alone, after the history it asked for: you are in, and this is how it stands.

    :ivar seq: the room's newest number; every later entry has a higher one.
    """

    room: str
    user: User
    epoch: str
    seq: int
    members: tuple[User, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Members:
    """To one peer: who is in the room."""

    room: str
    users: tuple[User, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """To one peer: a sentence from the service.

    :ivar about: which phrase; its words in each language are the dialects' business.
    :ivar code: the error code when this answers a refused command, else empty.
    """

    about: str
    params: Mapping[str, object] = field(default_factory=dict)
    code: str = ""


Event = Entry | Entered | Left | Renamed | Greeted | Welcomed | Members | Noticed
