"""permessage-deflate against zlib itself and against the library `websockets`, which knows nothing of us."""

from __future__ import annotations

import itertools
import zlib

from autobahn.exception import PayloadCorruptError, PayloadExceededError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from wire.deflated import TAIL
from wire.house import read_frames

from chatservice.transports.deflate import LEAST_WINDOW_BITS, Inflater, agree
from chatservice.transports.frames import deflated_frame

NAME = "permessage-deflate"

PARAMETERS = st.sampled_from(
    [
        "server_no_context_takeover",
        "client_no_context_takeover",
        "client_max_window_bits",
        "server_max_window_bits",
        "mystery",
    ]
)
VALUES = st.sampled_from(
    ["", "", "=8", "=9", "=11", "=12", "=15", "=16", '="13"', '="13', "=012", "=x", "=", "=-1"]
)
OFFERS = st.lists(
    st.tuples(
        st.sampled_from([NAME, NAME, "x-webkit-deflate-frame", "PERMESSAGE-DEFLATE"]),
        st.lists(st.tuples(PARAMETERS, VALUES).map("".join), max_size=4),
    ).map(lambda offer: "; ".join([offer[0], *offer[1]])),
    min_size=1,
    max_size=3,
)
LENGTH = 3000


def theirs(header: str) -> bool:
    """Whether a server of `websockets` whose zlib has no window of 8 bits could keep one of the offers."""
    for name, parameters in parse_extension(header):
        try:
            if name == NAME:
                agreed, _ = ServerPerMessageDeflateFactory(True, True).process_request_params(parameters, [])
                if int(dict(agreed).get("server_max_window_bits") or 15) >= LEAST_WINDOW_BITS:
                    return True
        except NegotiationError:
            continue
    return False


@given(OFFERS)
def test_accepts_what_another_server_accepts(offers: list[str]) -> None:
    """Of offers that can be read, the same are taken; of others, nothing that was not asked for."""
    header = ", ".join(offers)
    try:
        expected = theirs(header)
    except InvalidHeader:
        # It refuses the whole header; we pass over the part that cannot be read.
        answer = agree(header)
        assert answer is None or any(agree(offer) == answer for offer in offers)
        return
    assert (agree(header) is not None) == expected


@given(st.text(max_size=200))
def test_any_header_at_all(header: str) -> None:
    """Nothing that a peer may put there raises."""
    agree(header)


BITS = st.one_of(st.none(), st.integers(8, 15))


@settings(deadline=None)
@given(
    st.booleans(),
    st.booleans(),
    BITS,
    st.one_of(st.just(True), st.none(), st.integers(9, 15)),
    st.lists(st.text(max_size=LENGTH), max_size=4),
    st.lists(st.integers(0, LENGTH), max_size=4),
)
@example(False, False, None, True, ["the same words " * 100] * 3, [7])
def test_a_client_of_websockets(
    no_server_context: bool,
    no_client_context: bool,
    server_bits: int | None,
    client_bits: int | bool | None,
    texts: list[str],
    cuts: list[int],
) -> None:
    """Whatever it offers, it takes our answer, reads what we compress, and we read what it compresses."""
    client = ClientPerMessageDeflateFactory(no_server_context, no_client_context, server_bits, client_bits)
    agreed = agree(build_extension([(NAME, list(client.get_request_params()))]))
    if agreed is None:
        assert server_bits == 8
        return
    [(name, parameters)] = parse_extension(agreed.answer)
    assert name == NAME
    extension = client.process_response_params(parameters, [])
    inflater = Inflater()
    for text in texts:
        assert _sent(inflater, extension, text.encode(), cuts) == text.encode()
        ours = deflated_frame(text.encode(), window_bits=agreed.window_bits)
        [(_, payload)] = read_frames(bytes((ours[0] & 0xBF,)) + ours[1:])
        read = extension.decode(Frame(Opcode.TEXT, payload, rsv1=bool(ours[0] & 0x40)))
        assert bytes(read.data) == text.encode()


def _sent(inflater: Inflater, extension: PerMessageDeflate, payload: bytes, cuts: list[int]) -> bytes:
    """A message as `websockets` sends it in fragments, read by us."""
    edges = sorted({0, len(payload), *(min(cut, len(payload)) for cut in cuts)} | {0})
    pieces = [payload[begin:end] for begin, end in itertools.pairwise(edges)] or [payload]
    inflater.start_decompress_message()
    got = b""
    for number, piece in enumerate(pieces):
        frame = Frame(Opcode.CONT if number else Opcode.TEXT, piece, fin=number == len(pieces) - 1)
        got += inflater.decompress_message_data(bytes(extension.encode(frame).data), 65_536 - len(got))
    inflater.end_decompress_message()
    return got


def inflated(data: bytes, cuts: list[int], most: int) -> bytes | str:
    """What we make of `data` in pieces: its content, or why not."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    inflater, got = Inflater(), b""
    inflater.start_decompress_message()
    try:
        for begin, end in itertools.pairwise(edges):
            piece = inflater.decompress_message_data(data[begin:end], most - len(got))
            assert len(got) + len(piece) <= most
            got += piece
        inflater.end_decompress_message()
    except PayloadExceededError:
        return "too much"
    except PayloadCorruptError:
        return "broken"
    return got


CUTS = st.lists(st.integers(0, 1 << 20), max_size=6)


@settings(deadline=None)
@given(st.binary(max_size=LENGTH), st.integers(0, 9), st.integers(0, 2 * LENGTH), CUTS)
def test_the_bound_is_exact(payload: bytes, level: int, most: int, cuts: list[int]) -> None:
    """A message comes out whole if it is no longer than allowed, and not at all if it is, in any pieces."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    data = (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
    assert inflated(data, cuts, most) == (payload if len(payload) <= most else "too much")


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda data: zlib.compress(data)[2:-4])), CUTS)
def test_anything_at_all(data: bytes, cuts: list[int]) -> None:
    """Of any bytes comes what zlib makes of them, or an error of the kind that has a close code."""
    stream = zlib.decompressobj(-15)
    try:
        expected: bytes | str = stream.decompress(data)
        if stream.eof:
            expected = expected if stream.unused_data in (b"", b"\0") else "broken"
        elif stream.decompress(TAIL):
            expected = "broken"
    except zlib.error:
        expected = "broken"
    assert inflated(data, cuts, 1 << 20) == expected
