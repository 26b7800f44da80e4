"""What a peer still has to be sent."""

from __future__ import annotations

from fakes import FakeTransport, Pump
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.transports.sendqueue import QUEUE_BYTES, SendQueue, Turn


class Link:
    """A queue on a fake transport, and the reactor's turn run by hand."""

    def __init__(self) -> None:
        self.pump = Pump()
        self.turn = Turn(self.pump)
        self.transport = FakeTransport()
        self.overflows = 0
        self.queue = SendQueue(self.transport, self.turn, self._overflowed)

    def _overflowed(self) -> None:
        self.overflows += 1


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
    queues = [SendQueue(transport, link.turn, lambda: None) for transport in others]
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


def test_a_slow_reader_is_cut_off_once() -> None:
    """At more than 1 MiB the queue is dropped and says so once; what is pushed later is not kept."""
    link = Link()
    link.queue.pauseProducing()
    link.queue.push(b"x" * QUEUE_BYTES)
    assert link.overflows == 0
    link.queue.push(b"y")
    assert (link.overflows, link.queue.waiting_bytes) == (1, 0)
    link.queue.push(b"z" * QUEUE_BYTES * 2)
    assert (link.overflows, link.queue.waiting_bytes) == (1, 0)
    link.queue.resumeProducing()
    link.pump.run()
    assert link.transport.writes == [] and link.transport.producer is None


def test_a_quick_reader_may_get_much_at_once() -> None:
    """The bound is for those who do not read: a transport that takes it gets two megabytes in one turn."""
    link = Link()
    link.queue.push(b"x" * QUEUE_BYTES)
    link.queue.push(b"y" * QUEUE_BYTES)
    link.pump.run()
    assert link.overflows == 0 and len(link.transport.value()) == 2 * QUEUE_BYTES


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
