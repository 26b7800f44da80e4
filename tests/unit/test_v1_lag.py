"""R11: who reads too slowly is told what was left out, fetches it and has all; who never reads is ended."""

from __future__ import annotations

import pytest
from chat import Chat, Frame, NearEnd, Tab, code
from fakes import FakeTransport, Pump, entry, short

from chatservice.domain.audience import hand_out_singly, join_nothing
from chatservice.domain.errors import SLOW, Disconnect
from chatservice.domain.events import Entered, Entry, EpochChanged, Event, Truncated, User
from chatservice.transports.lag import EPHEMERAL_BYTES, LAG_BYTES
from chatservice.transports.sendqueue import REPLY_BYTES, SendQueue, Turn
from chatservice.transports.watch import Watch


class SlowEnd(NearEnd):
    """A server's end with a send queue; the far end reads when the test says so."""

    def __init__(self, chat: Chat) -> None:
        self.transport, self.chat = FakeTransport(), chat
        self.stuck = Watch(chat.clock, 30.0, 0.0)
        self.queue = SendQueue(self.transport, Turn(chat.store.pump), self.stuck, self)
        super().__init__(chat)

    def put(self, frames: bytes | None, event: Event | None = None) -> None:
        if frames and self.conversation is not None:
            self.queue.push(frames, event)

    def close(self, why: Disconnect) -> None:
        self.queue.close()
        super().close(why)

    def too_slow(self) -> None:
        self.close(SLOW)

    def read(self) -> None:
        """The far end reads all there is."""
        self.queue.resumeProducing()
        self.chat.settle()
        self.sent += self.transport.take()

    def stall(self) -> None:
        """The far end stops reading."""
        self.read()
        self.queue.pauseProducing()


def enter_slowly(chat: Chat, *rooms: str, nick: str = "slow") -> tuple[Tab, SlowEnd]:
    """A slow reader in those rooms."""
    near = SlowEnd(chat)
    tab = Tab(chat, near)
    id = tab.send("hello", nick=nick, rooms=dict.fromkeys(rooms))
    chat.settle()
    near.read()
    assert code(tab.answer(id)) == "ok"
    return tab, near


def shout(tab: Tab, count: int, room: str = "lobby") -> None:
    """Messages of 40 KB each."""
    for n in range(count):
        assert (
            code(tab.ask("message", room=room, text=f"{n} " + "\u4e0a" * 3900, meta={"fill": "x" * 4000})) == "ok"
        )


def ask(tab: Tab, near: SlowEnd, kind: str, **members: object) -> Frame:
    id = tab.send(kind, **members)
    tab.chat.settle()
    near.read()
    return tab.answer(id)


def test_complete_after_a_lag(chat: Chat) -> None:
    """What was left out is named room by room; after fetching it the reader has every number once, in order."""
    ann = chat.enter("ann", "lobby", "attic")
    slow, near = enter_slowly(chat, "lobby", "attic")
    slow.told()
    near.stall()
    shout(ann, 80)
    shout(ann, 3, "attic")
    assert near.queue.waiting_bytes < LAG_BYTES + 100_000
    near.read()
    events = slow.told()
    lags = {event["room"]: event for event in events if event["type"] == "lag"}
    for room, top in (("lobby", 80), ("attic", 3)):
        had = [event["seq"] for event in events if event["type"] == "message" and event["room"] == room]
        lag = lags[room]
        assert had == list(range(1, lag["from"])) and lag["to"] == top and lag["epoch"]
        while had[-1:] != [top]:
            page = ask(slow, near, "events", room=room, after=had[-1] if had else 0, limit=10)
            had += [event["seq"] for event in page["events"]]
        assert had == list(range(1, top + 1))
    ann.ask("message", room="lobby", text="after")
    near.read()
    assert [event["seq"] for event in slow.told()] == [81]


def test_no_progress_for_thirty_seconds(chat: Chat) -> None:
    """A lagging reader that takes nothing for thirty seconds is ended; one that takes a little is not."""
    ann = chat.enter("ann", "lobby")
    (_, dead), (_, slow) = enter_slowly(chat, "lobby"), enter_slowly(chat, "lobby", nick="slower")
    dead.stall()
    slow.stall()
    shout(ann, 80)
    chat.clock.now += 29
    slow.stall()
    shout(ann, 80)
    chat.clock.now += 2
    for near in (dead, slow):
        near.stuck.tick()
    assert (dead.ended, slow.ended) == (SLOW, None) and SLOW.own_code == 4008 and SLOW.reconnect
    assert {person.user.nick for person in chat.hub.roster._by_id.values() if person.conns} == {"ann", "slower"}


# --- the queue itself ---


