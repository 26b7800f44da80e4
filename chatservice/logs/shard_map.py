"""Which of several Redis servers has which rooms: `--store` with more than one address.

A room belongs to one of 256 partitions by its name, for ever. Which server has a partition is written down, not
computed: so one more server takes the partitions that it is given, and all others stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chatservice.logs.redis_keys import PARTITIONS

SHARDS = 64
"""More servers than that have fewer than four partitions each; whoever needs them needs more partitions."""

NONE = "none"
"""The ranges of a server that has no partitions (any more)."""

_RANGES = re.compile(r"(none|[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?)*)=(.*)", re.DOTALL)


class BadMap(ValueError):
    """The partitions are not divided as they must be; its text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class ShardMap:
    """Whose each partition is.

    :ivar urls: the servers, in the order in which they were said; the first also has what belongs to no room.
    :ivar owners: for each partition the number of its server in `urls`.
    """

    urls: tuple[str, ...]
    owners: bytes

    def of(self, number: int) -> list[int]:
        """The partitions of that server."""
        return [partition for partition, owner in enumerate(self.owners) if owner == number]

    def __str__(self) -> str:
        """The ranges of each server, without their addresses: what the servers keep of it."""
        return " ".join(in_ranges(self.of(number)) or NONE for number in range(len(self.urls)))


def addresses(store: str) -> list[str]:
    """The addresses in `--store`, without their ranges."""
    return [_split(word)[1] for word in store.split()] or [store]


