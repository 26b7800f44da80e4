"""How `--store` names several servers."""

from __future__ import annotations

import pytest

from chatservice.config import BadConfig
from chatservice.config.checks import store
from chatservice.domain.ports import Found, Hit
from chatservice.logs.redis_sharded import merged
from chatservice.logs.registry import BadStore, open_log, shown_store
from chatservice.logs.shard_map import BadMap, in_ranges, read_map

A, B, C = "redis://a:6379", "unix:/b.sock", "redis+sentinel://c1,c2/main/3"


def test_equal_parts() -> None:
    """Without ranges each server has an equal part, in the order in which they are said; one has all."""
    assert str(read_map(f"{A} {B}")) == "0-127 128-255"
    assert str(read_map(f"{A}\n  {B}\t{C}")) == "0-85 86-170 171-255"
    assert str(read_map(A)) == "0-255" and read_map(C).urls == (C,)


def test_ranges() -> None:
    """With ranges each server has those, however many; a new one takes what it is given and nothing else moves."""
    shards = read_map(f"0-39,60-99={A} 100-255={B} 40-59={C}")
    assert shards.urls == (A, B, C) and [shards.owners[n] for n in (0, 39, 40, 59, 60, 99, 100, 255)] == [
        0, 0, 2, 2, 0, 0, 1, 1,
    ]  # fmt: skip
    assert str(shards) == "0-39,60-99 100-255 40-59"
    assert in_ranges([5, 3, 4, 9]) == "3-5,9"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"0-99={A} 99-255={B}", "partition 99 is given to two servers"),
        (f"0-99={A} 101-255={B}", "nobody has partition 100"),
        (f"0-99={A} {B}", "give every server its ranges"),
        (f"0-99={A} 100-256={B}", "100-256 is no range"),
        (f"99-0={A} 100-255={B}", "99-0 is no range"),
        (f"{A} {A}", "a server is named twice"),
    ],
)
def test_bad_maps(said: str, why: str) -> None:
    """Overlaps, holes and halves of both ways are refused with what is wrong."""
    with pytest.raises(BadMap, match=why):
        read_map(said)


@pytest.mark.parametrize("said", [f"{A} sqlite:", f"{A} b:6379", f"0-127=memory: 128-255={B}", f"{A} {B} x"])
def test_only_redis_may_be_several(said: str) -> None:
    """Other engines cannot be one of several."""
    with pytest.raises(BadConfig):
        store("--store", said)


def test_commas_are_for_sentinels() -> None:
    """Servers behind commas are refused: only sentinels of one server are named so."""
    with pytest.raises(BadStore, match="spaces"):
        shown_store("redis://a:6379,redis://b:6379")


def test_spaces_in_a_file_name() -> None:
    """The path of a SQLite file may have spaces: it is no list."""
    assert store("--store", "sqlite:/a b/chat.db") == "sqlite:/a b/chat.db"
    assert shown_store("sqlite:/a b/chat.db") == ""


def test_no_password_is_shown() -> None:
    """Several servers are shown without their passwords."""
    assert shown_store("redis://u:secret@a redis://:hidden@b:7") == "in the Redis at a:6379 and at b:7"


def test_pages_of_several_servers() -> None:
    """The newest hits of all, the rest for the next page; of two in one place none is left out."""

    def page(room: str, *places: int, next: int | None = None) -> Found:
        return Found(tuple(Hit(room, None, place) for place in places), next)  # type: ignore[arg-type]

    def places(found: Found) -> list[int]:
        return [hit.place for hit in found.hits]

    one = merged([page("a", 9, 5, 3), page("b", 8, 7, 6, next=6)], 3)
    assert places(one) == [9, 8, 7] and one.next == 7
    assert places(merged([page("a", 9), page("b", 8)], 3)) == [9, 8]
    assert merged([page("a", 9), page("b", 8)], 3).next is merged([], 3).next is None
    tie = merged([page("a", 9, 5), page("b", 9, 4)], 1)
    assert places(tie) == [9, 9] and tie.next == 9
    assert merged([page("a"), page("b", 4, next=4)], 1).next == 4


def test_replica_is_for_redis(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """SQLite has no replica to wait for."""
    nothing = dict.fromkeys(("call_soon", "call_from_thread", "clock", "randomness"))
    with pytest.raises(BadStore, match="--durability replica is for Redis"):
        open_log("sqlite:", tmp_path, "replica", **nothing)  # type: ignore[arg-type]
