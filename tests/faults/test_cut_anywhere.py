"""A connection that is reset at any byte of a handshake or of a frame harms nobody and leaves nothing behind."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from e2e.peers import WebSocketPeer
from e2e.raw import TEXT, connected, frame, handshake
from e2e.server import Server, eventually

from faults.reading import logs_of, sockets

Serve = Callable[..., Server]
HELLO = frame(TEXT, json.dumps({"type": "hello", "id": 1, "v": 1}).encode())
JOIN = frame(TEXT, json.dumps({"type": "join", "id": 2, "room": "cut"}).encode())


def said(number: int, text: str) -> bytes:
    """A message of chat.v1 as a frame."""
    asked = {"type": "message", "id": 3, "room": "cut", "text": text, "cid": f"cid-{number}"}
    return frame(TEXT, json.dumps(asked).encode())


def reset(bare: socket.socket) -> None:
    """End it by a reset."""
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    bare.close()


def until(bare: socket.socket, word: bytes) -> bytes:
    """Read until it has come."""
    heard = b""
    while word not in heard:
        more = bare.recv(65_536)
        assert more, f"it ended before {word!r}: {heard!r}"
        heard += more
    return heard


def talkative(server: Server) -> socket.socket:
    """Somebody of chat.v1 who is in the room."""
    bare = connected(server.web_port)
    bare.sendall(handshake("/v1") + HELLO + JOIN)
    until(bare, b'"id":2')
    return bare


def test_a_handshake(serve: Serve) -> None:
    """Reset after each of its bytes, and after each byte of what we answer."""
    server = serve()
    with WebSocketPeer(server.socket_url(room="cut")) as ears:
        ears.arrived()
        files = sockets(server)
        asked = handshake("/v1")
        for at in range(len(asked) + 1):
            bare = connected(server.web_port)
            bare.sendall(asked[:at])
            reset(bare)
        answered = len(b"HTTP/1.1 101 Switching Protocols\r\n\r\n") * 3
        for at in range(answered):
            with connected(server.web_port) as bare:
                bare.sendall(asked)
                bare.recv(at + 1)
                reset(bare)
        eventually(lambda: sockets(server) <= files, "every socket was given back")
        ears.say("well")
        ears.until(lambda _: ears.said[-1:] and ears.said[-1]["text"] == "well")


def test_a_frame_that_says_something(serve: Serve) -> None:
    """Reset after each byte of a message, and told again on a new connection: it is there once. What was not
    whole was not said, what was whole and acknowledged is there."""
    server = serve("--insecure-no-limits")
    with WebSocketPeer(server.socket_url(room="cut")) as ears:
        ears.arrived()
        token = ""
        length = len(said(100, "text 100"))
        for at in range(length + 1):
            with connected(server.web_port) as first:
                first.sendall(handshake("/v1") + hello(token) + JOIN)
                heard = until(first, b'"id":2')
                token = token or re.findall(rb'"guest_token":"([^"]+)"', heard)[0].decode()
                first.sendall(said(at, f"text {at}")[:at])
                reset(first)
            with connected(server.web_port) as second:
                second.sendall(handshake("/v1") + hello(token) + JOIN + said(at, f"text {at}"))
                until(second, b'"id":3')
        ears.until(lambda _: len(ears.said) > length)
        told = [(frame["seq"], frame["text"]) for frame in ears.said]
        assert told == logs_of(server, ["cut"])["cut"]
        assert [text for _, text in told] == [f"text {n}" for n in range(length + 1)]


def hello(token: str) -> bytes:
    """Who one is, once that is known."""
    asked = {"type": "hello", "id": 1, "v": 1, **({"token": token} if token else {})}
    return frame(TEXT, json.dumps(asked).encode())


def test_what_we_say(serve: Serve) -> None:
    """A reader is reset after each byte of what it is told; the others hear everything."""
    server = serve("--insecure-no-limits")
    with WebSocketPeer(server.socket_url(room="cut")) as ears:
        ears.arrived()
        files = sockets(server)
        for at in range(1, 200):
            bare = talkative(server)
            ears.say(f"text {at}")
            with suppress(ConnectionError):
                bare.recv(at)
            reset(bare)
        ears.until(lambda _: len(ears.said) >= 199)
        assert [frame["text"] for frame in ears.said] == [f"text {n}" for n in range(1, 200)]
        eventually(lambda: sockets(server) <= files, "every socket was given back")
