"""Frames that break the rules: each has its close code, and nobody else notices."""

from __future__ import annotations

import pytest

from chatservice.transports.lag import LAG_BYTES
from chatservice.transports.websocket import FRAME_BYTES
from wire.house import House, close_frame, frame
from wire.people import TextPerson, WebSocketPerson

TEXT, BINARY, PING, PONG = 1, 2, 9, 10


def closed(house: House, data: bytes, path: str = "/text") -> tuple[int, str] | None:
    """What a peer that sends `data` is told at the end, after which it finishes the close."""
    one, witness = WebSocketPerson(house, path), TextPerson(house)
    one.frames(), witness.heard()
    one.feed(data)
    one.frames()
    if one.closed is not None:
        # At once: nobody is in the room who cannot hear it.
        assert witness.heard() == (["user1 left"] if path in ("/", "/text") else [])
        one.feed(close_frame(one.closed[0]))
        assert one.transport.disconnecting and one.transport.take() == b""
        one.leave()
    return one.closed


@pytest.mark.parametrize("path", ["/", "/text", "/scream"])
def test_binary_on_a_text_dialect(house: House, path: str) -> None:
    """Binary closes with 1003 and says where binary is spoken."""
    code_and_words = closed(house, frame(b"\x00\xff", BINARY), path)
    assert code_and_words == (1003, "binary is for /echo; here only text is spoken")


def test_binary_on_echo(house: House) -> None:
    """Echo takes both types and gives the same back."""
    one = WebSocketPerson(house, "/echo")
    one.feed(frame(b"\x00\xff", BINARY) + frame("hi") + frame(b"", BINARY) + frame(""))
    assert one.frames() == [(BINARY, b"\x00\xff"), (TEXT, b"hi"), (BINARY, b""), (TEXT, b"")]


def test_scream(house: House) -> None:
    """Scream shouts back at the sender alone."""
    one, other = WebSocketPerson(house, "/scream"), WebSocketPerson(house, "/scream")
    one.say("straße")
    assert (one.texts(), other.texts()) == (["STRASSE!!!"], [])


BAD_UTF8 = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"ok\xe4\xbd"]


@pytest.mark.parametrize("path", ["/text", "/echo"])
@pytest.mark.parametrize("bad", BAD_UTF8, ids=bytes.hex)
def test_bad_utf8(house: House, bad: bytes, path: str) -> None:
    """Text that is not UTF-8 closes with 1007."""
    code_and_words = closed(house, frame(bad), path)
    assert code_and_words is not None and code_and_words[0] == 1007


@pytest.mark.parametrize("bad", BAD_UTF8, ids=bytes.hex)
def test_bad_utf8_across_fragments(house: House, bad: bytes) -> None:
    """It is found as well when it is cut into fragments in the middle."""
    for cut in range(len(bad) + 1):
        code_and_words = closed(House(), frame(bad[:cut], fin=False) + frame(bad[cut:], 0))
        assert code_and_words is not None and code_and_words[0] == 1007, cut


def test_good_utf8_across_fragments(house: House) -> None:
    """A character may be cut anywhere; the message is whole."""
    one = TextPerson(house)
    one.heard()
    whole = "你好👋".encode()
    for cut in range(len(whole) + 1):
        one.feed(frame(whole[:cut], fin=False) + frame(b"life", PING) + frame(whole[cut:], 0))
        assert one.heard() == ["你好👋"]
    assert one.pongs == [b"life"] * (len(whole) + 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(b"x" * (FRAME_BYTES + 1)), 1009, id="64 KiB and one"),
        pytest.param(frame(b"x" * 40_000, fin=False) + frame(b"x" * 40_000, 0), 1009, id="80 kB in fragments"),
        pytest.param(b"\x81\xff" + (2**40).to_bytes(8, "big") + bytes(4), 1009, id="announces a terabyte"),
        pytest.param(frame("hi", masked=False), 1002, id="unmasked"),
        pytest.param(frame("hi", rsv=4), 1002, id="RSV1"),
        pytest.param(frame("hi", rsv=2), 1002, id="RSV2"),
        pytest.param(frame("hi", rsv=1), 1002, id="RSV3"),
        pytest.param(frame("hi", 3), 1002, id="opcode 3"),
        pytest.param(frame("hi", 11), 1002, id="opcode 11"),
        pytest.param(frame("hi", 0), 1002, id="continues nothing"),
        pytest.param(frame("a", fin=False) + frame("b"), 1002, id="begins inside another"),
        pytest.param(frame("hi", PING, fin=False), 1002, id="a ping in fragments"),
        pytest.param(frame(b"x" * 126, PING), 1002, id="a long ping"),
        pytest.param(b"\x81\xfe\x00\x05" + bytes(9), 1002, id="length not in its shortest form"),
        pytest.param(b"\x81\xff" + b"\xff" * 8 + bytes(4), 1002, id="length above 2^63"),
        pytest.param(close_frame(999), 1002, id="close code 999"),
        pytest.param(close_frame(1005), 1002, id="close code 1005"),
        pytest.param(close_frame(5000), 1002, id="close code 5000"),
        pytest.param(frame(b"\x03", 8), 1002, id="close of one byte"),
        pytest.param(frame(b"\x03\xe8\xff", 8), 1007, id="close reason that is no UTF-8"),
    ],
)
def test_close_codes(house: House, data: bytes, code: int) -> None:
    """What breaks RFC 6455 or our bounds closes with the right code."""
    code_and_words = closed(house, data)
    assert code_and_words is not None and code_and_words[0] == code


