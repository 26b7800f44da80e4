"""Copying from Redis to the archive: one worker does it for all, a moment after it was said.

Who copies holds a lease. If it is stopped, loses it and goes on, nothing is written twice or out of order: each
copy says where it expects the archive to stand (`Copy.expected`), and Redis takes a mark only under the epoch
under which the entries were read (lua/archived.lua).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatservice.domain.errors import Refused
from chatservice.domain.ports import Page
from chatservice.domain.promise import Promise, start
from chatservice.logs.archive import Archive, Copy, Standing
from chatservice.logs.redis_asking import Asking, State
from chatservice.logs.redis_codec import read_entry, read_forks, read_rules
from chatservice.logs.redis_keys import PARTITIONS, Keys
from chatservice.logs.redis_presence import LEASE_MS

PAUSE_S = 1.0
"""Between two rounds when nothing waits: the archive is so much behind, and a round costs Redis 0.1 ms."""

LONGEST_PAUSE_S = 10.0  # between two tries while the archive is away

ROOMS = 200
ENTRIES = 500
"""Copied at once: so many rooms, so many entries of each. Redis is held up for a millisecond a room at most."""

OF_A_PARTITION = 20
SWEPT_AT_ONCE = 1000  # keys that are looked at: well below a millisecond of Redis

CHORES_EVERY_S = 60.0
TIDY_EVERY_S = 20.0
"""Erased words are unreadable within a minute (`Log`): it may take two rounds."""


class Copying:
    """The archiver of one worker.

    :param keep: entries that a room keeps in Redis.
    :param clock: seconds since 1970; `seconds` only for durations.
    :param trouble: is given sentences for the operator's log.
    """

    def __init__(
        self,
        asking: Asking,
        keys: Keys,
        node: str,
        archive: Archive,
        *,
        keep: int,
        clock: Callable[[], float],
        seconds: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Any],
        trouble: Callable[[str], object],
        pause_s: float = PAUSE_S,
    ) -> None:
        self._asking = asking
        self._keys = keys
        self._node = node
        self._archive = archive
        self._keep = keep
        self._clock = clock
        self._seconds = seconds
        self._call_later = call_later
        self._trouble = trouble
        self._pause_s = self._longest = pause_s
        self._timer: Any = None
        self._round: Promise[bool] | None = None
        self._failed = 0
        self._swept = False
        self._chores_at = self._tidied_at = -CHORES_EVERY_S
        self._strangers: set[str] = set()

    def begin(self) -> None:
        """Redis is there: go on. It may have been emptied meanwhile."""
        self._swept = False
        if self._timer is None and (self._round is None or self._round.done):
            self._timer = self._call_later(0, self._go)

    def stop(self) -> None:
        """No more rounds."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pause_s = -1.0

    def end_lease(self) -> None:
        """Let another worker go on at once."""
        # Also if we do not know that we have it: the answer may be on its way.
        self._asking.run("lease", (self._keys.lease("archive"),), self._node, 1)

    def _go(self) -> None:
        self._timer = None
        if self._asking.state is State.UP and self._pause_s >= 0:
            self._round = start(self._do())
            self._round.then(self._done)

    def _done(self, done: Promise[bool]) -> None:
        numbers = self._archive.numbers
        if done.error is not None:
            self._failed += 1
            if not isinstance(done.error, Refused):
                numbers.errors += 1
                self._trouble(f"copying to the archive failed: {done.error!r}")
        else:
            self._failed = 0
        if self._pause_s < 0 or self._asking.state is not State.UP:
            return
        pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2**self._failed) if self._failed else self._pause_s
        self._timer = self._call_later(0 if done.error is None and done.result() else pause_s, self._go)

    # --- one round ---

    async def _do(self) -> bool:
        """True if there is more to do at once."""
        asking, keys, numbers = self._asking, self._keys, self._archive.numbers
        if not await self._lease():
            numbers.lag_entries, numbers.lag_s = 0, 0.0
            self._archive.release()
            return False
        if not await self._sweep():
            return False
        _, waiting, oldest, *names = await asking.run(
            "unarchived", (), keys.prefix, PARTITIONS, OF_A_PARTITION, ROOMS
        )
        numbers.lag_entries = waiting
        numbers.lag_s = max(0.0, self._clock() - oldest / 1000) if oldest else 0.0
        rooms = [room for name in names if (room := name.decode()) not in self._strangers]
        more = bool(rooms) and await self._copy(rooms)
        now = self._seconds()
        if now - self._tidied_at >= TIDY_EVERY_S and not await self._archive.tidy():
            self._tidied_at = now
        if now - self._chores_at >= CHORES_EVERY_S:
            self._chores_at = now
            await self._forget()
        return more

    def _lease(self) -> Promise[int]:
        """Whether it is we who copy, from now on for so long."""
        return self._asking.run("lease", (self._keys.lease("archive"),), self._node, LEASE_MS)

    async def _copy(self, rooms: Sequence[str]) -> bool:
        archive, asking = self._archive, self._asking
        standings = await archive.standings(rooms)
        asked = []
        for room in rooms:
            standing = standings.get(room)
            since = 0 if standing is None else standing.top
            asked.append(asking.run_fenced("read", self._keys.room(room).found[:3], since, ENTRIES, "f"))
        copies, more = [], False
        for room, answer in zip(rooms, asked, strict=True):
            copy = await self._plan(room, standings.get(room), await answer)
            if copy is not None and await self._may_cut(copy):
                copies.append(copy)
            more = more or (copy is not None and (copy.cut is not None or len(copy.entries) == ENTRIES))
        stored = await self._store(copies)
        archive.numbers.copied += sum(len(copy.entries) for copy in copies if copy.room in stored)
        for copy in copies:
            if copy.room in stored:
                self._tell(copy, stored[copy.room].top, is_all=True)
        return more or len(rooms) >= ROOMS

    async def _store(self, copies: Sequence[Copy]) -> dict[str, Standing]:
        if not copies:
            return {}
        try:
            return await self._archive.store(copies)
        except Refused:
            raise
        except Exception as error:
            if len(copies) == 1:  # of a newer version, perhaps; it must not keep all others from being copied
                self._leave(copies[0].room, repr(error))
                return {}
        stored: dict[str, Standing] = {}
        for copy in copies:
            stored |= await self._store([copy])
        return stored

    def _leave(self, room: str, why: str) -> None:
        self._archive.numbers.errors += 1
        self._strangers.add(room)
        self._trouble(f"the room {room!r} is not copied to the archive any more: {why}")

    async def _may_cut(self, copy: Copy) -> bool:
        """Before anything is taken back, Redis must know: it would trim what it believes to be in the archive.
        False if it has done so since we looked; then it is looked at again."""
        return copy.cut is None or 0 < await self._tell(copy, copy.cut, is_all=False) <= copy.cut + 1

    def _tell(self, copy: Copy, mark: int, *, is_all: bool) -> Promise[int]:
        """The archive has the room up to there."""
        names = self._keys.room(copy.room)
        return self._asking.run_fenced(
            "archived",
            (*names.found, names.unarchived),
            *(copy.epoch, mark, copy.first, self._keep, copy.room, int(is_all)),
        )

    async def _plan(self, room: str, standing: Standing | None, answer: Any) -> Copy | None:
        """What is to be written of a room, by what lua/read.lua has answered."""
        top, epoch, forks, first, rules, begin, entries, _ = answer
        numbered = tuple(enumerate(entries, begin))
        now = (epoch.decode(), read_forks(forks))
        orders = rules.decode()
        if not top:  # there is no such room, or not any more
            await self._tell(Copy(room, None, *now, 1, orders), 0, is_all=True)
            return None
        if standing is None:
            return Copy(room, None, *now, first, orders, numbered)
        page = Page(top, now[0], now[1], 1, ())
        valid = standing.valid(page)
        if valid == standing.top:
            # Some may have expired, or been trimmed by a chat without an archive, before they were copied.
            whole = standing.first if first <= standing.top + 1 else first
            return Copy(room, standing.position, *now, whole, orders, numbered)
        if valid is None and not await self._is_same_past(room, standing, first):
            self._leave(room, "it has another past there")
            return None
        # What Redis still has is copied anew: what the lost entries did to it must not stay.
        cut = min(standing.top if valid is None else valid, first - 1, standing.top)
        return Copy(room, standing.position, *now, min(standing.first, cut + 1), orders, (), cut)

    async def _is_same_past(self, room: str, standing: Standing, first: int) -> bool:
        """Whether the oldest entry in Redis is the one that the archive has under that number. So many epochs may
        have passed that the room does not remember the archive's."""
        if first > standing.top:
            return True
        _, known = await self._archive.entries(room, first - 1, first + 1, 1, back=False)
        names = self._keys.room(room)
        answer = await self._asking.run_fenced("read", names.found[:3], first - 1, 1, "f")
        if not known or not answer[6] or answer[5] != first:
            return False
        entry = read_entry(room, first, answer[6][0])
        return (entry.epoch, entry.ts) == (known[0].epoch, known[0].ts)

    # --- now and then ---

    async def _sweep(self) -> bool:
        """Look at all rooms: of a new archive, for what was said before there was one; of a server that was
        started again, for what it has lost, which must not stay in the archive either. False if another worker
        copies by now."""
        if self._swept:
            return True
        id = self._archive.id.encode()
        await self._asking.call(b"SET", self._keys.archive, id, b"NX")  # it may have been emptied
        if await self._asking.call(b"GET", self._keys.archive) != id:
            raise ValueError("this Redis is kept in another archive now")
        now = b"%s %s" % (id, self._asking.identity.encode())
        if await self._asking.call(b"GET", self._keys.swept) != now:
            cursor, begins = b"0", b"%s{*}:m:*" % self._keys.prefix
            while True:
                cursor, heads = await self._asking.call(b"SCAN", cursor, b"MATCH", begins, b"COUNT", SWEPT_AT_ONCE)
                waiting: dict[bytes, list[str]] = {}
                for head in heads:
                    room = room_of(head)
                    waiting.setdefault(self._keys.room(room).unarchived, []).append(room)
                noted = [self._asking.call(b"SADD", key, *rooms) for key, rooms in waiting.items()]
                for answer in noted:  # all of them are on the way
                    await answer
                if not await self._lease():  # a million rooms take longer than it lasts
                    return False
                if cursor == b"0":
                    break
            await self._asking.call(b"SET", self._keys.swept, now)
        self._swept = True
        return True

    async def _forget(self) -> None:
        """What has expired."""
        for name in await self._asking.run("expiring", (), self._keys.prefix, PARTITIONS):
            room = name.decode()
            names = self._keys.room(room)
            rules = read_rules(await self._asking.call(b"HGET", names.head, b"u") or b"")
            if not rules.expires_s:
                continue
            before = int(self._clock() * 1000) - rules.expires_s * 1000
            first, last = 0, -1
            while first != last:
                last, first = first, await self._archive.forget(room, before)
            await self._asking.run_fenced("expired", names.found[:2], first, names.channel)


def room_of(head: bytes) -> str:
    """The room whose head that key is."""
    return head.partition(b"}:m:")[2].decode()
