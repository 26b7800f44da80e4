"""What a peer still has to be sent."""

from __future__ import annotations

import re

from fakes import ANN, FakeTransport, Pump, entry
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from chatservice.domain.audience import hand_out_singly, join_nothing
from chatservice.domain.events import Entry, Event, Lagged, Typing
from chatservice.transports.lag import EPHEMERAL_BYTES, LAG_BYTES
from chatservice.transports.sendqueue import REPLY_BYTES, SLICE_BYTES, SendQueue, Turn
from chatservice.transports.surroundings import STUCK_S
from chatservice.transports.watch import Watch
from chatservice.wires.quick import Direct

TYPING = Typing("lobby", ANN, True)


class LagFormat:
    """A format for nothing but lags; it notes them."""

    def __init__(self) -> None:
        self.lags: list[Event] = []

    def frames(self, event: Event) -> bytes | None:
        assert isinstance(event, Lagged)
        self.lags.append(event)
        return b"[%d-%d]" % (event.first, event.last)

    def own_frames(self, entry: Entry) -> bytes | None:
        return None

    join = staticmethod(join_nothing)
    hand_out = staticmethod(hand_out_singly)


class Link:
    """A queue on a fake transport, its owner, and the reactor's turn run by hand."""

    direct: Direct | None = None

    def __init__(self) -> None:
        self.pump, self.clock = Pump(), Clock()
        self.turn = Turn(self.pump)
        self.stuck = Watch(self.clock.seconds, STUCK_S, 0.0)
        self.transport = FakeTransport()
        self.overflows = self.reliefs = 0
        self.format = LagFormat()
        self.queue = SendQueue(self.transport, self.turn, self.stuck, self)

    @property
    def lags(self) -> list[Event]:
        return self.format.lags

    def too_slow(self) -> None:
        self.overflows += 1

    def relieved(self) -> None:
        self.reliefs += 1

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.stuck.tick()


def test_one_write_a_turn() -> None:
    """Everything that is pushed in one turn goes out joined, in order, in one write."""
    link = Link()
    link.queue.push(b"a")
    link.queue.push(b"b")
    link.queue.push(b"c")
    assert link.transport.writes == [] and link.queue.waiting_bytes == 3
    link.pump.run()
    assert link.transport.writes == [b"abc"] and link.queue.waiting_bytes == 0
    link.pump.run()
    link.queue.push(b"d")
    link.pump.run()
    assert link.transport.writes == [b"abc", b"d"]


def test_one_turn_for_all_queues() -> None:
    """However many peers have something to be sent, the reactor is asked for one call."""
    link = Link()
    others = [FakeTransport() for _ in range(3)]
    queues = [SendQueue(transport, link.turn, link.stuck, link) for transport in others]
    asked: list[object] = []
    link.turn._call_soon = asked.append
    for queue in queues:
        queue.push(b"x")
        queue.push(b"y")
    assert len(asked) == 1
    asked[0]()
    assert [transport.writes for transport in others] == [[b"xy"]] * 3


def test_it_is_the_transports_push_producer() -> None:
    """The transport can tell it when its own buffer is full."""
    link = Link()
    assert link.transport.producer is link.queue and link.transport.streaming is True


def test_a_full_transport_gets_nothing() -> None:
    """While the transport is full everything waits here, counted; then it goes out in one write."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"a" * 1000)
    link.queue.push(b"b" * 1000)
    link.pump.run()
    assert link.transport.writes == [] and link.queue.waiting_bytes == 2000
    link.queue.resumeProducing()
    assert link.transport.writes == [b"a" * 1000 + b"b" * 1000]


def test_full_between_push_and_turn() -> None:
    """What was pushed before the transport filled up waits as well, and keeps its place."""
    link = Link()
    link.queue.push(b"a")
    link.queue.pauseProducing()
    link.pump.run()
    link.queue.push(b"b")
    assert link.transport.writes == []
    link.queue.resumeProducing()
    assert link.transport.value() == b"ab"
    link.queue.resumeProducing()
    assert link.transport.value() == b"ab"


def test_who_asks_without_reading_is_cut_off_once() -> None:
    """At more than 4 MiB of answers the queue is dropped and says so once; what is pushed later is not kept."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"x" * REPLY_BYTES)
    assert link.overflows == 0
    link.queue.push(b"y")
    assert (link.overflows, link.queue.waiting_bytes) == (1, 0)
    link.queue.push(b"z" * REPLY_BYTES * 2)
    assert (link.overflows, link.queue.waiting_bytes) == (1, 0)
    link.queue.resumeProducing()
    link.pump.run()
    link.wait(60)
    assert link.overflows == 1 and link.transport.writes == [] and link.transport.producer is None


