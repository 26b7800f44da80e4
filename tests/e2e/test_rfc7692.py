"""RFC 7692 on `/echo` over real sockets: every offer a client may make, and what is said after it.

The client here keeps to the letter of what was agreed: its own window and memory on the way out, and on the way in
a window that is not larger than the server promised.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator

import pytest

from e2e.raw import frame
from e2e.server import Server
from e2e.strict import BINARY, CLOSE, CONT, FIN, PING, PONG, RSV1, TEXT, Strict, cut, fragments

TAIL = b"\x00\x00\xff\xff"
NAME = "permessage-deflate"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that compresses."""
    with Server(tmp_path_factory.mktemp("deflate"), "--echo-max=16777216", "--compression") as server:
        yield server


def parameters(extension: str) -> dict[str, str]:
    """An extension's parameters; none may stand there twice."""
    name, *rest = (part.strip() for part in extension.split(";"))
    assert name == NAME
    pairs = [part.partition("=")[::2] for part in rest]
    assert len(dict(pairs)) == len(pairs), extension
    return dict(pairs)


def judge(offer: dict[str, str], answer: dict[str, str]) -> None:
    """Whether RFC 7692 section 7.1 allows that answer to that offer."""
    assert set(answer) <= {
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    }
    assert answer.get("server_no_context_takeover", "") == answer.get("client_no_context_takeover", "") == ""
    if "server_no_context_takeover" in offer:
        assert "server_no_context_takeover" in answer
    if "server_max_window_bits" in offer:
        assert 8 <= int(answer["server_max_window_bits"]) <= int(offer["server_max_window_bits"])
    if "client_max_window_bits" in answer:
        assert int(answer["client_max_window_bits"]) <= int(offer["client_max_window_bits"] or 15)


class Deflating:
    """A connection of a client that compresses as was agreed.

    :param bits: the largest window it likes on its way out.
    """

    def __init__(self, server: Server, offers: str, bits: int = 15) -> None:
        self.wire = Strict(server.web_port, "/echo", offers)
        self.answer = parameters(self.wire.agreed)
        self._bits = min(bits, int(self.answer.get("client_max_window_bits", bits)))
        self._out = self._in = None
        self.compressed = 0

    def __enter__(self) -> Deflating:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.__exit__()

    def deflated(self, payload: bytes) -> bytes:
        if self._out is None or "client_no_context_takeover" in self.answer:
            self._out = zlib.compressobj(6, zlib.DEFLATED, -self._bits)
        data = self._out.compress(payload) + self._out.flush(zlib.Z_SYNC_FLUSH)
        return data.removesuffix(TAIL)

    def say(self, opcode: int, payload: bytes, size: int = 0) -> None:
        """Send a message compressed, in frames of `size` bytes if one is given."""
        data = self.deflated(payload)
        self.wire.send(fragments(opcode, cut(data, size) if size else [data], RSV1))

    def hear(self) -> tuple[int, bytes]:
        """The next message, whether it was compressed or not."""
        opcode, payload, reserved = self.wire.frame()
        if not reserved:
            return opcode, payload
        assert reserved == RSV1 and opcode in (TEXT, BINARY)
        self.compressed += 1
        if self._in is None or "server_no_context_takeover" in self.answer:
            self._in = zlib.decompressobj(-int(self.answer.get("server_max_window_bits", 15)))
        return opcode, self._in.decompress(payload + TAIL)

    def round_trip(self, opcode: int, payload: bytes, size: int = 0) -> None:
        """Say something and hear it again."""
        self.say(opcode, payload, size)
        got = self.hear()
        assert (got[0], len(got[1]), got == (opcode, payload)) == (opcode, len(payload), True)


def prose(size: int, seed: int = 0) -> bytes:
    """Words that repeat themselves near and far, as text does."""
    dice = random.Random(seed)
    words = [bytes(dice.choices(b"abcdefghijklmnop ", k=dice.randint(2, 30))) for _ in range(2000)]
    found, length = [], 0
    while length < size:
        found.append(dice.choice(words))
        length += len(found[-1])
    return b"".join(found)[:size]


SERVER_BITS = [None, *range(9, 16)]
CLIENT_BITS = [None, "", *range(8, 16)]
OFFERS = list(itertools.product((False, True), SERVER_BITS, (False, True), CLIENT_BITS))


