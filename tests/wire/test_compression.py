"""permessage-deflate: who gets it, what is compressed and how often, and what must not be let in."""

from __future__ import annotations

import json
import tracemalloc
import zlib

import pytest

from chatservice.transports import frames
from chatservice.transports.deflate import WINDOW_BITS, deflate
from chatservice.transports.websocket import FRAME_BYTES
from wire.deflated import OFFER, RSV1, TAIL, DeflatedPerson, deflated, message
from wire.house import House, close_frame, frame
from wire.people import TextPerson, WebSocketPerson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LONG = ("the quick brown fox " * 50).strip()
BOMB = 10_000_000


@pytest.fixture
def squeezing() -> House:
    """A house with `--compression`."""
    return House(compression=True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Each payload that is compressed."""
    seen: list[bytes] = []
    monkeypatch.setattr(frames, "deflate", lambda payload, bits: seen.append(payload) or deflate(payload, bits))
    return seen


def extension(person: WebSocketPerson) -> str | None:
    """What the handshake agreed to."""
    return person.answer.headers.get("sec-websocket-extensions")


# --- who gets it ---


def test_off_by_default(house: House) -> None:
    """Without `--compression` an offer is passed over, and a compressed frame breaks the protocol."""
    one = WebSocketPerson(house, "/echo", OFFER)
    assert one.answer.status == 101 and extension(one) is None
    one.feed(message("hi"))
    assert one.farewell() is not None and one.closed is not None and one.closed[0] == 1002


def test_nobody_is_made_to_take_it(squeezing: House) -> None:
    """With it, who offers nothing gets plain frames and may not send compressed ones."""
    one = TextPerson(squeezing)
    assert extension(one) is None
    one.say(LONG)
    assert one.heard()[-1] == LONG
    one.feed(message("hi"))
    assert one.farewell() is not None and one.closed is not None and one.closed[0] == 1002


AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", AGREED),
        ("permessage-deflate; client_max_window_bits", AGREED),
        ("permessage-deflate;client_max_window_bits=8;server_no_context_takeover", AGREED),
        ("permessage-deflate; server_max_window_bits=12", AGREED + "; server_max_window_bits=12"),
        ('permessage-deflate; server_max_window_bits = "15"', AGREED + "; server_max_window_bits=12"),
        *(
            (f"permessage-deflate; server_max_window_bits={bits}", f"{AGREED}; server_max_window_bits={bits}")
            for bits in (9, 10, 11)
        ),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits=8; client_max_window_bits=9", None),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate",
            AGREED + "; server_max_window_bits=9",
        ),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED),
        ("x-webkit-deflate-frame, permessage-deflate", AGREED),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=012", None),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; client_no_context_takeover=1", None),
        ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", None),
        ("permessage-deflate; mystery", None),
        ("permessage-deflate;", None),
        ("permessage-bzip2", None),
        ("", None),
        (";;,,=,", None),
    ],
)
def test_negotiation(squeezing: House, offer: str, answer: str | None) -> None:
    """The first offer that can be kept is taken, one that cannot or makes no sense is passed over; all get in."""
    one = WebSocketPerson(squeezing, "/text", f"Sec-WebSocket-Extensions: {offer}")
    assert one.answer.status == 101
    assert extension(one) == answer


@pytest.mark.parametrize("path", ["/text", "/echo"])
@pytest.mark.parametrize("bits", range(9, 16))
def test_every_window_is_kept(squeezing: House, bits: int, path: str) -> None:
    """Who asks for a window of so many bits, and has no larger one, can read everything with it."""
    asked = f"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={bits}"
    one = DeflatedPerson(squeezing, path, asked, bits=min(bits, WINDOW_BITS))
    for repeats in (400, 1000, 3000, 6000):  # bytes later it repeats itself
        words = "".join(chr(0x4E00 + number) for number in range(repeats // 3)) * 2
        one.say(words)
        assert one.texts()[-1] == words
    assert len(one.compressed) == 4


def test_one_frame_for_each_window(squeezing: House, counted: list[bytes]) -> None:
    """Peers with the same window share their frames, also where the offers differ; each window has its own."""
    offers = ["", "; client_max_window_bits", "; server_max_window_bits=9", "; server_max_window_bits=15"]
    offers += ["; server_max_window_bits=9; server_no_context_takeover"]
    asked = [f"Sec-WebSocket-Extensions: permessage-deflate{offer}" for offer in offers]
    people = [WebSocketPerson(squeezing, "/text", line) for line in asked]
    for one in people:
        one.transport.take()
    counted.clear()
    people[0].feed(frame(LONG))
    came = [one.transport.take() for one in people]
    assert len(counted) == 2 and came[0] == came[1] == came[3] != came[2] == came[4]


def test_a_very_long_echo_is_not_compressed(squeezing: House, counted: list[bytes]) -> None:
    """Above one megabyte nobody waits until an echo is compressed."""
    house = House(compression=True, echo_bytes=3_000_000)
    one = DeflatedPerson(house, "/echo")
    for size, is_compressed in ((frames.DEFLATE_TO, True), (frames.DEFLATE_TO + 1, False)):
        counted.clear()
        one.feed(message(bytes(size), BINARY))
        assert one.frames() == [(BINARY, bytes(size))] and len(counted) == is_compressed


# --- what is compressed, and how often ---


def test_once_for_everyone(squeezing: House, counted: list[bytes]) -> None:
    """An event is compressed once, all who take it compressed get the same bytes, all others the plain frame."""
    people = [DeflatedPerson(squeezing, "/text") for _ in range(20)]
    plain = [TextPerson(squeezing) for _ in range(5)]
    for one in (*people, *plain):
        one.frames()
    counted.clear()
    people[0].say(LONG)
    assert counted == [LONG.encode()]
    came = {one.raw() for one in people}
    assert len(came) == 1 and came.pop()[0] == 0x80 | RSV1 << 4 | TEXT
    assert [one.texts() for one in plain] == [[LONG]] * 5


def test_two_languages_are_two_audiences(squeezing: House, counted: list[bytes]) -> None:
    """What differs is compressed apart: dialect, language and escaping still count."""
    people = [DeflatedPerson(squeezing, "/", lang=lang) for lang in ("en", "en", "zh-CN")]
    for one in people:
        one.frames()
    counted.clear()
    people[0].say(LONG)
    assert len(counted) == 2
    said = [json.loads(one.texts()[-1])["data"] for one in people]
    assert said[0] == said[1] == f"user1 says: {LONG}" != said[2]


@pytest.mark.parametrize(("size", "is_compressed"), [(1, False), (511, False), (512, True), (4000, True)])
def test_small_frames_stay_as_they_are(
    squeezing: House, counted: list[bytes], size: int, is_compressed: bool
) -> None:
    """Nothing under 512 bytes is compressed."""
    one = DeflatedPerson(squeezing, "/text")
    one.frames()
    counted.clear()
    one.say("a" * size)
    assert one.texts() == ["a" * size]
    assert (len(counted), len(one.compressed)) == ((1, 1) if is_compressed else (0, 0))


def test_what_does_not_shrink_stays_as_it_is(squeezing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload that compression would make longer goes out plain."""
    monkeypatch.setattr(frames, "deflate", lambda payload, _: payload + b"!")
    one = DeflatedPerson(squeezing, "/text")
    one.say(LONG)
    assert one.texts()[-1] == LONG and one.compressed == []


def test_a_token_is_never_compressed(squeezing: House) -> None:
    """The answer to hello holds a secret beside what strangers have said; its length must tell nothing of it."""
    talker = DeflatedPerson(squeezing, "/text")
    talker.say(LONG)
    one = DeflatedPerson(squeezing, "/v1")
    one.say('{"type":"hello","id":1,"rooms":{"lobby":{"epoch":"none","seq":0}}}')
    told = [json.loads(text) for text in one.texts()]
    assert told[0]["id"] == 1 and LONG in str(told[0]) and len(json.dumps(told[0])) > 512 and one.compressed == []
    one.say('{"type":"history","id":2,"room":"lobby"}')
    assert json.loads(one.texts()[-1])["messages"][0]["text"] == LONG
    assert len(one.compressed) == 1


# --- what comes in ---


def test_compressed_and_plain_messages_in_any_order(squeezing: House) -> None:
    """A peer may compress or not, message by message."""
    one = DeflatedPerson(squeezing, "/echo")
    said = ["short", LONG, "", "你好" * 300]
    one.feed(b"".join(message(text) + frame(text) for text in said) + message(b"\0\xff", BINARY))
    assert one.frames() == [(TEXT, text.encode()) for text in said for _ in (1, 2)] + [(BINARY, b"\0\xff")]


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_a_message_in_pieces_with_pings_between(squeezing: House, flush: int) -> None:
    """A compressed message may be cut anywhere, and control frames come between its pieces, plain."""
    one = DeflatedPerson(squeezing, "/echo")
    whole = deflated(LONG, flush=flush)
    for cut in range(len(whole) + 1):
        first = frame(whole[:cut], TEXT, fin=False, rsv=RSV1)
        one.feed(first + frame(b"life", PING) + frame(b"", 0, fin=False) + frame(whole[cut:], 0))
        squeezing.wait(1)
    assert [payload for opcode, payload in one.frames() if opcode == TEXT] == [LONG.encode()] * (len(whole) + 1)
    assert one.pongs == [b"life"] * (len(whole) + 1)


def test_a_stream_with_an_end(squeezing: House) -> None:
    """A sender may end its stream instead of flushing it (RFC 7692 section 7.2.3.4)."""
    one = DeflatedPerson(squeezing, "/echo")
    for padding in (b"", b"\0"):
        one.feed(frame(deflated(LONG, flush=zlib.Z_FINISH) + padding, rsv=RSV1))
        assert one.texts() == [LONG]


ENDED = deflated("x", flush=zlib.Z_FINISH)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(b"\xff" * 20, rsv=RSV1), 1007, id="no stream"),
        pytest.param(frame(deflated(LONG)[:-3], rsv=RSV1), 1007, id="stops in the middle"),
        pytest.param(frame(ENDED + b"more", rsv=RSV1), 1007, id="goes on after its end"),
        pytest.param(frame(ENDED, fin=False, rsv=RSV1) + frame(b"\0\0", 0), 1007, id="the same in pieces"),
        pytest.param(message(b"\xc0\xaf"), 1007, id="no UTF-8 inside"),
        pytest.param(frame(b"", PING, rsv=RSV1), 1002, id="compressed ping"),
        pytest.param(frame(b"", rsv=RSV1, fin=False) + frame(b"", 0, rsv=RSV1), 1002, id="RSV1 later on"),
        pytest.param(frame(b"", rsv=2), 1002, id="RSV2"),
        pytest.param(frame(b"", rsv=5), 1002, id="RSV1 and RSV3"),
        pytest.param(message("a" * (FRAME_BYTES + 1)), 1009, id="64 KiB and one, inflated"),
    ],
)
def test_broken_messages(squeezing: House, data: bytes, code: int) -> None:
    """Each way to break it has the close code that RFC 6455 gives it, however the network cuts it."""
    for cut in (len(data), *range(1, min(len(data), 12))):
        one = DeflatedPerson(squeezing, "/echo")
        one.feed(data[:cut])
        one.feed(data[cut:])
        assert [f for f in one.frames() if f[0] != CLOSE] == []
        assert one.closed is not None and one.closed[0] == code
    assert squeezing.troubles == []


