"""Small fakes for the seams of the house. Nothing here needs a reactor, a socket or a sleep."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatservice.dialects.base import Id, Outcome
from chatservice.domain import events as e
from chatservice.domain.accounts import Account, Registry
from chatservice.domain.audience import Hearer, hand_out_singly, join_nothing
from chatservice.domain.bus import ALONE, Bus
from chatservice.domain.elsewhere import Elsewhere
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Body, Entry, Event, Said, User
from chatservice.domain.hub import Hub
from chatservice.domain.limits import Rate
from chatservice.domain.message import Message
from chatservice.domain.ports import Appended, Engine, Found, LogSink, Meter, Pace, Page, Past, Turn, Unread
from chatservice.domain.promise import Promise, resolved
from chatservice.domain.trust import Passes
from chatservice.identity.names import PrecisNames

T = TypeVar("T")

NOON = 1_795_000_000.0
"""Some moment in seconds since 1970 at which all fake clocks begin."""

PATIENCE_S = 20.0
"""How long a test may wait for another thread before it fails."""


class Ids:
    """Randomness that counts: `id1`, `id2` …"""

    def __init__(self, word: str = "id") -> None:
        self._word = word
        self._count = 0

    def token(self) -> str:
        self._count += 1
        return f"{self._word}{self._count}"


class FakeClock:
    """A clock that stands still until it is told."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Pump:
    """Stands in for the reactor's queue: pass it as `call_soon` or `call_from_thread`, then run it by hand."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def __call__(self, call: Callable[[], object]) -> None:
        self._calls.put(call)

    def run(self) -> None:
        """Everything that waits, and what that adds."""
        while not self._calls.empty():
            self._calls.get()()

    def run_one(self, deadline_s: float) -> None:
        """The next call, as soon as there is one.

        :raises queue.Empty: if none comes in time.
        """
        self._calls.get(timeout=deadline_s)()

    def run_one_if_any(self) -> None:
        """The next call, if one waits."""
        if not self._calls.empty():
            self._calls.get()()

    def forget(self) -> None:
        """The process is gone, and what it had still to do."""
        while not self._calls.empty():
            self._calls.get()

    def until(self, promise: Promise[T], deadline_s: float = PATIENCE_S) -> T:
        """Run until the promise has its answer, also one that comes from another thread."""
        end = time.monotonic() + deadline_s
        while not promise.done:
            try:
                self.run_one(max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no answer came in time") from None
        return promise.result()


class Recorder:
    """A `Format` that notes the events and makes bytes of their places in its list."""

    transport = "fake"
    size = staticmethod(len)

    def __init__(self) -> None:
        self.events: list[Event] = []

    def frames(self, event: Event) -> bytes:
        self.events.append(event)
        return b"%d" % (len(self.events) - 1)

    join = staticmethod(join_nothing)
    hand_out = staticmethod(hand_out_singly)

    def own_frames(self, entry: Entry) -> bytes | None:
        return None


ONE_FORMAT = Recorder()
"""What fake peers share unless a test says otherwise: they are one audience."""


class FakePeer(Hearer):
    """A `Peer` and a `Wire` that notes what it is told."""

    def __init__(self, format: Recorder = ONE_FORMAT) -> None:
        self.format = format
        self.heard: list[Event] = []
        self.answers: list[tuple[bytes, bool]] = []
        self.replies: list[tuple[Id, Outcome]] = []
        self.ended: Disconnect | None = None
        self.paused = False

    def send(self, frames: bytes, event: Event | None = None) -> None:
        self.heard.append(self.format.events[int(frames)])

    def reply(self, id: Id, outcome: Outcome) -> None:
        self.replies.append((id, outcome))

    def deliver(self, event: Event) -> None:
        self.heard.append(event)

    def answer(self, payload: bytes, is_binary: bool) -> None:
        self.answers.append((payload, is_binary))

    def close(self, why: Disconnect) -> None:
        self.ended = self.ended or why

    def ponged(self) -> None: ...

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def told(self) -> list[str]:
        """What came since the last call, a short word for each event; see `short`."""
        heard, self.heard = self.heard, []
        return [short(event) for event in heard]


def short(event: Event) -> str:
    """An event in the fewest characters a test can be read by."""
    match event:
        case Entry(seq=seq, body=body):
            return f"{seq} {body.user.nick}: {_body(body)}"
        case e.Entered(user=user, n=n):
            return f"+{user.nick} {n}"
        case e.Left(user=user, n=n):
            return f"-{user.nick} {n}"
        case e.Renamed(user=user, was=was):
            return f"{was}>{user.nick}"
        case e.Counted(n=n):
            return f"count {n}"
        case e.Presence(user=user, status=status, conns=conns):
            return f"{user.nick} is {status} on {conns}"
        case e.Typing(user=user, on=on):
            return f"{user.nick} {'types' if on else 'rests'}"
        case e.ReadElsewhere(room=room, seq=seq):
            return f"read {room} to {seq}"
        case e.Truncated(after=after, epoch=epoch, seq=seq):
            return f"cut after {after}: {epoch} {seq}"
        case e.EpochChanged(epoch=epoch):
            return f"epoch {epoch}"
        case e.Lagged(room=room, first=first, last=last):
            return f"lag {room} {first}-{last}"
        case e.Greeted(user=user):
            return f"hi {user.nick}"
        case e.Noticed(about=about):
            return f"* {about}"
    return type(event).__name__


def _body(body: Body) -> str:
    match body:
        case e.Said(text=text):
            return text
        case e.Edited(ref=ref, text=text, rev=rev):
            return f"{ref}.{rev}={text}"
        case e.Deleted(ref=ref):
            return f"{ref}=gone"
        case e.Reacted(ref=ref, emoji=emoji, on=on, n=n):
            return f"{ref}{'+' if on else '-'}{emoji} {n}"
        case e.Moderated(action=action):
            return action
        case e.Opened(dm=dm):
            return f"opens {dm}"


ANN, BOB = User("u_ann", "Ann"), User("u_bob", "Bob")


def said(text: str, user: User = ANN, cid: str | None = None) -> Said:
    """Something somebody said."""
    return Said(user, text, cid=cid)


def entry(seq: int, text: str = "", epoch: str = "e1", room: str = "lobby") -> Entry:
    """An entry as a log would tell it; its text is its number unless given."""
    return Entry(room, seq, epoch, int(NOON * 1000) + seq, said(text or str(seq)))


def page(seqs: Iterable[int] = (), *, top: int | None = None, epoch: str = "e1", **more: Any) -> Page:
    """A page of entries with these numbers; `top` is the last of them unless given."""
    entries = tuple(entry(seq, epoch=epoch) for seq in seqs)
    if top is None:
        top = entries[-1].seq if entries else 0
    return Page(top, epoch, more.get("forks", ()), more.get("first", 1), entries)


@dataclass
class Ask:
    """One question to a scripted log that has no answer yet."""

    kind: str
    room: str
    promise: Promise[Any]
    body: Body | None = None
    seq: int | None = None
    limit: int = 0


@dataclass
class ScriptedLog:
    """An `Engine` that answers nothing about rooms by itself: the test says when, and with what, oldest question
    first. Of people it knows nothing, at once."""

    durability: str = "cache"
    asks: list[Ask] = field(default_factory=list)
    sink: LogSink | None = None
    tops: dict[str, int] = field(default_factory=dict)
    cid_ttl_s: int | None = None
    paces: bool = False
    bus: Bus = ALONE
    meter: Meter | None = None

    def start(self, sink: LogSink) -> None:
        self.sink = sink

    def stop(self) -> None: ...

    def check_there(self, room: str) -> None: ...

    def settled(self) -> Promise[None]:
        return resolved(None)

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        return self._ask(Ask("append", room, Promise(), body=body))

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        return self._ask(Ask("read", room, Promise(), seq=since, limit=limit))

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        return self._ask(Ask("read_back", room, Promise(), seq=before, limit=limit))

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        return self._ask(Ask("history", room, Promise(), seq=before, limit=limit))

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        return resolved(Found((), None))

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        return resolved(Unread(0, 0))

    def room_names(self, limit: int, viewer: str) -> Promise[tuple[tuple[str, int], ...]]:
        return resolved(tuple(self.tops.items())[:limit])

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        return resolved(seq)

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        return resolved({})

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        return resolved(None)

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        return resolved(None)

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        return resolved(True)

    def add_account(self, account: Account) -> Promise[Account]:
        return resolved(account)

    def change_account(
        self,
        user_id: str,
        *,
        role: str | None = None,
        password: str | None = None,
        end_sessions: bool = False,
        if_password: str | None = None,
    ) -> Promise[Account]:
        raise AssertionError("this log knows no accounts")

    def _ask(self, ask: Ask) -> Promise[Any]:
        self.asks.append(ask)
        return ask.promise

    def _next(self, *kinds: str) -> Ask:
        for ask in self.asks:
            if ask.kind in kinds:
                self.asks.remove(ask)
                return ask
        raise AssertionError(f"nobody asked for {' or '.join(kinds)}")

    def show(self, answer: Page) -> Ask:
        """Answer the oldest read."""
        ask = self._next("read", "read_back")
        self.tops[ask.room] = max(self.tops.get(ask.room, 0), answer.top)
        ask.promise.resolve(answer)
        return ask

    def show_past(self, *messages: Message, epoch: str = "e1") -> Ask:
        """Answer the oldest question for history."""
        ask = self._next("history")
        ask.promise.resolve(Past(messages, False, epoch))
        return ask

    def fail(self, error: BaseException, kind: str = "read") -> None:
        """Reject the oldest question of that kind."""
        kinds = ("read", "read_back") if kind == "read" else (kind,)
        self._next(*kinds).promise.reject(error)

    def commit(self) -> Entry:
        """Keep the oldest appended body, tell the sink, answer."""
        ask = self._next("append")
        assert ask.body is not None
        seq = self.tops[ask.room] = self.tops.get(ask.room, 0) + 1
        kept = Entry(ask.room, seq, "e1", int(NOON * 1000) + seq, ask.body)
        self.tell(kept)
        ask.promise.resolve(Appended(kept.room, kept.seq, kept.epoch, kept.ts))
        return kept

    def tell(self, *entries: Entry) -> None:
        """Say that these were committed, whoever wrote them."""
        assert self.sink is not None
        for one in entries:
            self.sink.committed(one)


class Troubles(list[BaseException]):
    """What was reported as an error of ours; pass its `append` as `report`."""


def make_hub(
    log: Engine,
    *,
    troubles: Troubles,
    clock: Callable[[], float] | None = None,
    messages: Rate | None = None,
    passes: Passes | None = None,
    ids: Ids | None = None,
    turn: Turn | None = None,
) -> Hub:
    """A hub on `log`, started."""
    hub = Hub(
        log,
        clock=clock or FakeClock(),
        randomness=ids or Ids(),
        registry=Registry(PrecisNames()),
        messages=messages,
        report=troubles.append,
        passes=passes,
        turn=turn,
        build="1.2.3-test",
    )
    Elsewhere(hub, log.bus)
    log.start(hub)
    return hub


class FakeTransport(StringTransport):
    """A TCP transport whose far end is the test. As lenient as a real one when it is asked twice."""

    def __init__(self, peer: IAddress | None = None) -> None:
        super().__init__(peerAddress=peer or IPv4Address("TCP", "127.0.0.1", 5123), lenient=True)
        self.protocol: Any = None
        self.writes: list[bytes] = []
        self._is_gone = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        super().write(data)

    def setTcpNoDelay(self, enabled: bool) -> None: ...

    def unregisterProducer(self) -> None:
        self.producer = self.streaming = None

    @property
    def aborted(self) -> bool:
        """Whether it was cut off without waiting for the far end."""
        return bool(self.disconnected)

    def take(self) -> bytes:
        """What was written since the last call."""
        data = self.value()
        self.clear()
        return data

    def lose(self) -> None:
        """The far end is gone, or has read all and agreed to the end."""
        if not self._is_gone:
            self._is_gone = True
            self.connected = False
            if self.producer is not None:  # as a real one does
                self.producer.stopProducing()
            self.protocol.connectionLost(Failure(ConnectionDone()))