def offered(no_server: bool, server_bits: object, no_client: bool, client_bits: object) -> str:
    said = [NAME]
    said += ["client_no_context_takeover"] * no_client + ["server_no_context_takeover"] * no_server
    said += [f"server_max_window_bits={server_bits}"] if server_bits else []
    said += (
        ["client_max_window_bits" + (f"={client_bits}" if client_bits else "")] if client_bits is not None else []
    )
    return "; ".join(said)


@pytest.mark.parametrize("server_bits", SERVER_BITS)
@pytest.mark.parametrize("no_server", [False, True], ids=["server may remember", "server may not"])
@pytest.mark.parametrize("no_client", [False, True], ids=["client remembers", "client does not"])
def test_every_offer(server: Server, no_client: bool, no_server: bool, server_bits: int | None) -> None:
    """Sections 7.1.1 and 7.1.2: each offer with that window for us is agreed to as the RFC allows, and messages
    long enough to leave any window come back both ways."""
    for client_bits in CLIENT_BITS:
        offer = offered(no_server, server_bits, no_client, client_bits)
        with Deflating(server, offer, bits=max(9, int(client_bits or 15))) as one:
            judge(parameters(offer), one.answer)
            for number, size in enumerate((10, 600, 5000, 40_000, 600)):
                one.round_trip(BINARY if number % 2 else TEXT, prose(size, number))
            assert one.compressed == 4


def test_a_window_of_8_bits(server: Server) -> None:
    """zlib has none, so such an offer is passed over, and nothing is lost but the compression."""
    for offer in ("", "; client_max_window_bits", "; server_no_context_takeover"):
        with Strict(server.web_port, "/echo", f"{NAME}; server_max_window_bits=8{offer}") as one:
            assert one.agreed == ""
            one.send(frame(TEXT, b"hello"))
            one.expect((TEXT, b"hello"))


@pytest.mark.parametrize(
    ("offers", "bits"),
    [
        (f"{NAME}; server_max_window_bits=8, {NAME}; server_max_window_bits=10", 10),
        (
            f"{NAME}; server_no_context_takeover; server_max_window_bits=9, {NAME}",
            9,
        ),
        (f"{NAME}; mystery, x-other; a=b, {NAME}; client_max_window_bits", None),
        (f"{NAME}; server_max_window_bits=16, {NAME}", None),
        (f"{NAME}; server_max_window_bits, {NAME}; server_max_window_bits=15", 12),
    ],
)
def test_several_offers(server: Server, offers: str, bits: int | None) -> None:
    """Section 7.1: of several the first that can be kept is taken; what makes no sense is passed over."""
    with Deflating(server, offers) as one:
        assert one.answer.get("server_max_window_bits") == (str(bits) if bits else None)
        one.round_trip(TEXT, prose(9000))


COMPRESSED = FIN | RSV1
HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"  # the example of section 7.2.3.1


def hello(data: bytes) -> tuple[list[bytes], list[tuple[int, bytes]], None]:
    """That compressed text is `Hello`."""
    return [frame(TEXT, data, first_bits=COMPRESSED)], [(TEXT, b"Hello")], None


def broken(code: int, opcode: int, data: bytes, bits: int = COMPRESSED) -> tuple[list[bytes], list[object], int]:
    """That frame ends it."""
    return [frame(opcode, data, first_bits=bits)], [], code


