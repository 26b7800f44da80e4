"""Nothing a room tells reaches a newcomer before the answer that tells it of the room."""

from __future__ import annotations

from collections.abc import Sequence

from chatservice.dialects.base import Id, Outcome
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Event, Typing, User
from chatservice.domain.results import Done
from chatservice.transports.frames import VoiceFormat
from chatservice.transports.peer import Connected


class Words:
    """A voice that says what it is given."""

    def encode(self, event: Event) -> bytes | None:
        assert isinstance(event, Typing)
        return event.room.encode()

    def encode_own(self, entry: Event) -> None:
        return None

    def answer(self, id: Id, outcome: Outcome) -> Sequence[bytes]:
        return (f"answer {id}".encode(),)


class Queue:
    """A send queue that writes down what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def push(self, frames: bytes, event: Event | None = None) -> None:
        self.sent.append(frames)

    def push_all(self, joined: bytes, frames: Sequence[bytes], events: Sequence[Event]) -> None:
        self.sent.append(joined)

    def hand_over(self) -> None:
        self.sent.append(b"flush")


class Link(Connected):
    """A connection without a wire."""

    def __init__(self) -> None:
        self.format = VoiceFormat(Words(), lambda payload: payload)  # type: ignore[arg-type]
        self.queue = self._queue = Queue()  # type: ignore[assignment]

    def answer(self, payload: bytes, is_binary: bool) -> None: ...

    def close(self, why: Disconnect) -> None: ...

    def nudge(self) -> None: ...

    def give_up(self) -> None: ...


def typing(room: str) -> Typing:
    return Typing(room, User("u", "u"), True)


def test_events_wait_for_the_answer() -> None:
    """While an answer is due events are kept; they follow it in their order."""
    link = Link()
    link.hold()
    link.deliver(typing("a"))
    link.send_all(b"bc", (b"b", b"c"), (typing("b"), typing("c")))
    assert link.queue.sent == []
    link.reply(1, Done())
    link.release()
    link.deliver(typing("d"))
    assert link.queue.sent == [b"answer 1", b"a", b"b", b"c", b"d"]


def test_a_close_meanwhile_drops_nothing() -> None:
    """When the connection is ended instead, what was kept goes out before the end."""
    link = Link()
    link.hold()
    link.deliver(typing("a"))
    link.flush()
    assert link.queue.sent == [b"a", b"flush"]
