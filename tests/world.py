"""The real domain and client cores, joined by pipes that a test can cut at any frame. No socket, no sleep."""

from __future__ import annotations

import copy
from collections import deque
from itertools import count
from typing import Any

import orjson
from clients import Frame, Talker
from fakes import NOON, FakeClock, Ids, Pump

from chatservice.client.events import Connect
from chatservice.client.link import State
from chatservice.dialects.base import Id, Outcome, Voice
from chatservice.dialects.registry import dialect
from chatservice.domain.accounts import Registry
from chatservice.domain.audience import Hearer, hand_out_singly, join_nothing
from chatservice.domain.errors import RESTART, Disconnect
from chatservice.domain.events import Bye, Entry, Event, Lagged
from chatservice.domain.hub import Hub
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.domain.session import Session
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses
from chatservice.logs.memory import Memory, MemoryLog
from chatservice.transports.conversation import Conversation


class _Plain:
    """Payloads without frames."""

    def __init__(self, voice: Voice) -> None:
        self.frames = voice.encode
        self.own_frames = voice.encode_own
        self.answer = voice.answer
        self.join = join_nothing
        self.hand_out = hand_out_singly


PLAIN = _Plain(dialect("full").voice("en", False))
"""One format for all: they are one audience."""


class Pipe(Hearer):
    """One connection: the server's end is a `Peer` and a `Wire`; frames wait in it until they are moved.

    :ivar up: frames on their way to the server; `down`, to the other side.
    :ivar missed: while it is a set of rooms' gaps, entries are left out as the send queue leaves them out.
    """

    format = PLAIN

    def __init__(self, hub: Hub) -> None:
        self.up: deque[str] = deque()
        self.down: deque[str] = deque()
        self.missed: dict[str, Lagged] | None = None
        self.ended: Disconnect | None = None
        session = Session(hub, self, "127.0.0.1:5123", introduced=False)
        self.conversation = Conversation(dialect("full").parser(), self, session, hub.report)

    def move_up(self) -> None:
        if self.up and self.ended is None:
            self.conversation.receive(self.up.popleft().encode())

    def lag(self) -> None:
        """The other side begins to read too slowly; `catch_up` ends that."""
        self.missed = {} if self.missed is None else self.missed

    def catch_up(self) -> None:
        missed, self.missed = self.missed or {}, None
        for lagged in missed.values():
            self.deliver(lagged)

    def cut(self) -> None:
        self.conversation.end()

    # --- Peer and Wire ---

    def send(self, frames: bytes, event: Event | None = None) -> None:
        if self.missed is not None and isinstance(event, Entry):
            before = self.missed.get(event.room)
            first = event.seq if before is None else before.first
            self.missed[event.room] = Lagged(event.room, first, event.seq, event.epoch)
        else:
            self.down.append(frames.decode())

    def reply(self, id: Id, outcome: Outcome) -> None:
        self.down.extend(payload.decode() for payload in PLAIN.answer(id, outcome))

    def deliver(self, event: Event) -> None:
        payload = PLAIN.frames(event)
        if payload is not None:
            self.send(payload)

    def answer(self, payload: bytes, is_binary: bool) -> None:
        raise AssertionError("nothing is answered below the chat")

    def close(self, why: Disconnect) -> None:
        if self.ended is None:
            self.ended = why
            self.conversation.end()

    def speak(self, lang: str | None, *, batches: bool = False) -> None: ...
    def ponged(self) -> None: ...

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class World:
    """A server that can be restarted, also with an older log, and some who talk.

    :ivar at_most_once: texts that must be in the log once if they were acknowledged and no log was lost since.
    """

    def __init__(self, talkers: int, messages: Rate | None = MESSAGES) -> None:
        self.clock = FakeClock()
        self.pump = Pump()
        self.ids = Ids()
        self.troubles: list[BaseException] = []
        self._messages = messages
        self._memory = Memory()
        self._saved = copy.deepcopy(self._memory)
        self._start()
        self.cids = count(1)
        self.talkers = [Talker() for _ in range(talkers)]
        self.pipes: list[Pipe | None] = [None] * talkers
        for number, talker in enumerate(self.talkers):
            talker.core = type(talker.core)(cid=lambda: f"cid{next(self.cids)}", random=lambda: 0.5)
            talker.core.join("tea")
            self.connect(number)

    def _start(self) -> None:
        self.log = MemoryLog(call_soon=self.pump, clock=self.clock, randomness=self.ids, memory=self._memory)
        passes = SignedPasses(b"k" * 32, self.clock)
        self.hub = Hub(
            self.log,
            clock=self.clock,
            randomness=self.ids,
            registry=Registry(PrecisNames()),
            messages=self._messages,
            report=self.troubles.append,
            passes=passes,
        )
        self.log.start(self.hub)

    # --- what may happen ---

    def connect(self, number: int) -> None:
        self.pipes[number] = Pipe(self.hub)
        self._note(number, self.talkers[number].core.opened(self.clock.now - NOON))

    def cut(self, number: int, code: int | None = 1006) -> None:
        """The connection ends; what was on its way in it is gone."""
        pipe, self.pipes[number] = self.pipes[number], None
        if pipe is not None:
            pipe.cut()
            self._note(number, self.talkers[number].core.closed(code, self.clock.now - NOON))

    def move(self, number: int, up: int, down: int) -> None:
        """So many frames arrive at either end."""
        pipe = self.pipes[number]
        for _ in range(up):
            if pipe is not None:
                pipe.move_up()
        self.pump.run()
        for _ in range(down):
            if pipe is not None and pipe is self.pipes[number] and pipe.down:
                self._note(number, self.talkers[number].core.received(pipe.down.popleft(), self.clock.now - NOON))
        if pipe is not None and pipe is self.pipes[number] and pipe.ended is not None and not pipe.down:
            self.cut(number, pipe.ended.own_code or pipe.ended.close_code)

    def wait(self, seconds: float) -> None:
        """Time passes for everyone."""
        self.clock.now += seconds
        self.hub.tick()
        for number, talker in enumerate(self.talkers):
            timer = talker.core.next_timer()
            if timer is not None and timer <= self.clock.now - NOON:
                self._note(number, talker.core.tick(self.clock.now - NOON))

    def restart(self, *, to_saved: bool = False) -> None:
        """The server ends at once and begins again, as it was or on the copy of its data that was saved last."""
        for number, pipe in enumerate(self.pipes):
            if pipe is not None:
                pipe.deliver(Bye(RESTART.name, RESTART.reconnect, 100))
            self.cut(number, RESTART.own_code)
        self.pump.run()
        self.log.stop()
        if to_saved:
            self._memory = copy.deepcopy(self._saved)
        self._start()

    def save(self) -> None:
        self.pump.run()
        self._saved = copy.deepcopy(self._memory)

    def settle(self) -> None:
        """Everything works from now on, for long enough."""
        for pipe in self.pipes:
            if pipe is not None:
                pipe.catch_up()
        for _ in range(400):
            for number in range(len(self.talkers)):
                self.move(number, 100, 1000)
            if self.is_quiet():
                return
            self.wait(0.5)
        raise AssertionError("it does not come to rest")

    def is_quiet(self) -> bool:
        return all(
            talker.core.state is State.ONLINE and not talker.core.unsent and pipe and not pipe.up and not pipe.down
            for talker, pipe in zip(self.talkers, self.pipes, strict=True)
        )

    def _note(self, number: int, events: list[Any]) -> None:
        talker = self.talkers[number]
        talker.told += events
        pipe = self.pipes[number]
        sent = talker.core.outgoing()
        if pipe is not None:
            pipe.up.extend(sent)
        if any(isinstance(event, Connect) for event in events):
            self.connect(number)

    # --- what came of it ---

    def entries(self) -> list[Entry]:
        return list(self.log.read("tea", 0, 100_000).result().entries)

    def history(self, number: int) -> list[Frame]:
        """What the server says the room looks like for one of them."""
        pipe = self.pipes[number]
        assert pipe is not None and not pipe.down
        pipe.conversation.receive(b'{"type":"history","id":"look","room":"tea","limit":200}')
        self.pump.run()
        reply = orjson.loads(pipe.down.pop())
        assert reply["id"] == "look"
        messages: list[Frame] = reply["messages"]
        return messages
