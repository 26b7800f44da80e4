"""The seams of the house: what the domain needs from the floors above and beside it.

Each docstring is the contract. Every seam has an embedded implementation, which is the default, and
one shared test file (tests/contract) that all implementations pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Body, Entry, Event, User
from chatservice.domain.message import Message
from chatservice.domain.promise import Promise
from chatservice.domain.rules import NO_RULES, Rules

if TYPE_CHECKING:
    from chatservice.domain.accounts import Account
    from chatservice.domain.audience import Audience
    from chatservice.domain.board import Board
    from chatservice.domain.bus import Bus, Once
    from chatservice.domain.limits import Rate


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry stands in its room for good; `duplicate` if an earlier try had put it there.

    :ivar seq: 0 if there was nothing to change, and so nothing was kept.
    """

    room: str
    seq: int
    epoch: str
    ts: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast somebody may talk, counted over all nodes in the step that gives the number.

    :ivar slow_ms: between two messages in this room; 0 where it is not slow.
    :ivar rate: of messages in all rooms; None for no bound.
    :ivar refuse: makes the refusal of what came too soon, of its kind (see `rates.Kind`) and the milliseconds to
        wait.
    """

    slow_ms: int
    rate: Rate | None
    refuse: Callable[[str, int], Exception]


@dataclass(frozen=True, slots=True)
class Page:
    """A contiguous run of a room's log, oldest first.

    :ivar top: the newest number of the room, 0 when nothing was said yet.
    :ivar epoch: the epoch new entries get.
    :ivar forks: earlier epochs, oldest first, each with the last number that survived it (at most 16).
    :ivar first: the oldest number still kept; top + 1 when none is.
    :ivar rules: the room's standing orders as of `top`.
    """

    top: int
    epoch: str
    forks: tuple[tuple[str, int], ...]
    first: int
    entries: tuple[Entry, ...]
    rules: Rules = NO_RULES


@dataclass(frozen=True, slots=True)
class Past:
    """A page of messages in their final state, oldest first; `more` lie beyond it in the direction of asking."""

    messages: tuple[Message, ...]
    more: bool
    epoch: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was searched for, and where it is.

    :ivar place: a `Found.next` that asks for what comes after it.
    """

    room: str
    message: Message
    place: int


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, newest first; `next` asks for the ones before them, None when there are no more."""

    hits: tuple[Hit, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Unread:
    """What a user has not read: messages of others and those that name them. Counted up to 1000."""

    unread: int
    mentions: int


class LogSink(Protocol):
    """Implemented by the hub; always called in the reactor's thread."""

    def committed(self, entry: Entry) -> None:
        """An entry is in the log for good, whoever wrote it. MUST NOT raise."""

    def pruned(self, room: str, first: int) -> None:
        """Entries with numbers below `first` have expired and are not kept any more. MUST NOT raise."""

    def registered(self, account: Account) -> None:
        """There is such an account, or it is another now: told of each at the start, then after every change. MUST
        NOT raise."""


