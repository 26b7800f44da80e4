"""One connection's way in: message → parser → session, one command at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from chatservice.dialects.base import Answer, Parser
from chatservice.domain.commands import Command
from chatservice.domain.errors import Disconnect, Ended, Refused
from chatservice.domain.events import Event, Noticed
from chatservice.domain.promise import Promise
from chatservice.domain.session import Session

BACKLOG = 64
"""Commands of one connection that may wait or be under way; above it we stop reading from it."""


class Wire(Protocol):
    """What a conversation needs of its connection besides being a `Peer`."""

    def deliver(self, event: Event) -> None: ...
    def close(self, why: Disconnect) -> None: ...
    def answer(self, payload: bytes, is_binary: bool) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Conversation:
    """Keeps a peer's commands in order though the log answers later.

    Commands that only append follow each other without waiting, because the log keeps their order; any
    other command waits for all before it, and all after it wait for it.

    :param session: None for dialects that do not chat.
    """

    __slots__ = ("_alone", "_parser", "_paused", "_report", "_session", "_under_way", "_waiting", "_wire")

    def __init__(
        self,
        parser: Parser,
        wire: Wire,
        session: Session | None,
        report: Callable[[BaseException], None],
    ) -> None:
        self._parser = parser
        self._wire = wire
        self._session = session
        self._report = report
        self._waiting: deque[Command] = deque()
        self._under_way = 0
        self._alone = False  # the command under way allows no other beside it
        self._paused = False

    def receive(self, payload: bytes, is_binary: bool = False) -> None:
        """One message of the peer. Never raises: Autobahn would drop the connection without a word."""
        try:
            parsed = self._parser.parse(payload, is_binary)
        except Refused as refusal:
            self._wire.deliver(Noticed(refusal.about, refusal.params, refusal.code.value))
            return
        except Ended as ended:
            self._wire.close(ended.why)
            return
        for item in parsed:
            if isinstance(item, Answer):
                self._wire.answer(item.payload, item.is_binary)
            else:
                self.perform(item)

    def perform(self, command: Command) -> None:
        """Do `command` when its turn comes."""
        if self._session is None:
            return
        self._waiting.append(command)
        self._go_on()

    def end(self) -> None:
        """The connection is gone: what waits was never said."""
        self._waiting.clear()
        if self._session is not None:
            self._session.end()
            self._session = None

    def _go_on(self) -> None:
        while self._waiting and self._session is not None:
            overlaps = self._session.overlaps(self._waiting[0])
            if self._under_way and (self._alone or not overlaps):
                break
            self._begin(self._session, self._waiting.popleft(), overlaps)
        self._throttle()

    def _begin(self, session: Session, command: Command, overlaps: bool) -> None:
        try:
            open_answer = session.handle(command)
        except Exception as error:  # ours, not the peer's: one broken command must not end a conversation
            self._report(error)
            return
        if open_answer is not None:
            self._under_way += 1
            self._alone = not overlaps
            open_answer.then(self._answered)

    def _answered(self, _: Promise[None]) -> None:
        self._under_way -= 1
        self._alone = False
        self._go_on()

    def _throttle(self) -> None:
        full = len(self._waiting) + self._under_way >= BACKLOG
        if full != self._paused:
            self._paused = full
            if full:
                self._wire.pause_reading()
            else:
                self._wire.resume_reading()
