"""The life of the connection: is there one, is it alive, when is the next attempt."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

CONNECT_S = 20.0  # a name server and a TLS handshake on a bad line take ten
SILENCE_S = 35.0  # until hello tells ping_ms and pong_ms
STABLE_S = 10.0  # a connection that lasted so long proves that the server is well

BACKOFF_LEAST_S = 0.3
BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 20.0


class State(Enum):
    """Where a `ClientCore` stands."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"
    ENDED = "ended"


class Verdict(Enum):
    """What a timer that ran out means."""

    CONNECT = "connect"
    DEAD = "dead"


class Link:
    """The state of one connection after the other.

    :param random: a number from 0 up to, but not including, 1.
    :ivar is_open: there is a connection, whether or not hello was answered.
    :ivar due: when the next attempt begins, while waiting.
    :ivar reason: why it ended.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.state = State.CONNECTING
        self.is_open = False
        self.due: float | None = None
        self.reason = ""
        self._random = random
        self._failures = 0
        self._up_at: float | None = None
        self._deadline: float | None = None
        self._silence_s = SILENCE_S
        self._told_to_wait_s: float | None = None

    def opened(self, now: float) -> None:
        """There is a connection."""
        self.state, self.is_open, self.due = State.CONNECTING, True, None
        self._deadline = now + self._silence_s

    def up(self, now: float, ping_ms: int, pong_ms: int) -> None:
        """Hello was answered."""
        self.state, self._up_at = State.ONLINE, now
        self._silence_s = (ping_ms + pong_ms) / 1000
        self._deadline = now + self._silence_s

    def heard(self, now: float) -> None:
        """Any frame is a sign of life."""
        self._deadline = now + self._silence_s

    def come_back_after(self, after_ms: int) -> None:
        """The server said when it wants us back."""
        self._told_to_wait_s = after_ms / 1000

    def lost(self, now: float) -> float:
        """There is no connection; when to try again."""
        if self._up_at is not None and now - self._up_at >= STABLE_S:
            self._failures = 0
        spread_s = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2.0 ** min(self._failures, 16))
        wait_s = BACKOFF_LEAST_S + self._random() * spread_s
        if self._told_to_wait_s is not None:
            wait_s = self._told_to_wait_s
        self._failures += 1
        self.state, self.is_open, self.due = State.WAITING, False, now + wait_s
        self._up_at = self._deadline = self._told_to_wait_s = None
        return self.due

    def end(self, reason: str) -> None:
        """No more attempts."""
        self.state, self.is_open, self.reason = State.ENDED, False, reason
        self.due = self._deadline = None

    def next_timer(self) -> float | None:
        """When `tick` has something to say."""
        return self.due if self.state is State.WAITING else self._deadline

    def tick(self, now: float) -> Verdict | None:
        """What has run out by now, if anything."""
        timer = self.next_timer()
        if timer is None or now < timer:
            return None
        if self.state is State.WAITING:
            self.state, self.due = State.CONNECTING, None
            self._deadline = now + CONNECT_S
            return Verdict.CONNECT
        return Verdict.DEAD
