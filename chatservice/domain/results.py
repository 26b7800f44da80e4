"""What a command that was done answers. A dialect tells it in one frame, in several, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatservice.domain.errors import Refused
from chatservice.domain.events import Entry, User
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.domain.message import Message
from chatservice.domain.ports import Appended, Hit


@dataclass(frozen=True, slots=True)
class Joined:
    """You are in the room, and this is how it stands.

    :ivar seq: the room's newest number; every later event of the room has a higher one.
    :ivar was_recovering: a position was given; `recovered`, it held and nothing is missing.
    :ivar reason: why it did not hold (see `Resolution`); `valid`, up to where the client's view is right.
    :ivar entries: everything after the position.
    :ivar state: the newest messages in their final form, when there is no position that holds.
    :ivar members: who is here, None when they were not asked for.
    """

    room: str
    user: User
    epoch: str
    seq: int
    was_recovering: bool
    recovered: bool
    reason: str
    valid: int
    entries: tuple[Entry, ...]
    state: tuple[Message, ...]
    n: int
    members: tuple[User, ...] | None
    read: int = 0
    unread: int = 0
    mentions: int = 0
    role: str = "guest"
    can: tuple[str, ...] = ()
    topic: str = ""
    private: bool = False
    locked: bool = False
    slow_s: int = 0


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answer to hello.

    :ivar session: the secret to resume with.
    :ivar guest_token: proves the same guest later; None for others.
    :ivar rooms: by the name each was asked for.
    :ivar build: which build of the service this is.
    :ivar messages: how fast the session may talk.
    """

    session: str
    user: User
    role: str
    guest: bool
    guest_token: str | None
    durability: str
    time_ms: int
    rooms: Mapping[str, Joined | Refused] = field(default_factory=dict)
    build: str = ""
    messages: Rate = MESSAGES
    cid_ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """A room in a list."""

    room: str
    seq: int
    unread: int
    mentions: int
    joined: bool


@dataclass(frozen=True, slots=True)
class RoomList:
    """Rooms one may join."""

    rooms: tuple[RoomSeen, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """How far one has read now."""

    room: str
    seq: int
    unread: int
    mentions: int


@dataclass(frozen=True, slots=True)
class Browsed:
    """A page of messages, oldest first.

    :ivar is_stale: what is kept could not be asked; it is as this process knew it.
    """

    room: str
    messages: tuple[Message, ...]
    more: bool
    epoch: str
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """A piece of the raw log."""

    room: str
    entries: tuple[Entry, ...]
    more: bool
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found; `next` asks for more."""

    hits: tuple[Hit, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in the room: `n` users, of whom these are shown.

    :ivar next: a `Who.after` that asks for what comes after them; None when there are no more.
    """

    room: str
    users: tuple[User, ...]
    n: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of the service."""

    about: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and there is nothing to say about it."""

    room: str | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation.

    :ivar until_ms: until when it is good, in milliseconds since 1970.
    """

    room: str
    token: str = field(repr=False)
    until_ms: int
    uses: int


Result = (
    Invited | Joined | Greeting | RoomList | Marked | Browsed | Replayed | Hits | Members | Told | Done | Appended
)
