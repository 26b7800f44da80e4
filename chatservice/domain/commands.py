"""What a peer may ask for, in the imperative. A room of None means the session's own current room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatservice.domain.limits import MEMBERS_PAGE


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a room's log: everything up to and including `seq`, as epoch `epoch` numbered it."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Hello:
    """Say who you are; first of all, on dialects that have it.

    :ivar token: proves who it is; None for a new guest.
    :ivar resume: the secret of a session that was lost.
    :ivar rooms: rooms to join at once, each with the position to resume after, if any.
    """

    token: str | None = field(default=None, repr=False)
    nick: str | None = None
    resume: str | None = field(default=None, repr=False)
    rooms: Mapping[str, Position | None] = field(default_factory=dict)
    caps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Prove again who one is."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Be the account of that name, on dialects without a hello."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a room.

    :ivar last: how many earlier messages to show, 0 to 200.
    :ivar since: resume after this position; wins over `last` when it can be honoured.
    :ivar alone: leave the room one is in now.
    :ivar invite: an invitation to a private room.
    """

    room: str
    last: int = 0
    since: Position | None = None
    alone: bool = False
    invite: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """Leave a room."""

    room: str


@dataclass(frozen=True, slots=True)
class Rooms:
    """Which rooms are there?"""


@dataclass(frozen=True, slots=True)
class Say:
    """Say `text` in the room; `action` is IRC's /me. See `Said` for the rest."""

    text: str
    action: bool = False
    room: str | None = None
    cid: str | None = None
    reply: int | None = None
    meta: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change one's own message `ref`, of which revision `rev` was seen."""

    room: str
    ref: int
    text: str
    rev: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Erase a message."""

    room: str
    ref: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class React:
    """Put an emoji on a message, or take it off."""

    room: str
    ref: int
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True)
class Read:
    """Everything up to `seq` has been read."""

    room: str
    seq: int


@dataclass(frozen=True, slots=True)
class Browse:
    """A page of messages in their final state: below `before`, above `after`, on both sides of `around`, or the
    newest."""

    room: str
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Replay:
    """The raw log after `after`."""

    room: str
    after: int
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Search:
    """Messages that hold every word of `query`, in one room or in all that the asker is in."""

    query: str
    room: str | None = None
    before: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Be `online`, `away` or `dnd`, with a few words."""

    status: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    """Writing now, or no longer."""

    room: str
    on: bool


@dataclass(frozen=True, slots=True)
class Moderate:
    """Use a power over a room or a person in it; see `domain/rules.py`.

    :ivar words: as it was typed, whom it is about, for how long and why, instead of the members that say so.
    """

    room: str | None
    action: str
    user: str | None = None
    for_s: int = 0
    value: str = ""
    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Retract:
    """Erase a message of the current room, as it is typed: its number, or a nick for the newest of that person;
    one's own newest without either."""

    words: str = ""

    @property
    def ref(self) -> int | None:
        """The number, if it is one."""
        words = self.words
        return int(words) if words.isascii() and words.isdigit() and len(words) < 17 else None


@dataclass(frozen=True, slots=True)
class Bans:
    """Who is banned from the current room? For moderators."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is the current room about?"""


@dataclass(frozen=True, slots=True)
class Invite:
    """Make an invitation to a private room, good for `for_s` seconds and `uses` people."""

    room: str
    for_s: int
    uses: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping; that it came is all that counts."""


@dataclass(frozen=True, slots=True)
class Rename:
    """Take another nick."""

    nick: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who is in the room?

    :ivar after: a `Members.next`.
    :ivar limit: name at most so many.
    """

    room: str | None = None
    after: str | None = None
    limit: int = MEMBERS_PAGE


@dataclass(frozen=True, slots=True)
class History:
    """Show the last `last` messages of the current room again, or all entries after `since`."""

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


Command = (
    Hello
    | Authenticate
    | Login
    | Join
    | Part
    | Rooms
    | Say
    | Edit
    | Delete
    | React
    | Read
    | Browse
    | Replay
    | Search
    | SetStatus
    | Type
    | Moderate
    | Retract
    | Bans
    | Topic
    | Invite
    | Pong
    | Rename
    | Who
    | History
    | Help
    | Leave
    | Unknown
)
