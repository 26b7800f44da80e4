"""What is measured: one row each, with the servers it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench import servers as s
from bench.servers import Server

RATE = ("per_s", "ratio", "us_each", "p50_ms", "p99_ms", "server_cpu", "load_cpu", "others_cpu")
MEMORY = ("kib_each", "rss_kib")
SHAKES = ("per_s", "ratio", "us_each", "server_cpu", "load_cpu", "others_cpu")
CROWD = ("frames_each", "bytes_each", "joined_s", "server_cpu", "others_cpu")
FLAT = ("per_s", "rss_growth_kib", "rss_kib", "p99_ms", "others_cpu")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load.

    :ivar load: what the generator is told; see load/main.c.
    :ivar at: `room`, or `echo`: the bare WebSocket, in no room.
    :ivar columns: what of the figures is shown, in this order.
    :ivar quick: whether `make bench-quick` has it too.
    """

    name: str
    title: str
    servers: tuple[Server, ...]
    load: Mapping[str, str | int | float]
    at: str = "room"
    flavour: str = "plain"
    columns: tuple[str, ...] = RATE
    repeats: int = 5
    quick: bool = False
    note: str = ""


OURS = (s.CHAT_V1, s.CHAT_V1_MEMORY, s.CHAT_TEXT, s.CHAT_TEXT_MEMORY)
PEERS = (
    s.WS,
    s.NODEJS_WEBSOCKET,
    s.UWEBSOCKETS,
    s.PICOWS,
    s.WEBSOCKETS,
    s.WEBSOCKETS_UVLOOP,
    s.AIOHTTP,
    s.AUTOBAHN,
    s.AUTOBAHN_PREPARED,
)
FEW = (s.CHAT_V1, s.CHAT_TEXT, s.WS, s.UWEBSOCKETS)

SIZES = (10, 100, 1000, 10_000)
SCALED = (s.CHAT_V1, s.CHAT_TEXT, s.WS, s.UWEBSOCKETS, s.WEBSOCKETS)