def test_the_longest_message(house: House) -> None:
    """64 KiB come back from echo, whole and in fragments."""
    one = WebSocketPerson(house, "/echo")
    one.feed(frame(b"x" * FRAME_BYTES, BINARY))
    one.feed(frame(b"y" * 32_768, BINARY, fin=False) + frame(b"y" * 32_768, 0))
    assert one.frames() == [(BINARY, b"x" * FRAME_BYTES), (BINARY, b"y" * FRAME_BYTES)]


def test_every_split_of_frames(house: House) -> None:
    """However frames are cut into packets, they are the same messages."""
    one = WebSocketPerson(house, "/echo")
    data = frame("a" * 130) + frame(b"", PING) + frame("b")
    for cut in range(len(data)):
        one.feed(data[:cut])
        one.feed(data[cut:])
        assert one.frames() == [(TEXT, b"a" * 130), (PONG, b""), (TEXT, b"b")]
        house.wait(1)


def test_pings_are_answered_in_order(house: House) -> None:
    """A pong carries the ping's payload and keeps its place among the answers."""
    one = WebSocketPerson(house, "/echo")
    one.feed(frame("a") + frame(b"1", PING) + frame("b") + frame(b"x" * 125, PING))
    assert one.frames() == [(TEXT, b"a"), (PONG, b"1"), (TEXT, b"b"), (PONG, b"x" * 125)]


@pytest.mark.parametrize("sent", [close_frame(1000, "bye"), close_frame(1001), frame(b"", 8)])
def test_a_polite_end(house: House, sent: bytes) -> None:
    """A close frame is answered; then the transport ends, the others see somebody leave, and what was said
    before it is said."""
    one, witness = TextPerson(house), TextPerson(house)
    one.heard(), witness.heard()
    one.feed(frame("last words") + sent + frame("beyond the end"))
    one.frames()
    assert one.closed == (1000, "") and one.transport.disconnecting
    assert sorted(witness.heard()) == ["last words", "user1 left"]
    one.leave()
    house.wait(10)
    assert not one.transport.aborted and len(house.around.farewells) == 0


@pytest.mark.parametrize("how", ["closes", "is closed", "breaks the rules"])
def test_a_peer_that_never_finishes(house: House, how: str) -> None:
    """However the end begins: a peer that does not finish it is cut off after 5 s and gets no frame meanwhile."""
    one, other = WebSocketPerson(house, "/text"), TextPerson(house)
    one.frames()
    one.feed({"closes": close_frame(1000), "is closed": frame(b"", BINARY), "breaks the rules": frame("", 3)}[how])
    other.say("does anybody still hear me?")
    one.frames()  # which asserts that nothing follows the close frame
    assert one.closed is not None
    assert other.heard()[-2:] == ["user1 left", "does anybody still hear me?"]
    house.wait(4)
    assert not one.transport.aborted
    house.wait(1)
    assert one.transport.aborted and one.frames() == []


def test_what_was_said_before_the_close_is_sent(house: House) -> None:
    """Frames that wait for the end of the turn go out before the close frame, not after it."""
    one = WebSocketPerson(house, "/echo")
    one.transport.protocol.dataReceived(frame("a") + frame("b", 3))
    house.pump.run()
    assert [payload[:2] for _, payload in one.frames()] == [b"a", b"\x03\xea"]


def slow_reader(house: House) -> tuple[WebSocketPerson, TextPerson]:
    """Somebody who has stopped reading, and a witness."""
    one, witness = WebSocketPerson(house, "/text"), TextPerson(house)
    one.frames(), witness.heard()
    one.transport.producer.pauseProducing()
    return one, witness


def test_a_slow_reader(house: House) -> None:
    """Whoever does not read costs a megabyte and no more; after 30 s it is closed with 1008 and told why. The
    others do not notice."""
    one, witness = slow_reader(house)
    for n in range(2 * LAG_BYTES // 4000):
        witness.say("x" * 4000)
        assert len(witness.heard()) == 1
        assert one.transport.producer.waiting_bytes < LAG_BYTES + 5000, n
    house.wait(29)
    assert one.frames() == [] and one.closed is None and witness.heard() == []
    house.wait(1)
    one.frames()
    assert one.closed == (1008, "you read too slowly")
    assert witness.heard() == ["user1 left"]
    house.wait(4)
    assert not one.transport.aborted
    house.wait(1)
    assert one.transport.aborted


def test_a_reader_that_catches_up(house: House) -> None:
    """A peer that paused for a while gets all that was said meanwhile, in order."""
    one, witness = slow_reader(house)
    for n in range(100):
        witness.say(str(n))
    assert one.frames() == []
    one.transport.producer.resumeProducing()
    assert one.texts() == [str(n) for n in range(100)]


def test_a_reader_that_catches_up_late(house: House) -> None:
    """A peer that lets more than a megabyte wait gets what was kept, is told how much was left out, and hears
    all that is said from then on."""
    one, witness = slow_reader(house)
    total = 2 * LAG_BYTES // 4000
    for n in range(total):
        witness.say(f"{n:04}" * 1000)
    one.transport.producer.resumeProducing()
    house.pump.run()
    *kept, notice = one.texts()
    assert kept == [f"{n:04}" * 1000 for n in range(len(kept))] and len(kept) > LAG_BYTES // 5000
    assert notice == f"* {total - len(kept)} messages skipped, /history 200"
    witness.say("and now?")
    assert one.texts() == ["and now?"]
    house.wait(34)
    assert one.frames() == [(PING, b"")]  # it is not ended for what it was