def test_as_long_as_a_plain_message_may_be(squeezing: House) -> None:
    """64 KiB come in compressed as they do plain."""
    one = DeflatedPerson(squeezing, "/echo")
    one.feed(message("a" * FRAME_BYTES))
    assert one.texts() == ["a" * FRAME_BYTES]


def test_a_peer_that_keeps_its_window(squeezing: House) -> None:
    """Everyone is told to forget its window after each message; who refers back to it all the same is closed."""
    one = DeflatedPerson(squeezing, "/echo")
    assert "client_no_context_takeover" in str(extension(one))
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    for text in (LONG, LONG):
        payload = stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
        one.feed(frame(payload.removesuffix(TAIL), rsv=RSV1))
    assert one.frames()[0] == (TEXT, LONG.encode())
    assert one.closed is not None and one.closed[0] == 1007


@pytest.mark.parametrize(
    "broken", [message(bytes(BOMB)), frame(b"\xff" * 20, rsv=RSV1), frame(deflated(LONG)[:-3], rsv=RSV1)]
)
def test_the_end_after_a_broken_message(squeezing: House, broken: bytes) -> None:
    """What still comes after the error is not gathered, and the peer's close frame is seen behind it all."""
    one = DeflatedPerson(squeezing, "/echo")
    [protocol] = squeezing.chat.peers
    one.feed(broken)
    one.frames()
    assert one.closed is not None
    for _ in range(20):
        one.feed(broken * 3 + message(LONG) + frame("plain"))
        assert len(protocol.data) == 0
    assert not one.transport.disconnecting and one.raw() == b""
    one.feed(close_frame(one.closed[0]))
    assert one.transport.disconnecting