def _scaled(clients: int) -> Scenario:
    return Scenario(
        f"scale-{clients}",
        f"{clients:,} clients in one room, window 16",
        SCALED,
        {"clients": clients, "window": 16},
        repeats=3,
        quick=True,
    )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("fanout-1", "Fan-out, window 1", OURS + PEERS, {"window": 1}, quick=True),
    Scenario("fanout-16", "Fan-out, window 16", OURS + PEERS, {"window": 16}, quick=True),
    Scenario("publishers-16", "Fan-out, 16 publishers", (*FEW, s.CHAT_V1_MEMORY), {"publishers": 16}, quick=True),
    Scenario("rooms", "100 rooms of 10, window 1 in each", (*FEW, s.WEBSOCKETS), {"rooms": 100}),
    Scenario(
        "echo",
        "Echo, 100 clients",
        (s.CHAT_ECHO, *PEERS[:-1]),
        {"mode": "echo", "clients": 100},
        at="echo",
        quick=True,
    ),
    Scenario(
        "quiet",
        "20 messages a second",
        (*FEW, s.WEBSOCKETS),
        {"mode": "quiet", "rate": 20, "seconds": 4},
        quick=True,
    ),
    Scenario(
        "idle",
        "Memory: 5 000 idle WebSockets, in no room",
        (s.CHAT_ECHO, *PEERS[:-1]),
        {"mode": "idle", "clients": 5000, "seconds": 0.2, "patience": 0},
        at="echo",
        columns=MEMORY,
        repeats=1,
        quick=True,
        note="Where a server has no address without a room (ours has /echo), it is a room of all.",
    ),
    Scenario(
        "idle-room",
        "Memory: 5 000 sessions joined to one room",
        (*OURS, s.SOCKETIO, s.PYTHON_SOCKETIO),
        {"mode": "idle", "clients": 5000, "seconds": 0.2, "patience": 0},
        columns=MEMORY,
        repeats=1,
        quick=True,
    ),
    Scenario(
        "storm",
        "Connect storm: handshakes a second, in no room",
        (s.CHAT_ECHO, *PEERS[:-1]),
        {"mode": "storm", "clients": 100},
        at="echo",
        columns=SHAKES,
        quick=True,
    ),
    Scenario(
        "storm-room",
        "Connect storm: until the room is joined",
        (*OURS, s.SOCKETIO, s.PYTHON_SOCKETIO),
        {"mode": "storm", "clients": 100},
        columns=SHAKES,
    ),
    Scenario(
        "wss-16",
        "wss fan-out, 500 clients, window 16",
        (*OURS, *PEERS),
        {"tls": 1, "clients": 500, "window": 16},
        flavour="tls",
        quick=True,
    ),
    Scenario(
        "wss-1",
        "wss fan-out, 500 clients, window 1",
        (*FEW, s.WEBSOCKETS, s.AUTOBAHN_PREPARED),
        {"tls": 1, "clients": 500, "window": 1},
        flavour="tls",
    ),
    Scenario(
        "kilobyte",
        "1 KiB of words, uncompressed, window 4",
        (s.CHAT_V1, s.CHAT_TEXT, s.WS, s.UWEBSOCKETS, s.WEBSOCKETS, s.AIOHTTP, s.AUTOBAHN),
        {"window": 4, "size": 1024},
        quick=True,
    ),
    Scenario(
        "deflate",
        "1 KiB of words, permessage-deflate negotiated by all, window 4",
        (s.CHAT_V1, s.CHAT_TEXT, s.WS, s.UWEBSOCKETS, s.WEBSOCKETS, s.AIOHTTP, s.AUTOBAHN),
        {"window": 4, "size": 1024, "deflate": 1},
        flavour="deflate",
        quick=True,
    ),
    Scenario(
        "slow",
        "200 who never read beside 1 000 who do, 4 000 characters, window 4",
        (s.CHAT_V1, s.CHAT_TEXT, s.WS, s.UWEBSOCKETS),
        {"clients": 1200, "slow": 200, "window": 4, "size": 4000, "seconds": 8, "warmup": 4, "patience": 0},
        columns=FLAT,
        repeats=1,
        note="The server's memory must stay flat; `growth` is its peak above the start of the 8 s.",
    ),
    Scenario(
        "crowd",
        "1 000 join a room of 1 000",
        OURS,
        {"mode": "crowd", "clients": 2000, "seconds": 6, "patience": 0},
        columns=CROWD,
        repeats=1,
        note="Told one by one, each join would be 1 000 to 2 000 frames.",
    ),
    Scenario(
        "socketio",
        "Socket.IO fan-out, 1 000 WebSocket clients, window 1",
        (s.CHAT_SOCKET_IO, s.SOCKETIO, s.PYTHON_SOCKETIO),
        {"window": 1},
    ),
    Scenario(
        "workers-1",
        "Workers on one Redis: 500 in one room over all of them, publish to deliver, window 1",
        (s.CHAT_V1_REDIS, *s.CHAT_V1_WORKERS),
        {"clients": 500, "window": 1, "patience": 0},
        repeats=3,
        note="All workers on the server's core; deliveries per worker-CPU-second are 1 000 000 ÷ µs each."
        " Redis is on the generator's core and counts as others.",
    ),
    Scenario(
        "workers-16",
        "Workers on one Redis: 500 in one room over all of them, window 16",
        (s.CHAT_V1_REDIS, *s.CHAT_V1_WORKERS),
        {"clients": 500, "window": 16, "patience": 0},
        repeats=3,
    ),
    Scenario(
        "workers-storm",
        "Workers on one Redis: until the room is joined",
        (s.CHAT_V1_REDIS, *s.CHAT_V1_WORKERS),
        {"mode": "storm", "clients": 100, "patience": 0},
        columns=SHAKES,
        repeats=3,
    ),
    *(_scaled(clients) for clients in SIZES),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def shrunk(scenario: Scenario, *, repeats: int | None = None, seconds: float | None = None) -> Scenario:
    """The same, shorter."""
    load = dict(scenario.load)
    if seconds is not None and scenario.columns in (RATE, SHAKES) and load.get("mode") != "quiet":
        load["seconds"] = seconds
    return replace(scenario, load=load, repeats=min(scenario.repeats, repeats or scenario.repeats))
