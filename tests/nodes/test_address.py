"""How a Redis is named, and what it says about itself."""

from __future__ import annotations

import pytest

from chatservice.redis.address import Address, BadAddress, Place, parse_address
from chatservice.redis.errors import Unusable
from chatservice.redis.server import check_ready, check_safe, read_server


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://localhost", Address((Place("localhost", 6379),))),
        ("redis://10.0.0.1:7000/3", Address((Place("10.0.0.1", 7000),), 3)),
        ("redis://[::1]:7000", Address((Place("::1", 7000),))),
        ("redis://:p%40ss@h", Address((Place("h", 6379),), password="p@ss")),
        ("redis://pass@h", Address((Place("h", 6379),), password="pass")),
        ("redis://me:pass@h/1", Address((Place("h", 6379),), 1, "me", "pass")),
        ("rediss://h?ca=/etc/ca.pem", Address((Place("h", 6379),), tls=True, ca="/etc/ca.pem")),
        ("unix:/run/redis.sock", Address((Place(path="/run/redis.sock"),))),
        ("unix:///run/redis.sock?db=2&password=x", Address((Place(path="/run/redis.sock"),), 2, password="x")),
        (
            "redis+sentinel://a,b:1/main/4",
            Address((Place("a", 26379), Place("b", 1)), 4, master="main"),
        ),
    ],
)
def test_addresses(url: str, wanted: Address) -> None:
    """Every way to name one."""
    assert parse_address(url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://h:x",
        "redis://h:99999",
        "redis://h/x",
        "redis://h/1/2",
        "redis://a,b",
        "redis://h?what=1",
        "redis://:a#b@h",
        "unix:redis.sock",
        "unix:",
        "redis+sentinel://a",
        "http://h",
        "redis://[::1",
    ],
)
def test_what_is_no_address(url: str) -> None:
    """It is refused with one sentence."""
    with pytest.raises(BadAddress) as refused:
        parse_address(url)
    assert refused.value.args[0]


def test_a_password_is_shown_nowhere() -> None:
    """Neither the address as an operator reads it nor as a programmer does has the password in it."""
    address = parse_address("redis://me:hunter2@h")
    assert "hunter2" not in f"{address} {address!r}" and str(address) == "h:6379"
    assert str(parse_address("redis+sentinel://x@a,b/main")) == "main of the sentinels a:26379, b:26379"


INFO = {
    "redis_version": "7.0.15",
    "run_id": "a" * 40,
    "master_replid": "b" * 40,
    "role": "master",
    "loading": "0",
    "aof_enabled": "1",
    "maxmemory_policy": "noeviction",
}
ALWAYS = [b"appendfsync", b"always", b"no-appendfsync-on-rewrite", b"no"]


def info(**changes: str) -> bytes:
    facts = {name: value for name, value in {**INFO, **changes}.items() if value}
    return ("# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in facts.items())).encode()


def test_who_a_server_is() -> None:
    """Its identity changes with a restart and with a promotion."""
    server = read_server(info(), ALWAYS)
    check_ready(server)
    check_safe(server)
    assert server.identity == "a" * 12 + "b" * 12 and server.version == (7, 0, 15)
    others = (read_server(info(run_id="c" * 40), ALWAYS), read_server(info(master_replid="c" * 40), ALWAYS))
    assert len({server.identity, *(other.identity for other in others)}) == 3


@pytest.mark.parametrize(
    ("changes", "config", "durability"),
    [
        ({}, ALWAYS, "disk"),
        ({}, [b"appendfsync", b"everysec"], "process"),
        ({}, [b"appendfsync", b"always", b"no-appendfsync-on-rewrite", b"yes"], "process"),
        ({}, None, "process"),  # it would not say
        ({"aof_enabled": "0"}, ALWAYS, "cache"),
    ],
)
def test_what_an_answer_has_reached(changes: dict[str, str], config: list[bytes] | None, durability: str) -> None:
    """What is promised is what the server does, the least of it where it is silent."""
    assert read_server(info(**changes), config).durability == durability


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"redis_version": "6.2.7"}, "install Redis 7.0"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, ""),
        ({"role": "slave"}, "name the primary"),
        ({"loading": "1"}, "wait"),
        ({"aof_enabled": "0"}, "appendonly yes"),
        ({"maxmemory_policy": "allkeys-lru"}, "maxmemory-policy noeviction"),
        ({"run_id": ""}, "not to a proxy"),
        ({"master_replid": ""}, "not to a proxy"),
    ],
)
def test_what_cannot_be_used(changes: dict[str, str], remedy: str) -> None:
    """Each reason is one sentence that says what to do."""

    def look() -> None:
        server = read_server(info(**changes), ALWAYS)
        check_ready(server)
        check_safe(server)

    if not remedy:
        look()
        return
    with pytest.raises(Unusable) as refused:
        look()
    assert remedy in str(refused.value) and "\n" not in str(refused.value)