LAST = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
ROWS = {
    "6 plain among compressed": ([frame(TEXT, b"plain")], [(TEXT, b"plain")], None),
    "6.1 RSV1 on a continuation": ([fragments(TEXT, [b"", b""], RSV1)[:-6] + b"\xc0\x80" + bytes(4)], [], 1002),
    "6.1 RSV1 on a ping": broken(1002, PING, b""),
    "6.1 RSV1 on a close": broken(1002, CLOSE, b""),
    "6.1 RSV1 and RSV2": broken(1002, TEXT, b"", COMPRESSED | 0x20),
    "6.2 no stream": broken(1007, TEXT, b"\xff" * 20),
    "6.2 an end in the middle": broken(1007, BINARY, b"\x4a\x4c"),
    "7.2.3.1 one block": hello(HELLO),
    "7.2.3.1 in fragments": ([fragments(TEXT, [HELLO[:3], HELLO[3:]], RSV1)], [(TEXT, b"Hello")], None),
    "7.2.3.3 a block without compression": hello(b"\0\5\0\xfa\xffHello\0"),
    "7.2.3.4 a last block": hello(LAST),
    "7.2.3.5 two blocks": hello(b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
    "7.2.3.6 an empty message": ([frame(TEXT, b"\x00", first_bits=COMPRESSED)], [(TEXT, b"")], None),
    "8.1 bad UTF-8 inside": broken(1007, TEXT, zlib.compress(b"ok \xff")[2:-4]),
}


@pytest.mark.parametrize("name", ROWS)
def test_rfc7692(server: Server, name: str) -> None:
    """What section 6 and the examples of section 7.2.3 say has the right answer, in whatever packets it comes."""
    sent, back, code = ROWS[name]
    for piece in (0, 1):
        with Deflating(server, NAME) as one:
            one.wire.send(b"".join(sent), piece)
            if code is None:
                one.wire.send(frame(TEXT, HELLO, first_bits=COMPRESSED))
                one.wire.expect(*back, (TEXT, b"Hello"))
                one.wire.close()
            assert one.wire.ending() == ([], code or 1000)


def test_pings_within_a_compressed_message(server: Server) -> None:
    """Section 6.1: control frames come between the fragments, plain, and are answered at once."""
    with Deflating(server, NAME) as one:
        data = one.deflated(b"hello" * 200)
        first, *rest = cut(data, 5)
        one.wire.send(frame(TEXT, first, first_bits=RSV1))
        for number, piece in enumerate(rest):
            one.wire.send(frame(PING, b"%d" % number))
            one.wire.expect((PONG, b"%d" % number))
            one.wire.send(frame(CONT, piece, first_bits=FIN if piece is rest[-1] else 0))
        assert one.hear() == (TEXT, b"hello" * 200)


def test_a_bomb(server: Server) -> None:
    """What unpacks to more than 16 MiB is 1009; what unpacks to just so much comes back."""
    for size, code in ((16_777_217, 1009), (16_777_216, None)):
        with Deflating(server, NAME) as one:
            one.say(BINARY, bytes(size))
            if code:
                assert one.wire.ending() == ([], code)
            else:
                assert one.hear() == (BINARY, bytes(size))


COUNT = 1000
SHAPES = [(16, 0), (64, 0), (256, 0), (1024, 0), (4096, 0), (8192, 0), (16_384, 0), (32_768, 0), (65_536, 0),
          (131_072, 0), (8192, 256), (16_384, 256), (32_768, 256), (65_536, 256), (131_072, 256), (131_072, 1024),
          (131_072, 4096), (131_072, 32_768)]  # fmt: skip
KINDS = {
    "nothing much": lambda size: bytes(size),
    "prose": prose,
    "noise": lambda size: random.Random(size).randbytes(size),
    "characters": lambda size: ("你好，世界 " * size).encode()[: size - size % 3],
}


@pytest.mark.parametrize(
    "size", SHAPES, ids=lambda shape: f"{shape[0]} by {shape[1]}" if shape[1] else str(shape[0])
)
@pytest.mark.parametrize("kind", KINDS)
def test_many_messages(server: Server, kind: str, size: tuple[int, int]) -> None:
    """Messages of that size and kind come back, in frames as long as that."""
    hold_many(server, kind, size, max(4, 131_072 // size[0] // 4), NAME)


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", SHAPES, ids=lambda shape: f"{shape[0]} by {shape[1]}" if shape[1] else str(shape[0])
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "offers",
    [
        f"{NAME}; client_max_window_bits",
        f"{NAME}; server_no_context_takeover; client_max_window_bits",
        f"{NAME}; server_max_window_bits=9; client_max_window_bits",
        f"{NAME}; server_max_window_bits=15; client_max_window_bits",
        f"{NAME}; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits",
        f"{NAME}; server_no_context_takeover; server_max_window_bits=15; client_max_window_bits",
    ],
)
def test_a_thousand_messages(server: Server, offers: str, kind: str, size: tuple[int, int]) -> None:
    """The full counts, with the offers that matter."""
    hold_many(server, kind, size, COUNT, offers)


def hold_many(server: Server, kind: str, shape: tuple[int, int], count: int, offers: str) -> None:
    size, part = shape
    payload = KINDS[kind](size)
    opcode = TEXT if kind in ("prose", "characters") else BINARY
    if opcode == TEXT:
        payload = payload.decode(errors="ignore").encode()
    with Deflating(server, offers) as one:
        for _ in range(count):
            one.round_trip(opcode, payload, part)
        assert one.compressed == (0 if kind == "noise" or len(payload) < 512 else count)
