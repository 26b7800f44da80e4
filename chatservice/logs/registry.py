"""Which logs there are: rows of name and place, loaded when named in `--store`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatservice.domain.ports import Engine, Randomness
from chatservice.logs.libraries import need
from chatservice.logs.note import Note, ignore

if TYPE_CHECKING:
    from chatservice.logs.archive import Archive
    from chatservice.logs.redis_log import Connect
    from chatservice.logs.shard_map import ShardMap
    from chatservice.redis.address import Address

REDIS: tuple[str, ...] = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
STORES: tuple[str, ...] = ("memory", "sqlite", *REDIS)
DURABILITIES: tuple[str, ...] = ("disk", "process")
CACHE, REPLICA = "cache", "replica"
"""What may be asked of Redis alone: take any server, also one that forgets; wait until a replica has it too."""

_RANGES = re.compile("^(none|[0-9][0-9,-]*)=")


class BadStore(ValueError):
    """`--store` names something we do not have; its text is one sentence for the operator."""


def open_log(
    store: str,
    data: Path,
    durability: str,
    *,
    call_soon: Callable[[Callable[[], None]], object],
    call_from_thread: Callable[[Callable[[], None]], object],
    clock: Callable[[], float],
    randomness: Randomness,
    note: Note = ignore,
    connect: Connect | None = None,
    call_later: Callable[[float, Callable[[], None]], Any] | None = None,
    seconds: Callable[[], float] | None = None,
    trouble: Callable[[str], object] = lambda _: None,
    archive: Archive | None = None,
    keep: int = 10_000,
) -> Engine:
    """The log that `store` names, not started yet.

    :param store: `memory:`, `sqlite:` (`chat.db` in the data directory), `sqlite:PATH`, a Redis (see
        `chatservice.redis.address`) or several (see `chatservice.logs.shard_map`).
    :param durability: `disk` or `process`; memory keeps nothing in any case. For Redis `cache`, `replica`, or any
        other: then it is what the server does.
    :param note: told how long its work takes, if it is any; see `Note`.
    :param connect: makes the connections to Redis, which need a reactor; so do `call_later` and `seconds`.
    :param trouble: is given sentences for the operator's log.
    :param archive: for Redis: what has the entries that are older than the newest `keep` of a room.
    :raises BadStore: for any other name.
    """
    name, rest = _named(store, durability)
    if name in REDIS:
        from chatservice.logs.redis_log import RedisLog
        from chatservice.logs.redis_sharded import ShardedLog

        if connect is None or call_later is None or seconds is None:
            raise BadStore("with Redis this is done by a chat that runs: start one first")
        shards, addresses = _redis_servers(store)
        if archive is not None and len(addresses) > 1:
            raise BadStore("--archive is for one Redis server, not for several")
        make = partial(
            RedisLog,
            connect=connect,
            durability=durability,
            clock=clock,
            seconds=seconds,
            call_soon=call_soon,
            call_later=call_later,
            randomness=randomness,
            trouble=trouble,
            note=note,
            archive=archive,
            keep=keep,
        )
        if len(addresses) == 1:
            return make(addresses[0])
        return ShardedLog(
            addresses,
            shards,
            lambda address, number: make(address, shards=shards, number=number),
            durability=durability,
        )
    if name == "memory":
        from chatservice.logs.memory import MemoryLog

        return MemoryLog(call_soon=call_soon, clock=clock, randomness=randomness)
    from chatservice.logs.sqlite import SQLiteLog

    return SQLiteLog(
        data / (rest or "chat.db"),
        durability=durability,
        call_from_thread=call_from_thread,
        clock=clock,
        randomness=randomness,
        note=note,
    )


def check_store(store: str, durability: str = DURABILITIES[0]) -> None:
    """Whether there is such a log, without looking for it.

    :raises BadStore: if not.
    :raises LogError: if what it needs is not installed.
    """
    if _named(store, durability)[0] in REDIS:
        _redis_servers(store)


def check_log(store: str, data: Path, durability: str = DURABILITIES[0]) -> None:
    """Look at the log that `store` names, open and close it: a broken one is found before the process goes into
    the background, where nobody hears it, and before anything is written to it.

    :raises BadStore: for any other name.
    :raises LogError: if it is damaged or cannot be opened.
    """
    name, rest = _named(store, durability)
    if name == "sqlite":
        from chatservice.logs.soundness import check_whole
        from chatservice.logs.sqlite import open_database

        path = data / (rest or "chat.db")
        check_whole(path)
        open_database(path).close()
    elif name in REDIS:
        shards, addresses = _redis_servers(store)
        from chatservice.logs.redis_claim import check_servers
        from chatservice.logs.redis_log import SCRIPTS

        check_servers(addresses, shards, durability, scripts=SCRIPTS)


def database_of(store: str, data: Path) -> Path | None:
    """The file of the log that `store` names; None where there is none.

    :raises BadStore: for a name that we do not have.
    """
    name, rest = _named(store)
    return data / (rest or "chat.db") if name == "sqlite" else None


def shared_key(store: str, key: bytes) -> bytes:
    """The key that signs tokens: on a Redis all workers must have the same, and the first one's is it.

    :raises LogError: if Redis cannot be asked.
    """
    if _named(store)[0] not in REDIS:
        return key
    addresses = _redis_servers(store)[1]
    from chatservice.logs.redis_log import agree_on_key

    return agree_on_key(addresses[0], key)


def divide_store(store: str, tell: Callable[[str], object]) -> int:
    """Move every partition to the server that `store` gives it; answers how many were moved.

    :param tell: is given sentences for the operator.
    :raises BadStore: if it does not name Redis servers.
    :raises LogError: if that cannot be done now.
    """
    if engine_of(store) not in REDIS:
        raise BadStore("only what is in Redis is divided among servers")
    shards, addresses = _redis_servers(store)
    from chatservice.logs.redis_dividing import divide
    from chatservice.logs.redis_log import SCRIPTS

    return divide(addresses, shards, scripts=SCRIPTS, tell=tell)


def shown_store(store: str) -> str:
    """A Redis as an operator may read it, without its password; empty for the other stores."""
    if _named(store)[0] not in REDIS:
        return ""
    return f"in the Redis at {' and at '.join(map(str, _redis_servers(store)[1]))}"


def engine_of(store: str) -> str:
    """The word before the colon: which engine it is; with several servers that of the first."""
    return _RANGES.sub("", store.lstrip()).partition(":")[0]


def redis_address(store: str) -> Address:
    """Where the one Redis is that `store` names.

    :raises BadStore, LogError: with one sentence.
    """
    _, addresses = _redis_servers(store)
    if len(addresses) > 1:
        raise BadStore("this is done with one Redis server, not with several")
    return addresses[0]


def _redis_servers(store: str) -> tuple[ShardMap, list[Address]]:
    """The servers of `--store`, and which partitions each has."""
    from chatservice.logs.shard_map import BadMap, read_map
    from chatservice.redis.address import BadAddress, parse_address

    need("hiredis")
    try:
        shards = read_map(store)
        return shards, [parse_address(url) for url in shards.urls]
    except (BadAddress, BadMap) as error:
        raise BadStore(f"--store: {error}") from error


def _named(store: str, durability: str = "") -> tuple[str, str]:
    name = engine_of(store)
    rest = store.partition(":")[2]
    if name not in STORES or (name == "memory" and rest):
        raise BadStore("--store: there is memory:, sqlite:[PATH] and redis://HOST[:PORT][/DB]")
    if durability in (CACHE, REPLICA) and name == "sqlite":
        raise BadStore(f"--durability {durability} is for Redis; sqlite keeps what it is given")
    return name, rest
