"""How a worker begins on its servers, before there is a reactor.

All that is asked and said goes by one connection to each, in as few round trips as the order of things allows: a
Redis may be far away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from chatservice.domain.accounts import Account
from chatservice.domain.ports import LogError
from chatservice.logs.redis_claim import Claim, check_found, looking
from chatservice.logs.redis_first import blaming
from chatservice.logs.redis_guestbook import numbers_asked, numbers_given
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_people import read_accounts
from chatservice.logs.shard_map import ShardMap
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError, Unusable
from chatservice.redis.scripts import Script


@dataclass(frozen=True, slots=True)
class Opened:
    """What is learned of the first server, which has all that belongs to no room.

    :ivar before: the number before the first of those for `userN` that are ours; None if there are none yet.
    """

    accounts: Mapping[str, Account]
    before: int | None


def open_servers(
    addresses: Sequence[Address],
    shards: ShardMap,
    durability: str,
    nodes: Sequence[str],
    *,
    archive: str | None,
    scripts: Mapping[str, Script],
    prefix: str = "cs",
) -> Opened:
    """Look at all servers of a map, then say on each what is its own and that a worker begins to use it, and read
    what that worker has to know.

    :param nodes: what that worker is called on each.
    :param archive: the id of its archive; None if it has none.
    :raises LogError: with one sentence, if that cannot be done, or others were faster; see `look_at` and
        `check_found`.
    """
    with ExitStack() as stack:
        looked = looking(stack, addresses, durability, scripts=scripts, prefix=prefix)
        check_found(shards, [found for _, found in looked], durability)
        # The first one last: if it knows the map, all others do.
        for number in reversed(range(len(addresses))):
            (asking, found), address = looked[number], addresses[number]
            keys = Keys(prefix, address.db)
            claim = Claim(keys, shards, number, nodes[number])
            with blaming(address):
                values = claim.values(found.record)
                words = ("EVAL", scripts["claim"].source, len(claim.keys), *claim.keys, *values)
                taken, known = asking.ask(words, (b"GET", keys.archive))
                claim.taken(taken)
                if number:
                    _check_archive(address, keys, known, archive)
        with blaming(addresses[0]):
            return _read(looked[0][0], addresses[0], Keys(prefix, addresses[0].db), archive)


def _read(asking: Blocking, address: Address, keys: Keys, archive: str | None) -> Opened:
    # Only now: whoever was refused above must not have said which archive there is.
    said = () if archive is None else ((b"SET", keys.archive, archive, b"NX"),)
    *_, known, accounts, highest = asking.ask(
        *said, (b"GET", keys.archive), (b"HGETALL", keys.accounts), numbers_asked(keys)
    )
    _check_archive(address, keys, known, archive)
    if isinstance(accounts, RedisError):
        raise Unusable(f"it refuses to be read: {accounts}")
    return Opened(read_accounts(accounts), numbers_given(highest))


def _check_archive(address: Address, keys: Keys, known: Any, archive: str | None) -> None:
    """All workers on one Redis must have the same archive: one without would throw away what is not copied yet."""
    if isinstance(known, bytes) and known != (archive or "").encode():
        raise LogError(
            f"the Redis at {address} is kept in {'another' if archive else 'an'} archive: say the same --archive"
            f" to all workers, or let this one be forgotten: DEL {keys.archive.decode()}"
        )