def read_map(store: str) -> ShardMap:
    """Read `ADDRESS ADDRESS …` (equal parts, in that order) or `RANGES=ADDRESS RANGES=ADDRESS …`, where RANGES is
    like `0-99`, `0-39,60-99` or `none`.

    :raises BadMap: if a partition has no server, or two, or some servers have ranges and others have not.
    """
    said = [_split(word) for word in store.split()]
    urls = tuple(url for _, url in said)
    if not urls or len(urls) > SHARDS:
        raise BadMap(f"there may be 1 to {SHARDS} servers")
    if len(set(urls)) < len(urls):
        raise BadMap("a server is named twice; one that has several ranges is 0-9,20-29=redis://…")
    if not any(ranges for ranges, _ in said):
        return ShardMap(urls, bytes(n * len(urls) // PARTITIONS for n in range(PARTITIONS)))
    if not all(ranges for ranges, _ in said):
        raise BadMap("give every server its ranges, as in 0-99=redis://…, or none")
    owners: dict[int, int] = {}
    for number, (ranges, _) in enumerate(said):
        for one in ranges.split(",") if ranges != NONE else ():
            first, _, last = one.partition("-")
            partitions = range(int(first), int(last or first) + 1)
            if not partitions or partitions[-1] >= PARTITIONS:
                raise BadMap(f"{one} is no range of the partitions 0 to {PARTITIONS - 1}")
            if twice := owners.keys() & partitions:
                raise BadMap(f"partition {in_ranges(twice)} is given to two servers")
            owners |= dict.fromkeys(partitions, number)
    if missing := set(range(PARTITIONS)) - owners.keys():
        raise BadMap(f"nobody has partition {in_ranges(missing)}")
    return ShardMap(urls, bytes(owners[partition] for partition in range(PARTITIONS)))


def _split(word: str) -> tuple[str, str]:
    said = _RANGES.fullmatch(word)
    return ("", word) if said is None else (said[1], said[2])


def in_ranges(partitions: Collection[int]) -> str:
    """Numbers as they are said: `0-9,12`."""
    runs: list[list[int]] = []
    for partition in sorted(partitions):
        if runs and runs[-1][1] == partition - 1:
            runs[-1][1] = partition
        else:
            runs.append([partition, partition])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


@dataclass(frozen=True, slots=True)
class Found:
    """What one server holds.

    :ivar where: its address as an operator may read it.
    :ivar record: `NUMBER MAP`: which one it was when it was used last, of which map; empty if it never was.
    :ivar held: the partitions that are there.
    :ivar alive: workers that use it now.
    """

    where: str
    record: str
    held: frozenset[int]
    alive: int


def record_of(shards: ShardMap, number: int) -> str:
    """What a server keeps of the map."""
    return f"{number} {shards}"


def check_places(shards: ShardMap, found: Sequence[Found], *, may_be_lost: bool = False) -> None:
    """Whether every partition is where the map says. Whoever looked in the wrong place would find empty rooms, and
    two who look in two places would each fill their own.

    :param may_be_lost: a server that has lost everything is no surprise.
    :raises BadMap: with the remedy.
    """
    changed = [n for n, one in enumerate(found) if one.record and one.record != record_of(shards, n)]
    if changed and any(one.alive for one in found):
        before = found[changed[0]].record.partition(" ")[2]
        raise BadMap(
            f"others use these servers with the partitions divided as {before!r}, here it is {str(shards)!r}:"
            " say the same everywhere; to divide them anew stop all of them, and wait 15 s if one was killed"
        )
    check_first(found)
    _check_held(shards, found)
    if changed:
        check_left(found)
    elif len(found) > 1 and found[0].record and not may_be_lost:
        for number, one in enumerate(found):
            if not one.record and not one.held and shards.of(number):
                raise BadMap(
                    f"the Redis at {one.where} is empty, though it had partitions {in_ranges(shards.of(number))}:"
                    " is it the right one? if its data is lost for good, delete the key cs:shards at"
                    f" {found[0].where}"
                )


def check_first(found: Sequence[Found]) -> None:
    """Whether the first server is the one that was the first before: what belongs to no room is nowhere else.

    :raises BadMap: with the remedy.
    """
    numbers = [one.record.partition(" ")[0] for one in found]
    if numbers[0] == "0" or not ("0" in numbers or numbers[0]):
        return
    what = "accounts, sessions and the key that signs tokens are on the first server, and stay there"
    if "0" in numbers:
        raise BadMap(f"{what}: name the Redis at {found[numbers.index('0')].where} first")
    raise BadMap(
        f"{what}, but the Redis at {found[0].where} was not the first: name that one first, as none=redis://… if"
        f" it has no partitions; if its data is lost for good, delete the key cs:shards at {found[0].where}"
    )


def _check_held(shards: ShardMap, found: Sequence[Found]) -> None:
    for number, one in enumerate(found):
        wrong = [partition for partition in one.held if shards.owners[partition] != number]
        if not wrong:
            continue
        owner = found[shards.owners[min(wrong)]]
        wrong = [partition for partition in wrong if found[shards.owners[partition]] is owner]
        if twice := owner.held.intersection(wrong):
            raise BadMap(
                f"partitions {in_ranges(twice)} are at {one.where} and at {owner.where} too: remove the copy that"
                " is not wanted"
            )
        raise BadMap(
            f"partitions {in_ranges(wrong)} are at {one.where}, but --store has them at {owner.where}: move them"
            " first (chatservice divide), or put the ranges back"
        )


def check_left(found: Sequence[Found]) -> None:
    """Whether nothing has stayed on a server that is not named any more.

    :raises BadMap: with the remedy.
    """
    held = frozenset().union(*(one.held for one in found))
    for one in found:
        if not one.record:
            continue
        ranges = one.record.split(" ")[1:]
        named = {int(other.record.partition(" ")[0]) for other in found if other.record.endswith(" ".join(ranges))}
        for number, said in enumerate(ranges):
            left = set(_numbers(said)) - held
            if number not in named and left:
                raise BadMap(
                    f"partitions {in_ranges(left)} were on a server that --store does not name any more: name it"
                    " as none=redis://… and move them first (chatservice divide)"
                )


def _numbers(ranges: str) -> list[int]:
    numbers: list[int] = []
    for one in ranges.split(",") if ranges != NONE else ():
        first, _, last = one.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