class Log(Protocol):
    """Durable, ordered, gapless per room.

    - The numbers of a room are 1, 2, 3 … in the order of `committed` calls (MUST).
    - `append` answers only after its durability class is reached (MUST).
    - A number never stands for two different entries under one epoch (MUST).
    - The same (room, user, cid) is stored once; a repeat answers with the first number (MUST; as long as
      `cid_ttl_s`
      says, where an engine has such).
    - `committed` is never called from inside `append` (MUST NOT re-enter).
    - What was `committed` is in every page that is asked for afterwards (MUST).
    - A new epoch begins for a room whenever the log was opened anew since its last use (MUST). A log of several
      processes is opened by its server.
    - Edits, deletions, reactions and moderation are entries too; the log folds them into the messages' final
      state and the room's rules in the same transaction, by `domain/message.py` and `domain/rules.py` (MUST).
    - The words of a deleted message are nowhere a minute later (MUST).

    :ivar stop_blocks: `stop` waits for threads of the log's own, which bring their last answers home through the
        reactor: so it must be called in another thread than the reactor's. All else is called in the reactor's.
    :ivar cid_ttl_s: for how long a cid is remembered, in seconds; None for as long as its entry.
    :ivar paces: `append` holds people to a `Pace`, because others write into the same rooms.
    """

    stop_blocks: bool
    cid_ttl_s: int | None
    paces: bool

    @property
    def durability(self) -> str:
        """What an answered `append` has reached; told to peers."""

    @property
    def servers(self) -> int:
        """How many servers it is on, none if it is in this process; rooms of one go on without the others."""

    @property
    def away(self) -> tuple[str, ...]:
        """Those that were there and are not now, by their numbers in `--store`, from 0 on."""

    def start(self, sink: LogSink) -> None:
        """Open it.

        :raises LogError: with one sentence for the operator when it cannot be opened.
        """

    def stop(self) -> Promise[None] | None:
        """Write what waits and close; later calls of `append` are refused. See `stop_blocks`. A log that cannot
        be done with that at once answers when it is."""

    def check_there(self, room: str) -> None:
        """Look whether the server is there on which the room is: `append` would be refused at once if it was, and
        is not now.

        :raises Refused: `unavailable`.
        """

    def settled(self) -> Promise[None]:
        """Answers when all that was given before has its answer: entries, and what is folded. What is given after
        it does not hold it up."""

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        """Give `body` the room's next number and keep it. A reaction that changes nothing answers with number 0.

        :param as_moderator: the sender may delete what others said.
        :param pace: how fast it may, where `paces`. A repeat is never too soon.

        Rejected with `Refused`: what `pace` says, `busy` (too much is waiting, or the disk is full),
        `cid_conflict` (that cid said something else before), `unavailable` (the log is closed), and what the folds
        refuse: `no_message`, `conflict`, `forbidden`, `limit`.
        """

    def stored(self, room: str, body: Body) -> Promise[Appended | None]:
        """Where `body` stands if an earlier `append` has put it there (the same room, user and cid), else None.

        Rejected with `Refused`: `cid_conflict`, `unavailable`.
        """

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """Entries after number `since`, at most `limit`; 0 asks for the tops only."""

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """The last `limit` entries with a number below `before` (None: below infinity), oldest first."""


class Messages(Protocol):
    """What was said, as it stands now."""

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        """The `limit` messages next below `before`, or next above `after`, or the newest; deleted ones are shown
        without words.

        :param viewer: the user id whose own reactions are marked.
        """

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        """Messages of `rooms` that hold every word of `query`, newest first.

        :param before: a `Found.next`.
        """

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        """What a user who has read up to number `after` has not read."""

    def room_names(self, limit: int, viewer: str | None) -> Promise[tuple[tuple[str, int], ...]]:
        """Rooms that user may find, with their tops, the most recently used first: those that are not private, and
        those in which it has a role. None is the operator, who finds all."""


class Accounts(Protocol):
    """Who has an account. Every change is told to the sink (MUST), before the promise is answered."""

    def add_account(self, account: Account) -> Promise[Account]:
        """Keep a new account for good. Rejected with `Refused`: `nick_taken`, `unavailable`."""

    def change_account(
        self,
        user_id: str,
        *,
        role: str | None = None,
        password: str | None = None,
        end_sessions: bool = False,
        if_password: str | None = None,
    ) -> Promise[Account]:
        """Give it another role or password hash; `end_sessions` makes all its tokens void.

        :param if_password: change it only if this is the hash that is kept then (MUST, in one transaction).

        Rejected with `Refused`: `bad_request` if there is none, `conflict`, `unavailable`.
        """


class People(Protocol):
    """What is kept about people: how far they have read, sessions to resume, invitations they have used."""

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        """Note that the user has read up to `seq`; a mark never goes back. Answers the mark that holds."""

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        """All marks of a user."""

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        """Keep a session's user until then (milliseconds since 1970); again for the same digest: until later."""

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        """The user of a session that is still kept."""

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        """Count one use of an invitation; False, and nothing is counted, if it was used `uses` times before.

        :param until_ms: until when it is good, in milliseconds since 1970; its count is not kept any longer.
        """


