"""`/wire`: what a peer is told of its own connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatservice.domain.errors import RESTART
from chatservice.transports.surroundings import MESSAGE_S, PING_S, STUCK_S
from chatservice.transports.wireview import KEPT_BYTES, MOST_BYTES, MOST_FRAMES
from wire.house import KEY, House, close_frame, frame, handshake, read_frames
from wire.people import WebSocketPerson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = "12345678"

Told = dict[str, Any]


class Watcher(WebSocketPerson):
    """Somebody at `/wire`.

    :ivar opened: what it was told first.
    """

    path = "/wire"

    def __init__(self, house: House, path: str | None = None, *headers: str) -> None:
        super().__init__(house, path, *headers)
        self.opened = self.told()[0]

    def told(self) -> list[Told]:
        """Everything since the last call; frames that are announced must be right behind the announcement."""
        found, tells = self.frames(), []
        frames: Iterator[tuple[int, bytes]] = iter(found)
        for opcode, payload in frames:
            if opcode == CLOSE:
                break
            tell = json.loads(payload)
            tells.append(tell)
            if tell["type"] == "sent":
                announced = next(frames)
                assert announced[0] == tell["opcode"]
                assert announced[1][:KEPT_BYTES].hex() == tell["payload"]
                assert len(announced[1]) == tell["length"]
        return tells

    def told_of(self, data: bytes, kind: str = "frame") -> list[Told]:
        """What these octets bring."""
        self.feed(data)
        return [tell for tell in self.told() if tell["type"] == kind]

    def echoes(self, data: bytes) -> list[str]:
        """What comes back, in hexadecimal."""
        return [tell["payload"] for tell in self.told_of(data, "sent") if "echo" in tell]


@pytest.fixture
def ann(house: House) -> Watcher:
    """Somebody who has connected."""
    return Watcher(house)


# --- the handshake ---


def test_the_handshake(ann: Watcher) -> None:
    """It is told as it came and as it was answered, with each step from the key to the answer."""
    assert ann.opened["request"] == handshake("/wire").decode()
    assert ann.opened["answer"].startswith("HTTP/1.1 101 Switching Protocols\r\n")
    steps = ann.opened["steps"]
    assert steps["key"] == KEY and steps["joined"] == KEY + steps["guid"]
    assert len(steps["sha1"]) == 40
    assert ann.answer.headers["sec-websocket-accept"] == steps["accept"]
    assert f"Sec-WebSocket-Accept: {steps['accept']}\r\n" in ann.opened["answer"]


def test_the_example_of_the_standard(house: House) -> None:
    """With the key of RFC 6455, section 1.3, every step is as it stands there."""
    steps = Watcher(house, None, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==").opened["steps"]
    assert steps["sha1"] == "b37a4f2cc0624f1690f64606cf385945b2bec4ea"
    assert steps["accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_secrets_are_not_shown(house: House) -> None:
    """Neither cookies, tokens nor what a proxy may have added: a script of the page reads what is told."""
    secret = "abracadabra"
    ann = Watcher(
        house,
        f"/wire?token={secret}&lang=en&odd%3D{secret}={secret}",
        f"Cookie: chat={secret}",
        f"Authorization: Bearer {secret}",
        f"X-Forwarded-Access-Token: {secret}",
        f"Sec-WebSocket-Protocol: bearer.{secret}",
        "User-Agent: Ann/1",
    )
    assert f"={secret}" not in json.dumps(ann.opened) and f" {secret}" not in json.dumps(ann.opened)
    assert "bearer." not in json.dumps(ann.opened)
    assert "GET /wire?token=(11 octets not shown)&lang=en&" in ann.opened["request"]
    assert "Cookie: (16 octets not shown)\r\n" in ann.opened["request"]
    assert "User-Agent: Ann/1\r\n" in ann.opened["request"]
    assert ann.opened["hidden"] == [
        "Cookie",
        "Authorization",
        "X-Forwarded-Access-Token",
        "Sec-WebSocket-Protocol",
    ]


def test_a_page_of_another_site(house: House) -> None:
    """It may not connect, as nowhere."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/wire", "Origin: http://elsewhere.example"))
    assert transport.take().startswith(b"HTTP/1.1 403 ")


