"""A Redis as a place that engines are opened on, driven by hand: see `stores.Ground`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from fakes import FakeClock, Ids, Pump
from redis_server import RedisServer, shared_server
from twisted.internet.epollreactor import EPollReactor

from chatservice.domain.ports import Engine
from chatservice.logs.archive_sqlite import SQLiteEngine
from chatservice.logs.archive_store import Database, DatabaseArchive
from chatservice.logs.redis_log import RedisLog
from chatservice.logs.redis_sharded import ShardedLog
from chatservice.logs.shard_map import read_map
from chatservice.redis.wire import Wire

_numbers = itertools.count(1)


@cache
def hand_driven() -> Any:
    """A reactor that is not the process's own one and runs only while a test waits."""
    return EPollReactor()


class ReactorPump(Pump):
    """Turns that reactor too."""

    def run(self) -> None:
        super().run()
        hand_driven().iterate(0)
        super().run()

    def run_one(self, deadline_s: float) -> None:
        """A turn."""
        super().run()
        hand_driven().iterate(min(deadline_s, 0.05))
        super().run()

    def wait(self, is_so: Callable[[], object], what: str, deadline_s: float = 20.0) -> None:
        """Turn until something is so."""
        end = time.monotonic() + deadline_s
        while not is_so():
            assert time.monotonic() < end, f"{what} did not come in time"
            self.run_one(0.05)


class RedisGround:
    """Keys of its own on the shared server. Each opening after the first finds "another" server: the identity is
    changed, as a restart would, in a thousandth of the time."""

    def __init__(self, place: Path, server: RedisServer | None = None) -> None:
        self.server = server or shared_server()
        self.prefix = f"t{next(_numbers)}"
        self.pump = ReactorPump()
        self._openings = 0

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool, **more: Any) -> Engine:
        if self._openings:
            self.server.ask("DEBUG", "CHANGE-REPL-ID")
        self._openings += 1
        return make_log(self.server, pump, clock, ids, prefix=self.prefix, fence=fence, **more)

    def keys(self) -> list[bytes]:
        """Everything that is kept."""
        return list(self.server.ask("KEYS", f"{self.prefix}:*"))

    def copy(self) -> object:
        return {key: self.server.ask("DUMP", key) for key in self.keys()}

    def torn(self, part: float) -> object:
        return self.copy()

    def restore(self, backup: object) -> None:
        assert isinstance(backup, dict)
        for key in self.keys():
            self.server.ask("DEL", key)
        for key, value in backup.items():
            if b":lease:" not in key:  # it has expired since
                self.server.ask("RESTORE", key, 0, value)


class ArchivedGround(RedisGround):
    """The same with an archive, and next to nothing kept in Redis itself."""

    def __init__(self, place: Path, server: RedisServer | None = None, database: Database | None = None) -> None:
        super().__init__(place, server)
        self._database = database or SQLiteEngine(place / "archive.db")
        self.archive: DatabaseArchive | None = None

    def settle(self) -> None:
        """Until the archive has all, and nothing that Redis has lost."""
        self.pump.wait(lambda: self._is_settled(), "the copy")

    def _is_settled(self) -> bool:
        copying = self.engine._copying
        return copying is not None and copying._swept and not any(key.endswith(b":n") for key in self.keys())

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool, **more: Any) -> Engine:
        if self.archive is not None:
            self.archive.stop()
        self.archive = DatabaseArchive(self._database, hand_driven().callFromThread, hand_driven().callLater)
        settings = {"keep": 2, "copy_pause_s": 0.001, **more, "archive": self.archive}
        self.engine: Any = super().open(pump, clock, ids, fence, **settings)
        return self.engine


class ShardedGround(RedisGround):
    """The same on two servers, with half of the rooms on each."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.servers = [self.server, shared_server(1)]

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool, **more: Any) -> Engine:
        if self._openings:
            for server in self.servers:
                server.ask("DEBUG", "CHANGE-REPL-ID")
        self._openings += 1
        return make_sharded_log(self.servers, pump, clock, ids, prefix=self.prefix, fence=fence, **more)

    def copy(self) -> object:
        return [
            {key: server.ask("DUMP", key) for key in server.ask("KEYS", f"{self.prefix}:*")}
            for server in self.servers
        ]

    def restore(self, backup: object) -> None:
        assert isinstance(backup, list)
        for server, kept in zip(self.servers, backup, strict=True):
            for key in server.ask("KEYS", f"{self.prefix}:*"):
                server.ask("DEL", key)
            for key, value in kept.items():
                server.ask("RESTORE", key, 0, value)


def make_sharded_log(
    servers: Sequence[RedisServer], pump: Pump, clock: FakeClock, ids: Any, ranges: Sequence[str] = (), **more: Any
) -> ShardedLog:
    """An engine on several servers.

    :param ranges: the partitions of each; equal parts without.
    """
    said = [f"{one}={server.url}" for one, server in zip(ranges, servers, strict=True)] if ranges else None
    shards = read_map(" ".join(said or (server.url for server in servers)))
    durability = more.get("durability", "disk")
    prefix = more.get("prefix", "cs")
    by_address = {server.address: server for server in servers}
    return ShardedLog(
        [server.address for server in servers],
        shards,
        lambda address, number: make_log(
            by_address[address], pump, clock, ids, **{**more, "shards": shards, "number": number}
        ),
        durability=durability,
        prefix=prefix,
    )


def make_log(server: RedisServer, pump: Pump, clock: FakeClock, ids: Any, **more: Any) -> RedisLog:
    """An engine on the hand-driven reactor."""
    reactor = hand_driven()
    return RedisLog(
        server.address,
        connect=partial(Wire, reactor, deadline_s=more.pop("deadline_s", 3.0)),
        durability=more.pop("durability", "disk"),
        clock=clock,
        seconds=reactor.seconds,
        call_soon=lambda call: reactor.callLater(0, call),
        call_later=reactor.callLater,
        randomness=ids,
        **more,
    )
