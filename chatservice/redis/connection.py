"""One connection on which commands are answered in the order in which they were sent.

There is no unread answer left behind, ever: whoever gives up on one gives up the connection. (An answer that comes
late would be taken for that of the next command.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.redis.errors import Lost, NotConnected, RedisError, Refusal
from chatservice.redis.words import DEADLINE_S, Answer, Done, Word, pack

_log = Logger("chatservice.redis")

FATAL = frozenset({"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH"})
"""Errors which say that this is not the server we took it for: all that is under way would fail as well."""


class Connection(Protocol):
    """Commands in, answers out.

    :param clock: the reactor: `callLater` and `seconds`.
    :param up: is called when the connection is there.
    :param down: is called once when it is gone, with the reason, after all that was under way has failed.
    """

    transport: Any

    def __init__(
        self,
        clock: Any,
        up: Callable[[], object],
        down: Callable[[str], object],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._clock = clock
        self._up = up
        self._down = down
        self._deadline_s = deadline_s
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[Done, float]] = deque()  # with the moment at which it is given up
        self._timer: IDelayedCall | None = None
        self._why = ""
        self._gathered: list[bytes] | None = None  # commands sent while answers are read
        self.is_open = False

    @property
    def in_flight(self) -> int:
        """Commands without an answer."""
        return len(self._waiting)

    def connectionMade(self) -> None:
        """See `Protocol`."""
        self.is_open = True
        if hasattr(self.transport, "setTcpNoDelay"):
            self.transport.setTcpNoDelay(True)
        if hasattr(self.transport, "setTcpKeepAlive"):
            self.transport.setTcpKeepAlive(True)
        self._up()

    def send(self, words: Sequence[Word], done: Done) -> None:
        """Send a command. Twisted writes all that one turn of the reactor has sent at once, which is the pipeline.

        `done` is never called from inside `send` as long as the connection is open.
        """
        if not self.is_open:
            done(NotConnected(self._why or "not connected"))
            return
        self._waiting.append((done, self._clock.seconds() + self._deadline_s))
        if self._timer is None:
            self._timer = self._clock.callLater(self._deadline_s, self._look)
        if self._gathered is not None:
            self._gathered.append(pack(words))
        else:
            self.transport.write(pack(words))

    def dataReceived(self, data: bytes) -> None:
        """See `Protocol`."""
        # Most commands are sent because one was answered: they go out in one write.
        gathered = self._gathered = []
        try:
            self._read(data)
        finally:
            self._gathered = None
            if gathered and self.is_open:
                self.transport.write(b"".join(gathered))

    def _read(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
            # hiredis says False where nothing is complete; RESP2, which we speak, has no false of its own.
            while (answer := reader.gets()) is not False:
                try:
                    self._answered(answer)
                except Exception:  # else Twisted would end the connection, and with it what others wait for
                    _log.failure("an answer of Redis was not taken", event="internal_error")
                if not self.is_open:
                    return
        except hiredis.ProtocolError as error:
            self.abort(f"it does not speak Redis: {error}")

    def _answered(self, answer: Answer) -> None:
        if not self._waiting:
            self.abort("an answer came that nobody asked for")
            return
        done, _ = self._waiting.popleft()
        if isinstance(answer, hiredis.ReplyError):
            refusal = Refusal(str(answer))
            done(refusal)
            if refusal.code in FATAL:
                self.abort(str(refusal))
        else:
            done(answer)

    def _look(self) -> None:
        """Is the oldest one late?"""
        self._timer = None
        if not self._waiting:
            return
        wait_s = self._waiting[0][1] - self._clock.seconds()
        if wait_s <= 0:
            self.abort(f"no answer within {self._deadline_s:g} s")
        else:
            self._timer = self._clock.callLater(wait_s, self._look)

    def abort(self, why: str) -> None:
        """Give the connection up; all that is under way fails now."""
        if self.is_open:
            self._gone(why)
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """See `Protocol`."""
        if self.is_open:
            self._gone(reason.getErrorMessage() if reason is not None else "the connection was lost")

    def _gone(self, why: str) -> None:
        self.is_open = False
        self._why = why
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, deque()
        error: RedisError = Lost(why)
        for done, _ in waiting:
            done(error)
        self._down(why)