def test_frames_that_come_with_the_request(house: House) -> None:
    """They are seen like all others, not read past the eye."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/wire") + frame("early"))
    _, _, rest = transport.take().partition(b"\r\n\r\n")
    tells = [
        json.loads(payload) for opcode, payload in read_frames(rest) if opcode == TEXT and payload[:1] == b"{"
    ]
    assert [tell["type"] for tell in tells if tell["type"] != "sent"] == ["opened", "frame"]
    assert bytes.fromhex(tells[-2]["payload"]) == b"early"


# --- frames ---


def test_a_frame(ann: Watcher) -> None:
    """Its head, its masking key, its payload with and without the mask, and what comes back."""
    ann.feed(frame("hi"))
    seen, echo = ann.told()
    assert seen == {
        "type": "frame",
        "t": 0.0,
        "n": 1,
        "fin": True,
        "rsv": [0, 0, 0],
        "opcode": 1,
        "name": "text",
        "length": 2,
        "form": 7,
        "head": "8182" + MASK,
        "key": MASK,
        "masked": "7a5d",
        "payload": "6869",
        "breaks": [],
        "utf8": {"good": True, "waiting": 0},
    }
    assert (echo["type"], echo["echo"], echo["head"], echo["payload"]) == ("sent", 1, "8102", "6869")


@pytest.mark.parametrize(("size", "form"), [(0, 7), (125, 7), (126, 16), (65_535, 16), (65_536, 64)])
def test_forms_of_the_length(ann: Watcher, size: int, form: int) -> None:
    """Seven bits, or 16 more, or 64 more; of a long payload only the beginning is told."""
    (seen,) = ann.told_of(frame(b"x" * size, BINARY))
    assert (seen["length"], seen["form"]) == (size, form)
    assert len(bytes.fromhex(seen["head"])) == {7: 6, 16: 8, 64: 14}[form]
    assert bytes.fromhex(seen["payload"]) == b"x" * min(size, KEPT_BYTES)


def test_fragments_with_a_ping_between(ann: Watcher) -> None:
    """Each is told as it comes; the ping is answered at once, the message when it is whole."""
    data = frame("a", fin=False) + frame("now", PING) + frame("b", 0, fin=False) + frame("c", 0)
    ann.feed(data)
    tells = ann.told()
    assert [(tell["type"], tell["opcode"], tell.get("fin")) for tell in tells] == [
        ("frame", TEXT, False),
        ("frame", PING, True),
        ("sent", PONG, None),
        ("frame", 0, False),
        ("frame", 0, True),
        ("sent", TEXT, None),
    ]
    assert (tells[2]["payload"], tells[5]["payload"]) == (b"now".hex(), b"abc".hex())
    assert ann.pongs == [b"now"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_however_it_is_cut(house: House, size: int) -> None:
    """The same is told in whatever pieces the octets come."""
    data = frame("你好", fin=False) + frame("now", PING) + frame("…", 0) + frame("x" * 300)
    whole, pieces = Watcher(house), Watcher(house)
    whole.feed(data)
    for at in range(0, len(data), size):
        pieces.feed(data[at : at + size])
    assert pieces.told() == whole.told()


def test_a_character_in_two_fragments(ann: Watcher) -> None:
    """The first fragment waits for the rest of it, and that is no fault."""
    first, second = ann.told_of(frame(b"\xe4\xbd", fin=False) + frame(b"\xa0", 0))
    assert first["utf8"] == {"good": True, "waiting": 2}
    assert second["utf8"] == {"good": True, "waiting": 0}


@pytest.mark.parametrize(
    ("pieces", "verdict"),
    [
        ([b"a\xc3\x28"], {"good": False, "at": 1, "octets": "c3", "why": "invalid continuation byte"}),
        ([b"\xed\xa0\x80"], {"good": False, "at": 0, "octets": "ed", "why": "invalid continuation byte"}),
        ([b"ab", b"c\xff"], {"good": False, "at": 3, "octets": "ff", "why": "invalid start byte"}),
        ([b"\xe4\xbd", b"x"], {"good": False, "at": 0, "octets": "e4bd", "why": "invalid continuation byte"}),
        ([b"ok\xe4\xbd"], {"good": False, "at": 2, "octets": "e4bd", "why": "unexpected end of data"}),
    ],
)
def test_bad_utf8(ann: Watcher, pieces: list[bytes], verdict: Told) -> None:
    """It is told where it fails and on which octets, counted over all fragments; then it closes with 1007."""
    last = len(pieces) - 1
    data = [frame(piece, 0 if at else TEXT, fin=at == last) for at, piece in enumerate(pieces)]
    ann.feed(b"".join(data))
    tells = ann.told()
    assert tells[-2]["utf8"] == verdict
    assert (tells[-1]["type"], tells[-1]["code"]) == ("closing", 1007)
    assert ann.closed is not None and ann.closed[0] == 1007


def test_bad_text_in_a_binary_message(ann: Watcher) -> None:
    """What it would be as text is told, and it comes back all the same."""
    (seen,) = ann.told_of(frame(b"\xff", BINARY))
    assert seen["utf8"]["good"] is False
    assert ann.echoes(frame(b"\xff", BINARY)) == ["ff"] and ann.closed is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (frame("hi", masked=False), "masks"),
        (frame("hi", rsv=4), "reserved bit"),
        (frame("hi", 3), "opcode is reserved"),
        (frame("hi", PING, fin=False), "not fragmented"),
        (frame("x" * 126, PING), "at most 125"),
        (b"\x81\xfe\x00\x02" + bytes(6), "shortest form"),
        (frame("hi", 0), "nothing has begun"),
        (frame("a", fin=False) + frame("b"), "has not ended"),
        (close_frame(1005), "close code"),
        (frame(b"\x03", CLOSE), "two octets"),
    ],
)
def test_broken_rules(ann: Watcher, data: bytes, words: str) -> None:
    """Which rule a frame breaks is told before the connection ends with 1002."""
    ann.feed(data + frame("never seen"))
    tells = ann.told()
    assert [words in broken for broken in tells[-2]["breaks"]] == [True]
    assert tells[-1]["type"] == "closing"
    assert ann.closed is not None and ann.closed[0] == 1002


def test_too_long(ann: Watcher) -> None:
    """A frame that is longer than we take is told by its head alone."""
    (seen,) = ann.told_of(frame("x" * 65_537))
    assert (seen["length"], seen["payload"]) == (65_537, "") and "longer" in seen["breaks"][0]
    assert ann.closed is not None and ann.closed[0] == 1009


def test_a_farewell(ann: Watcher) -> None:
    """Code and reason of a close frame are told, then it is answered in kind."""
    ann.feed(close_frame(1000, "bye 再见"))
    seen, closing = ann.told()
    assert (seen["code"], seen["reason"], closing["code"], closing["reply"]) == (1000, "bye 再见", 1000, True)
    assert ann.closed == (1000, "")


def test_deflated(house: House) -> None:
    """Where the service compresses, `?deflate=1` agrees to it, and else nobody's frames are compressed."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    roomy = House(compression=True)
    plain, zipped = Watcher(roomy, None, offer), Watcher(roomy, "/wire?deflate=1", offer)
    assert "sec-websocket-extensions" not in plain.answer.headers
    assert "sec-websocket-extensions" in zipped.answer.headers
    data = frame(b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4)  # RFC 7692, section 7.2.3.1
    zipped.feed(data)
    seen, echo = zipped.told()
    assert (seen["rsv"], "utf8" in seen, bytes.fromhex(echo["message"])) == ([1, 0, 0], False, b"Hello")
    assert "sec-websocket-extensions" not in Watcher(house, "/wire?deflate=1", offer).answer.headers


