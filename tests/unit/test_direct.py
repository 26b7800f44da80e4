"""What a room is told goes past a peer's queue into the kernel, and yet never past what waits in it."""

from __future__ import annotations

import socket

from fakes import ANN, Pump
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock

from chatservice.domain.events import Event, Typing
from chatservice.transports.frames import VoiceFormat
from chatservice.transports.peer import Connected
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.turn import Turn
from chatservice.transports.watch import Watch

EVENT = Typing("tea", ANN, True)


class Link(Connected):
    """A connection over one end of a socket pair whose kernel buffer is small."""

    def __init__(self, turn: Turn) -> None:
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.reactor = MemoryReactorClock()
        self.tcp = Connection(ours, Protocol(), self.reactor)
        self.tcp.connected = 1
        self.transport = self.tcp  # type: ignore[assignment]
        self._queue = SendQueue(self.tcp, turn, Watch(Clock().seconds, 30.0, 0.0), self)  # type: ignore[arg-type]
        self.got = b""
        self.expected = b""

    def hear(self, data: bytes, format: VoiceFormat, events: list[Event]) -> None:
        self.expected += data
        format.hand_out([self], data, [data], events)

    def read(self) -> None:
        """The far end takes what is there, and the reactor writes what it can."""
        for _ in range(2):
            try:
                while piece := self.theirs.recv(65536):
                    self.got += piece
            except BlockingIOError:
                pass
            if self.tcp in self.reactor.writers:
                self.tcp.doWrite()

    def too_slow(self) -> None: ...
    def answer(self, payload: bytes, is_binary: bool) -> None: ...
    def close(self, why: object) -> None: ...
    def nudge(self) -> None: ...
    def give_up(self) -> None: ...

    def end(self) -> None:
        self.theirs.close()
        self.tcp.socket.close()


def hall() -> tuple[Link, Pump, VoiceFormat]:
    pump = Pump()
    return Link(Turn(pump)), pump, VoiceFormat(None, lambda payload: payload)  # type: ignore[arg-type]


def test_it_opens_with_the_first_delivery_and_shuts_for_what_waits() -> None:
    """After a delivery the next goes straight into the kernel; an answer that waits is not overtaken."""
    link, pump, format = hall()
    assert link.direct is None
    link.hear(b"1", format, [EVENT])
    assert link.direct is not None
    link.hear(b"2", format, [EVENT])
    link.send(b"answer")
    assert link.direct is None
    link.expected += b"answer"
    link.hear(b"3", format, [EVENT])
    pump.run()
    link.hear(b"4", format, [EVENT])
    assert link.direct is not None
    link.read()
    assert link.got == link.expected == b"12answer34"
    link.end()


def test_nothing_follows_an_end() -> None:
    """A closed queue has no direct way, nor has a connection that is being ended or holds what it is told."""
    link, _, format = hall()
    for shut in (lambda: link.tcp.loseConnection(), lambda: link._queue.close()):  # type: ignore[union-attr]
        link.direct = None
        shut()
        format.hand_out([link], b"x", [b"x"], [EVENT])
        assert link.direct is None
    link.end()
    link, _, format = hall()
    link.hear(b"1", format, [EVENT])
    link.hold()
    format.hand_out([link], b"2", [b"2"], [EVENT])
    link.read()
    assert link.got == b"1"
    link.release()
    link.end()


def test_a_peer_that_is_gone_hurts_nobody() -> None:
    """The kernel's refusal for one peer is that peer's affair: the others hear."""
    link, _, format = hall()
    other = Link(Turn(Pump()))
    for one in (link, other):
        one.hear(b"1", format, [EVENT])
    link.theirs.close()
    format.hand_out([link, other], b"2", [b"2"], [EVENT])
    other.read()
    assert other.got == b"12" and link.direct is None and link.tcp in link.reactor.writers
    link.end()
    other.end()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["room", "alone"]), st.integers(1, 9000)),
        st.tuples(st.sampled_from(["read", "turn", "hold", "release"]), st.just(0)),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_order_under_any_timing(steps: list[tuple[str, int]]) -> None:
    """Room, answers, a full kernel, a full transport and a slow far end in any order: every byte in its place."""
    link, pump, format = hall()
    held = b""
    is_held = False
    for number, (step, size) in enumerate(steps):
        data = (b"%d:" % number).ljust(size, b".")
        if step == "room":
            if is_held:
                held += data
                format.hand_out([link], data, [data], [None])  # type: ignore[list-item]
            else:
                link._queue.flush()  # type: ignore[union-attr]  # the end of a turn: audiences and queues
                link.expected += data
                format.hand_out([link], data, [data], [None])  # type: ignore[list-item]
        elif step == "alone" and not is_held:
            link.expected += data
            link.send(data)
        elif step == "hold" and not is_held:
            link.hold()
            is_held = True
        elif step == "release" and is_held:
            link.release()
            link.expected += held
            held, is_held = b"", False
        elif step == "read":
            link.read()
        else:
            pump.run()
    link.release()
    link.expected += held
    for _ in range(400):
        pump.run()
        link.read()
    assert link.got == link.expected
    link.end()
