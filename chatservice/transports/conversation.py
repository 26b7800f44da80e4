"""One connection's way in: message → parser → session, one command at a time."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from chatservice.dialects.base import Answer, Asked, Id, Outcome, Parser, Speak, Unreadable
from chatservice.domain.commands import Authenticate, Command, Hello, Login, Pong, Say
from chatservice.domain.conduct import answers_first, handle, overlaps
from chatservice.domain.errors import Code, Disconnect, Ended, Refused
from chatservice.domain.promise import Promise
from chatservice.domain.results import Greeting, Joined
from chatservice.domain.session import Session
from chatservice.transports.counted import Counted, Traffic

P = TypeVar("P")

_PROOFS = frozenset({Hello, Authenticate, Login})

BACKLOG = 64
"""Commands of one connection that may wait or be under way; above it we stop reading from it."""


class Wire(Protocol):
    """What a conversation needs of its connection."""

    def reply(self, id: Id, outcome: Outcome) -> None: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...
    def close(self, why: Disconnect) -> None: ...
    def answer(self, payload: bytes, is_binary: bool) -> None: ...
    def speak(self, lang: str | None, *, batches: bool = False) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def ponged(self) -> None: ...


class Conversation(Generic[P]):
    """Keeps a peer's commands in order though the log answers later.

    Commands that only append follow each other without waiting, because the log keeps their order; any
    other command waits for all before it, and all after it wait for it.

    :param session: None for dialects that do not chat.
    :param counted: what is counted, and `traffic`, the part of it for this kind of transport.
    :ivar received: messages of the peer.
    """

    __slots__ = (
        "_alone",
        "_counted",
        "_parser",
        "_paused",
        "_report",
        "_traffic",
        "_under_way",
        "_waiting",
        "_wire",
        "received",
        "session",
    )

    def __init__(
        self,
        parser: Parser[P],
        wire: Wire,
        session: Session | None,
        report: Callable[[BaseException], None],
        counted: Counted | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self.session = session
        self.received = 0
        self._counted = counted or Counted()
        self._traffic = traffic or Traffic()
        self._parser = parser
        self._wire = wire
        self._report = report
        self._waiting: list[Asked] = []  # a deque takes 700 bytes more, empty
        self._under_way = 0
        self._alone = False  # the command under way allows no other beside it
        self._paused = False

    def receive(self, payload: P, is_binary: bool = False) -> None:
        """One message of the peer. Never raises: Autobahn would drop the connection without a word."""
        self.received += 1
        self._traffic.received += 1
        try:
            parsed = self._parser.parse(payload, is_binary)
        except Unreadable as unreadable:
            self._counted.rejected[unreadable.refusal.code] += 1
            self._wire.reply(unreadable.id, unreadable.refusal)
            return
        except Ended as ended:
            self._wire.close(ended.why)
            return
        except Exception as error:  # ours: this message alone is lost by it
            self._report(error)
            self._wire.reply(None, Refused(Code.INTERNAL))
            return
        for item in parsed:
            if isinstance(item, Answer):
                self._wire.answer(item.payload, item.is_binary)
            elif isinstance(item, Speak):
                # Later it would be in rooms, among those who take the bytes of its first language.
                if self.session is not None and self.session.person is None:
                    self._wire.speak(item.lang, batches=item.batches)
            else:
                self._enqueue(item)

    def perform(self, command: Command) -> None:
        """Do a command of our own making when its turn comes, such as the first join."""
        self._enqueue(Asked(None, command))

    def end(self) -> None:
        """The connection is gone: what waits was never said."""
        self._waiting.clear()
        if self.session is not None:
            session, self.session = self.session, None
            session.end()

    def _enqueue(self, asked: Asked) -> None:
        if self.session is not None:
            self._waiting.append(asked)
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self.session is not None:
            together = overlaps(self._waiting[0].command)
            if self._under_way and (self._alone or not together):
                break
            asked = self._waiting.pop(0)
            kind = type(asked.command)
            if kind is Pong:
                self._wire.ponged()
            if answers_first(asked.command):
                self._wire.hold()
            answer = handle(self.session, asked.command)
            if kind in _PROOFS:
                answer.then(self._count_proof)
            if answer.done:
                self._reply(asked.id, answer)
            else:
                self._under_way += 1
                self._alone = not together
                asked_at = perf_counter() if kind is Say else 0.0
                answer.then(lambda answer, id=asked.id, at=asked_at: self._answered(id, answer, at))  # type: ignore[misc]
        self._throttle()

    def _count_proof(self, answer: Promise[Outcome]) -> None:
        if isinstance(answer.error, Refused):
            self._counted.auths[answer.error.code] += 1
        elif answer.error is None:
            outcome = answer.result()
            self._counted.auths["guest" if isinstance(outcome, Greeting) and outcome.guest else "ok"] += 1

    def _answered(self, id: Id, answer: Promise[Outcome], asked_at: float) -> None:
        if asked_at:
            self._counted.ack_s.observe(perf_counter() - asked_at)
        self._under_way -= 1
        self._alone = False
        if self.session is not None:  # else there is nobody to be told any more
            self._reply(id, answer)
            self._go_on()

    def _reply(self, id: Id, answer: Promise[Outcome]) -> None:
        error = answer.error
        if error is None:
            outcome = answer.result()
            if isinstance(outcome, Joined):
                self._count_recovery(outcome)
            elif isinstance(outcome, Greeting):
                for joined in outcome.rooms.values():
                    if isinstance(joined, Joined):
                        self._count_recovery(joined)
            self._wire.reply(id, outcome)
        elif isinstance(error, Refused):
            self._counted.rejected[error.code] += 1
            if error.code is Code.RATE_LIMITED and "kind" not in error.params:  # else the hub has counted it
                self._counted.limited["login"] += 1
            self._wire.reply(id, error)
        else:  # ours, not the peer's: one broken command must not end a conversation
            self._report(error)
            self._wire.reply(id, Refused(Code.INTERNAL))
        self._wire.release()
        if isinstance(error, Refused) and error.ends is not None:
            self._wire.close(error.ends)

    def _count_recovery(self, joined: Joined) -> None:
        if joined.was_recovering:
            self._counted.recoveries["recovered" if joined.recovered else joined.reason or "other"] += 1

    def _throttle(self) -> None:
        full = len(self._waiting) + self._under_way >= BACKLOG
        if full != self._paused:
            self._paused = full
            if full:
                self._wire.pause_reading()
            else:
                self._wire.resume_reading()