def test_what_is_not_kept_is_left_out_first() -> None:
    """With half a megabyte waiting nobody is told any more who types; entries and answers go on."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"x" * EPHEMERAL_BYTES, TYPING)
    link.queue.push(b"y", TYPING)
    assert link.queue.waiting_bytes == EPHEMERAL_BYTES + 1
    link.queue.push(b"z", TYPING)
    assert link.queue.waiting_bytes == EPHEMERAL_BYTES + 1
    link.queue.push(b"entry", entry(1))
    link.queue.push(b"answer")
    link.queue.resumeProducing()
    assert link.transport.value() == b"x" * EPHEMERAL_BYTES + b"yentryanswer" and link.lags == []


def test_a_slow_reader_is_told_what_it_missed() -> None:
    """With a megabyte waiting entries are only counted, room by room, however small; it costs no more. When the
    peer reads on it gets what waits, then the numbers that were left out, and then all that comes."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"x" * (LAG_BYTES + 1), entry(1))
    for seq in range(2, 1000):
        link.queue.push(b"y" * 1000, entry(seq))
    link.queue.push(b"z", entry(7, room="attic"))
    link.queue.push(b"answer")
    assert link.queue.waiting_bytes == LAG_BYTES + 1 + 6
    assert link.lags == [] and link.overflows == 0
    link.queue.resumeProducing()
    assert link.lags == [Lagged("lobby", 2, 999, "e1"), Lagged("attic", 7, 7, "e1")]
    link.queue.push(b"new", entry(1000))
    link.pump.run()
    assert link.transport.value() == b"x" * (LAG_BYTES + 1) + b"answer[2-999][7-7]new"
    link.wait(60)
    assert link.overflows == 0 and len(link.stuck) == 0


def test_a_room_that_lags_stays_behind_until_it_is_told() -> None:
    """Between what was left out and its notice nothing of that room is sent: the numbers would not be in order."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"x" * (LAG_BYTES + 1), entry(1))
    link.queue.push(b"y", entry(2))
    link.transport.write = lambda data: (FakeTransport.write(link.transport, data), link.queue.pauseProducing())  # type: ignore[method-assign]
    for _ in range(-(-(LAG_BYTES + 1) // SLICE_BYTES)):
        assert link.queue.waiting_bytes > 0
        link.queue.resumeProducing()  # a slice is taken, and the transport is full again
    assert link.queue.waiting_bytes == 0 and link.lags == []
    link.queue.push(b"z", entry(3))
    assert link.queue.waiting_bytes == 0
    link.queue.resumeProducing()
    assert link.lags == [Lagged("lobby", 2, 3, "e1")]


def test_a_reader_that_is_stuck() -> None:
    """One that lags and takes nothing for 30 s is given up, once; one that took something meanwhile is not."""
    for takes in (False, True):
        link = Link()
        link.queue.pauseProducing()
        link.queue.push(b"x" * (LAG_BYTES + 1), entry(1))
        link.wait(60)
        assert link.overflows == 0  # it is slow, and has missed nothing yet
        link.queue.push(b"y", entry(2))
        link.wait(29)
        assert link.overflows == 0
        if takes:
            link.queue.resumeProducing()
            link.pump.run()
        link.wait(60)
        assert link.overflows == (0 if takes else 1)
        assert link.queue.waiting_bytes == 0 and len(link.stuck) == 0


def test_a_quick_reader_may_get_much_at_once() -> None:
    """The bounds are for those who do not read: a transport that takes it gets ten megabytes in one turn."""
    link = Link()
    link.queue.push(b"x" * REPLY_BYTES)
    link.queue.push(b"y" * REPLY_BYTES, entry(1))
    link.queue.push(b"z" * LAG_BYTES, entry(2))
    link.queue.push(b"t" * LAG_BYTES, TYPING)
    link.pump.run()
    assert link.overflows == 0 and len(link.transport.value()) == 2 * REPLY_BYTES + 2 * LAG_BYTES


def test_a_closed_queue() -> None:
    """After close nothing is sent; to close again, to flush or to push is no error."""
    link = Link()
    link.queue.push(b"a")
    link.queue.close()
    link.queue.close()
    link.queue.push(b"b")
    link.queue.flush()
    link.pump.run()
    assert link.transport.writes == [] and link.transport.producer is None


def test_flush_does_not_wait_for_the_turn() -> None:
    """A farewell goes out at once, behind what waits; the turn then finds nothing."""
    link = Link()
    link.queue.push(b"a")
    link.queue.push(b"bye")
    link.queue.flush()
    assert link.transport.writes == [b"abye"]
    link.pump.run()
    assert link.transport.writes == [b"abye"]


def test_a_lost_connection() -> None:
    """A transport that is gone stops its producer: what waits is forgotten."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"a")
    link.queue.stopProducing()
    assert link.queue.waiting_bytes == 0
    link.queue.push(b"b")
    link.pump.run()
    assert link.transport.writes == [] and link.overflows == 0


