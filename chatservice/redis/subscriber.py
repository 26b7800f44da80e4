"""The connection on which channels are heard.

SUBSCRIBE with several channels has an answer for each, in between messages and other answers. Whoever counts
answers by command pairs them wrongly (the second call is told "done" by the second channel of the first). Here
each channel's own confirmations are counted: one comes for every time the channel was named, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from chatservice.redis.connection import Connection
from chatservice.redis.errors import Lost, NotConnected
from chatservice.redis.words import DEADLINE_S, Answer, Done, pack

BATCH = 512
"""Channels in one command: a thousand take half a millisecond of the server's one thread."""

_KINDS = {
    b"subscribe": b"SUBSCRIBE",
    b"unsubscribe": b"UNSUBSCRIBE",
    b"psubscribe": b"PSUBSCRIBE",
}


class Subscriber(Connection):
    """Hears channels.

    :param heard: is given each message's channel and bytes.
    """

    def __init__(
        self,
        clock: Any,
        up: Callable[[], object],
        down: Callable[[str], object],
        heard: Callable[[bytes, bytes], object],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        super().__init__(clock, up, down, deadline_s)
        self._heard = heard
        # Channel and command -> who waits for it, one for each time it was named.
        self._unconfirmed: dict[tuple[bytes, bytes], deque[Done | None]] = {}
        self._due: deque[float] = deque()

    def subscribe(self, channels: Iterable[bytes], done: Done) -> None:
        """Hear `channels` from here on. `done` is given None when the server has confirmed every one of them, or a
        `RedisError` when the connection is gone before."""
        self._name(b"SUBSCRIBE", list(channels), done)

    def subscribe_patterns(self, patterns: Iterable[bytes], done: Done) -> None:
        """`subscribe` for all channels that match one of `patterns`, as PSUBSCRIBE has them."""
        self._name(b"PSUBSCRIBE", list(patterns), done)

    def unsubscribe(self, channels: Iterable[bytes]) -> None:
        """Hear them no more."""
        self._name(b"UNSUBSCRIBE", list(channels), None)

    def _name(self, command: bytes, channels: list[bytes], done: Done | None) -> None:
        if not self.is_open:
            if done is not None:
                done(NotConnected(self._why or "not connected"))
            return
        if not channels:
            if done is not None:
                done(None)
            return
        for begin in range(0, len(channels), BATCH):
            batch = channels[begin : begin + BATCH]
            for channel in batch:
                self._unconfirmed.setdefault((channel, command), deque()).append(None)
                self._due.append(self._clock.seconds() + self._deadline_s)
            self.transport.write(pack((command, *batch)))
        if done is not None:
            # One connection answers in order: the last channel's confirmation is that of all.
            self._unconfirmed[channels[-1], command][-1] = done
        if self._timer is None:
            self._timer = self._clock.callLater(self._deadline_s, self._look)

    def _answered(self, answer: Answer) -> None:
        if type(answer) is list and len(answer) == 3:
            kind = answer[0]
            if kind == b"message":
                self._heard(answer[1], answer[2])
                return
            command = _KINDS.get(kind)
            waiting = None if command is None else self._unconfirmed.get((answer[1], command))
            if command is not None and waiting:
                self._due.popleft()
                done = waiting.popleft()
                if not waiting:
                    del self._unconfirmed[answer[1], command]
                if done is not None:
                    done(None)
                return
        if type(answer) is list and len(answer) == 4 and answer[0] == b"pmessage":
            self._heard(answer[2], answer[3])
            return
        super()._answered(answer)

    def _look(self) -> None:
        if self._due and self._due[0] <= self._clock.seconds():
            self._timer = None
            self.abort(f"a subscription was not confirmed within {self._deadline_s:g} s")
            return
        super()._look()
        if self._timer is None and self.is_open and self._due:
            self._timer = self._clock.callLater(self._due[0] - self._clock.seconds(), self._look)

    def _gone(self, why: str) -> None:
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        self._due.clear()
        super_gone = super()._gone
        self.is_open = False
        for waiting in unconfirmed.values():
            for done in waiting:
                if done is not None:
                    done(Lost(why))
        super_gone(why)
