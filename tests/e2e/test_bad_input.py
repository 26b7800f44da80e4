"""Whatever a stranger sends: a clear answer to the stranger, nothing at all for the others."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import BINARY, TEXT, close_code_after, connected, exchange, frame, handshake, read_to_end
from e2e.server import Server

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def bystander(shared_server: Server) -> Iterator[WebSocketPeer]:
    """Somebody who chats all the while: afterwards all that reached them are comings and goings."""
    with WebSocketPeer(shared_server.socket_url(nick="Bystander")) as peer:
        peer.arrived()
        yield peer
        peer.say("all is well")
        peer.until(lambda _: any(frame["text"] == "all is well" for frame in peer.said))
        assert [frame["text"] for frame in peer.said] == ["all is well"]
        assert not [frame for frame in peer.frames if frame.get("notice") and frame.get("code") != "renamed"]


@pytest.mark.parametrize("path", ["/", "/text", "/scream"])
def test_binary_on_text_dialects_closes_1003(shared_server: Server, path: str) -> None:
    """Binary is for /echo; on the text dialects it closes with 1003."""
    with WebSocketPeer(shared_server.socket_url(path)) as peer:
        peer.say(b"\x00\x01")
        assert peer.close_code() == 1003
        assert "binary" in (peer.connection.close_reason or "")


@pytest.mark.parametrize("path", ["/", "/text", "/scream", "/echo"])
@pytest.mark.parametrize(
    "bad", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok \xe4\xbd", b"\xff"], ids=bytes.hex
)
def test_invalid_utf8_closes_1007(shared_server: Server, path: str, bad: bytes) -> None:
    """Text that is no UTF-8 (overlong, surrogate, too high, cut off) closes with 1007 on every dialect."""
    assert close_code_after(shared_server.web_port, path, frame(TEXT, bad)) == 1007


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(frame(TEXT, b"hi", masked=False), 1002, id="unmasked"),
        pytest.param(frame(TEXT, b"x" * MEGABYTE), 1009, id="one megabyte"),
        pytest.param(frame(BINARY, b"x" * MEGABYTE), 1009, id="one megabyte of binary"),
        pytest.param(b"\x81\xff" + (2**40).to_bytes(8, "big") + bytes(4), 1009, id="announces a terabyte"),
        pytest.param(
            frame(TEXT, b"x" * 40_000, first_bits=0) + frame(0, b"x" * 40_000), 1009, id="80 kB in two fragments"
        ),
        pytest.param(frame(TEXT, b"hi", first_bits=0xC0), 1002, id="compressed though not negotiated"),
        pytest.param(frame(3, b"hi"), 1002, id="unknown opcode"),
        pytest.param(frame(0, b"hi"), 1002, id="continues nothing"),
        pytest.param(frame(9, b"x" * 126), 1002, id="too long a ping"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/echo"])
def test_frames_that_break_the_protocol(shared_server: Server, path: str, sent: bytes, code: int) -> None:
    """Frames against RFC 6455 close with 1002, too big ones with 1009."""
    assert close_code_after(shared_server.web_port, path, sent) == code


@pytest.mark.parametrize("path", ["/nowhere", "/v2", "/text/", "//"])
def test_an_upgrade_on_an_unknown_path_is_404(shared_server: Server, path: str) -> None:
    """A WebSocket to a path that has none gets 404 and the list of those there are."""
    head, _, body = exchange(shared_server.web_port, handshake(path)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert {b"/", b"/text", b"/echo", b"/scream"} <= set(body.split())


@pytest.mark.parametrize(
    "path", ["/nowhere", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../service.py", "//etc/passwd"]
)
def test_a_get_of_an_unknown_path_is_404(shared_server: Server, path: str) -> None:
    """A page that does not exist, or a way out of the static files, is 404 with the list of addresses."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    head, _, body = exchange(shared_server.web_port, request.encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert {b"/", b"/text", b"/echo", b"/scream"} <= set(body.split())
    assert b"root:" not in body


@pytest.mark.parametrize("path", ["/text", "/echo", "/scream"])
def test_a_plain_get_of_a_websocket_address_is_426(shared_server: Server, path: str) -> None:
    """Whoever opens a WebSocket address in the address bar is told what it is for."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    head, _, body = exchange(shared_server.web_port, request.encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nupgrade: websocket" in head.lower()
    assert b"WebSocket" in body and body.count(b"\n") == 1


def test_an_unknown_subprotocol_is_400(shared_server: Server) -> None:
    """A client that offers only subprotocols nobody knows gets 400 and the names of the known ones."""
    answer = exchange(shared_server.web_port, handshake(Sec_WebSocket_Protocol="mqtt, soap"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert {b"chat", b"chat.text"} <= set(body.split())
    assert b"mqtt" not in answer
    assert exchange_head(shared_server, Sec_WebSocket_Protocol="mqtt, chat.text").startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1.evil.example", "http://localhost.evil.example"]
)
def test_a_foreign_origin_is_403(shared_server: Server, origin: str) -> None:
    """A page from elsewhere may not open a WebSocket in its visitor's name."""
    answer = exchange(shared_server.web_port, handshake(Origin=origin))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"evil" not in answer


