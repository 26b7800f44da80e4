"""How fast each kind of command may come, of one user through all its connections together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from chatservice.domain.errors import FLOOD, Code, Refused
from chatservice.domain.limits import DEAF, MESSAGES, ROOMS, Bucket, Rate

if TYPE_CHECKING:
    from chatservice.domain.session import Session


class Kind(StrEnum):
    """What is counted together; peers are told its value as `limit`."""

    MESSAGE = "message"
    WRITE = "write"
    RESYNC = "resync"
    ROOM = "room"
    SEARCH = "search"
    READ = "read"
    PRESENCE = "presence"
    TYPING = "typing"
    MOD = "mod"
    OTHER = "other"
    SLOW = "slow"


RATES: Mapping[Kind, Rate] = {
    Kind.MESSAGE: MESSAGES,
    # Edits, deletions, reactions: entries for everybody as messages are, but smaller, and many at once when
    # somebody tidies up.
    Kind.WRITE: Rate(burst=30, per_s=3.0),
    # Three devices of one person that come back into all their rooms at once; then what a person can look at.
    # Apart from all else, so that nobody has to choose between talking and catching up.
    Kind.RESYNC: Rate(burst=3 * (ROOMS + 1), per_s=20.0),
    # Rooms nobody is in and nothing was said in. As many as one may be in, for those who come back into empty
    # ones.
    Kind.ROOM: Rate(burst=ROOMS, per_s=0.5),
    # Each looks through an index.
    Kind.SEARCH: Rate(burst=20, per_s=2.0),
    # "All read" in every room; then one for each message that scrolls by.
    Kind.READ: Rate(burst=ROOMS, per_s=10.0),
    # Told in all rooms of the person.
    Kind.PRESENCE: Rate(burst=10, per_s=0.5),
    # In one room it is told once in 3 s anyway; this is for all rooms together.
    Kind.TYPING: Rate(burst=20, per_s=5.0),
    # A raid is thrown out by hand as fast as one can type.
    Kind.MOD: Rate(burst=30, per_s=2.0),
    Kind.OTHER: Rate(burst=30, per_s=5.0),
}

BUCKETS = 100_000
"""Buckets kept at most, about 20 MB. One that is full again is as good as none, so only users of the last few
minutes have any; beyond that the one that was used first is forgotten, which is a gift and no harm."""

TIDY_LEAST = 1000


class Rates:
    """The buckets of all users. Memory is bounded; no timer, no thread.

    :param clock: seconds; may be set back.
    """

    def __init__(
        self, clock: Callable[[], float], rates: Mapping[Kind, Rate] = RATES, most: int = BUCKETS
    ) -> None:
        self._clock = clock
        self._rates = rates
        self._most = most
        self._buckets: dict[tuple[Kind, str], Bucket] = {}
        self._tidy_at = min(TIDY_LEAST, most)

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, kind: Kind, who: str, n: int = 1) -> int:
        """Take `n` tokens; 0 if there were so many, else the milliseconds until there will be."""
        now = self._clock()
        bucket = self._buckets.get((kind, who))
        if bucket is None:
            if len(self._buckets) >= self._tidy_at:
                self._tidy(now)
            bucket = self._buckets[kind, who] = Bucket(self._rates[kind], now)
        return bucket.take(now, n)

    def _tidy(self, now: float) -> None:
        """Forget what is full again. What is left may double until the next time, so a take costs little."""
        kept = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
        for key in list(kept)[: max(0, len(kept) + 1 - self._most)]:
            del kept[key]
        self._buckets = kept
        self._tidy_at = min(self._most, max(TIDY_LEAST, 2 * len(kept)))


def spend(session: Session, kind: Kind, n: int = 1, who: str | None = None) -> None:
    """Take what a command costs.

    :param who: the id of a user who has not been introduced yet; else the session's own.
    :raises Refused: `rate_limited`, with the time to wait.
    """
    wait_ms = _take(session, kind, n, who)
    if wait_ms:
        raise too_fast(session, kind, wait_ms)


def is_too_much(session: Session, kind: Kind) -> bool:
    """Like `spend`, for what is let pass without a word: whoever is told nothing cannot be deaf to it."""
    if not _take(session, kind, 1, None):
        return False
    session.hub.counts[f"rate_limited_{kind}"] += 1
    return True


def _take(session: Session, kind: Kind, n: int, who: str | None) -> int:
    rates = session.hub.rates
    return 0 if rates is None else rates.take(kind, session.user.user.id if who is None else who, n)


def too_fast(session: Session, kind: Kind, wait_ms: int) -> Refused:
    """Whoever is told so again and again and does not listen is ended."""
    hub = session.hub
    hub.counts[f"rate_limited_{kind}"] += 1
    ends = None
    if hub.rates is not None:
        if session.deafness is None:
            session.deafness = Bucket(DEAF, hub.clock())
        if session.deafness.take(hub.clock()) > 0:
            ends = FLOOD
            hub.counts["flooders_ended"] += 1
    params = {"seconds": wait_ms / 1000, "kind": kind.value}
    return Refused(Code.RATE_LIMITED, params=params, retry_ms=wait_ms, ends=ends)
