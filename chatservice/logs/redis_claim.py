"""Which partitions a server has, by what it says itself: looked at before the start, said at every connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from chatservice.domain.ports import LogError
from chatservice.logs.redis_first import asking_first, blaming
from chatservice.logs.redis_keys import PARTITIONS, Keys
from chatservice.logs.redis_presence import LEASE_MS
from chatservice.logs.shard_map import BadMap, Found, ShardMap, check_places, record_of
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError, Unusable
from chatservice.redis.scripts import Script
from chatservice.redis.server import Server, check_copied, check_safe
from chatservice.redis.words import Word

ALL = ShardMap(("",), bytes(PARTITIONS))
"""One server has everything."""


class Claim:
    """What a worker says to a server that it begins to use.

    :param number: which one of the map it is.
    :param node: the worker's own word.
    """

    def __init__(self, keys: Keys, shards: ShardMap, number: int, node: str) -> None:
        self._record = record_of(shards, number)
        # One server that has all makes them as rooms are used: nothing can be anywhere else.
        ids = [keys.partition_id(partition) for partition in shards.of(number)] if len(shards.urls) > 1 else []
        self.keys: tuple[Word, ...] = (keys.shards, keys.workers, *ids)
        self._node = node

    def values(self, before: str = "") -> tuple[Word, ...]:
        """What lua/claim.lua is given.

        :param before: how the map may have been kept until now.
        """
        return (self._record, before, self._node, self._node, LEASE_MS)

    def taken(self, answer: Any) -> None:
        """Its answer.

        :raises Unusable: if the partitions are divided in another way meanwhile.
        """
        if isinstance(answer, RedisError):
            raise Unusable(f"it does not take the map of partitions: {answer}")
        if answer != self._record.encode():
            raise Unusable(
                f"it was made number {_said(answer)!r} of the servers, here it is {self._record!r}: start this one"
                " again, with the --store that the others have"
            )


def look_at(
    addresses: Sequence[Address], durability: str, *, scripts: Mapping[str, Script], prefix: str = "cs"
) -> list[Found]:
    """What servers have, without a reactor and without changing anything.

    :param durability: see `RedisLog`.
    :raises LogError: if one cannot be used, or is named twice.
    """
    with ExitStack() as stack:
        return [found for _, found in looking(stack, addresses, durability, scripts=scripts, prefix=prefix)]


def looking(
    stack: ExitStack, addresses: Sequence[Address], durability: str, *, scripts: Mapping[str, Script], prefix: str
) -> list[tuple[Blocking, Found]]:
    """The same, with the connections by which it was asked: they are open as long as `stack` is."""
    looked: list[tuple[Blocking, Found]] = []
    known: dict[tuple[str, int], Address] = {}
    for address in addresses:
        asking = stack.enter_context(asking_first(address))
        with blaming(address):
            check_durable(asking.server, durability)
            same = known.setdefault((asking.server.identity, address.db), address)
            if same is not address:
                raise Unusable(f"it is the same server as {same}, and the same database")
            looked.append((asking, _look(asking, address, Keys(prefix, address.db), scripts["holds"])))
    return looked


def check_servers(
    addresses: Sequence[Address],
    shards: ShardMap,
    durability: str,
    *,
    scripts: Mapping[str, Script],
    prefix: str = "cs",
) -> None:
    """Look at all servers of a map.

    :raises LogError: see `look_at`; also if a partition is not where it should be.
    """
    check_found(shards, look_at(addresses, durability, scripts=scripts, prefix=prefix), durability)


def check_found(shards: ShardMap, found: Sequence[Found], durability: str) -> None:
    """Whether all partitions are where they should be.

    :raises LogError: if not.
    """
    try:
        check_places(shards, found, may_be_lost=durability == "cache")
    except BadMap as error:
        raise LogError(f"--store: {error}") from error


def check_durable(server: Server, durability: str) -> None:
    """Whether the server keeps what it has answered as well as was asked for.

    :raises Unusable: with the remedy.
    """
    if durability != "cache":
        check_safe(server)
    if durability == "replica":
        check_copied(server)


def _look(asking: Blocking, address: Address, keys: Keys, script: Script) -> Found:
    ids = ((keys.partition_id(partition), keys.moving(partition)) for partition in range(PARTITIONS))
    names = (keys.shards, keys.workers, *(name for both in ids for name in both))
    answer = asking.ask(("EVAL", script.source, len(names), *names))[0]
    if isinstance(answer, RedisError):
        raise Unusable(f"it refuses to be read: {answer}")
    record, alive, *held = answer
    return Found(str(address), _said(record), frozenset(held), alive)


def _said(record: Any) -> str:
    return record.decode("utf-8", "replace") if isinstance(record, bytes) else ""
