"""One room: its newest entries, who is in it, and who is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from chatservice.domain.commands import Position
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import (
    Deleted,
    Edited,
    Entry,
    EpochChanged,
    Event,
    Moderated,
    Said,
    Truncated,
)
from chatservice.domain.limits import RING
from chatservice.domain.message import erase
from chatservice.domain.ports import Log, Page, Turn
from chatservice.domain.presence import Attendance
from chatservice.domain.promise import Promise, resolved, start
from chatservice.domain.recovery import Resolution, resolve
from chatservice.domain.rules import NO_RULES, Rules, apply

EARLY_LIMIT = 10_000  # entries that may wait for a read; beyond it reading again is cheaper than keeping


class State(Enum):
    """cold: knows nothing. sync: is reading. live: has every entry up to `top` and tells the next ones.
    stale: was live, missed something and could not read it; the next entry or newcomer makes it try again."""

    COLD = auto()
    SYNC = auto()
    LIVE = auto()
    STALE = auto()


class Gone(Exception):
    """What lies between a position and the top is not kept any more."""


class Room:
    """The hub's view of one room while somebody is in it.

    The ring is the join buffer: a newcomer reads from the log until the ring reaches back to what it has,
    and then gets the rest and its place among the audiences within one turn. So there is no moment at
    which an entry could be missed or told twice.
    """

    def __init__(self, name: str, log: Log, turn: Turn, report: Callable[[BaseException], None]) -> None:
        self.name = name
        self.state = State.COLD
        self.epoch = ""
        self.top = 0
        self.rules: Rules = NO_RULES
        self.joining = 0  # joins under way; the hub keeps the room while there are any
        self.here = Attendance(name, turn)
        self._forks: tuple[tuple[str, int], ...] = ()
        self._first = 1
        self._log = log
        self._report = report
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._early: list[Entry] = []
        self._waiting: list[Promise[None]] = []

    # --- the log's side ---

    def live(self) -> Promise[None]:
        """Answers when the room is live. Rejected with what kept the log from being read."""
        if self.state is State.LIVE:
            return resolved(None)
        promise: Promise[None] = Promise()
        self._waiting.append(promise)
        self._begin_sync()
        return promise

    def committed(self, entry: Entry) -> None:
        """The log has a new entry: tell everyone, unless an earlier one has to come first."""
        if self.state is State.LIVE:
            if entry.seq <= self.top and entry.epoch == self.epoch:
                return  # seen already, by the read that made us live
            if entry.seq == self.top + 1 and entry.epoch == self.epoch:
                self._apply(entry)
                return
        if len(self._early) >= EARLY_LIMIT:
            self._early.clear()  # the hole before this entry makes it begin another sync
        self._early.append(entry)
        self._begin_sync()

    def stale(self) -> None:
        """The bus was lost: what came meanwhile must be read. Nobody is told anything until then."""
        if self.state is State.LIVE:
            self._begin_sync()

    def _apply(self, entry: Entry) -> None:
        self.top = entry.seq
        self._ring.append(entry)
        body = entry.body
        if isinstance(body, Deleted):
            self._erase(body.ref)
        elif isinstance(body, Moderated):
            self.rules = apply(self.rules, body)
        self.here.fan_out_entry(entry)

    def _erase(self, ref: int) -> None:
        """The ring must not keep what the log has erased."""
        for i, entry in enumerate(self._ring):
            body = entry.body
            if (isinstance(body, Said) and entry.seq == ref) or (isinstance(body, Edited) and body.ref == ref):
                self._ring[i] = Entry(entry.room, entry.seq, entry.epoch, entry.ts, erase(body))

    def _begin_sync(self) -> None:
        if self.state is not State.SYNC:
            before, self.state = self.state, State.SYNC
            on_failure = State.COLD if before is State.COLD else State.STALE
            start(self._sync(before is State.COLD)).then(lambda done: self._synced(done, on_failure))

    async def _sync(self, was_cold: bool) -> None:
        if was_cold:
            page = await self._log.read_back(self.name, None, RING)
            self._take_heads(page)
            self._ring.clear()
            self._ring.extend(page.entries)
            self.top, self.rules = page.top, page.rules
            return
        while True:
            page = await self._log.read(self.name, self.top, RING)
            verdict = resolve(Position(self.epoch, self.top), page, limit=2**62)
            changed = page.epoch != self.epoch
            self._take_heads(page)
            if not verdict.recovered:
                await self._cut(verdict)
            elif changed:
                self.here.fan_out(EpochChanged(self.name, self.epoch))
            if verdict.recovered:
                for entry in page.entries:
                    self._apply(entry)
                if self.top >= page.top or not page.entries:
                    self.rules = page.rules if self.top == page.top else self.rules
                    return

    async def _cut(self, verdict: Resolution) -> None:
        """The log lost what we had told: say up to where it still holds, and go on from there."""
        valid = verdict.valid if verdict.reason in ("truncated", "ahead") else 0
        if verdict.reason == "ahead":  # the same epoch with a lower top: only the fence can prevent it
            valid = (await self._log.read(self.name, 0, 0)).top
        while self._ring and self._ring[-1].seq > valid:
            self._ring.pop()
        self.top = valid
        self.here.fan_out(Truncated(self.name, valid or None, self.epoch, valid))

    def _take_heads(self, page: Page) -> None:
        self.epoch, self._forks, self._first = page.epoch, page.forks, page.first

    def _synced(self, done: Promise[None], on_failure: State) -> None:
        waiting, self._waiting = self._waiting, []
        early, self._early = self._early, []
        if done.error is not None:
            self.state = on_failure
            self._report(done.error)
            for promise in waiting:
                promise.reject(done.error)
            return
        self.state = State.LIVE
        for entry in early:
            if entry.seq > self.top:
                self.committed(entry)
        if self.state is not State.LIVE:  # what came meanwhile showed a hole: another sync has begun
            self._waiting[:0] = waiting
            return
        for promise in waiting:
            promise.resolve(None)

    # --- what newcomers are shown ---

    def judge(self, position: Position) -> Resolution:
        """What becomes of a newcomer's position."""
        return resolve(position, Page(self.top, self.epoch, self._forks, self._first, ()))

    async def after(self, seq: int) -> list[Entry]:
        """Every entry after `seq` up to the top. When it returns the room is live and `top` is the last
        one's number; the caller must use it before it awaits anything else.

        :raises Gone: if some of them are not kept any more.
        """
        await self.live()
        earlier: list[Entry] = []
        while not self._ring_covers(seq):
            epoch = self.epoch
            page = await self._log.read(self.name, seq, RING)
            await self.live()
            if not page.entries:
                raise Refused(Code.UNAVAILABLE)
            if page.entries[0].seq != seq + 1 or self.epoch != epoch:
                raise Gone
            earlier.extend(page.entries)
            seq = page.entries[-1].seq
        return earlier + [entry for entry in self._ring if entry.seq > seq]

    def _ring_covers(self, seq: int) -> bool:
        return seq >= self.top or (bool(self._ring) and self._ring[0].seq <= seq + 1)

    def fan_out(self, event: Event) -> None:
        """Tell everyone here something that is not kept."""
        self.here.fan_out(event)
