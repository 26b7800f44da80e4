"""One room: its newest entries, who is in it, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

from chatservice.domain.audience import AtOnce
from chatservice.domain.commands import Position
from chatservice.domain.errors import POSITION_LOST, Code, Refused
from chatservice.domain.events import (
    Deleted,
    Edited,
    Entry,
    EpochChanged,
    Event,
    Moderated,
    Said,
    Truncated,
    User,
)
from chatservice.domain.limits import BIG_ROOMS, RING, BigRooms
from chatservice.domain.message import erase
from chatservice.domain.ports import Log, Page, Turn
from chatservice.domain.presence import Attendance
from chatservice.domain.promise import Promise, resolved, start
from chatservice.domain.recovery import Resolution, resolve
from chatservice.domain.rules import NO_RULES, Rules, apply

EARLY_LIMIT = 10_000  # entries that may wait for a read; beyond it reading again is cheaper than keeping

BEGINNINGS = 4
"""So often one sync may find its ground gone and begin on another. One crash is one; a log that takes back more
than that while it is read is not one that anybody can follow."""


class State(Enum):
    """cold: knows nothing. sync: is reading. live: has every entry up to `top` and tells the next ones. stale: may
    have missed some, and reading them failed; the next entry, newcomer or tick of the hub tries again."""

    COLD = auto()
    SYNC = auto()
    LIVE = auto()
    STALE = auto()


class Gone(Exception):
    """What lies between a position and the top is not kept any more."""


class Hidden(Refused):
    """The log does not show what it says that it has. Newcomers are told `unavailable`; the fault is ours."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE)


