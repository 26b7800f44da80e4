"""Moving partitions to the servers that a map gives them, while no chat runs.

A partition is moved key by key (DUMP, RESTORE). While it is, the key that says that it is here has another name;
the new server gets that key last, the old one loses it last. So whenever this is cut off, the partition is whole
on one of them, nobody starts on the other, and the next run goes on. Positions stay good: to the new server each
room was last touched under another identity, so it begins a new epoch (the fork fence).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from chatservice.domain.ports import LogError
from chatservice.logs.redis_claim import look_at
from chatservice.logs.redis_first import asking_first
from chatservice.logs.redis_keys import Keys
from chatservice.logs.shard_map import BadMap, Found, ShardMap, check_first, check_left, in_ranges, record_of
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError, Unusable
from chatservice.redis.scripts import Script
from chatservice.redis.words import Word

DEADLINE_S = 60.0
SCANNED = 50
"""Keys that are copied at once: the log of a room has some megabytes."""

LEASE_MS = 60_000
WORKER = "divide"
"""Under this name whoever starts meanwhile takes us for one of those that run."""


def divide(
    addresses: Sequence[Address],
    shards: ShardMap,
    *,
    scripts: Mapping[str, Script],
    prefix: str = "cs",
    tell: Callable[[str], object] = lambda _: None,
) -> int:
    """Put every partition where the map has it. Answers how many were moved.

    :param tell: is given sentences for the operator.
    :raises LogError: if somebody uses the servers, or they are not all there.
    """
    found = look_at(addresses, "cache", scripts=scripts, prefix=prefix)
    if any(one.alive for one in found):
        raise LogError("a chat uses these servers: stop all of them first, and wait 15 s if one was killed")
    try:
        check_first(found)
        check_left(found)
    except BadMap as error:
        raise LogError(f"--store: {error}") from error
    with ExitStack() as stack:
        servers = []
        for address in addresses:
            asking = stack.enter_context(asking_first(address, DEADLINE_S))
            servers.append(_Server(address, asking, Keys(prefix, address.db), scripts))
        try:
            return _divide(servers, shards, found, tell)
        except (RedisError, OSError) as error:
            raise LogError(f"it was cut off, and goes on when it is run again: {error}") from error


def _divide(
    servers: Sequence[_Server], shards: ShardMap, found: Sequence[Found], tell: Callable[[str], object]
) -> int:
    wrong = {
        number: {
            partition: shards.owners[partition] for partition in one.held if shards.owners[partition] != number
        }
        for number, one in enumerate(found)
    }
    for number, partitions in wrong.items():
        for partition, owner in partitions.items():
            if servers[number].has(partition) and servers[owner].has(partition):
                raise LogError(
                    f"partition {partition} is at {found[number].where} and at {found[owner].where} too: remove"
                    " the copy that is not wanted"
                )
    for number, server in enumerate(servers):
        server.note(record_of(shards, number), found[number].record)
    for number, partitions in wrong.items():
        if not partitions:
            continue
        source = servers[number]
        begun = {partition for partition in partitions if source.begin(partition)}
        # Those that an earlier run has brought over whole need only be removed here.
        whole = {p for p, owner in partitions.items() if p not in begun and servers[owner].has(p)}
        for keys in source.scan(partitions.keys() - whole):
            source.copy(keys, {partition: servers[owner] for partition, owner in partitions.items()})
            for server in servers:
                server.live()
        for partition, owner in partitions.items():
            if partition not in whole:
                servers[owner].have(partition, source)
        for keys in source.scan(set(partitions)):
            source.forget(list(keys))
        for partition in partitions:
            source.forget([source.keys.moving(partition)])
        source.ask(b"SET", source.keys.erased, b"1")  # its file still has the words; whoever uses it rewrites it
        for owner in sorted(set(partitions.values())):
            moved = [partition for partition, to in partitions.items() if to == owner]
            tell(f"partitions {in_ranges(moved)} moved from {source.address} to {servers[owner].address}")
    for server in servers:
        server.ask(b"ZREM", server.keys.workers, WORKER)
    return sum(map(len, wrong.values()))


class _Server:
    """One server, asked by one connection."""

    def __init__(self, address: Address, asking: Blocking, keys: Keys, scripts: Mapping[str, Script]) -> None:
        self.address = address
        self.keys = keys
        self._asking = asking
        self._scripts = scripts

    def ask(self, *words: Word) -> Any:
        """One command."""
        return self.ask_all([words])[0]

    def ask_all(self, commands: Sequence[Sequence[Word]]) -> list[Any]:
        """Several.

        :raises RedisError: the first error among the answers.
        """
        answers = self._asking.ask(*commands)
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    def run(self, name: str, keys: Sequence[Word], *values: Word) -> Any:
        """A script."""
        return self.ask(b"EVAL", self._scripts[name].source, len(keys), *keys, *values)

    def live(self) -> None:
        """Whoever starts now is told that somebody is here."""
        self.run("beat", (self.keys.workers,), WORKER, LEASE_MS)

    def note(self, record: str, before: str) -> None:
        """This is how the partitions are divided from now on."""
        keys = (self.keys.shards, self.keys.workers)
        if self.run("claim", keys, record, before, "", WORKER, LEASE_MS) != record.encode():
            raise Unusable("somebody else divides the partitions")

    def has(self, partition: int) -> bool:
        """Whether the partition is here, and not about to leave."""
        return bool(self.ask(b"EXISTS", self.keys.partition_id(partition)))

    def begin(self, partition: int) -> bool:
        """It is about to leave; False if it was already."""
        if not self.has(partition):
            return False
        self.ask(b"RENAME", self.keys.partition_id(partition), self.keys.moving(partition))
        return True

    def have(self, partition: int, source: _Server) -> None:
        """It is here, whole."""
        word = source.ask(b"GET", source.keys.moving(partition))
        self.ask(b"SET", self.keys.partition_id(partition), word)

    def scan(self, partitions: set[int]) -> Iterator[dict[bytes, int]]:
        """All keys of these partitions but what says that they leave, with their partitions."""
        begin, cursor = self.keys.prefix + b"{", b"0"
        leaving = {self.keys.moving(partition) for partition in partitions}
        while partitions:
            cursor, keys = self.ask(b"SCAN", cursor, b"MATCH", begin + b"*", b"COUNT", SCANNED)
            of = {key: int(key[len(begin) :].partition(b"}")[0]) for key in keys}
            yield {key: number for key, number in of.items() if number in partitions and key not in leaving}
            if cursor == b"0":
                return

    def copy(self, keys: Mapping[bytes, int], to: Mapping[int, _Server]) -> None:
        """Keys, each to the server of its partition, and how long they are to live."""
        asked = [command for key in keys for command in ((b"DUMP", key), (b"PTTL", key))]
        answers = self.ask_all(asked) if asked else []
        commands: dict[_Server, list[Sequence[Word]]] = {}
        for (key, partition), value, left_ms in zip(keys.items(), answers[::2], answers[1::2], strict=True):
            if value is not None:  # else it has expired
                restore = (b"RESTORE", key, max(0, left_ms), value, b"REPLACE")
                commands.setdefault(to[partition], []).append(restore)
        for server, some in commands.items():
            server.ask_all(some)

    def forget(self, keys: Sequence[bytes]) -> None:
        """Remove keys."""
        if keys:
            self.ask(b"UNLINK", *keys)