def bomb(pieces: int) -> list[bytes]:
    """Ten million zeros as one message in so many frames."""
    data = deflated(bytes(BOMB))
    size = -(-len(data) // pieces)
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    last = len(cut) - 1
    return [frame(part, 0 if n else TEXT, fin=n == last, rsv=0 if n else RSV1) for n, part in enumerate(cut)]


@pytest.mark.parametrize("pieces", [1, 7, 9000])
def test_a_bomb(squeezing: House, pieces: int) -> None:
    """Ten megabytes in ten kilobytes close with 1009, in one frame or many, and are never unpacked."""
    one, data = DeflatedPerson(squeezing, "/echo"), bomb(pieces)
    one.frames()
    tracemalloc.start()
    try:
        for piece in data:
            one.feed(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    one.frames()
    assert one.closed is not None and one.closed[0] == 1009
    assert peak < 10 * FRAME_BYTES


@pytest.mark.parametrize("is_compressed", [True, False])
def test_a_message_that_never_ends(squeezing: House, is_compressed: bool) -> None:
    """Twenty thousand fragments that hold nothing cost no memory, compressed or not."""
    one = DeflatedPerson(squeezing, "/echo")
    nothing = frame(TAIL[:0] if not is_compressed else b"\0" + TAIL, 0, fin=False)
    one.feed(frame(b"", fin=False, rsv=RSV1 if is_compressed else 0))
    one.feed(nothing * 100)
    tracemalloc.start()
    try:
        for _ in range(20):
            one.feed(nothing * 1000)
        now, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now < FRAME_BYTES // 2
    one.feed(frame(b"", 0))
    assert one.frames()[-1] == (TEXT, b"")
