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
    :ivar reply: the number of the message it answers.
    :ivar mentions: ids of the users it names.
    :ivar meta: what the sender's program attached.
    :ivar erased: it was deleted later; the text is gone from everywhere.
    """

    user: User
    text: str
    action: bool = False
    cid: str | None = None
    reply: int | None = None
    mentions: tuple[str, ...] = ()
    meta: Mapping[str, object] | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed a message.

    :ivar ref: the number of the message.
    :ivar rev: before it is kept, the revision the editor saw; afterwards, the one it made.
    """

    user: User
    ref: int
    text: str
    rev: int
    erased: bool = False
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """Somebody erased a message; its words are in no table, index or replay any more."""

    user: User
    ref: int
    reason: str = ""
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody put an emoji on a message, or took it off; `n` people have it there now."""

    user: User
    ref: int
    emoji: str
    on: bool
    n: int = 0
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Moderated:
    """Somebody used a power over the room or over a person in it; see `domain/rules.py` for what it does.

    :ivar target: whom it concerns; None when it concerns the room.
    :ivar value: the new role, the seconds of slow mode, whether the room is locked.
    :ivar until: for how long, in milliseconds since 1970; 0 for ever.
    :ivar networks: the addresses of whom it bans, as `network_of` has them. Never told to peers.
    """

    user: User
    action: str
    target: User | None = None
    value: str = ""
    until: int = 0
    reason: str = ""
    cid: str | None = None
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """In a user's own stream: a direct conversation has begun; `user` is the one who began it.

    :ivar dm: the name of its room.
    :ivar other: the person at the other end, as the stream's owner sees it.
    """

    user: User
    dm: str
    other: User
    cid: str | None = None


Body = Said | Edited | Deleted | Reacted | Moderated | Opened
"""What an entry of a log may hold."""


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
    """A user's first connection came into the room; `n` users are there now.

    :ivar summed_up: one of a flood: whoever is told in sentences is told by a `Crowded` soon.
    """

    room: str
    user: User
    n: int
    summed_up: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A user's last connection left the room; `n` users are there now. See `Entered`."""

    room: str
    user: User
    n: int
    summed_up: bool = False


@dataclass(frozen=True, slots=True)
class Crowded:
    """The sum of a flood of `Entered` and `Left`, for those who are told in sentences; the others know already.

    :ivar one: there were so few that each is told by itself: this is one of them.
    """

    room: str
    came: int
    left: int
    n: int
    one: Entered | Left | None = None


@dataclass(frozen=True, slots=True)
class Renamed:
    """A user of the room goes by another nick now."""

    room: str
    user: User
    was: str


@dataclass(frozen=True, slots=True)
class Counted:
    """So many users are in a room that is too big to tell each coming and going."""

    room: str
    n: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A user's status: `online`, `away`, `dnd` or `offline`; `conns` connections."""

    user: User
    status: str
    conns: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Typing:
    """A user is writing, or has stopped."""

    room: str
    user: User
    on: bool


@dataclass(frozen=True, slots=True)
class Expiring:
    """To one session: what proves who it is ends then (milliseconds since 1970), and the connection with it."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class ReadElsewhere:
    """To a user's other sessions: it has read up to `seq` in `room`."""

    room: str
    seq: int
    unread: int
    mentions: int


@dataclass(frozen=True, slots=True)
class Truncated:
    """Numbers above `after` did not survive; all of them if it is None."""

    room: str
    after: int | None
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class EpochChanged:
    """The room numbers on under a new epoch; nothing is lost."""

    room: str
    epoch: str


@dataclass(frozen=True, slots=True)
class Lagged:
    """To one peer: the entries `first` to `last` of a room were not sent, because it read too slowly."""

    room: str
    first: int
    last: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Pinged:
    """To one peer: are you there? `tops` are the newest numbers of its rooms."""

    t: int
    tops: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bye:
    """To one peer: this connection ends; come back after so many milliseconds, or not at all."""

    code: str
    reconnect: bool
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Stalled:
    """What all nodes share is away, and nothing new is taken; or it is there again."""

    is_away: bool


@dataclass(frozen=True, slots=True)
class Greeted:
    """To a peer that has just connected, before anything else; `address` is its own, as we see it."""

    user: User
    address: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """To one peer: a sentence from the service.

    :ivar about: which phrase; its words in each language are the dialects' business.
    """

    about: str
    params: Mapping[str, object] = field(default_factory=dict)


Event = (
    Entry
    | Entered
    | Left
    | Renamed
    | Counted
    | Crowded
    | Presence
    | Typing
    | Expiring
    | ReadElsewhere
    | Truncated
    | EpochChanged
    | Lagged
    | Pinged
    | Bye
    | Stalled
    | Greeted
    | Noticed
)
