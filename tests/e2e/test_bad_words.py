"""Messages, names and packets that mean no good (rows 76 to 105 of the bad-input table), at a real process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import connected, exchange, read_to_end
from e2e.server import Server

DEEP = "[" * 60_000
EVIL = "<img src=x onerror=alert(1)>"
FORGED = "\r\n2026-11-21T00:00:00+0000 [-] forged\x1b[2J\u2028"


@pytest.fixture(autouse=True)
def bystander(shared_server: Server) -> Iterator[WebSocketPeer]:
    """Somebody in the same room on another dialect; hears what is really said there, and of comings and goings."""
    with WebSocketPeer(shared_server.socket_url(nick="Bystander")) as peer:
        peer.arrived()
        yield peer
        peer.say("all is well")
        peer.until(lambda _: any(frame["text"] == "all is well" for frame in peer.said))
        assert {frame["text"] for frame in peer.said} <= {"all is well", "still here"}
        assert not [frame for frame in peer.frames if frame.get("notice")]
        assert "forged" not in shared_server.log and "\x1b" not in shared_server.log


class FullPeer(WebSocketPeer):
    """On chat.v1, in the lobby."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.socket_url("/v1"))
        assert self.answer({"type": "hello", "id": "hello", "rooms": {"lobby": {}}})["type"] == "ok"

    def answer(self, sent: str | dict[str, Any]) -> dict[str, Any]:
        """The next `ok` or `error`."""
        before = len(self._answers)
        self.say(sent if isinstance(sent, str) else json.dumps(sent))
        self.until(lambda _: len(self._answers) > before)
        return self._answers[before]

    @property
    def _answers(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in ("ok", "error")]


def row(number: int, *values: Any, id: str = "") -> Any:
    return pytest.param(*values, id=f"row {number} {id}".strip())


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        row(76, "hello?", "bad_json", id="words"),
        row(76, "17", "bad_json", id="scalar"),
        row(76, "[]", "bad_json", id="array"),
        row(77, DEEP, "bad_json"),
        row(
            77, '{"type":"message","id":1,"room":"lobby","text":' + DEEP + "]" * 60_000 + "}", None, id="too long"
        ),
        row(78, '{"type":"history","id":1,"room":"lobby","limit":NaN}', "bad_json", id="NaN"),
        row(78, '{"type":"history","id":1,"room":"lobby","limit":1e999}', "bad_json", id="1e999"),
        row(80, {"type": "read", "id": 1, "room": "lobby", "seq": 2**53}, "bad_request", id="2^53"),
        row(80, {"type": "history", "id": 1, "room": "lobby", "before": 2**63}, "bad_request", id="2^63"),
        row(83, {"type": "dance", "id": 1}, "unknown_type", id="type"),
        row(83, {"type": "message", "id": 1, "room": "lobby"}, "bad_request", id="missing"),
        row(83, {"type": "message", "id": 1, "room": "lobby", "text": 5}, "bad_request", id="wrong type"),
        row(84, {"type": "message", "id": 1, "room": "lobby", "text": "x" * 4001}, "too_large", id="text"),
        row(84, {"type": "join", "id": 1, "room": "r" * 129}, "no_room", id="room"),
        row(84, {"type": "nick", "id": 1, "nick": "n" * 33}, "bad_request", id="nick"),
        row(87, {"type": "message", "id": 1, "room": "attic", "text": "x"}, "not_joined", id="not joined"),
        row(87, {"type": "join", "id": 1, "room": "dm:u_x:u_y"}, "forbidden", id="others' conversation"),
        row(90, {"type": "history", "id": 1, "room": "lobby", "limit": 10**9}, "ok", id="limit"),
        row(90, {"type": "history", "id": 1, "room": "lobby", "before": -1}, "bad_request", id="before"),
        row(90, {"type": "history", "id": 1, "room": "lobby", "after": 2**53 - 1}, "ok", id="from the future"),
        *(
            row(95, {"type": "nick", "id": 1, "nick": f"a{hidden}b"}, "bad_request", id=f"{ord(hidden):x}")
            for hidden in "\u202e\u2066\u2069\u200b\u00ad\u3164\U000e0061"
        ),
        row(96, {"type": "nick", "id": 1, "nick": "Byst\u0430nder"}, "bad_request", id="Cyrillic"),
        row(96, {"type": "nick", "id": 1, "nick": "Bystander"}, "nick_taken", id="same"),
        row(97, {"type": "nick", "id": 1, "nick": "ＢＹＳＴＡＮＤＥＲ"}, "nick_taken", id="wide"),
        row(97, {"type": "nick", "id": 1, "nick": " bystander "}, "nick_taken", id="spaces"),
        row(98, {"type": "nick", "id": 1, "nick": "a" + "\u0301" * 100}, "bad_request"),
        row(99, {"type": "nick", "id": 1, "nick": "Annα"}, "bad_request"),
        row(101, {"type": "join", "id": 1, "room": FORGED}, "no_room", id="room"),
        row(101, {"type": "nick", "id": 1, "nick": FORGED}, "bad_request", id="nick"),
    ],
)
def test_what_is_no_command(shared_server: Server, sent: str | dict[str, Any], code: str | None) -> None:
    """Each is answered with its code, or ends the connection where it is longer than a frame may be; whoever is
    refused can go on."""
    with FullPeer(shared_server) as ann:
        if code is None and isinstance(sent, str):
            ann.say(sent)
            assert ann.close_code() == 1009
            return
        answer = ann.answer(sent)
        assert code is None or (answer["code"] if answer["type"] == "error" else "ok") == code
        assert len(json.dumps(answer)) < 65_536
        assert ann.answer({"type": "message", "id": 2, "room": "lobby", "text": "still here"})["type"] == "ok"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        row(79, r"still \ud800here", "still \ufffdhere"),
        row(81, r"\u0000still\u0007 \u001bhere\u0085", "still here", id="controls"),
        row(100, EVIL, EVIL),
        row(101, r"still\r\nforged", "still\nforged"),
    ],
)
def test_what_is_said_is_clean(shared_server: Server, typed: str, told: str) -> None:
    """Half characters and controls do not reach anybody; markup is text like any other."""
    with FullPeer(shared_server) as ann, WebSocketPeer(shared_server.socket_url("/v1")) as eve:
        eve.say('{"type":"hello","id":1,"rooms":{"clean":{}}}')
        eve.until(lambda heard: heard)
        assert ann.answer('{"type":"join","id":1,"room":"clean"}')["type"] == "ok"
        assert ann.answer(f'{{"type":"message","id":2,"room":"clean","text":"{typed}"}}')["type"] == "ok"
        eve.until(lambda _: any(frame["type"] == "message" for frame in eve.frames))
        assert [frame["text"] for frame in eve.frames if frame["type"] == "message"] == [told]