class Lines:
    """Events as lines that a test can read."""

    def frames(self, event: Event) -> bytes:
        return short(event).encode() + b"\n"

    def own_frames(self, entry: Entry) -> None:
        return None

    join = staticmethod(join_nothing)
    hand_out = staticmethod(hand_out_singly)


class Owner:
    """Whose queue it is; notes what it is told about it."""

    format = Lines()

    def __init__(self) -> None:
        self.slow = 0
        self.pump, self.now = Pump(), 0.0
        self.transport = FakeTransport()
        self.stuck = Watch(lambda: self.now, 30.0, 0.0)
        self.queue = SendQueue(self.transport, Turn(self.pump), self.stuck, self)

    def too_slow(self) -> None:
        self.slow += 1

    def fill(self, size: int) -> None:
        """So much waits already."""
        self.queue.pauseProducing()
        self.queue.push(b"." * (size - 1) + b"\n")

    def push(self, *events: Event) -> None:
        for event in events:
            self.queue.push(short(event).encode() + b"\n", event)

    def got(self) -> list[str]:
        """What goes out when the transport has room, without the filling."""
        self.queue.resumeProducing()
        self.pump.run()
        return [line for line in self.transport.take().decode().splitlines() if not line.startswith(".")]


ENTERED = Entered("lobby", User("u_x", "x"), 2)


def test_ephemerals_go_first() -> None:
    """Above half a megabyte comings and goings are left out, entries are not."""
    owner = Owner()
    owner.fill(EPHEMERAL_BYTES)
    owner.push(ENTERED)  # still within
    owner.push(ENTERED, entry(1), ENTERED)
    assert owner.got() == ["+x 2", "1 Ann: 1"]
    owner.push(ENTERED)
    assert owner.got() == ["+x 2"]


def test_a_lag_names_what_was_left_out() -> None:
    """Once one entry of a room is left out so are all that follow, until the reader has caught up."""
    owner = Owner()
    owner.fill(LAG_BYTES + 1)
    owner.push(entry(5), entry(6), entry(1, room="attic"), entry(7))
    assert owner.got() == ["lag lobby 5-7", "lag attic 1-1"]
    owner.push(entry(8))
    assert owner.got() == ["8 Ann: 8"]


@pytest.mark.parametrize(
    ("before", "after", "later", "told"),
    [
        ((4, 5, 6), 3, (4, 5), ["cut after 3: e2 3", "lag lobby 4-5"]),
        ((4, 5, 6), 5, (), ["cut after 5: e2 5", "lag lobby 4-5"]),
        ((4, 5, 6), 3, (), ["cut after 3: e2 3"]),
        ((4, 5, 6), None, (1,), ["cut after None: e2 0", "lag lobby 1-1"]),
        ((4, 5, 6), 1, (2,), ["cut after 1: e2 1", "lag lobby 2-2"]),
    ],
)
def test_a_cut_while_lagging(
    before: tuple[int, ...], after: int | None, later: tuple[int, ...], told: list[str]
) -> None:
    """News of a lost tail are never left out, and the lag then names only what stands after it."""
    owner = Owner()
    owner.fill(LAG_BYTES + 1)
    owner.push(*(entry(seq) for seq in before))
    owner.push(Truncated("lobby", after, "e2", after or 0))
    owner.push(*(entry(seq, epoch="e2") for seq in later))
    assert owner.got() == told


def test_a_new_epoch_while_lagging() -> None:
    """News of a new epoch are never left out, so that no later number is taken for one of the old."""
    owner = Owner()
    owner.fill(LAG_BYTES + 1)
    owner.push(entry(4), EpochChanged("lobby", "e2"), entry(5, epoch="e2"))
    assert owner.got() == ["epoch e2", "lag lobby 4-5"]


def test_progress_counts() -> None:
    """Thirty seconds without any progress end a lagging reader; each time it takes something they begin anew."""
    owner = Owner()
    owner.fill(LAG_BYTES + 1)
    owner.push(entry(1))
    take = owner.transport.write

    def full_again(data: bytes) -> None:
        take(data)
        owner.queue.pauseProducing()

    owner.transport.write = full_again  # type: ignore[method-assign]
    for n in range(2, 5):
        owner.now += 29
        owner.stuck.tick()
        assert owner.slow == 0
        owner.queue.push(b"an answer\n")
        owner.queue.resumeProducing()
        owner.push(entry(n))
    owner.now += 31
    owner.stuck.tick()
    assert owner.slow == 1


def test_answers_are_never_left_out() -> None:
    """Answers wait up to four megabytes; who asks for more without reading is ended."""
    owner = Owner()
    owner.fill(LAG_BYTES + 1)
    owner.queue.push(b"x" * (REPLY_BYTES - LAG_BYTES - 1))
    assert owner.slow == 0
    owner.queue.push(b"y")
    assert owner.slow == 1 and owner.queue.waiting_bytes == 0 and owner.got() == []
