"""One room: its newest entries, who is in it, and who is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from chatservice.domain.commands import Position
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Entered, Entry, Event, Left, Renamed, User
from chatservice.domain.limits import RING
from chatservice.domain.ports import Format, Log, Page, Peer
from chatservice.domain.promise import Promise, resolved, start
from chatservice.domain.recovery import Resolution, resolve

EARLY_LIMIT = 10_000  # entries that may wait for a read; beyond it reading again is cheaper than keeping


class State(Enum):
    """cold: knows nothing. sync: is reading. live: has every entry up to `top` and tells the next ones.
    stale: was live, missed something and could not read it; the next entry or newcomer makes it try again."""

    COLD = auto()
    SYNC = auto()
    LIVE = auto()
    STALE = auto()


class Room:
    """The hub's view of one room while somebody is in it.

    The ring is the join buffer: a newcomer reads from the log until the ring reaches back to what it has,
    and then gets the rest and its place among the audiences within one turn. So there is no moment at
    which an entry could be missed or told twice.
    """

    def __init__(self, name: str, log: Log, report: Callable[[BaseException], None]) -> None:
        self.name = name
        self.state = State.COLD
        self.epoch = ""
        self.top = 0
        self.joining = 0  # joins under way; the hub keeps the room while there are any
        self._forks: tuple[tuple[str, int], ...] = ()
        self._first = 1
        self._log = log
        self._report = report
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._early: list[Entry] = []
        self._waiting: list[Promise[None]] = []
        self._members: dict[str, tuple[User, set[Peer]]] = {}
        self._audiences: dict[Format, dict[Peer, None]] = {}

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
            if entry.seq <= self.top:
                return  # seen already, by the read that made us live
            if entry.seq == self.top + 1 and entry.epoch == self.epoch:
                self._apply(entry)
                return
        if len(self._early) >= EARLY_LIMIT:
            self._early.clear()  # the hole before this entry makes it begin another sync
        self._early.append(entry)
        self._begin_sync()

    def _apply(self, entry: Entry) -> None:
        self.top = entry.seq
        self._ring.append(entry)
        self.fan_out(entry)

    def _begin_sync(self) -> None:
        if self.state is not State.SYNC:
            before, self.state = self.state, State.SYNC
            on_failure = State.COLD if before is State.COLD else State.STALE
            start(self._sync(before is State.COLD)).then(lambda done: self._synced(done, on_failure))

    async def _sync(self, was_cold: bool) -> None:
        if was_cold:
            page = await self._log.read_back(self.name, None, RING)
            self._take_heads(page)
            self._ring.extend(page.entries)
            self.top = page.top
            return
        while True:
            page = await self._log.read(self.name, self.top, RING)
            self._take_heads(page)
            for entry in page.entries:
                self._apply(entry)
            if self.top >= page.top or not page.entries:
                return

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
        one's number; the caller must use it before it awaits anything else."""
        await self.live()
        earlier: list[Entry] = []
        while not self._ring_covers(seq):
            page = await self._log.read(self.name, seq, RING)
            await self.live()
            if not page.entries:
                raise Refused(Code.UNAVAILABLE)
            earlier.extend(page.entries)
            seq = page.entries[-1].seq
        return earlier + [entry for entry in self._ring if entry.seq > seq]

    async def last(self, count: int) -> list[Entry]:
        """The newest `count` entries; the same promise as `after`."""
        await self.live()
        return await self.after(max(self.top - count, self._first - 1, 0)) if count else []

    def _ring_covers(self, seq: int) -> bool:
        return seq >= self.top or (bool(self._ring) and self._ring[0].seq <= seq + 1)

    # --- who is here ---

    @property
    def n(self) -> int:
        """How many users are here."""
        return len(self._members)

    @property
    def users(self) -> tuple[User, ...]:
        """Who is here, in the order of arrival."""
        return tuple(user for user, _ in self._members.values())

    def attach(self, user: User, peer: Peer) -> None:
        """`peer` is told everything from here on. The others learn of a user's first connection."""
        known = self._members.get(user.id)
        if known is None:
            self._members[user.id] = (user, {peer})
            self.fan_out(Entered(self.name, user, self.n))
        else:
            known[1].add(peer)
        self._audiences.setdefault(peer.format, {})[peer] = None

    def detach(self, user: User, peer: Peer) -> None:
        """`peer` is told nothing more. The others learn that a user's last connection is gone."""
        audience = self._audiences[peer.format]
        del audience[peer]
        if not audience:
            del self._audiences[peer.format]
        _, peers = self._members[user.id]
        peers.discard(peer)
        if not peers:
            del self._members[user.id]
            self.fan_out(Left(self.name, user, self.n))

    def rename(self, user: User, was: str) -> None:
        """A user of this room has a new nick."""
        _, peers = self._members[user.id]
        self._members[user.id] = (user, peers)
        self.fan_out(Renamed(self.name, user, was))

    def fan_out(self, event: Event) -> None:
        """Tell every audience; the frame is made once for each."""
        for audience_format, peers in self._audiences.items():
            frames = audience_format.frames(event)
            if frames is not None:
                for peer in peers:
                    peer.send(frames)