ACTIONS = st.one_of(st.binary(max_size=20), st.sampled_from(["turn", "full", "room", "flush"]))


@settings(deadline=None)
@given(st.lists(ACTIONS, max_size=50))
def test_order_under_any_timing(actions: list[bytes | str]) -> None:
    """However pushes, turns and a full transport alternate, every byte goes out once, in order."""
    link = Link()
    pushed = b""
    for action in actions:
        if isinstance(action, bytes):
            pushed += action
            link.queue.push(action)
        elif action == "turn":
            link.pump.run()
        elif action == "full":
            link.queue.pauseProducing()
        elif action == "room":
            link.queue.resumeProducing()
        else:
            link.queue.flush()
        assert pushed.startswith(link.transport.value())
        assert len(link.transport.value()) + link.queue.waiting_bytes == len(pushed)
    link.queue.resumeProducing()
    link.pump.run()
    assert link.transport.value() == pushed


STEPS = st.lists(st.sampled_from(["entry", "typing", "answer", "turn", "full", "room"]), max_size=60)


@settings(deadline=None)
@given(STEPS)
def test_no_entry_is_lost_in_silence(steps: list[str]) -> None:
    """However reading and talking alternate, every number is either sent or told as left out, in order, once."""
    link = Link()
    big = b"." * (LAG_BYTES // 4)
    row: list[range] = []  # numbers as the peer learns of them

    seq = 0
    for step in steps:
        if step == "entry":
            seq += 1
            link.queue.push(b"<%d>" % seq + big, entry(seq))
        elif step == "typing":
            link.queue.push(big, TYPING)
        elif step == "answer":
            link.queue.push(b"answer")
        elif step == "turn":
            link.pump.run()
        elif step == "full":
            link.queue.pauseProducing()
        else:
            link.queue.resumeProducing()
    link.queue.resumeProducing()
    link.pump.run()
    for one, first, last in re.findall(rb"<(\d+)>|\[(\d+)-(\d+)\]", link.transport.value()):
        row.append(range(int(one), int(one) + 1) if one else range(int(first), int(last) + 1))
    assert [number for numbers in row for number in numbers] == list(range(1, seq + 1))
    assert link.transport.value().count(b"answer") == steps.count("answer") and link.overflows == 0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(st.integers(0, 3000), st.integers(SLICE_BYTES - 3, 3 * SLICE_BYTES + 3)), max_size=8))
def test_slices(sizes: list[int]) -> None:
    """Whatever waits goes out whole and in order in slices, as fast as the transport takes them, and no faster."""
    link = Link()
    frames = [bytes((number + 1,)) * size for number, size in enumerate(sizes)]
    link.queue.pauseProducing()
    asked = [link.queue.push_answer(frame) for frame in frames]
    assert asked == [number == 0 for number in range(len(frames))]
    write = link.transport.write
    link.transport.write = lambda data: (write(data), link.queue.pauseProducing())  # type: ignore[method-assign]
    while link.reliefs == 0 and frames:
        before = len(link.transport.writes)
        link.queue.resumeProducing()
        assert len(link.transport.writes) <= before + 1
    assert b"".join(link.transport.writes) == b"".join(frames) and link.queue.waiting_bytes == 0
    assert all(len(data) <= SLICE_BYTES for data in link.transport.writes) and link.overflows == 0


def test_the_last_that_is_handed_over() -> None:
    """Before an end all that waits goes out, however long, if the transport had room when the end began."""
    link = Link()
    write = link.transport.write
    link.transport.write = lambda data: (write(data), link.queue.pauseProducing())  # type: ignore[method-assign]
    for letter in (b"a", b"b", b"c"):
        link.queue.push(letter * SLICE_BYTES)
    link.queue.hand_over()
    assert b"".join(link.transport.writes) == b"".join(letter * SLICE_BYTES for letter in (b"a", b"b", b"c"))
