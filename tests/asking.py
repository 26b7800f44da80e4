"""Commands and their answers without a wire: a peer that hears answers and events as one row, as a person does."""

from __future__ import annotations

from collections.abc import Sequence

from fakes import NOON, ONE_FORMAT, FakePeer, Recorder, said, short

from chatservice.dialects.base import Id, Outcome
from chatservice.domain import results as r
from chatservice.domain.commands import Command
from chatservice.domain.conduct import handle
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Event
from chatservice.domain.message import Message
from chatservice.domain.promise import Promise
from chatservice.domain.session import Session


class Ear(FakePeer):
    """A `FakePeer` that keeps the order between its answers and what else it hears."""

    def __init__(self, format: Recorder = ONE_FORMAT) -> None:
        super().__init__(format)
        self.row: list[Event | Outcome] = []

    def send(self, frames: bytes, event: Event | None = None) -> None:
        super().send(frames, event)
        self.row.append(self.heard[-1])

    def deliver(self, event: Event) -> None:
        super().deliver(event)
        self.row.append(event)

    def reply(self, id: Id, outcome: Outcome) -> None:
        super().reply(id, outcome)
        self.row.append(outcome)

    def told(self) -> list[str]:
        """What came since the last call, in the words of `short` and `answer_in_short`."""
        row, self.row, self.heard, self.replies = self.row, [], [], []
        return [word for item in row for word in _words(item)]

    def refusals(self) -> list[Refused]:
        """What was refused since `told` was called."""
        return [item for item in self.row if isinstance(item, Refused)]


def do(session: Session, peer: Ear, *commands: Command) -> None:
    """Give commands, whether or not those before are answered; `peer` gets the answers when they are there."""
    for command in commands:
        handle(session, command).then(lambda done: peer.reply(None, _outcome(done)))


def _outcome(done: Promise[Outcome]) -> Outcome:
    if done.error is None:
        return done.result()
    return done.error if isinstance(done.error, Refused) else Refused(Code.INTERNAL)


def _words(item: Event | Outcome) -> Sequence[str]:
    return (short(item),) if isinstance(item, Event) else answer_in_short(item)


def answer_in_short(outcome: Outcome) -> list[str]:
    """An answer in words as `short` makes them, in the order in which a person is shown it."""
    match outcome:
        case Refused(about=about) | r.Told(about=about):
            return [f"* {about}"]
        case r.Joined(room=room, seq=seq, n=n, state=state, entries=entries):
            lost = ["* position_lost"] if outcome.was_recovering and not outcome.recovered else []
            return [*lost, *_past(state), *map(short, entries), f"in {room} at {seq}, {n} here"]
        case r.Members(users=users):
            return ["who " + " ".join(user.nick for user in users)]
        case r.Browsed(messages=messages):
            return _past(messages)
        case r.Replayed(entries=entries):
            return [short(entry) for entry in entries]
    return []


def _past(messages: Sequence[Message]) -> list[str]:
    return [f"{message.seq} {message.user.nick}: {message.text}" for message in messages]


def message(seq: int, text: str = "") -> Message:
    """What `fakes.entry` of that number and text says, as it stands now."""
    body = said(text or str(seq))
    return Message(seq, int(NOON * 1000) + seq, body.user, body.text)