@pytest.mark.parametrize("origin", ["null", "file://", "http://localhost:3000", "http://127.0.0.1:5500"])
def test_an_origin_of_this_computer_is_welcome(shared_server: Server, origin: str) -> None:
    """A page opened from a file or served by another program of this computer may connect on loopback."""
    assert exchange_head(shared_server, Origin=origin).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", handshake()[:-2]], ids=["get", "upgrade"]
)
def test_a_300_kb_header_is_431(shared_server: Server, begin: bytes) -> None:
    """A request head of 300 kB is answered with 431 and the connection is closed."""
    sent = begin + b"X-Filler: " + b"x" * 300_000 + b"\r\n\r\n"
    answer = exchange(shared_server.web_port, sent)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["endless", "ended"])
def test_an_oversize_tcp_line_is_explained(shared_server: Server, end: bytes) -> None:
    """A TCP line of more than 8 KiB is explained and ends the connection; nobody hears the half of it."""
    with connected(shared_server.line_port) as bare:
        bare.sendall(b"x" * 9000 + end)
        assert read_to_end(bare).decode().splitlines()[-1] == "* a line has at most 8192 bytes"


def test_a_long_tcp_line_is_refused_but_harmless(shared_server: Server) -> None:
    """A line that TCP may carry but is too long for a message is refused; the connection stays."""
    with LinePeer(shared_server.line_port) as peer:
        peer.say("x" * 8191)
        peer.hears("* a message has at most 4000 characters")
        peer.say("/help")
        peer.until(lambda heard: "/who" in heard[-1])


def test_invalid_utf8_on_tcp_is_explained(shared_server: Server) -> None:
    """A TCP line in another encoding gets one line that says so, then the end."""
    with connected(shared_server.line_port) as bare:
        bare.sendall("你好\n".encode("gb18030"))
        assert read_to_end(bare).decode().splitlines()[-1].startswith("* this is not UTF-8")


def test_http_on_the_tcp_line_port_ends_at_once(shared_server: Server) -> None:
    """A browser that is made to POST to the line port cannot speak into the room."""
    sent = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n/me spoke\nhello\n"
    answer = exchange(shared_server.line_port, sent).decode()
    assert answer.splitlines()[-1] == "* this port speaks lines of chat, not HTTP"


BAD_NICKS = ["a\0b", "\x1b[2Jx", "a\x7fb", "a\x85b", "\u202eevil", "a\u200bb", "#a", "/a", "   ", "n" * 33]


@pytest.mark.parametrize("nick", BAD_NICKS, ids=ascii)
def test_bad_nicks_are_refused(shared_server: Server, nick: str) -> None:
    """A nick with NUL, control or invisible characters, or too long, is refused; one stays userN."""
    with (
        WebSocketPeer(shared_server.socket_url(nick=nick)) as asked,
        WebSocketPeer(shared_server.socket_url()) as typed,
        WebSocketPeer(shared_server.socket_url("/text")) as text,
        LinePeer(shared_server.line_port) as line,
    ):
        refusal = "a name " if nick.strip() else "usage: /nick NAME"
        was = asked.arrived()["user"]["nick"]
        assert was.startswith("user")
        assert asked.frames[0]["code"] == "bad_request"
        assert asked.frames[0]["data"].startswith("* a name ")
        assert typed.arrived()["user"]["nick"].startswith("user")
        for peer in (typed, text, line):
            peer.say(f"/nick {nick}")
        typed.until(lambda _: any(frame.get("code") == "bad_request" for frame in typed.frames))
        text.until(lambda heard: any(words.startswith(f"* {refusal}") for words in heard))
        line.until(lambda heard: any(words.startswith(f"* {refusal}") for words in heard))


def exchange_head(server: Server, path: str = "/", **headers: str) -> bytes:
    """The head of the answer to a handshake; the connection is left at once."""
    with connected(server.web_port) as bare:
        bare.sendall(handshake(path, **headers))
        received = b""
        while b"\r\n\r\n" not in received and (more := bare.recv(4096)):
            received += more
        bare.shutdown(socket.SHUT_RDWR)
        return received
