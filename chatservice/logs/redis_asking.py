"""Asking Redis: what waits while it is away, what is refused at once, and what its errors mean to a peer."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from typing import Any, Protocol

from chatservice.domain.errors import Code, Refused, UnknownOutcome
from chatservice.domain.ports import Randomness
from chatservice.domain.promise import Promise
from chatservice.logs.redis_beginning import Beginnings
from chatservice.logs.redis_confirming import Confirming, Unconfirmed
from chatservice.redis.errors import Lost, NotConnected, RedisError, Refusal
from chatservice.redis.server import Server

PATIENCE_S = 3.0
"""How long a question may wait for Redis to come back. What is to be said does not wait: the peer is told at
once."""

IN_FLIGHT = 2000
"""Entries on the way; more than that is more than it can take."""

FULL = frozenset({"OOM", "MISCONF"})
"""Errors of a server that takes nothing any more, because its memory is full or its disk does not write."""

Word = bytes | str | int
Done = Callable[[Any], None]


class Wire(Protocol):
    """The way to Redis; see `chatservice.redis.wire.Wire`. Errors come as values."""

    server: Server | None

    def start(self) -> None:
        """Connect, and stay connected."""

    def stop(self) -> None:
        """Hang up."""

    def call(self, words: Sequence[Word], done: Done) -> None:
        """A command."""

    def run(self, name: str, keys: Sequence[Word], values: Sequence[Word], done: Done) -> None:
        """A script."""

    def subscribe(self, channels: Iterable[bytes], done: Done) -> None:
        """Hear channels."""

    def unsubscribe(self, channels: Iterable[bytes]) -> None:
        """Hear them no more."""


class State(Enum):
    """starting: never connected yet; all waits. up. down: it was there, and is not; only questions wait."""

    STARTING = auto()
    UP = auto()
    DOWN = auto()
    STOPPED = auto()


class Asking:
    """Questions and answers as promises.

    :param call_later: seconds and a call; answers something that can be cancelled.
    :param fence: False makes every server look like the same one, to show in tests what that leads to.
    :param trouble: is given sentences for the operator's log.
    :param call_soon: calls a function at the end of the turn; given if a replica must have what is answered.
    """

    def __init__(
        self,
        randomness: Randomness,
        call_later: Callable[[float, Callable[[], None]], Any],
        trouble: Callable[[str], object],
        *,
        fence: bool = True,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.wire: Wire
        self._confirming = (
            None if call_soon is None else Confirming(lambda words, done: self.wire.call(words, done), call_soon)
        )
        self.state = State.STARTING
        self.call_later = call_later
        self.trouble = trouble
        self._word = randomness.token()[:10]
        self._count = 0
        self._fence = fence
        self._waiting: deque[_Waiting] = deque()
        self._pending = 0
        self._drained: Promise[None] | None = None
        self.beginnings: Beginnings | None = None  # where there is an archive

    # --- what happens to the wire ---

    def up(self) -> None:
        """It is there: ask what has waited."""
        if self.state is State.DOWN:
            self.trouble("Redis is there again")
        if self.state is not State.STOPPED:
            self.state = State.UP
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            one.go()

    def down(self, why: RedisError) -> None:
        """It is not there."""
        if self.state is State.UP:
            self.trouble(f"Redis is away: {why}")
            self.state = State.DOWN

    def stop(self) -> Promise[None]:
        """Nothing more is taken. Answers when what is under way has its answer."""
        self.state = State.STOPPED
        drained: Promise[None] = Promise()
        self._drained = drained
        if not self._pending:
            drained.resolve(None)
        else:
            self.call_later(2 * PATIENCE_S, lambda: drained.resolve(None))
        return drained

    # --- asking ---

    @property
    def identity(self) -> str:
        """Of the server at the other end of this very connection."""
        server = self.wire.server
        return "unfenced" if not self._fence else server.identity if server is not None else ""

    def check_there(self) -> None:
        """What is to be said need not wait to be refused.

        :raises Refused: `unavailable`.
        """
        if self.state in (State.STOPPED, State.DOWN):
            raise self.refusal(NotConnected("it is away"))

    def call(self, *words: Word) -> Promise[Any]:
        """A command's answer. Rejected with `Refused`."""
        return self._when_up(lambda done: self.wire.call(words, done))

    def run(self, name: str, keys: Sequence[Word], *values: Word, writes: bool = False) -> Promise[Any]:
        """A script's answer. Rejected with `Refused`.

        :param writes: see `refusal`.
        """
        return self._when_up(lambda done: self.wire.run(name, keys, values, done), writes=writes)

    def run_fenced(self, name: str, keys: Sequence[Word], *values: Word) -> Promise[Any]:
        """The answer of one that begins with `fence`: the identity is that of the connection by which it goes."""
        return self._when_up(lambda done: self._run_fenced(name, keys, values, done))

    def write(self, name: str, keys: Sequence[Word], values: Sequence[Word], done: Done) -> None:
        """Like `run_fenced`, but no more than `IN_FLIGHT` at a time; `done` is given the answer, or an error as
        it is."""
        if self._pending >= IN_FLIGHT:
            done(Refused(Code.BUSY, retry_ms=1000))
            return
        self._pending += 1

        def answered(answer: Any) -> None:
            done(answer)
            self._ended()

        if self.wire.server is None:
            self.wait(
                lambda: self._run_fenced(name, keys, values, self._held(answered)),
                lambda: answered(NotConnected("not in time")),
            )
        else:
            self._run_fenced(name, keys, values, self._held(answered))

    def _held(self, done: Done) -> Done:
        return done if self._confirming is None else self._confirming.hold(done)

    async def confirm(self) -> None:
        """Wait until a replica has all that was answered up to now, if it must.

        :raises Refused: if it has not in time.
        """
        if self._confirming is not None:
            confirmed: Promise[Any] = Promise()
            self._confirming.hold(confirmed.resolve)(b"")
            answer = await confirmed
            if isinstance(answer, Exception):
                raise self.refusal(answer, writes=True)

    def _run_fenced(self, name: str, keys: Sequence[Word], values: Sequence[Word], done: Done) -> None:
        # Nobody needs to be unable to guess an epoch; no two may be the same.
        self._count += 1
        fresh = f"{self._word}{self._count:x}"
        if self.beginnings is None:
            self.wire.run(name, keys, (self.identity, fresh, *values), done)
            return

        def run(is_unsure: bool, done: Done) -> None:
            self.wire.run(name, keys, (self.identity, fresh + "?" * is_unsure, *values), done)

        head = keys[0]
        assert isinstance(head, bytes)
        (self.beginnings.append if name == "append" else self.beginnings.look)(head, run, done)

    def _when_up(self, go: Callable[[Done], None], *, writes: bool = False) -> Promise[Any]:
        promise: Promise[Any] = Promise()
        if self.state is State.STOPPED:
            promise.reject(Refused(Code.UNAVAILABLE))
            return promise
        self._pending += 1

        def done(answer: Any) -> None:
            if isinstance(answer, Exception):
                promise.reject(self.refusal(answer, writes=writes))
            else:
                promise.resolve(answer)
            self._ended()

        if self.state is State.UP:
            go(done)
        else:
            self.wait(lambda: go(done), lambda: done(NotConnected("not in time")))
        return promise

    def wait(self, go: Callable[[], None], give_up: Callable[[], None], patience_s: float = PATIENCE_S) -> None:
        """Call `go` when Redis is there; if it does not come in time, `give_up`."""
        one = _Waiting(go, give_up)
        one.timer = self.call_later(patience_s, lambda: self._late(one))
        self._waiting.append(one)

    def _late(self, one: _Waiting) -> None:
        if one in self._waiting:
            self._waiting.remove(one)
            one.timer = None
            one.give_up()

    def _ended(self) -> None:
        self._pending -= 1
        if self._drained is not None and not self._pending:
            self._drained.resolve(None)

    def refusal(self, error: Exception, *, writes: bool = False) -> Exception:
        """What a peer is told of an error. Nothing of it is its fault, and all of it may be over in a moment.

        :param writes: it was about something to be written: without an answer nobody knows whether it is.
        """
        if isinstance(error, Refused):
            return error
        if isinstance(error, Refusal):
            self.trouble(f"Redis refused a command: {error}")
            if error.code in FULL:
                return Refused(Code.UNAVAILABLE, "storage_full", retry_ms=random.randint(1000, 5000))
        elif isinstance(error, Unconfirmed):
            self.trouble(f"what was said has no second copy: {error}")
        elif not isinstance(error, NotConnected | Lost):
            return error
        # Full jitter: all that are refused now must not come again in one moment.
        kind = UnknownOutcome if writes and isinstance(error, Lost | Unconfirmed) else Refused
        return kind(Code.UNAVAILABLE, retry_ms=random.randint(1000, 5000))


class _Waiting:
    """A question that cannot be asked yet."""

    def __init__(self, go: Callable[[], None], give_up: Callable[[], None]) -> None:
        self._go = go
        self._give_up = give_up
        self.timer: Any = None

    def _stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def go(self) -> None:
        """Its time has come."""
        self._stop()
        self._go()

    def give_up(self) -> None:
        """It does not come."""
        self._stop()
        self._give_up()
