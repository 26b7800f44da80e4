"""Several chats on one Redis, in this process, turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chat import Chat, Frame, Tab
from fakes import FakeClock, Ids
from redis_ground import ReactorPump, make_log, make_sharded_log
from redis_server import RedisServer
from stores import Store, _Counted

from chatservice.logs.redis_log import RedisLog
from chatservice.logs.redis_sharded import ShardedLog


class NodeStore(Store):
    """What one chat stands on, when others stand on the same."""

    def __init__(self, server: RedisServer, name: str, **more: Any) -> None:
        self.kind = "redis"
        self.server = server
        self.pump = ReactorPump()
        self.clock, self.ids = FakeClock(), Ids(f"e{name}x")
        self.more = {"deadline_s": 1.0, **more}
        self.raw: RedisLog
        self._open = 0

    def prepare(self) -> Any:
        self.raw = make_log(self.server, self.pump, self.clock, self.ids, **self.more)
        self.engine = _Counted(self.raw, self)  # type: ignore[assignment]
        return self.engine


class ShardedStore(NodeStore):
    """The same on several servers."""

    raw: ShardedLog  # type: ignore[assignment]

    def __init__(self, servers: Sequence[RedisServer], name: str, **more: Any) -> None:
        super().__init__(servers[0], name, **more)
        self.servers = servers

    def prepare(self) -> Any:
        self.raw = make_sharded_log(self.servers, self.pump, self.clock, self.ids, **self.more)
        self.engine = _Counted(self.raw, self)  # type: ignore[assignment]
        return self.engine


class Node(Chat):
    """One of several chats. Its people come with tokens, so they may come to another."""

    store: NodeStore

    def __init__(self, server: RedisServer | Sequence[RedisServer], name: str, **more: Any) -> None:
        store = ShardedStore if isinstance(server, Sequence) else NodeStore
        super().__init__(store(server, name, **more))  # type: ignore[arg-type]
        self._ids = Ids(name)
        self.pump.wait(lambda: self.is_up, "the connection")

    @property
    def pump(self) -> ReactorPump:
        """What turns all nodes."""
        pump = self.store.pump
        assert isinstance(pump, ReactorPump)
        return pump

    @property
    def is_up(self) -> bool:
        """Whether it is connected, to all servers that it has."""
        return all(shard.wire.server is not None for shard in getattr(self.store.raw, "all", [self.store.raw]))

    def wait_for(self, is_so: Callable[[], object], what: str) -> None:
        """Turn until it is so."""
        self.pump.wait(is_so, what)


class Hearer:
    """A tab's events, kept."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.events: list[Frame] = []

    def look(self) -> list[Frame]:
        """All that was told up to now."""
        self.tab._look()
        self.events += self.tab._events
        self.tab._events = []
        return self.events

    def texts(self) -> list[str]:
        """What was said."""
        return [event["text"] for event in self.look() if event["type"] == "message"]

    def kinds(self, *kinds: str) -> list[Frame]:
        """Events of some kinds."""
        return [event for event in self.look() if event["type"] in kinds]
