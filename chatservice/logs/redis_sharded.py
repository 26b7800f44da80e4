"""Several Redis servers as one log: each room is on one of them, which is a whole `RedisLog` of its own.

So each has its own two connections, is up or down, fenced, beaten and looked after by itself; what is here only
finds the right one. Two calls do: `of(room)` for what belongs to a room, `first` for what belongs to none
(accounts, read marks, sessions, invitations, the key that signs tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatservice.domain.accounts import Account
from chatservice.domain.events import Body, User
from chatservice.domain.ports import Appended, Found, Hit, LogSink, Pace, Page, Past, Unread
from chatservice.domain.promise import Promise, start
from chatservice.logs.redis_keys import partition_of
from chatservice.logs.redis_log import SCRIPTS, RedisLog
from chatservice.logs.redis_opening import open_servers
from chatservice.logs.redis_sharded_bus import ShardedBus
from chatservice.logs.shard_map import ShardMap
from chatservice.redis.address import Address

DURABILITIES = ("cache", "process", "replica", "disk")
"""From the weakest on. A chat promises what the weakest of its servers does."""


class ShardedLog:
    """See `Engine`.

    :param make: a log on the server of that number; see `RedisLog`.
    """

    stop_blocks = False
    paces = True

    def __init__(
        self,
        addresses: Sequence[Address],
        shards: ShardMap,
        make: Callable[[Address, int], RedisLog],
        *,
        durability: str,
        prefix: str = "cs",
    ) -> None:
        self._addresses = addresses
        self._map = shards
        self._asked_durability = durability
        self._prefix = prefix
        self.all = tuple(make(address, number) for number, address in enumerate(addresses))
        self.first = self.all[0]
        self.servers = len(self.all)
        self.bus = ShardedBus([shard.bus for shard in self.all], lambda room: self.of(room).bus)
        self.cid_ttl_s = self.first.cid_ttl_s
        self.once = self.first.once
        self.board = self.first.board
        self.meter = self.first.meter

    def of(self, room: str) -> RedisLog:
        """Where the room is."""
        return self.all[self._map.owners[partition_of(room)]]

    @property
    def durability(self) -> str:
        """See `Log`."""
        return min((shard.durability for shard in self.all), key=DURABILITIES.index)

    @property
    def away(self) -> tuple[str, ...]:
        """See `Log.away`."""
        return tuple(where for shard in self.all for where in shard.away)

    # --- its life ---

    def start(self, sink: LogSink) -> None:
        """See `Log.start`. All servers must be there: one that is not might have rooms that another claims."""
        opened = open_servers(
            self._addresses,
            self._map,
            self._asked_durability,
            [shard.bus.node for shard in self.all],
            archive=None,
            scripts=SCRIPTS,
            prefix=self._prefix,
        )
        for shard in self.all:
            shard.begin(sink, opened if shard is self.first else None)

    def stop(self) -> Promise[None]:
        """See `Log.stop`."""
        return start(self._stop())

    async def _stop(self) -> None:
        for stopping in [shard.stop() for shard in self.all]:
            await stopping

    # --- the log ---

    def check_there(self, room: str) -> None:
        """See `Log.check_there`."""
        self.of(room).check_there(room)

    def settled(self) -> Promise[None]:
        """See `Log.settled`."""
        return start(self._settled())

    async def _settled(self) -> None:
        for settling in [shard.settled() for shard in self.all]:
            await settling

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        """See `Log.append`. A rate of messages is counted on each server by itself."""
        return self.of(room).append(room, body, as_moderator=as_moderator, pace=pace)

    def stored(self, room: str, body: Body) -> Promise[Appended | None]:
        """See `Log.stored`."""
        return self.of(room).stored(room, body)

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """See `Log.read`."""
        return self.of(room).read(room, since, limit)

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """See `Log.read_back`."""
        return self.of(room).read_back(room, before, limit)

    # --- messages ---

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        """See `Messages.history`."""
        return self.of(room).history(room, viewer, limit, before=before, after=after)

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        """See `Messages.unread`."""
        return self.of(room).unread(room, user_id, after)

    def room_names(self, limit: int, viewer: str | None) -> Promise[tuple[tuple[str, int], ...]]:
        """See `Messages.room_names`."""
        return start(self._room_names(limit, viewer))

    async def _room_names(self, limit: int, viewer: str | None) -> tuple[tuple[str, int], ...]:
        asking = [start(shard.rooms_by_use(limit, viewer)) for shard in self.all]
        rooms = [room for answer in asking for room in await answer]
        rooms.sort(reverse=True)
        return tuple((name, top) for _, name, top in rooms[:limit])

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        """See `Messages.search`."""
        return start(self._search(query, rooms, before, limit))

    async def _search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Found:
        by_shard: dict[RedisLog, list[str]] = {}
        for room in rooms:
            by_shard.setdefault(self.of(room), []).append(room)
        asking = [shard.search(query, of, before, limit) for shard, of in by_shard.items()]
        pages = [await answer for answer in asking]
        return merged(pages, limit)

    # --- people ---

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        """See `People.raise_mark`."""
        return self.first.raise_mark(user_id, room, seq)

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        """See `People.marks`."""
        return self.first.marks(user_id)

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        """See `People.keep_session`."""
        return self.first.keep_session(digest, user, until_ms)

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        """See `People.session`."""
        return self.first.session(digest, now_ms)

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        """See `People.use_invite`."""
        return self.first.use_invite(id, uses, until_ms)

    def add_account(self, account: Account) -> Promise[Account]:
        """See `Accounts.add_account`."""
        return self.first.add_account(account)

    def change_account(self, user_id: str, **changes: Any) -> Promise[Account]:
        """See `Accounts.change_account`."""
        return self.first.change_account(user_id, **changes)


def merged(pages: Sequence[Found], limit: int) -> Found:
    """What several servers have found, as one page. Two of them may have given one place to two messages: such are
    never parted, though that makes the page longer, else the next one would leave one out."""
    hits: list[Hit] = sorted((hit for page in pages for hit in page.hits), key=lambda hit: -hit.place)
    end = min(limit, len(hits))
    while 0 < end < len(hits) and hits[end].place == hits[end - 1].place:
        end += 1
    more = end < len(hits) or any(page.next is not None for page in pages)
    return Found(tuple(hits[:end]), hits[end - 1].place if more and end else None)
