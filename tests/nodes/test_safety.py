"""A Redis that would lose what was answered is refused at the start, with the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis_server import RedisServer

from chatservice.domain.ports import LogError
from chatservice.logs.redis_log import agree_on_key
from chatservice.logs.registry import check_log
from nodes.chats import Node


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        (("--appendonly", "no"), "appendonly yes"),
        (("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"), "maxmemory-policy noeviction"),
    ],
)
def test_settings_that_lose_data(settings: tuple[str, ...], remedy: str, tmp_path: Path) -> None:
    """Without a file, or where data is thrown away, it is refused in one sentence, unless that is wanted."""
    with RedisServer(*settings) as server:
        with pytest.raises(LogError) as refused:
            check_log(server.url, tmp_path, "disk")
        assert remedy in str(refused.value) and "\n" not in str(refused.value)
        with pytest.raises(LogError):
            Node(server, "n")
        node = Node(server, "n", durability="cache")
        assert node.enter("ann", "lobby").greeting["durability"] == (
            "cache" if remedy.startswith("append") else "disk"
        )
        node.stop()


def test_a_replica(server: RedisServer, tmp_path: Path) -> None:
    """A replica takes no writes and is refused, even as a cache."""
    server.ask("REPLICAOF", "127.0.0.1", 1)
    for durability in ("disk", "cache"):
        with pytest.raises(LogError, match="it is a replica"):
            check_log(server.url, tmp_path, durability)


def test_nobody_there(server: RedisServer, tmp_path: Path) -> None:
    """Where nobody answers, that is said."""
    server.kill9()
    with pytest.raises(LogError, match="nobody answers"):
        check_log(server.url, tmp_path, "disk")


@pytest.mark.parametrize(
    ("settings", "durability"),
    [
        ((), "disk"),
        (("--appendfsync", "everysec"), "process"),
        (("--no-appendfsync-on-rewrite", "yes"), "process"),
    ],
)
def test_hello_says_what_is_so(settings: tuple[str, ...], durability: str) -> None:
    """What hello promises is what the server does, and how long a cid is known."""
    with RedisServer(*settings) as server:
        node = Node(server, "n")
        greeting = node.enter("ann").greeting
        assert (greeting["durability"], greeting["cid_ttl_s"]) == (durability, 600)
        node.stop()


def test_one_key_for_all(server: RedisServer) -> None:
    """The first worker's key signs for all that share the Redis."""
    assert agree_on_key(server.address, b"a" * 32) == agree_on_key(server.address, b"b" * 32) == b"a" * 32
    server.ask("SET", "cs:secret", "short")
    with pytest.raises(LogError, match="signs tokens") as refused:
        agree_on_key(server.address, b"b" * 32)
    assert "short" not in str(refused.value)