# --- times and bounds ---


def test_pings_and_their_pongs(house: House, ann: Watcher) -> None:
    """A ping goes at the beginning, behind an echo and after silence; how long its pong took is told."""
    assert ann.pings == 1
    house.clock.advance(0.25)
    (pong,) = ann.told_of(frame("1", PONG))
    assert pong["rtt_ms"] == 250
    house.wait(1)
    assert ann.told_of(frame("hi"), "sent")[-1]["opcode"] == PING
    house.wait(PING_S + 1)
    assert [tell["opcode"] for tell in ann.told()] == [PING]
    (stranger,) = ann.told_of(frame("never sent", PONG))
    assert "rtt_ms" not in stranger
    ann.answer_ping()
    assert ann.closed is None


def test_many_messages_bring_few_pings(house: House, ann: Watcher) -> None:
    """Each ping costs the peer a pong, of which there may not be many."""
    for _ in range(100):
        ann.feed(frame("x"))
    ann.told()
    assert ann.pings == 1 and ann.closed is None


def test_so_many_frames(house: House, ann: Watcher) -> None:
    """A connection is told of 512 frames; then it says so and ends."""
    ann.feed(b"".join(frame(b"%d" % number) for number in range(MOST_FRAMES + 5)))
    tells = ann.told()
    assert len([tell for tell in tells if tell["type"] == "frame"]) == MOST_FRAMES
    assert [tell["type"] for tell in tells[-2:]] == ["enough", "closing"]
    assert ann.closed is not None and ann.closed[0] == 1008


