"""A room's frames of one turn go to each peer in one write, in order, none twice and none lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from fakes import Pump
from hypothesis import given
from hypothesis import strategies as st

from chatservice.domain.audience import GATHER_S, Audience
from chatservice.domain.events import Entry, Event, Typing, User
from chatservice.domain.ports import Flushable, Sliced
from chatservice.transports.turn import BETWEEN, Turn

ANN = User("u_a", "Ann")


class Numbers:
    """A format that tells the number of a `Typing` event's room."""

    made = 0
    transport = "fake"
    size = staticmethod(len)

    def frames(self, event: Event) -> bytes | None:
        assert isinstance(event, Typing)
        self.made += 1
        return None if event.room == "-" else f"{event.room} ".encode()

    def own_frames(self, entry: Entry) -> bytes | None:
        return None

    def join(self, frames: Sequence[bytes], events: Sequence[Event], *, is_batch: bool) -> bytes:
        return (b"[%s] " if is_batch else b"%s") % b"".join(frames)

    def hand_out(
        self, peers: Iterable[Ear], joined: bytes, frames: Sequence[bytes], events: Sequence[Event]
    ) -> None:
        assert len(frames) == len(events)
        for peer in peers:
            peer.send(joined)


class Later:
    """A turn that ends when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Flushable] = []
        self.sliced: list[Sliced] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def add(self, what: Flushable) -> None:
        self.waiting.append(what)

    def go_on(self, what: Sliced) -> None:
        if what not in self.sliced:
            self.sliced.append(what)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.timers.append((seconds, call))

    def handed_out(self, format: object, frames: Sequence[bytes], peers: int) -> None:
        """See `Turn.handed_out`."""

    def end(self) -> None:
        waiting, self.waiting = self.waiting, []
        for what in waiting:
            what.flush()

    def slice(self) -> None:
        """One more slice, if something has one."""
        if self.sliced and not self.sliced[0].go_on():
            del self.sliced[0]

    def pass_time(self) -> None:
        """As long as the next timer takes."""
        if self.timers:
            self.timers.pop(0)[1]()

    def finish(self) -> None:
        """Everything that is due, in slices or later."""
        while self.waiting or self.sliced or self.timers:
            self.end()
            self.slice()
            if not self.sliced:
                self.pass_time()


class Ear:
    """A peer that writes down what it is given, and in how many pieces."""

    handed = 0

    def __init__(self) -> None:
        self.audiences: list[Audience] = []
        self.heard = b""
        self.pieces = 0

    def send(self, frames: bytes, event: Event | None = None) -> None:
        self.heard += frames
        self.pieces += 1

    def alone(self, words: bytes) -> None:
        for audience in self.audiences:
            audience.catch_up(self)  # type: ignore[arg-type]
        self.send(words)


def event(number: object) -> Typing:
    return Typing(str(number), ANN, True)


def room(slice_peers: int = 500) -> tuple[Audience, Later, Numbers]:
    turn, numbers = Later(), Numbers()
    return Audience(numbers, turn, slice_peers), turn, numbers  # type: ignore[arg-type]


def crowd(audience: Audience, n: int) -> list[Ear]:
    ears = [Ear() for _ in range(n)]
    for ear in ears:
        audience.add(ear)  # type: ignore[arg-type]
    return ears


def test_one_write_a_turn() -> None:
    """Three events of one turn reach each peer in one piece, and each was encoded once."""
    audience, turn, numbers = room()
    ears = [Ear() for _ in range(5)]
    for ear in ears:
        audience.add(ear)  # type: ignore[arg-type]
    for number in (1, 2, 3):
        audience.tell(event(number))
    assert [ear.heard for ear in ears] == [b""] * 5
    turn.end()
    assert [(ear.heard, ear.pieces) for ear in ears] == [(b"1 2 3 ", 1)] * 5
    assert numbers.made == 3


def test_private_words_keep_their_place() -> None:
    """What a peer is told alone comes after what the room was told before, and before what it is told after."""
    audience, turn, _ = room()
    ear, other = Ear(), Ear()
    for one in (ear, other):
        audience.add(one)  # type: ignore[arg-type]
    audience.tell(event(1))
    ear.alone(b"ok ")
    audience.tell(event(2))
    turn.end()
    assert (ear.heard, other.heard, other.pieces) == (b"1 ok 2 ", b"1 2 ", 1)


def test_coming_and_going_within_a_turn() -> None:
    """A newcomer gets what comes after it, a leaver what came before it went."""
    audience, turn, _ = room()
    early, late, stays = Ear(), Ear(), Ear()
    audience.add(early)  # type: ignore[arg-type]
    audience.add(stays)  # type: ignore[arg-type]
    audience.tell(event(1))
    audience.add(late)  # type: ignore[arg-type]
    audience.tell(event(2))
    audience.remove(early)  # type: ignore[arg-type]
    audience.tell(event(3))
    turn.end()
    assert (early.heard, late.heard, stays.heard) == (b"1 2 ", b"2 3 ", b"1 2 3 ")


def test_those_left_out() -> None:
    """Whoever is left out of one event still gets those before and after it."""
    audience, turn, _ = room()
    ear, other = Ear(), Ear()
    for one in (ear, other):
        audience.add(one)  # type: ignore[arg-type]
    audience.tell(event(1))
    audience.tell(event(2), (ear,))  # type: ignore[arg-type]
    audience.tell(event("-"), (ear,))  # type: ignore[arg-type]
    audience.tell(event(3))
    turn.end()
    assert (ear.heard, other.heard) == (b"1 3 ", b"1 2 3 ")


def test_a_big_audience_is_told_in_slices() -> None:
    """Those of one slice are told in a turn, in the order they came; what comes next waits for the rest."""
    audience, turn, numbers = room(slice_peers=2)
    ears = crowd(audience, 5)
    audience.tell(event(1))
    turn.end()
    turn.slice()
    assert [ear.heard for ear in ears] == [b"1 ", b"1 ", b"", b"", b""]
    audience.tell(event(2))
    audience.tell(event(3))
    turn.end()
    assert [ear.pieces for ear in ears] == [1, 1, 0, 0, 0]
    turn.slice()
    turn.slice()
    assert [ear.heard for ear in ears] == [b"1 "] * 5
    turn.finish()
    assert [(ear.heard, ear.pieces) for ear in ears] == [(b"1 2 3 ", 2)] * 5
    assert numbers.made == 3


def test_an_audience_of_two_slices_is_told_at_once() -> None:
    """Where nothing is gained by it nothing is put off."""
    audience, turn, _ = room(slice_peers=3)
    ears = crowd(audience, 6)
    audience.tell(event(1))
    turn.end()
    assert [ear.heard for ear in ears] == [b"1 "] * 6
    assert not turn.sliced


def test_coming_between_slices() -> None:
    """Who comes between two slices is not told what the others are being told, but all that comes after."""
    audience, turn, _ = room(slice_peers=2)
    ears = crowd(audience, 5)
    audience.tell(event(1))
    turn.end()
    turn.slice()
    late = Ear()
    audience.add(late)  # type: ignore[arg-type]
    audience.tell(event(2))
    later = Ear()
    audience.add(later)  # type: ignore[arg-type]
    turn.finish()
    assert (late.heard, later.heard) == (b"2 ", b"")
    assert [ear.heard for ear in ears] == [b"1 2 "] * 5


def test_going_and_coming_back_between_slices() -> None:
    """Who goes before its slice is told at that moment, once; and nothing twice if it comes back."""
    audience, turn, _ = room(slice_peers=2)
    ears = crowd(audience, 5)
    audience.tell(event(1))
    turn.end()
    turn.slice()
    audience.remove(ears[0])  # type: ignore[arg-type]
    audience.remove(ears[4])  # type: ignore[arg-type]
    assert (ears[0].heard, ears[4].heard) == (b"1 ", b"1 ")
    audience.add(ears[4])  # type: ignore[arg-type]
    audience.tell(event(2))
    turn.finish()
    assert [ear.heard for ear in ears] == [b"1 ", *[b"1 2 "] * 4]


def test_private_words_between_slices() -> None:
    """What a peer of a later slice is told alone comes after what the room is being told."""
    audience, turn, _ = room(slice_peers=1)
    ears = crowd(audience, 3)
    audience.tell(event(1))
    turn.end()
    audience.tell(event(2), (ears[2],))  # type: ignore[arg-type]
    ears[2].alone(b"own ")
    ears[1].alone(b"ok ")
    turn.finish()
    assert [ear.heard for ear in ears] == [b"1 2 ", b"1 2 ok ", b"1 own "]


def test_all_leave_between_slices() -> None:
    """A round whose listeners are gone is over, and the next newcomer is told what comes then."""
    audience, turn, _ = room(slice_peers=1)
    ears = crowd(audience, 3)
    audience.tell(event(1))
    turn.end()
    for ear in ears:
        audience.remove(ear)  # type: ignore[arg-type]
    (late,) = crowd(audience, 1)
    turn.finish()
    audience.tell(event(2))
    turn.finish()
    assert [ear.heard for ear in ears] == [b"1 "] * 3
    assert late.heard == b"2 "


class Broken(Numbers):
    """A format that breaks at its second slice."""

    slices = 0

    def hand_out(
        self, peers: Iterable[Ear], joined: bytes, frames: Sequence[bytes], events: Sequence[Event]
    ) -> None:
        self.slices += 1
        if self.slices == 2:
            raise RuntimeError("broken")
        super().hand_out(peers, joined, frames, events)


def test_an_error_in_a_slice() -> None:
    """A slice that breaks is reported, and keeps neither the slices after it nor the next round from anybody."""
    pump, troubles = Pump(), list[BaseException]()
    turn = Turn(pump, troubles.append)
    audience = Audience(Broken(), turn, 2)  # type: ignore[arg-type]
    ears = crowd(audience, 6)
    audience.tell(event(1))
    pump.run()
    audience.tell(event(2))
    pump.run()
    assert [str(trouble) for trouble in troubles] == ["broken"]
    assert [ear.heard for ear in ears] == [b"1 2 ", b"1 2 ", b"2 ", b"2 ", b"1 2 ", b"1 2 "]


def test_other_rooms_go_between() -> None:
    """A message in a small room reaches it before the big one has been told all, and two big ones take turns."""
    pump = Pump()
    turn = Turn(pump)
    big, other, small = (Audience(Numbers(), turn, 2) for _ in range(3))  # type: ignore[arg-type]
    bigs, others, smalls = crowd(big, 6), crowd(other, 5), crowd(small, 2)
    big.tell(event(1))
    other.tell(event(2))
    pump.run_one_if_any()
    pump.run_one_if_any()
    small.tell(event(3))
    for _ in range(BETWEEN):
        pump.run_one_if_any()
    assert [ear.heard for ear in bigs + others].count(b"") == 9
    pump.run_one_if_any()
    assert [ear.heard for ear in smalls] == [b"3 "] * 2
    assert [ear.heard for ear in bigs] == [b"1 "] * 2 + [b""] * 4
    assert [ear.heard for ear in others] == [b"2 "] * 2 + [b""] * 3
    pump.run()
    assert {ear.heard for ear in bigs} | {ear.heard for ear in others} == {b"1 ", b"2 "}


def test_a_moment_between_rounds_of_several() -> None:
    """After a round of several events the next one waits a moment for those that are on their way; after one of a
    single event it does not."""
    audience, turn, _ = room(slice_peers=1)
    ears = crowd(audience, 3)
    for numbers in ((1,), (2, 3)):
        for number in numbers:
            audience.tell(event(number))
        turn.end()
        assert not turn.timers
        while turn.sliced:
            turn.slice()
    assert [seconds for seconds, _ in turn.timers] == [pytest.approx(3 * GATHER_S)]
    audience.tell(event(4))
    turn.end()
    audience.tell(event(5))
    assert [ear.heard for ear in ears] == [b"1 2 3 "] * 3
    turn.finish()
    assert [(ear.heard, ear.pieces) for ear in ears] == [(b"1 2 3 4 5 ", 3)] * 3


def test_a_hot_room_is_told_in_rounds() -> None:
    """The first event after a silence is told at once; what comes within the pause goes in one piece after it."""
    audience, turn, _ = room(slice_peers=2)
    audience.every_s = 0.25
    ears = crowd(audience, 3)
    audience.tell(event(1))
    turn.end()
    turn.slice()
    turn.slice()
    assert [ear.heard for ear in ears] == [b"[1 ] "] * 3
    for number in (2, 3, 4):
        audience.tell(event(number))
        turn.end()
        turn.slice()
    assert [ear.pieces for ear in ears] == [1] * 3
    assert [seconds for seconds, _ in turn.timers] == [0.25]
    ears[2].alone(b"ok ")
    turn.finish()
    assert [ear.heard for ear in ears[:2]] == [b"[1 ] [2 3 4 ] "] * 2
    assert ears[2].heard == b"[1 ] 2 3 4 ok "


def test_a_round_that_takes_longer_than_the_pause() -> None:
    """The next round begins when the last one has ended, though its pause was over before."""
    audience, turn, _ = room(slice_peers=1)
    audience.every_s = 0.25
    ears = crowd(audience, 3)
    audience.tell(event(1))
    turn.end()
    turn.slice()
    audience.tell(event(2))
    turn.pass_time()
    turn.end()
    assert [ear.heard for ear in ears] == [b"[1 ] ", b"", b""]
    turn.finish()
    assert [ear.heard for ear in ears] == [b"[1 ] [2 ] "] * 3


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["tell", "but", "alone", "add", "remove", "end", "slice", "hot", "pass"]),
        st.integers(0, 6),
    )
)


@given(STEPS, st.integers(1, 8))
def test_any_order_of_things(steps: list[tuple[str, int]], slice_peers: int) -> None:
    """Whatever happens in whatever order, with whatever slices and rounds, each peer hears exactly what it would
    have heard one by one."""
    audience, turn, _ = room(slice_peers)
    ears = [Ear() for _ in range(7)]
    expected = [b""] * 7
    inside: set[int] = set()
    for number, (step, who) in enumerate(steps):
        if step in ("tell", "but"):
            audience.tell(event(number), (ears[who],) if step == "but" else ())  # type: ignore[arg-type]
            for i in inside - ({who} if step == "but" else set()):
                expected[i] += f"{number} ".encode()
        elif step == "alone":
            ears[who].alone(b"! ")
            expected[who] += b"! "
        elif step == "add" and who not in inside:
            inside.add(who)
            audience.add(ears[who])  # type: ignore[arg-type]
        elif step == "remove" and who in inside:
            inside.discard(who)
            audience.remove(ears[who])  # type: ignore[arg-type]
        elif step == "end":
            turn.end()
        elif step == "slice":
            turn.slice()
        elif step == "hot":
            audience.every_s = 0.25 - audience.every_s
        elif step == "pass":
            turn.pass_time()
    turn.finish()
    assert [ear.heard.replace(b"[", b"").replace(b"] ", b"") for ear in ears] == expected
