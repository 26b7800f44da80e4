"""The log for several processes and machines: one Redis, or Valkey, which gives the numbers, keeps the entries and
tells every worker.

Number, entry, cid and the telling of it are one script (lua/append.lua), so they survive or are lost together. An
answered entry has reached what the server's `appendfsync` says; see `Server.durability`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatservice.domain.accounts import Account
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Moderated
from chatservice.domain.ports import Appended, LogSink, Pace, Page, Randomness
from chatservice.domain.promise import Promise, rejected, start
from chatservice.logs.archive import Archive
from chatservice.logs.archive_copying import PAUSE_S, Copying
from chatservice.logs.note import Note, ignore
from chatservice.logs.redis_absence import Absence
from chatservice.logs.redis_archived import Archived
from chatservice.logs.redis_asking import PATIENCE_S, Asking, State, Wire
from chatservice.logs.redis_beginning import Beginnings
from chatservice.logs.redis_board import RedisBoard
from chatservice.logs.redis_bus import RedisBus
from chatservice.logs.redis_chores import Chores
from chatservice.logs.redis_claim import ALL, Claim, check_durable
from chatservice.logs.redis_codec import read_page
from chatservice.logs.redis_first import asking_first
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_once import RedisOnce
from chatservice.logs.redis_opening import Opened, open_servers
from chatservice.logs.redis_people import People
from chatservice.logs.redis_presence import BEAT_S
from chatservice.logs.redis_reading import FAR, Reading
from chatservice.logs.redis_shared import SharedMeter
from chatservice.logs.redis_writing import Writing
from chatservice.logs.shard_map import ShardMap
from chatservice.redis.address import Address
from chatservice.redis.errors import RedisError, Refusal, Unusable
from chatservice.redis.scripts import load_scripts
from chatservice.redis.server import Server

KEPT = 10_000
"""Entries a room keeps: two megabytes of short messages."""

CID_TTL_S = 600
"""How long a cid is remembered: longer than a client tries again."""

SCRIPTS = load_scripts(Path(__file__).with_name("lua"))

Connect = Callable[..., Wire]
"""Makes a `chatservice.redis.wire.Wire`, which needs a reactor, for an address and what is to be told."""


class RedisLog(Reading, People):
    """See `Engine`.

    :param connect: makes the connections.
    :param durability: `cache` takes any server; else it must keep what it answers. `replica` answers when a
        replica has it too.
    :param clock: seconds since 1970; `seconds` only for durations.
    :param call_soon: calls a function at the end of the turn.
    :param call_later: calls it after so many seconds.
    :param trouble: is given sentences for the operator's log.
    :param note: told how long its work takes; see `Note`.
    :param prefix: what all keys begin with.
    :param shards: how the partitions are divided, if this is not the only server; see `ShardedLog`.
    :param number: which of them this one is.
    :param keep: entries a room keeps.
    :param archive: what has the older ones. Whoever opened it closes it, after the log.
    :param copy_pause_s: how far the archive may be behind.
    """

    stop_blocks = False
    servers = 1
    paces = True

    def __init__(
        self,
        address: Address,
        *,
        connect: Connect,
        durability: str,
        clock: Callable[[], float],
        seconds: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], Any],
        randomness: Randomness,
        trouble: Callable[[str], object] = lambda _: None,
        note: Note = ignore,
        prefix: str = "cs",
        fence: bool = True,
        keep: int = KEPT,
        cid_ttl_s: int | None = CID_TTL_S,
        shards: ShardMap = ALL,
        number: int = 0,
        archive: Archive | None = None,
        copy_pause_s: float = PAUSE_S,
    ) -> None:
        self.durability = "cache"
        self.cid_ttl_s = cid_ttl_s
        self._address = address
        self._asked_durability = durability
        self._shards = shards
        self.number = number
        self._prefix = prefix
        self._clock = clock
        self._call_later = call_later
        self._keys = keys = Keys(prefix, address.db)
        self._asking = asking = Asking(
            randomness, call_later, trouble, fence=fence, call_soon=call_soon if durability == "replica" else None
        )
        self._archive = archive
        self._archived = None if archive is None else Archived(asking, keys, archive)
        asking.beginnings = None if self._archived is None else Beginnings(self._archived)
        self._accounts: dict[str, Account] = {}
        self._sink: LogSink | None = None
        self.bus = RedisBus(asking, keys, randomness.token(), call_soon, self._account_told, self._hears_accounts)
        self.once = RedisOnce(asking, keys, randomness)
        self.board = RedisBoard(asking, keys, self.bus.node)
        ttl_ms = None if cid_ttl_s is None else cid_ttl_s * 1000
        self._writing = Writing(
            asking,
            keys,
            self.bus,
            clock=clock,
            seconds=seconds,
            keep=keep,
            cid_ttl_ms=ttl_ms,
            archived=self._archived,
            note=note,
        )
        self.meter = SharedMeter(asking, keys)
        self._chores = Chores(asking, keys, self.bus.node, clock)
        self._absence = Absence(call_later, self.bus.away)
        self._copying: Copying | None = None
        if archive is not None:
            self._copying = Copying(
                asking,
                keys,
                self.bus.node,
                archive,
                keep=keep,
                clock=clock,
                seconds=seconds,
                call_later=call_later,
                trouble=trouble,
                pause_s=copy_pause_s,
            )
        self._beating: Any = None
        self._is_refreshing = False
        claim = Claim(keys, shards, number, self.bus.node)
        self.wire = asking.wire = connect(
            address,
            scripts=SCRIPTS,
            probe=keys.node(self.bus.node),
            check=self._check,
            greeting=("claim", claim.keys, claim.values()),
            greeted=claim.taken,
            up=self._up,
            down=self._down,
            heard=self.bus.heard,
        )

    @property
    def away(self) -> tuple[str, ...]:
        """See `Log.away`."""
        return (str(self.number),) if self._asking.state is State.DOWN else ()

    @property
    def _has_people(self) -> bool:
        """Accounts, nicks and numbers are on the first server alone."""
        return not self.number

    # --- its life ---

    def start(self, sink: LogSink) -> None:
        """See `Log.start`. It looks at the server before it begins: a wrong setting is found out here."""
        archive = None if self._archive is None else self._archive.id
        self.begin(
            sink,
            open_servers(
                [self._address],
                self._shards,
                self._asked_durability,
                [self.bus.node],
                archive=archive,
                scripts=SCRIPTS,
                prefix=self._prefix,
            ),
        )

    def begin(self, sink: LogSink, opened: Opened | None) -> None:
        """The same where all servers were looked at already.

        :param opened: what the first of them has; None for the others.
        """
        self._sink = self.bus.log_sink = sink
        if opened is not None:
            for account in opened.accounts.values():
                self._register(account)
            self.bus.guestbook.begin(opened.before)
        self.wire.start()

    def stop(self) -> Promise[None]:
        """See `Log.stop`."""
        stopped: Promise[None] = Promise()

        def drained(_: object) -> None:
            self._sink = self.bus.log_sink = None
            if self._beating is not None:
                self._beating.cancel()
                self._beating = None
            self.wire.stop()
            stopped.resolve(None)

        if self._asking.state is State.STOPPED:
            stopped.resolve(None)
        else:
            self._absence.stop()
            if self._copying is not None:
                self._copying.stop()
            if self._asking.state is State.UP:
                if self._copying is not None:
                    self._copying.end_lease()
                self.bus.presence.leave()
                self.board.leave()
            self._asking.stop().then(drained)
        return stopped

    def _check(self, server: Server) -> None:
        check_durable(server, self._asked_durability)

    def _up(self, server: Server) -> None:
        self.durability = "replica" if self._asked_durability == "replica" else server.durability
        if self._asking.state is State.STOPPED:
            # Only what is under way is still asked; the greeting has said that we live.
            self.wire.call((b"ZREM", self._keys.workers, self.bus.node), lambda _: None)
            self.board.leave()
            self._asking.up()
            return
        self.bus.up()
        self._asking.up()
        self.board.beat()
        if self._beating is None:
            self._beating = self._call_later(BEAT_S, self._beat)
        if self._copying is not None:
            self._copying.begin()

    def _hears_accounts(self) -> None:
        """What changes from here on is told; what has changed before is read."""
        self._absence.end()
        if self._has_people:
            self._is_refreshing = True
            self._refresh_accounts_now()

    def _refresh_accounts_now(self) -> None:
        def refreshed(done: Promise[None]) -> None:
            self._is_refreshing = done.error is not None  # then it is tried again at the next beat

        start(self._refresh_accounts()).then(refreshed)

    def _down(self, why: RedisError) -> None:
        self.bus.down()
        if self._asking.state is State.UP:
            self._absence.begin()
        self._asking.down(why)

    def _beat(self) -> None:
        self._beating = self._call_later(BEAT_S, self._beat)
        if self._asking.state is State.UP:
            self.bus.presence.beat()
            self.board.beat()
            if self._has_people:
                self.bus.guestbook.reap()
            self._chores.step()
            if self._is_refreshing:
                self._refresh_accounts_now()

    # --- the log ---

    def check_there(self, room: str) -> None:
        """See `Log.check_there`."""
        self._asking.check_there()

    def settled(self) -> Promise[None]:
        """See `Log.settled`."""
        return self._writing.settled()

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        """See `Log.append`."""
        promise = self._writing.append(room, body, as_moderator, pace)
        if isinstance(body, Deleted) or (isinstance(body, Moderated) and body.action == "expires"):
            promise.then(lambda done: self._chores.note(room, body) if done.error is None else None)
        return promise

    def stored(self, room: str, body: Body) -> Promise[Appended | None]:
        """See `Log.stored`."""
        return start(self._stored(room, body))

    async def _stored(self, room: str, body: Body) -> Appended | None:
        if body.cid is None:
            return None
        keys = (*self._keys.room(room).found, self._keys.cid(room, body.user.id, body.cid))
        answer = await self._asking.run_fenced("look", keys, -1)
        if answer[0] != b"dup":
            return None
        await self._asking.confirm()
        return await self._writing.earlier(room, body, answer)

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """See `Log.read`."""
        return start(self._read(room, max(0, since), limit, "f"))

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """See `Log.read_back`."""
        return start(self._read(room, FAR if before is None else before, limit, "b"))

    async def _read(self, room: str, n: int, limit: int, side: str) -> Page:
        await self._in_time(self.bus.ready(room))
        names = self._keys.room(room)
        answer = await self._asking.run_fenced("read", names.found[:3], n, limit, side)
        page = read_page(room, answer)
        return (
            page if self._archived is None else await self._archived.page(room, page, answer[-1], n, limit, side)
        )

    def _in_time(self, promise: Promise[None]) -> Promise[None]:
        """The same, but not for ever."""
        if promise.done:
            return promise
        if self._asking.state is State.STOPPED:
            return rejected(Refused(Code.UNAVAILABLE))
        late = self._call_later(PATIENCE_S, lambda: promise.reject(Refused(Code.UNAVAILABLE, retry_ms=1000)))
        promise.then(lambda done: late.cancel() if not isinstance(done.error, Refused) else None)
        return promise


def agree_on_key(address: Address, key: bytes) -> bytes:
    """The secret that all workers share: `key`, if no other worker was first.

    :raises LogError: see `asking_first`.
    """
    name = Keys(db=address.db).secret
    with asking_first(address) as asking:
        answer = asking.ask((b"SET", name, key, b"NX"), (b"GET", name))[1]
        if not isinstance(answer, bytes) or len(answer) != len(key):
            what = f"({answer.code})" if isinstance(answer, Refusal) else "(another one is in its place)"
            raise Unusable(f"it does not keep the key that signs tokens {what}")
        return answer
