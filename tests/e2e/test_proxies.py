"""Behind nginx, Caddy and HAProxy with the settings of deploy/: every dialect, at once, with the right address."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.typing import Origin, Subprotocol

from chatservice.domain.limits import PING_MS
from e2e.fronts import DEPLOY, Fronted, fronted
from e2e.peers import WebSocketPeer
from e2e.raw import handshake
from e2e.server import eventually

PROXIES = ("nginx", "caddy", "haproxy")
PLACES = [(kind, below) for kind in PROXIES for below in ("/", "/chat/")]
QUICK_S = 2.0
"""Far below any proxy's patience, far above what a busy machine takes."""

IDLE_S = 90.0

MOST = 12
"""Connections of one address: the other tests need fewer."""


@pytest.fixture(scope="module", params=PLACES, ids=["-".join(place) for place in PLACES])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    """A chat behind that proxy, at the root or below a path."""
    kind, below = request.param
    with fronted(
        kind, tmp_path_factory.mktemp(kind), "--limit-loopback", f"--connections-per-address={MOST}", below=below
    ) as running:
        yield running


def ask(place: Fronted, path: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A request below the chat's address: status, headers, body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(place.front.url + path, data, named)
    try:
        with urlopen(request, context=place.front.context, timeout=10) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def peer(place: Fronted, path: str = "", **more: object) -> WebSocketPeer:
    """Somebody by WebSocket, as the page would come."""
    origin = Origin(place.front.url.removesuffix(place.front.below))
    url = place.front.url.replace("https:", "wss:") + path
    return WebSocketPeer(url, ssl=place.front.context, origin=origin, **more)


def test_page_and_files(place: Fronted) -> None:
    """The small page is there with what it names, relative to where it is."""
    status, _, page = ask(place, "lite")
    assert status == 200
    names = re.findall(rb'(?:src|href)="([^"#]+)"', page)
    assert names and not any(name.startswith((b"/", b"http")) for name in names)
    for name in names:
        assert ask(place, name.decode())[0] == 200


def test_websockets(place: Fronted) -> None:
    """What the page speaks, and what the lessons speak, both ways."""
    with peer(place) as simple, peer(place, "v1", subprotocols=[Subprotocol("chat.v1")]) as full:
        simple.arrived()
        full.say(json.dumps({"type": "hello", "id": 1, "v": 1, "rooms": {"lobby": None}}))
        full.until(lambda heard: any('"session"' in words for words in heard))
        simple.say("from the lesson")
        full.until(lambda heard: any("from the lesson" in words for words in heard))


def test_socketio(place: Fronted) -> None:
    """Long-polling, the upgrade of such a session to WebSocket, and what is said by then."""
    root = "socket.io/?EIO=4&transport="
    _, _, opened = ask(place, root + "polling")
    sid = json.loads(opened[1:])["sid"]
    mine = f"{root}polling&sid={sid}"
    assert ask(place, mine, b"40")[0] == 200
    heard = b""
    deadline = time.monotonic() + 10
    while b'"news"' not in heard and time.monotonic() < deadline:
        heard += ask(place, mine)[2]
    assert b'"news"' in heard
    with peer(place, f"{root}websocket&sid={sid}") as upgraded:
        upgraded.say("2probe")
        upgraded.hears("3probe")
        upgraded.say("5")
        upgraded.say('42["message","by socket"]')
        upgraded.until(lambda heard: any('"mes"' in words and "by socket" in words for words in heard))


def test_streams_are_not_held_back(place: Fronted) -> None:
    """What is said reaches a stream of events, and answers a long poll, at once."""
    with place.front.connected() as sealed:
        path = f"{place.front.below}api/rooms/tea/events"
        host = f"Host: localhost:{place.front.port}\r\n"
        sealed.sendall(f"GET {path} HTTP/1.1\r\n{host}Accept: text/event-stream\r\n\r\n".encode())
        sealed.settimeout(QUICK_S)
        heard = b""
        while b'"type":"join"' not in heard:
            heard += sealed.recv(65_536)
        at = json.loads(re.search(rb'{"type":"join".*}', heard)[0])  # type: ignore[index]
        polled: list[tuple[float, bytes]] = []

        def poll() -> None:
            query = f"?after={at['seq']}&epoch={at['epoch']}&wait=20"
            polled.append((time.monotonic(), ask(place, f"api/rooms/tea/events{query}")[2]))
            polled.append((time.monotonic(), b""))

        polling = threading.Thread(target=poll)
        polling.start()
        eventually(lambda: "tea" in rooms(place), "the long poll waits", seconds=5)
        said_at = time.monotonic()
        assert ask(place, "api/rooms/tea/messages", b"now", Content_Type="text/plain")[0] == 201
        while b'"text":"now"' not in heard:
            heard += sealed.recv(65_536)
        polling.join(10)
    assert b'"text":"now"' in polled[0][1] and polled[1][0] - said_at < QUICK_S


def rooms(place: Fronted) -> str:
    """Anything that shows that requests are answered while the poll waits."""
    return ask(place, "api/rooms/tea/events")[2].decode()


def opens(place: Fronted, source: str, **headers: str) -> int:
    """The status of a WebSocket handshake from that address; the connection stays as long as the test."""
    sealed = place.front.connected(source)
    HELD.enter_context(sealed)
    head = handshake(f"{place.front.below}echo", **headers)
    sealed.sendall(head.replace(b"Host: 127.0.0.1", f"Host: localhost:{place.front.port}".encode()))
    with suppress(OSError):
        return int(sealed.recv(2000).split(b" ")[1])
    return 0


HELD = ExitStack()


def test_everybody_has_their_own_address(place: Fronted) -> None:
    """The service counts people by where they come from, whatever they say of that themselves."""
    refused = (429, 0, 502)  # a proxy that speaks the PROXY protocol sees a connection that ends
    try:
        statuses = [opens(place, "127.0.0.5", X_Forwarded_For=f"203.0.113.{n}") for n in range(MOST + 1)]
        assert statuses[:MOST] == [101] * MOST and statuses[MOST] in refused
        assert opens(place, "127.0.0.6") == 101
    finally:
        HELD.close()


def test_lines_through_haproxy(place: Fronted) -> None:
    """TCP lines have no headers: HAProxy tells by its protocol who comes."""
    if place.front.kind != "haproxy":
        with socket.create_connection(("127.0.0.1", place.server.line_port)) as bare:
            assert bare.recv(100).startswith(b"Hi 127.0.0.1:")
        return
    with socket.create_connection(
        ("127.0.0.1", place.front.line_port), 10, source_address=("127.0.0.7", 0)
    ) as bare:
        assert bare.recv(100).startswith(b"Hi 127.0.0.7:")


@pytest.mark.parametrize("name", ["nginx.conf", "haproxy.cfg"])
def test_no_proxy_loses_patience(name: str) -> None:
    """Every timeout on the way of a connection that may be silent is at least twice as long as our pings are
    apart; Caddy has none."""
    text = (DEPLOY / name).read_text()
    found = re.findall(
        r"^\s*(?:proxy_(?:read|send)_timeout|timeout (?:client|server|tunnel))\s+(\d+)([smh])", text, re.M
    )
    seconds = [int(number) * {"s": 1, "m": 60, "h": 3600}[unit] for number, unit in found]
    assert len(seconds) == {"nginx.conf": 2, "haproxy.cfg": 5}[name]
    assert min(seconds) * 1000 >= 2 * PING_MS


@pytest.mark.slow
def test_ninety_silent_seconds(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Who says nothing for 90 s is still there, behind each of them: by WebSocket, by Socket.IO, by a stream."""
    with ExitStack() as stack:
        places = [stack.enter_context(fronted(kind, tmp_path_factory.mktemp(kind))) for kind in PROXIES]
        peers = [(place, stack.enter_context(peer(place, "?nick=idle"))) for place in places]
        streams: list[ssl.SSLSocket] = []
        for place, quiet in peers:
            quiet.arrived()
            sealed = stack.enter_context(place.front.connected())
            path = f"/api/rooms/lobby/events HTTP/1.1\r\nHost: localhost:{place.front.port}"
            sealed.sendall(f"GET {path}\r\nAccept: text/event-stream\r\n\r\n".encode())
            streams.append(sealed)
        until = time.monotonic() + IDLE_S
        eventually(lambda: time.monotonic() > until or any(p.over for _, p in peers), "90 s", seconds=IDLE_S + 10)
        assert not any(quiet.over for _, quiet in peers)
        for (place, quiet), sealed in zip(peers, streams, strict=True):
            with peer(place, "?nick=late") as late:
                late.arrived()
                late.say(f"behind {place.front.kind}")
                quiet.until(lambda heard: any("behind" in words for words in heard))
            heard = b""
            sealed.settimeout(QUICK_S)
            while b"behind" not in heard:
                more = sealed.recv(65_536)
                assert more, "the stream has ended"
                heard += more
