"""What one worker does for all, every few seconds: pruning, and making erased words unreadable."""

from __future__ import annotations

from collections.abc import Callable

from chatservice.domain.errors import Refused
from chatservice.domain.events import Body, Deleted
from chatservice.domain.promise import Promise, start
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_codec import read_rules
from chatservice.logs.redis_keys import PARTITIONS, Keys
from chatservice.logs.redis_presence import LEASE_MS

STEP_ENTRIES = 200  # pruned of a room at once: well below a millisecond of the server
PRUNE_EVERY_S = 60.0

REWRITE_EVERY_S = 30.0
"""Deleted words stay in the append-only file until it is rewritten, which is asked for this often at most. It
makes the server fork; with many gigabytes an operator may want it seldom (docs/scaling.md)."""


class Chores:
    """The housekeeping of whoever holds the lease.

    :param clock: seconds since 1970.
    """

    def __init__(self, asking: Asking, keys: Keys, node: str, clock: Callable[[], float]) -> None:
        self._asking = asking
        self._keys = keys
        self._node = node
        self._clock = clock
        self._pruned_at = self._rewritten_at = 0.0
        self._round: Promise[None] | None = None

    def note(self, room: str, body: Body) -> None:
        """Something was appended that makes work."""
        if isinstance(body, Deleted):
            self._asking.call(b"SET", self._keys.erased, b"1")
        else:
            self._asking.call(b"SADD", self._keys.room(room).expiring, room)

    def step(self) -> None:
        """Do what is due, unless another worker does, or we still do."""
        if self._round is None or self._round.done:
            self._round = start(self._do())

    async def _do(self) -> None:
        try:
            if await self._asking.run("lease", (self._keys.lease("chores"),), self._node, LEASE_MS):
                now = self._clock()
                if abs(now - self._rewritten_at) >= REWRITE_EVERY_S:
                    await self._rewrite(now)
                if abs(now - self._pruned_at) >= PRUNE_EVERY_S:
                    self._pruned_at = now
                    await self._prune(int(now * 1000))
        except Refused:
            pass  # it is tried again at the next step

    async def _rewrite(self, now: float) -> None:
        # Taken before: what is deleted meanwhile asks for another one.
        if await self._asking.call(b"DEL", self._keys.erased):
            self._rewritten_at = now
            try:
                await self._asking.call(b"BGREWRITEAOF")
            except Refused:
                await self._asking.call(b"SET", self._keys.erased, b"1")

    async def _prune(self, now_ms: int) -> None:
        for name in await self._asking.run("expiring", (), self._keys.prefix, PARTITIONS):
            names = self._keys.room(name.decode())
            rules = read_rules(await self._asking.call(b"HGET", names.head, b"u") or b"")
            if not rules.expires_s:
                await self._asking.call(b"SREM", names.expiring, name)
                continue
            before = now_ms - rules.expires_s * 1000
            while (
                await self._asking.run_fenced("prune", names.found, before, STEP_ENTRIES, names.channel)
                == STEP_ENTRIES
            ):
                pass