class Room:
    """The hub's view of one room while somebody is in it.

    The ring is the join buffer: a newcomer reads from the log until the ring reaches back to what it has,
    and then gets the rest and its place among the audiences within one turn. So there is no moment at
    which an entry could be missed or told twice.
    """

    def __init__(
        self,
        name: str,
        log: Log,
        report: Callable[[BaseException], None],
        turn: Turn | None = None,
        clock: Callable[[], float] | None = None,
        sizes: BigRooms = BIG_ROOMS,
    ) -> None:
        self.name = name
        self.state = State.COLD
        self.epoch = ""
        self.top = 0
        self.rules: Rules = NO_RULES
        self.joining = 0  # joins under way; the hub keeps the room while there are any
        self.kicks: dict[str, int] = {}  # user id -> how often it was thrown out, for whoever is on the way in
        self.said_at: dict[str, float] = {}  # user id -> when it last spoke, while the room is slow
        self.here = Attendance(name, turn or AtOnce(), clock, sizes)
        self.enforce: Callable[[Room, Moderated | None], object] | None = None  # throws out whom an order concerns
        self._forks: tuple[tuple[str, int], ...] = ()
        self._first = 1
        self._log = log
        self._report = report
        self._ring: list[Entry] = []  # a deque takes 700 bytes more, empty, and each user has a room of its own
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
        if self.state is State.SYNC:
            if len(self._early) >= EARLY_LIMIT:
                self._early.clear()  # this one then shows that there is a hole
            self._early.append(entry)
        elif self.state is not State.COLD and not self._take(entry):
            self._begin_sync()  # which reads this entry too

    def pruned(self, first: int) -> None:
        """What has expired is not shown to newcomers any more."""
        self._first = max(self._first, first)
        while self._ring and self._ring[0].seq < first:
            del self._ring[0]

    def read_again(self) -> None:
        """The log may have entries of which the room was not told: read them. Nobody is told anything before."""
        if self.state is not State.COLD:
            self._begin_sync()

    def _take(self, entry: Entry) -> bool:
        """Tell the entry if its turn has come, drop it if it was told already; False if something is missing."""
        if entry.epoch != self.epoch or entry.seq > self.top + 1 or self.state is State.STALE:
            return False
        if entry.seq == self.top + 1:
            self._apply(entry)
        return True

    def _apply(self, entry: Entry) -> None:
        self.top = entry.seq
        self._ring.append(entry)
        if len(self._ring) > RING:
            del self._ring[0]
        body = entry.body
        if isinstance(body, Deleted):
            self._erase(body.ref)
        elif isinstance(body, Moderated):
            self.rules = apply(self.rules, body)
            if body.action in ("kick", "ban") and body.target is not None:
                self.kicks[body.target.id] = self.kicks.get(body.target.id, 0) + 1
        self.here.fan_out_entry(entry)
        if isinstance(body, Moderated) and self.enforce is not None:
            self.enforce(self, body)

    @property
    def recent(self) -> Sequence[Entry]:
        """The newest entries, without a hole up to the top."""
        return self._ring

    def author(self, ref: int) -> User | None:
        """Who said the message, if it is one of the newest."""
        for entry in self._ring:
            if entry.seq == ref and isinstance(entry.body, Said):
                return entry.body.user
        return None

    def _erase(self, ref: int) -> None:
        """The ring must not keep what the log has erased."""
        for i, entry in enumerate(self._ring):
            body = entry.body
            if (isinstance(body, Said) and entry.seq == ref) or (isinstance(body, Edited) and body.ref == ref):
                self._ring[i] = Entry(entry.room, entry.seq, entry.epoch, entry.ts, erase(body))

    def _begin_sync(self) -> None:
        if self.state is not State.SYNC:
            before, self.state = self.state, State.SYNC
            start(self._sync(before)).then(lambda done: self._synced(done, before))

    async def _sync(self, before: State) -> None:
        if before is State.COLD:
            await self._begin_anew()
            return
        for _ in range(BEGINNINGS):
            if await self._follow():
                return
        # Whatever members were told of it would be wrong before it arrived: they come back when it is over.
        await self._begin_anew()
        self.here.close(POSITION_LOST)

    async def _follow(self) -> bool:
        """Read on from what we have and tell it, page by page to the top. False if the log has lost a part of what
        we had: members have been told so, and it is to be tried again from what is left."""
        while True:
            page = await self._log.read(self.name, self.top, RING)
            verdict = resolve(Position(self.epoch, self.top), page, limit=2**62)
            if verdict.reason in ("epoch", "gone") or (verdict.recovered and self._has_hole(page)):
                await self._begin_anew()
                self.here.fan_out(Truncated(self.name, None, self.epoch, self.top))
                if self.enforce is not None:
                    self.enforce(self, None)
                return True
            changed = page.epoch != self.epoch
            self._take_heads(page)
            if not verdict.recovered:
                # The same epoch with a lower top (`ahead`) is what the fence prevents.
                self._cut(verdict.valid if verdict.reason == "truncated" else page.top)
                return False
            if changed:
                self.here.fan_out(EpochChanged(self.name, self.epoch))
            for entry in page.entries:
                self._apply(entry)
            if self.top >= page.top:
                self.rules = page.rules if self.top == page.top else self.rules
                return True

    def _has_hole(self, page: Page) -> bool:
        """Whether the page lacks what must come next, though it says that the log has it."""
        if page.entries:
            return page.entries[0].seq != self.top + 1
        return page.top > self.top

    async def _begin_anew(self) -> None:
        """Take the newest entries, whatever was here before."""
        page = await self._log.read_back(self.name, None, RING)
        if page.top >= page.first and not (page.entries and page.entries[-1].seq == page.top):
            raise Hidden
        self._take_heads(page)
        self._ring[:] = page.entries[-RING:]
        self.top, self.rules = page.top, page.rules

    def _cut(self, valid: int) -> None:
        """The log lost what we had told: say up to where it still holds, and go on from there."""
        while self._ring and self._ring[-1].seq > valid:
            self._ring.pop()
        self.top = valid
        self.here.fan_out(Truncated(self.name, valid or None, self.epoch, valid))

    def _take_heads(self, page: Page) -> None:
        self.epoch, self._forks, self._first = page.epoch, page.forks, page.first

    def _synced(self, done: Promise[None], before: State) -> None:
        early, self._early = self._early, []
        if done.error is None:
            self.state = State.LIVE
            if not all(self._take(entry) for entry in early):
                self._begin_sync()  # it shows all of `early`: an entry that it does not show is of a lost branch
                return
        else:
            self.state = State.COLD if self.here.empty else State.STALE
            is_ours = isinstance(done.error, Hidden) or not isinstance(done.error, Refused)
            if is_ours and before is not State.STALE:  # said once; it is tried again every few seconds
                self._report(done.error)
        waiting, self._waiting = self._waiting, []
        for promise in waiting:
            if done.error is None:
                promise.resolve(None)
            else:
                promise.reject(done.error)

    # --- what newcomers are shown ---

    def judge(self, position: Position) -> Resolution:
        """What becomes of a newcomer's position."""
        return resolve(position, Page(self.top, self.epoch, self._forks, self._first, ()))

    async def after(self, seq: int, epoch: str | None = None) -> list[Entry]:
        """Every entry after `seq` up to the top. When it returns the room is live and `top` is the last
        one's number; the caller must use it before it awaits anything else.

        :param epoch: under which the room had `seq`; None for the one it has now.
        :raises Gone: if some of them are not kept any more, or the epoch has changed meanwhile.
        """
        await self.live()
        epoch = self.epoch if epoch is None else epoch
        earlier: list[Entry] = []
        while self.epoch == epoch and not self._ring_covers(seq):
            page = await self._log.read(self.name, seq, RING)
            await self.live()
            if not page.entries:
                raise Refused(Code.UNAVAILABLE)
            if page.entries[0].seq != seq + 1:
                raise Gone
            earlier.extend(page.entries)
            seq = page.entries[-1].seq
        if self.epoch != epoch:
            raise Gone
        return earlier + [entry for entry in self._ring if entry.seq > seq]

    def _ring_covers(self, seq: int) -> bool:
        return seq >= self.top or (bool(self._ring) and self._ring[0].seq <= seq + 1)

    def fan_out(self, event: Event) -> None:
        """Tell everyone here something that is not kept."""
        self.here.fan_out(event)