def test_so_many_octets(house: House, ann: Watcher) -> None:
    """And of one megabyte."""
    count = 0
    while ann.closed is None and count < 100:
        count += 1
        ann.feed(frame(b"x" * 65_000, BINARY))
        ann.told()
    assert ann.closed is not None and ann.closed[0] == 1008
    assert MOST_BYTES <= count * 65_014 < MOST_BYTES + 65_014


def test_half_a_frame(house: House, ann: Watcher) -> None:
    """A frame that has begun has as long as elsewhere."""
    ann.feed(frame("x" * 1000)[:-1])
    house.wait(MESSAGE_S - 2)
    ann.told()
    assert ann.closed is None
    house.wait(3)
    ann.told()
    assert ann.closed is not None and ann.closed[0] == 1008


def test_who_does_not_read(house: House, ann: Watcher) -> None:
    """What it is told waits, it is not read from meanwhile, and loses nothing if it reads in time."""
    ann.transport.producer.pauseProducing()
    ann.feed(b"".join(frame(b"%d" % number) for number in range(20)))
    assert ann.transport.producerState != "producing"
    assert ann.transport.producer.waiting_bytes < 20_000
    house.wait(STUCK_S / 2)
    ann.transport.producer.resumeProducing()
    house.pump.run()
    echoed = [bytes.fromhex(tell["payload"]) for tell in ann.told() if "echo" in tell]
    assert echoed == [b"%d" % number for number in range(20)]
    ann.transport.producer.pauseProducing()
    ann.feed(frame("x"))
    house.wait(STUCK_S + 1)
    ann.frames()
    assert ann.closed is not None and ann.closed[0] == 1008


def test_a_restart(house: House, ann: Watcher) -> None:
    """Its connections end like all others."""
    house.chat.close_peers(RESTART)
    ann.told()
    assert ann.closed is not None and ann.closed[0] == 1012
    assert not house.chat.peers


# --- in every dialect ---


def test_in_every_dialect(house: House) -> None:
    """A text is told as all dialects would tell it, by their own voices, in the language and name asked for."""
    ann = Watcher(house, "/wire?lang=zh-CN&nick=Ann")
    (echo,) = ann.told_of(frame("hi"), "sent")
    rows = {row["as"]: row for row in echo["events"]["message"]}
    assert rows["text"] == {"as": "text", "path": "/text", "told": ["hi"], "head": ["81 02"]}
    assert json.loads(rows["simple"]["told"][0])["data"] == "Ann 说：hi"
    assert json.loads(rows["chat.v1"]["told"][0])["text"] == "hi"
    assert rows["Socket.IO 2 and 4"]["told"] == ['42["mes","Ann 说：hi"]', '42["message","hi"]']
    assert rows["Socket.IO 4"]["told"] == ['42["mes","Ann 说：hi"]\x1e42["message","hi"]']
    assert rows["Socket.IO 2"]["told"] == ['20:42["mes","Ann 说：hi"]18:42["message","hi"]']
    assert rows["line"]["told"] == ["Annsay:hi\n"] and "head" not in rows["line"]
    assert rows["server-sent events"]["told"][0].startswith("id: k3f9:1\ndata: {")
    assert json.loads(rows["HTTP"]["told"][0])["seq"] == 1
    usual = {name: [row["as"] for row in rows] for name, rows in ann.opened["events"].items()}
    assert set(usual) == {"greeting", "enter", "leave"}
    assert usual["greeting"] == ["Socket.IO 2 and 4", "Socket.IO 4", "Socket.IO 2", "line"]
    assert "chat.v1" in usual["enter"]


def test_nobody_is_in_a_room(house: House, ann: Watcher) -> None:
    """Nobody else hears, and nothing is kept."""
    bob = WebSocketPerson(house, "/text")
    bob.texts()
    ann.told_of(frame("hi"))
    assert bob.texts() == [] and len(house.hub.rooms) == 1