class Meter(Protocol):
    """Token buckets that all nodes share."""

    def take(self, what: str, rate: Rate) -> Promise[int]:
        """Take a token of the bucket with that name; 0 if there was one, else the milliseconds until there may be.
        Rejected with `Refused`: `unavailable`."""

    def put_back(self, what: str, rate: Rate) -> None:
        """The last token was for nothing."""


class Engine(Log, Messages, People, Accounts, Protocol):
    """All that one storage engine does.

    :ivar bus: the way to other nodes of the same chat.
    :ivar meter: what they count together; None where there are none.
    :ivar once: which of them does what all have heard.
    :ivar board: how each of them stands; None where there are none.
    """

    @property
    def once(self) -> Once: ...

    @property
    def bus(self) -> Bus: ...

    @property
    def meter(self) -> Meter | None: ...

    @property
    def board(self) -> Board | None: ...


class LogError(Exception):
    """The log cannot be used; its text is one sentence for the operator."""


Frames = Any
"""What a format makes and its own peers take: bytes for most of them. Nobody else looks inside."""


class Format(Protocol):
    """What one audience takes. Peers that share a format get the very same object.

    :ivar transport: by which kind of transport they are reached.
    """

    @property
    def transport(self) -> str: ...

    def size(self, frames: Frames) -> int:
        """How many bytes that is, about."""

    def frames(self, event: Event) -> Frames | None:
        """`event` as it goes onto the transport, or None if these peers are not told. MUST NOT raise."""

    def own_frames(self, entry: Entry) -> Frames | None:
        """The same for the sessions of the person who made the entry, when that differs; else None."""

    def join(self, frames: Sequence[Frames], events: Sequence[Event], *, is_batch: bool) -> Frames:
        """All of `frames` in one piece, as `hand_out` takes it. MUST NOT raise.

        :param events: what each of `frames` tells.
        :param is_batch: peers that take several events in one frame shall get them so.
        """

    def hand_out(
        self, peers: Iterable[Any], joined: Frames, frames: Sequence[Frames], events: Sequence[Event]
    ) -> None:
        """Give every one of `peers`, all of this format, all of `frames`, in order; as `Peer.send` would each.
        MUST NOT raise.

        :param joined: what `join` made of them; who reads slowly is given `frames` instead.
        """


class Flushable(Protocol):
    """Something that has gathered bytes during a turn."""

    def flush(self) -> None:
        """Hand them on, or begin to."""


class Sliced(Protocol):
    """Something that takes so long that it is done in slices."""

    def go_on(self) -> bool:
        """Do the next slice; whether there is one more."""


class Turn(Protocol):
    """The end of what the reactor is doing now."""

    def add(self, what: Flushable) -> None:
        """Something more waits in it; flush it then, once however often it was added."""

    def go_on(self, what: Sliced) -> None:
        """It has slices to do: one a turn, by turns with all others that have, and not in this turn."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call it after so many seconds."""

    def handed_out(self, format: Format, frames: Sequence[Frames], peers: int) -> None:
        """So many peers are told these: for whoever counts."""


class Peer(Protocol):
    """A live connection as the hub sees it. Never raises, never blocks.

    What it is told alone comes after what its audiences have pending.

    :ivar reads_as: the id of the user who only reads a room by this peer, without a session; None for all others.
    :ivar handed: how much it was told; of its audiences only once it has left them.
    """

    reads_as: str | None
    handed: int

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what it sends."""

    @property
    def audiences(self) -> list[Audience]:
        """Those it belongs to."""

    @property
    def format(self) -> Format:
        """What this peer takes; constant for the life of the connection."""

    def send(self, frames: Frames, event: Event | None = None) -> None:
        """Queue what was made by this peer's own format. Order is kept.

        :param event: what they tell; a peer that reads too slowly is told later which entries it missed.
        """

    def deliver(self, event: Event) -> None:
        """Tell this peer alone. Order with `send` is kept."""

    def close(self, why: Disconnect) -> None:
        """Say goodbye and end the connection. More calls than one do nothing."""


class Randomness(Protocol):
    """Where ids come from."""

    def token(self) -> str:
        """A fresh word of letters and digits that nobody can guess and no one else has."""
