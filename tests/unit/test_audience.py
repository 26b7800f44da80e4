"""A room's frames of one turn go to each peer in one write, in order, none twice and none lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from chatservice.domain.audience import Audience
from chatservice.domain.events import Entry, Event, Typing, User
from chatservice.domain.ports import Flushable

ANN = User("u_a", "Ann")


class Numbers:
    """A format that tells the number of a `Typing` event's room."""

    made = 0

    def frames(self, event: Event) -> bytes | None:
        assert isinstance(event, Typing)
        self.made += 1
        return None if event.room == "-" else f"{event.room} ".encode()

    def own_frames(self, entry: Entry) -> bytes | None:
        return None

    def hand_out(self, peers: Iterable[Ear], frames: Sequence[bytes], events: Sequence[Event]) -> None:
        assert len(frames) == len(events)
        for peer in peers:
            peer.send(b"".join(frames))


class Later:
    """A turn that ends when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Flushable] = []

    def add(self, what: Flushable) -> None:
        self.waiting.append(what)

    def handed_out(self, format: object, frames: Sequence[bytes], peers: int) -> None:
        """See `Turn.handed_out`."""

    def end(self) -> None:
        waiting, self.waiting = self.waiting, []
        for what in waiting:
            what.flush()


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


def room() -> tuple[Audience, Later, Numbers]:
    turn, numbers = Later(), Numbers()
    return Audience(numbers, turn), turn, numbers  # type: ignore[arg-type]


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


STEPS = st.lists(st.tuples(st.sampled_from(["tell", "but", "alone", "add", "remove", "end"]), st.integers(0, 3)))


@given(STEPS)
def test_any_order_of_things(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, each peer hears exactly what it would have heard one by one."""
    audience, turn, _ = room()
    ears = [Ear() for _ in range(4)]
    expected = [b""] * 4
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
    turn.end()
    assert [ear.heard for ear in ears] == expected