def test_a_message_again(shared_server: Server) -> None:
    """Rows 82, 88, 89: the last of two members counts; the same `cid` is the first message, on another connection
    as well, and with other words a conflict."""
    message = {"type": "message", "id": 1, "room": "lobby", "cid": "c-1", "text": "still here"}
    twice = json.dumps(message)[:-1] + ',"colour":1,"text":"still here"}'
    with FullPeer(shared_server) as ann:
        first = ann.answer(twice.replace('"still here"', '"other words"', 1))
        again = ann.answer(message)
        assert (first["dup"], again["dup"], first["seq"]) == (False, True, again["seq"])
        assert ann.answer({**message, "text": "others"})["code"] == "cid_conflict"


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        row(102, b"x" * 8193, "* a line has at most 8192 bytes", id="endless"),
        row(102, b"\xff\xf4caf\xe9\n", "* this is not UTF-8", id="no UTF-8 behind what telnet says"),
        row(103, b"GET / HTTP/1.1\r\n", "* this port speaks lines of chat, not HTTP", id="GET"),
        row(103, b"POST / HTTP/1.1\r\n\r\nhello\n", "* this port speaks lines of chat, not HTTP", id="POST"),
    ],
)
def test_lines(shared_server: Server, sent: bytes, last: str) -> None:
    """They are explained, and the connection ends; nobody hears any of it."""
    with connected(shared_server.line_port) as bare:
        bare.sendall(sent)
        assert read_to_end(bare).decode().splitlines()[-1].startswith(last)


def test_lines_that_go_on(shared_server: Server) -> None:
    """Row 102: a newline alone ends a line, and NUL is taken out of one."""
    with LinePeer(shared_server.line_port) as line:
        line.say("still\0 here")
        line.until(lambda heard: any(words.endswith("say:still here") for words in heard))


def sockets(server: Server) -> WebSocketPeer:
    """Somebody on Socket.IO who is in."""
    peer = WebSocketPeer(server.socket_url("/socket.io/", EIO=4, transport="websocket"))
    peer.say("40")
    peer.until(lambda heard: any("comes in" in packet for packet in heard))
    return peer


@pytest.mark.parametrize(
    "sent",
    [
        row(105, ['51-["x",{"_placeholder":true,"num":9}]', b"x"], id="a placeholder for none"),
        row(105, ['51000000-["x"]'], id="a million attachments"),
        row(105, ["2" + "9" * 30 + '["message","x"]'], id="an endless ack id"),
        row(105, ["2[" + DEEP], id="deep"),
        row(105, [b"bytes nobody waits for"], id="bytes"),
    ],
)
def test_packets(shared_server: Server, sent: list[str | bytes]) -> None:
    """What is no packet ends the connection, and nothing else."""
    with sockets(shared_server) as eve:
        for packet in sent:
            try:
                eve.say(packet)
            except ConnectionClosed:
                break
        assert eve.close_code() in (1000, 1005, 1008)


def test_names_of_prototypes(shared_server: Server) -> None:
    """Row 105: `__proto__` and its like are names like any other, as event and as member."""
    with sockets(shared_server) as eve:
        for name in ("__proto__", "constructor", "toString"):
            eve.say(f'42["{name}",{{"__proto__":{{"admin":true}}}}]')
        eve.say('421["message",{"content":"still here","__proto__":{"nick":"x"}}]')
        eve.until(lambda heard: any(packet.startswith("431") for packet in heard))
        assert not eve.over


@pytest.mark.parametrize(
    "query", ["EIO=4&transport=polling&sid=nobody", "EIO=5&transport=polling", "EIO=4&transport=x"]
)
def test_sessions_that_are_none(shared_server: Server, query: str) -> None:
    """Row 106: an unknown session, version or transport is 400, with the code that Engine.IO has for it."""
    request = f"GET /socket.io/?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = exchange(shared_server.web_port, request.encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["code"] in (0, 1, 5)


@pytest.mark.parametrize("where", ["path", "header", "token"])
def test_what_a_request_says_is_in_no_log(shared_server: Server, where: str) -> None:
    """Rows 94, 101: neither a request's words nor a token come into the log."""
    path, agent = {
        "path": ("/forged%0a\x1b", "x"),
        "header": ("/lite", "x\x1b[2J forged"),
        "token": ("/?token=s3cret", "x"),
    }[where]
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
    assert exchange(shared_server.web_port, request.encode()).startswith(b"HTTP/1.1 ")
    assert "s3cret" not in shared_server.log
