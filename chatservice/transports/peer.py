"""What a connection is to the hub, whatever its wire: a `Peer`, with a conversation and a send queue."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from chatservice.dialects.base import Id, Outcome, Parser
from chatservice.domain.audience import Hearer
from chatservice.domain.errors import NO_HELLO, SLOW, Disconnect
from chatservice.domain.events import Event, Pinged
from chatservice.domain.ports import Format, Frames
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity
from chatservice.transports.addresses import shown
from chatservice.transports.arrival import is_private
from chatservice.transports.chronicle import UNNOTED, Passage
from chatservice.transports.conversation import Conversation
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.watch import Deadline, Watch


class Queue(Protocol):
    """What a peer is still to be sent; see `SendQueue`."""

    @property
    def waiting_bytes(self) -> int: ...
    @property
    def lags(self) -> bool: ...

    def push(self, frames: Frames, event: Event | None = None) -> None: ...
    def push_all(self, joined: Frames, frames: Sequence[Frames], events: Sequence[Event]) -> None: ...
    def push_rest(self, rest: Frames) -> None: ...
    def hand_over(self) -> None: ...
    def close(self) -> None: ...


class Spoken(Protocol):
    """As much of a dialect as a connection needs."""

    @property
    def chats(self) -> bool: ...
    @property
    def has_hello(self) -> bool: ...
    def parser(self) -> Parser[Any]: ...


class AnsweringFormat(Format, Protocol):
    """A format that can also say what a command is answered."""

    def answers(self, id: Id, outcome: Outcome) -> Frames: ...


class Connected(Hearer):
    """The part of a connection that every wire has. A wire adds how it frames, closes and splits.

    Names that Autobahn owns on protocols (`log`, `peer`, `state`, `factory`) are not used here.
    """

    format: AnsweringFormat
    transport: Transport
    around: Surroundings
    heard_at = 0.0
    conversation: Conversation[Any] | None = None
    _queue: Queue | None = None
    _held: list[tuple[Frames, Event | None]] | None = None
    _farewell: Deadline | None = None
    _hello_due: Deadline | None = None
    _watch: Watch | None = None
    _passage = UNNOTED

    def begin(
        self,
        around: Surroundings,
        spoken: Spoken,
        format: AnsweringFormat,
        watch: Watch | None,
        identity: Identity | None = None,
        token: str | None = None,
    ) -> Conversation[Any]:
        """The connection is open: be a peer."""
        self.around = around
        around.comeback.arrived()
        self.format = format
        self._queue = self.open_queue()
        self._watch = watch
        if watch is not None:
            watch.add(self)
        session = None
        if spoken.chats:
            session = Session(
                around.hub,
                self,
                self.address,
                introduced=not spoken.has_hello,
                identity=identity,
                token=token,
            )
        if spoken.has_hello:
            self._hello_due = Deadline(self._hello_missing)
            around.hellos.add(self._hello_due)
        self.conversation = Conversation(
            spoken.parser(), self, session, around.report, around.counted, self._passage.traffic
        )
        return self.conversation

    def opened(self, around: Surroundings, transport: str, dialect: str) -> None:
        """It is about to `begin`: count it and note it.

        :param transport: which kind of it this is.
        """
        self._passage = Passage(around.counted.traffic[transport], around.now())
        self._passage.number = around.chronicle.opened(self.address_if(around), transport, dialect)

    def closed(self, code: str) -> None:
        """It has ended, for good; a second time says nothing.

        :param code: its close code, or a word where there are none.
        """
        passage, self._passage = self._passage, UNNOTED
        if passage is not UNNOTED:
            around = self.around
            passage.traffic.closed[code] += 1
            around.chronicle.closed(self.address_if(around), passage, code, around.now(), self.handed)

    def address_if(self, around: Surroundings) -> str:
        """Its address, if the chronicle wants it: it takes its time to make."""
        return self.address if around.chronicle.enabled else ""

    @property
    def address(self) -> str:
        """The peer's, as people see it."""
        return shown(self.transport.getPeer())

    @property
    def is_private(self) -> bool:
        """See `Peer.is_private`."""
        return is_private(self.transport, self.around.admission.trusted)

    @property
    @abstractmethod
    def dialect_name(self) -> str:
        """What it speaks, as the operator is told."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that it has not taken yet."""
        return 0 if self._queue is None else self._queue.waiting_bytes

    @property
    def lags(self) -> bool:
        """Whether something was left out for it."""
        return self._queue is not None and self._queue.lags

    def open_queue(self) -> Queue:
        """A new queue towards the peer."""
        return SendQueue(self.transport, self.around.turn, self.around.stuck, self)

    def finish(self) -> None:
        """Leave the rooms; what comes in from now on is not heard."""
        conversation, self.conversation = self.conversation, None
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()
        if self._watch is not None:
            self._watch.remove(self)
        if self._hello_due is not None:
            self.around.hellos.remove(self._hello_due)
            self._hello_due = None
        if conversation is not None:
            self._passage.received += conversation.received
            conversation.end()

    def abort_in_a_while(self) -> None:
        """An orderly end was begun. A peer that does not read could otherwise keep it, and its place, for ever."""
        if self._farewell is None:
            self._farewell = Deadline(self.transport.abortConnection)
            self.around.farewells.add(self._farewell)

    def forget_farewell(self) -> None:
        """The transport is gone."""
        if self._farewell is not None:
            self.around.farewells.remove(self._farewell)
            self._farewell = None

    # --- Peer and Wire ---

    def hold(self) -> None:
        """See `Hearer.hold`: what a room tells a newcomer must not come before the newcomer knows the room."""
        self._held = []
        self.direct = None

    def release(self) -> None:
        """See `Hearer.release`."""
        held, self._held = self._held, None
        for frames, event in held or ():
            self.send(frames, event)

    def send(self, frames: Frames, event: Event | None = None) -> None:
        """See `Peer.send`."""
        if self._held is not None:
            self._held.append((frames, event))
        elif self._queue is not None:
            self._queue.push(frames, event)

    def send_all(self, joined: Frames, frames: Sequence[Frames], events: Sequence[Event]) -> None:
        """See `Hearer.send_all`."""
        if self._held is not None:
            self._held.extend(zip(frames, events, strict=True))
        elif self._queue is not None:
            self._queue.push_all(joined, frames, events)

    def send_rest(self, rest: bytes) -> None:
        """The kernel did not take the end of what `direct` gave it."""
        if self._queue is not None:
            self._queue.push_rest(rest)

    def send_alone(self, frames: Frames) -> None:
        """Send something for this peer alone, after what its rooms have been told before."""
        for audience in self.audiences:
            audience.catch_up(self)
        self.count_sent(frames)
        self.send(frames)

    def count_sent(self, frames: Frames) -> None:
        """It is sent something alone."""
        self.handed += 1
        self._passage.traffic.sent += 1
        self._passage.traffic.bytes_sent += self.format.size(frames)

    def deliver(self, event: Event) -> None:
        """See `Peer.deliver`."""
        frames = self.format.frames(event)
        if frames is not None:
            self.send_alone(frames)

    def reply(self, id: Id, outcome: Outcome) -> None:
        """Answer a command."""
        frames = self.format.answers(id, outcome)
        if frames and self._held is not None and self._queue is not None:
            self.count_sent(frames)
            self._queue.push(frames)
        elif frames:
            self.send_alone(frames)

    def speak(self, lang: str | None, *, batches: bool = False) -> None:
        """Another language from now on, or several events in one frame; where a dialect has no hello there is
        neither."""

    def flush(self) -> None:
        """Hand on what waits; an end is about to follow."""
        self.release()
        if self._queue is not None:
            for audience in self.audiences:
                audience.catch_up(self)
            self._queue.hand_over()

    @abstractmethod
    def answer(self, payload: bytes, is_binary: bool) -> None:
        """Straight back, below the chat."""

    @abstractmethod
    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""

    @abstractmethod
    def nudge(self) -> None:
        """See `Watched.nudge`."""

    @abstractmethod
    def give_up(self) -> None:
        """See `Watched.give_up`."""

    def pause_reading(self) -> None:
        """Too many commands wait."""
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """There is room for more commands."""
        if self.conversation is not None:
            self.transport.resumeProducing()

    def too_slow(self) -> None:
        """It does not read. Not now: a queue in the middle of its work says so."""
        self.around.counted.slow += 1
        self.around.call_soon(lambda: self.close(SLOW))

    def relieved(self) -> None:
        """It has read what it was answered; see `SendQueue.push_answer`."""
        self.resume_reading()

    def ponged(self) -> None:
        """See `Wire.ponged`."""
        passage = self._passage
        pinged_at, passage.pinged_at = passage.pinged_at, 0.0
        if pinged_at:
            self.around.counted.ping_s.observe(self.around.now() - pinged_at)

    def pinged(self) -> Pinged:
        """A ping in words, with the tops of the peer's rooms; it is sent now."""
        self._passage.pinged_at = self.around.now()
        session = self.conversation.session if self.conversation is not None else None
        tops = {} if session is None else {name: room.top for name, room in session.rooms.items()}
        return Pinged(self.around.hub.now_ms, tops)

    def _hello_missing(self) -> None:
        self._hello_due = None
        session = self.conversation.session if self.conversation is not None else None
        if session is not None and session.person is None:
            self.close(NO_HELLO)
