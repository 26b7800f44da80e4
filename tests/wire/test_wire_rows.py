"""The rows of bad input that a WebSocket may bring (numbers as in the list of required responses), one by one."""

from __future__ import annotations

import zlib

import pytest
from twisted.logger import LogEvent, globalLogPublisher

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.domain.trust import Identity
from chatservice.transports.admission import Bounds
from chatservice.transports.surroundings import FAREWELL_S
from chatservice.wires.light import CONTROLS, CONTROLS_PER_S, FRAGMENTS
from wire.deflated import OFFER, RSV1, DeflatedPerson, deflated
from wire.deflated import message as squeezed
from wire.house import House, close_frame, frame, handshake, read_answer
from wire.people import LinePerson, WebSocketPerson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SOCKET_IO = "/socket.io/?EIO=4&transport=websocket"
CHATS = ["/", "/text", "/v1", "/scream"]
EVIL = "<script>\x1b[31m"


def rows(*found: tuple[object, ...]) -> list[object]:
    """Table rows whose first column, the number and a word, is their id."""
    return [pytest.param(*row[1:], id=str(row[0])) for row in found]


KEYS = {"missing": "", "of 23": "dGhlIHNhbXBsZSBub25jZQ=", "no base64": "!" * 22 + "==", "evil": EVIL}
PUBLIC = "Host: chat.example.org"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    rows(
        ("12 POST", handshake(method="POST"), 405),
        ("12 PUT", handshake(method="PUT"), 405),
        ("13 HTTP 1.0", handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
        ("14 no host", handshake(without=("Host",)), 400),
        ("14 two hosts", handshake("/", "Host: a\r\nHost: b"), 400),
        ("15 no upgrade", handshake("/echo", without=("Upgrade",)), 426),
        ("16 keep-alive", handshake("/", "Connection: keep-alive"), 400),
        *((f"17 version {v}", handshake("/", f"Sec-WebSocket-Version: {v}"), 400) for v in ("8", "7", "99", "x")),
        ("17 two versions", handshake("/", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13"), 400),
        *((f"18 key {name}", handshake("/", f"Sec-WebSocket-Key: {key}"), 400) for name, key in KEYS.items()),
        ("19 another origin", handshake("/", PUBLIC, "Origin: https://evil.example"), 403),
        ("20 null", handshake("/", PUBLIC, "Origin: null"), 403),
        ("20 a file", handshake("/", PUBLIC, "Origin: file:///x"), 403),
        ("21 ends like it", handshake("/", PUBLIC, "Origin: https://xchat.example.org"), 403),
        ("21 begins like it", handshake("/", PUBLIC, "Origin: https://chat.example.org.evil.net"), 403),
        ("21 in capitals", handshake("/", PUBLIC, "Origin: https://CHAT.example.org"), 101),
        ("22 two origins", handshake("/", PUBLIC, "Origin: https://chat.example.org\r\nOrigin: null"), 400),
        ("23 no origin", handshake("/", PUBLIC), 101),
        *(
            (f"24 {character!a}", handshake("/", f"X: a{character}Origin: https://evil.example"), 400)
            for character in "\x85\x0b\x0c\x1c\x1d\x1e"
        ),
        ("24 line separator", handshake("/", "X: a\u2028Origin: https://evil.example"), 101),
        ("25 bare CR", handshake("/", "X: a\rb"), 400),
        ("25 bare LF", handshake("/", "X: a\nb"), 400),
        ("25 NUL", handshake("/", "X: a\0b"), 400),
        ("25 a folded line", handshake("/", "X: a\r\n b"), 400),
        ("26 with a body", handshake("/", "Content-Length: 5") + b"hello", 400),
        ("26 with chunks", handshake("/", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        ("26 a body of nothing", handshake("/", "Content-Length: 0"), 101),
        ("32 no subprotocol of ours", handshake("/", "Sec-WebSocket-Protocol: mqtt"), 400),
        ("35 redirect", handshake("/echo?redirect=https://evil.example", without=("Upgrade", "Connection")), 426),
    ),
)
def test_heads(request_bytes: bytes, status: int) -> None:
    """The request has that status, a line of ours, and nothing of the peer's in it; a refused connection ends."""
    house = House(loopback=False)
    transport = house.connect(house.door)
    house.feed(transport, request_bytes)
    told = transport.take()
    answer = read_answer(told)
    assert answer.status == status
    assert b"evil" not in told.lower() and b"\x1b" not in told and answer.headers.get("location") is None
    assert transport.disconnecting == (status != 101 and "close" in answer.headers.get("connection", ""))
    if status == 426:
        assert answer.headers["upgrade"].lower() == "websocket"
    if b"Version: " in request_bytes and request_bytes.count(b"Version: 13") == 0:
        assert answer.headers["sec-websocket-version"] == "13"
    transport.lose()
    assert house.hub.rooms == {} and house.troubles == []


def test_row_27_and_28_what_follows_the_handshake(house: House) -> None:
    """A second request is no frame that we know: 1002, and one answer. Frames that come with the handshake are
    frames, and never read as HTTP."""
    one = WebSocketPerson(house, "/echo")
    one.feed(handshake("/echo"))
    one.frames()
    assert one.closed is not None and one.closed[0] == 1002
    transport = house.connect(house.door)
    house.feed(transport, handshake("/echo") + frame("GET / HTTP/1.1\r\n\r\n"))
    assert transport.take().endswith(b"\r\n\r\n\x81\x12GET / HTTP/1.1\r\n\r\n")


def test_row_29_who_leaves_during_the_handshake(house: House) -> None:
    """A handshake is answered in the turn in which it is whole: nobody is there before, nobody is left after."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/text")[:-2])
    assert house.hub.rooms == {} and not house.chat.peers
    transport.lose()
    assert len(house.around.handshakes) == 0 and house.hub.rooms == {}


def test_row_31_a_fault_of_ours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception while we judge a handshake is a 500 that tells nothing; it is reported to us."""
    house.chat.manners = None  # type: ignore[assignment]
    transport = house.connect(house.door)
    house.feed(transport, handshake("/text"))
    answer = read_answer(transport.take())
    assert (answer.status, answer.body) == (500, b"something went wrong here\n") and transport.disconnecting
    assert len(house.troubles) == 1
    house.troubles.clear()


@pytest.mark.parametrize(
    ("offer", "answer"),
    rows(
        ("33 unknown parameter", "permessage-deflate; foo=1", None),
        *(
            (f"33 window {bits}", f"permessage-deflate; server_max_window_bits={bits}", None)
            for bits in (8, 16, "x")
        ),
        ("33 doubled", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("34 no client window", "permessage-deflate", "permessage-deflate"),
    ),
)
def test_offers(offer: str, answer: str | None) -> None:
    """An offer that cannot be kept is passed over and its sender gets in; what was not offered is not answered."""
    one = WebSocketPerson(House(compression=True), "/text", f"Sec-WebSocket-Extensions: {offer}")
    assert one.answer.status == 101
    told = one.answer.headers.get("sec-websocket-extensions")
    assert (told or "").partition(";")[0] == (answer or "") and "client_max_window_bits" not in (told or "")


def begun(*pieces: bytes, opcode: int = TEXT) -> bytes:
    """A message that has not ended."""
    return b"".join(frame(piece, 0 if n else opcode, fin=False) for n, piece in enumerate(pieces))


@pytest.mark.parametrize("path", ["/text", "/v1", "/echo", SOCKET_IO])
@pytest.mark.parametrize(
    ("data", "code"),
    rows(
        ("47 unmasked", frame("hi", masked=False), 1002),
        *((f"48 RSV {bits}", frame("hi", rsv=bits), 1002) for bits in (1, 2, 4)),
        *((f"49 opcode {opcode}", frame("hi", opcode), 1002) for opcode in (3, 7, 11, 15)),
        *((f"50 opcode {opcode} in fragments", frame("", opcode, fin=False), 1002) for opcode in (8, 9, 10)),
        *((f"50 opcode {opcode} of 126", frame(b"x" * 126, opcode), 1002) for opcode in (8, 9, 10)),
        ("50 RSV1 on a ping", frame("", PING, rsv=RSV1), 1002),
        ("51 continues nothing", frame("hi", 0), 1002),
        ("51 text within a message", begun(b"a") + frame("b"), 1002),
        ("52 16 bits for 5", b"\x81\xfe\x00\x05" + bytes(9), 1002),
        ("52 64 bits for 126", b"\x81\xff" + (126).to_bytes(8, "big") + bytes(130), 1002),
        ("52 2 to the 63", b"\x81\xff" + (2**63).to_bytes(8, "big") + bytes(4), 1002),
        ("53 a terabyte", b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4), 1009),
        *((f"57 {bad.hex()}", frame(b"ok" + bad), 1007) for bad in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90")),
        ("57 in an unfinished message", begun(b"ok", b"\xf8"), 1007),
        ("58 ends within a character", frame("你".encode()[:2]), 1007),
        *(
            (f"59 code {code}", close_frame(code), 1002)
            for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000)
        ),
        ("60 of one byte", frame(b"\x03", CLOSE), 1002),
        ("60 reason of 124", close_frame(1000, "x" * 124), 1002),
        ("60 reason that is no UTF-8", frame(b"\x03\xe8\xff", CLOSE), 1007),
    ),
)
def test_frames(house: House, data: bytes, code: int, path: str) -> None:
    """Frames that break RFC 6455 end the connection with that code on every dialect, octet by octet as well."""
    for piece in (len(data), 1):
        one = WebSocketPerson(house, path)
        for at in range(0, min(len(data), 200), piece):
            one.feed(data[at : at + piece])
        one.frames()
        assert one.closed is not None and one.closed[0] == code
        assert len(house.around.messages) == 0 or path == SOCKET_IO
        one.leave()


@pytest.mark.parametrize("path", CHATS)
@pytest.mark.parametrize(
    "data",
    rows(
        ("54 one frame", frame(b"x" * 65_537)),
        ("54 two fragments", frame(b"x" * 65_000, fin=False) + frame(b"x" * 537, 0)),
        ("54 inflated", squeezed("x" * 65_537)),
        ("68 inflated to 64 MB", squeezed(bytes(64_000_000))),
    ),
)
def test_too_long(data: bytes, path: str) -> None:
    """What is longer than 64 KiB, or would be, is 1009."""
    one = DeflatedPerson(House(compression=True), path)
    one.feed(data)
    one.frames()
    assert one.closed is not None and one.closed[0] == 1009


@pytest.mark.parametrize("path", [*CHATS, SOCKET_IO])
@pytest.mark.parametrize("piece", [b"", b"4"], ids=["empty", "of one byte"])
def test_row_55_fragments(house: House, path: str, piece: bytes) -> None:
    """A message may come in 128 fragments; the 129th is 1008, on chat.v1 and Socket.IO too."""
    one = WebSocketPerson(house, path)
    last = frame(piece, 0)
    one.feed(begun(*[piece] * (FRAGMENTS - 1)) + last)
    one.frames()
    assert one.closed is None or one.closed[0] not in (1002, 1008, 1009)
    one = WebSocketPerson(house, path)
    one.feed(begun(*[piece] * FRAGMENTS))
    one.frames()
    assert one.closed is None
    one.feed(last)
    one.frames()
    assert one.closed == (1008, "a message has at most 128 fragments")


def test_row_61_after_the_close(house: House) -> None:
    """What comes behind the peer's close frame is not heard."""
    one = WebSocketPerson(house, "/echo")
    one.feed(close_frame(1000) + frame("more") + frame("", PING))
    assert [opcode for opcode, _ in one.frames()] == [CLOSE] and one.closed == (1000, "")


@pytest.mark.parametrize("path", ["/text", "/echo", "/v1", SOCKET_IO])
def test_rows_62_to_64_an_end_that_is_not_answered(house: House, path: str) -> None:
    """We close, and the peer neither answers nor reads: it is cut off after 5 s."""
    one = WebSocketPerson(house, path)
    one.transport.producer.pauseProducing()
    one.feed(frame("", 3))
    house.wait(FAREWELL_S - 1)
    assert not one.transport.aborted
    house.wait(2)
    assert one.transport.aborted


@pytest.mark.parametrize(("path", "code"), [("/text", 1008), ("/echo", 1008), ("/v1", 4013), (SOCKET_IO, 1008)])
@pytest.mark.parametrize("opcode", [PING, PONG], ids=["65 pings", "67 pongs"])
def test_control_floods(house: House, path: str, code: int, opcode: int) -> None:
    """Thirty pings or pongs at once are answered or ignored, and ten a second for as long as one likes; one more
    ends it."""
    one = WebSocketPerson(house, path)
    one.feed(frame(b"life", opcode) * CONTROLS)
    for _ in range(5):
        house.wait(1)
        one.feed(frame(b"life", opcode) * round(CONTROLS_PER_S))
    one.frames()
    assert one.closed is None and len(one.pongs) == (CONTROLS + 5 * CONTROLS_PER_S if opcode == PING else 0)
    one.feed(frame(b"life", opcode))
    one.frames()
    assert one.closed is not None and one.closed[0] == code
    assert len(one.pongs) == (CONTROLS + 5 * CONTROLS_PER_S if opcode == PING else 0)


def test_row_66_pings_of_one_who_does_not_read(house: House) -> None:
    """As soon as one pong waits, no ping is read any more; after 30 s it is closed."""
    one = WebSocketPerson(house, "/text")
    one.frames()
    one.transport.producer.pauseProducing()
    for _ in range(3):
        one.feed(frame(b"x" * 125, PING))
    assert one.transport.producer.waiting_bytes == 127 and one.transport.producerState == "paused"
    house.wait(30)
    one.frames()
    assert one.closed == (1008, "you read too slowly")


def test_row_69_and_70_streams(house: House) -> None:
    """Corrupt data is 1007; a stream with a last block is one message, and those after it are whole."""
    squeezing = House(compression=True)
    one = DeflatedPerson(squeezing, "/echo")
    for number in range(3):
        one.feed(frame(deflated(f"last {number}", flush=zlib.Z_FINISH), rsv=RSV1) + squeezed(f"next {number}"))
    assert one.texts() == [f"{word} {number}" for number in range(3) for word in ("last", "next")]
    one.feed(frame(b"\xff" * 20, rsv=RSV1))
    one.frames()
    assert one.closed is not None and one.closed[0] == 1007


@pytest.mark.parametrize(("path", "code"), [("/", 1003), ("/text", 1003), ("/scream", 1003), ("/v1", 4501)])
def test_row_71_binary(house: House, path: str, code: int) -> None:
    """Binary where text is spoken ends it, with chat.v1's own code there."""
    one = WebSocketPerson(house, path, OFFER)
    one.feed(frame(b"\0", BINARY))
    one.frames()
    assert one.closed is not None and one.closed[0] == code


def test_row_75_a_thousand_errors(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand peers that break the protocol leave nothing behind: no log line, no place in a queue for long."""
    for _ in range(1000):
        one = WebSocketPerson(house, "/text")
        one.feed(frame("", 3))
        one.leave()
    assert not house.chat.peers and house.hub.rooms == {} and house.troubles == []
    assert len(house.around.farewells) == len(house.around.pings) == len(house.around.messages) == 0
    assert capsys.readouterr() == ("", "")


def test_row_75_refused_at_accept() -> None:
    """A thousand of them within one second from one address: most are closed as they are accepted, the log has one
    line in ten seconds, and another address, even that of somebody who is there already, is served as ever."""
    house = House(loopback=False, bounds=Bounds(per_address=200, per_minute=300))
    friend = house.connect(house.lines, "198.51.100.7")
    friend.take()
    logged: list[LogEvent] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        refused = 0
        for second in range(20):
            for _ in range(1000 if second == 0 else 50):
                transport = house.connect(house.door, "203.0.113.5")
                refused += transport.gone
                if not transport.gone:
                    house.feed(transport, handshake("/text") + frame("", 3))
                    transport.lose()
            house.wait(1)
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert 1950 - refused <= 300 + 20 * 300 / 60 + 1
    assert len(logged) == 2 and all(event["address"] == "203.0.113.5" for event in logged)
    house.feed(friend, b"still here\n")
    assert friend.take().endswith(b"still here\n") and house.troubles == []
    assert not house.connect(house.lines, "198.51.100.7").gone


class SlowSignIn:
    """Thinks until it is told what to say."""

    def __init__(self) -> None:
        self.thinking: list[Promise[tuple[Identity, str]]] = []

    def login(self, name: str, password: str, address: str) -> Promise[tuple[Identity, str]]:
        self.thinking.append(Promise())
        return self.thinking[-1]


@pytest.mark.parametrize("answer", [(Identity("u_a", "Ann", False), "a_token"), Refused(Code.UNAUTHORIZED)])
def test_rows_29_and_30_gone_while_a_password_is_looked_at(answer: tuple[Identity, str] | Refused) -> None:
    """Hashing takes a moment: who leaves in it, on a line or over HTTP, is nowhere when the answer comes."""
    house = House()
    house.hub.sign_in = sign_in = SlowSignIn()
    line = LinePerson(house)
    line.say("/login Ann sesame-open")
    post = house.connect(house.door)
    body = b'{"name":"Ann","password":"sesame-open"}'
    head = "POST /v1/login HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\n"
    house.feed(post, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert len(sign_in.thinking) == 2
    line.leave()
    post.lose()
    for thinking in sign_in.thinking:
        if isinstance(answer, Refused):
            thinking.reject(answer)
        else:
            thinking.resolve(answer)
    house.pump.run()
    assert len(house.hub.roster) == 0 and house.hub.rooms == {} and house.hub.sessions == {}
    assert house.troubles == []
