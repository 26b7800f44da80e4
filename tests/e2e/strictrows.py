"""Conversations on `/echo` by section of RFC 6455: what is sent, what comes back, and how it ends."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from e2e.raw import frame
from e2e.strict import BINARY, CLOSE, CONT, FIN, PING, PONG, RSV1, TEXT, cut, fragments


@dataclass
class Row:
    """One conversation.

    :ivar sent: packets; what the server must answer to is in one of them.
    :ivar back: frames that come before the close frame.
    :ivar code: the server's close code; None if the client ends it, with 1000.
    """

    name: str
    sent: list[bytes]
    back: list[tuple[int, bytes]] = field(default_factory=list)
    code: int | None = None


def text(words: str | bytes = "hello") -> bytes:
    return frame(TEXT, words.encode() if isinstance(words, str) else words)


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def echoes(opcode: int, payload: bytes) -> Row:
    """A message of that size that comes back."""
    kind = "text" if opcode == TEXT else "binary"
    return Row(f"5.6 {kind} of {len(payload)}", [frame(opcode, payload)], [(opcode, payload)])


HELLO = (TEXT, b"hello")
LOUD = "Hällo-µ@ßöäüàá-UTF-8!!".encode()
SIZES = (0, 1, 125, 126, 127, 128, 65_535, 65_536)

FRAMING = [
    *(echoes(opcode, b"*" * size if opcode == TEXT else b"\xfe" * size) for opcode in (1, 2) for size in SIZES),
    Row("5.2 length 125 in 16 bits", [bytes((0x81, 0xFE, 0, 125)) + bytes(4) + b"a" * 125], code=1002),
    Row("5.2 length 126 in 64 bits", [bytes((0x82, 0xFF)) + (126).to_bytes(8, "big") + bytes(130)], code=1002),
    Row("5.2 length 65535 in 64 bits", [bytes((0x82, 0xFF)) + (65_535).to_bytes(8, "big") + bytes(4)], code=1002),
    Row("5.2 length with its highest bit", [bytes((0x82, 0xFF)) + b"\x80" + bytes(11)], code=1002),
    Row("5.1 unmasked", [text(), frame(TEXT, b"hi", masked=False)], [HELLO], 1002),
    Row("5.1 unmasked and empty", [frame(BINARY, b"", masked=False)], code=1002),
    Row("5.1 unmasked close", [frame(CLOSE, b"\x03\xe8", masked=False)], code=1002),
]

PINGS = [
    *(
        Row(f"5.5.2 ping of {size}", [frame(PING, (b"\0\xff" * 63)[:size])], [(PONG, (b"\0\xff" * 63)[:size])])
        for size in (0, 1, 5, 124, 125)
    ),
    Row("5.5 ping of 126", [frame(PING, b"x" * 126)], code=1002),
    Row("5.5.3 unasked pong, empty", [frame(PONG, b""), text()], [HELLO]),
    Row("5.5.3 unasked pong of 125", [frame(PONG, b"x" * 125), text()], [HELLO]),
    Row("5.5.3 unasked pong, then a ping", [frame(PONG, b"un"), frame(PING, b"as")], [(PONG, b"as")]),
    Row("5.5 pong of 126", [frame(PONG, b"x" * 126)], code=1002),
    Row("5.5.2 ten pings", [frame(PING, b"%d" % n) for n in range(10)], [(PONG, b"%d" % n) for n in range(10)]),
    Row("5.5.2 thirty pings and pongs", [frame(PING, b"a"), frame(PONG, b"b")] * 15, [(PONG, b"a")] * 15),
]  # fmt: skip

RESERVED = [
    *(
        Row(f"5.2 RSV {bits} on {kind}", [text(), frame(opcode, payload, first_bits=FIN | bits << 4), text()],
            [HELLO], 1002)
        for bits in range(1, 8)
        for kind, opcode, payload in (
            ("text", TEXT, b"hi"), ("empty binary", BINARY, b""), ("ping", PING, b"hi"), ("pong", PONG, b""),
            ("close", CLOSE, b"\x03\xe8"), ("continuation", CONT, b"hi"), ("long text", TEXT, b"x" * 70_000),
        )
    ),
    Row("5.2 RSV 1 within a message", [fragments(TEXT, [b"a", b"b"], RSV1)], code=1002),
]  # fmt: skip

OPCODES = [
    Row(f"5.2 opcode {opcode} {kind}", [text(), frame(opcode, payload), frame(PING, b"")], [HELLO], 1002)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    for kind, payload in (("empty", b""), ("with payload", b"reserved opcode payload"))
]

PIECES = [b"fragment1", b"fragment2", b"fragment3", b"fragment4", b"fragment5"]
FIVE = [frame(CONT if n else TEXT, piece, first_bits=FIN if n == 4 else 0) for n, piece in enumerate(PIECES)]

FIVE_BACK = (TEXT, b"".join(PIECES))


def mixed(*between: bytes) -> list[bytes]:
    """Five fragments with these frames between them."""
    filled = itertools.zip_longest(FIVE, between, fillvalue=b"")
    return [part for pair in filled for part in pair if part]


UNFINISHED = [frame(TEXT, b"a", first_bits=0)]

FRAGMENTS = [
    Row("5.4 ping in fragments", [fragments(PING, [b"a", b"b"])], code=1002),
    Row("5.4 pong in fragments", [fragments(PONG, [b"a", b"b"])], code=1002),
    Row("5.4 close in fragments", [fragments(CLOSE, [b"\x03", b"\xe8"])], code=1002),
    *(
        Row(f"5.4 {name} of {kind}", [fragments(opcode, pieces)], [(opcode, b"".join(pieces))])
        for kind, opcode in (("text", TEXT), ("binary", BINARY))
        for name, pieces in (
            ("two", [b"fragment1", b"fragment2"]), ("all empty", [b"", b"", b""]), ("first empty", [b"", b"a"]),
            ("middle empty", [b"a", b"", b"b"]), ("last empty", [b"ab", b""]), ("of one byte", [b"x"] * 100),
            ("of all lengths", [b"a" * 125, b"b" * 126, b"c" * 65_536]),
        )
    ),
    Row("5.4 ping between", [*mixed(frame(PING, b"pongme"))], [(PONG, b"pongme"), FIVE_BACK]),
    Row("5.4 pings between all", mixed(*[frame(PING, b"p")] * 4), [(PONG, b"p")] * 4 + [FIVE_BACK]),
    Row("5.4 pong between", mixed(frame(PONG, b"")), [FIVE_BACK]),
    Row("5.4 continues nothing, last", [frame(CONT, b"x"), text()], code=1002),
    Row("5.4 continues nothing, not last", [frame(CONT, b"x", first_bits=0), text()], code=1002),
    Row("5.4 continues nothing, empty", [frame(CONT, b"")], code=1002),
    Row("5.4 continues what has ended", [fragments(TEXT, [b"a", b"b"]), frame(CONT, b"c")], [(TEXT, b"ab")], 1002),
    Row("5.4 continues a whole message", [text(), frame(CONT, b"c", first_bits=0), text()], [HELLO], 1002),
    Row("5.4 text within a message", [frame(TEXT, b"a", first_bits=0), text()], code=1002),
    Row("5.4 binary within a message", [frame(TEXT, b"a", first_bits=0), frame(BINARY, b"b")], code=1002),
    Row("5.4 two begin", [frame(TEXT, b"a", first_bits=0), frame(TEXT, b"b", first_bits=0)], code=1002),
    Row("5.4 a close between ends it", [*UNFINISHED, closing(1000), frame(CONT, b"b")], code=1000),
]  # fmt: skip

# --- 8.1: UTF-8. Python's own decoder says what is right; the table chooses where it could go wrong. ---

# fmt: off
POINTS = (0x00, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFD,
          0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFD, 0x10FFFE, 0x10FFFF)
# fmt: on
GOOD = [
    "".join(map(chr, POINTS)).encode(),
    LOUD,
    "κόσμε 你好 👋🏽 \u0301".encode(),
    *(chr(p).encode() for p in POINTS),
]
BAD = [
    # no beginning, and bytes that are in no sequence
    *(bytes((byte,)) for byte in (*range(0x80, 0xC2), *range(0xF5, 0x100))),
    # too short, at each length; followed by a letter, and by the end
    *(chr(point).encode()[:size] + more for point in (0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF)
      for size in range(1, len(chr(point).encode())) for more in (b"", b"x", b"\xc3\xa4")),
    # longer than it must be
    b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80",
    b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf",
    # halves of pairs, one and two; above the last
    *(bytes((0xED, second, third)) for second in (0xA0, 0xAD, 0xAF, 0xB0, 0xBF) for third in (0x80, 0xBF)),
    b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf",
    b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf",
]  # fmt: skip

UTF8 = [
    *(Row(f"8.1 good {number}", [text(good)], [(TEXT, good)]) for number, good in enumerate(GOOD)),
    *(
        Row(f"8.1 good {number} in fragments of {size}", [fragments(TEXT, cut(good, size))], [(TEXT, good)])
        for number, good in enumerate(GOOD[:3])
        for size in (1, 2, 3)
    ),
    *(Row(f"8.1 bad {bad.hex()}", [text(b"so far good " + bad)], code=1007) for bad in BAD),
    *(
        Row(f"8.1 bad {bad.hex()} in fragments", [fragments(TEXT, [b"so far good ", *cut(bad, 1)])], code=1007)
        for bad in BAD
    ),
    *(Row(f"5.6 binary is not looked at {bad.hex()}", [frame(BINARY, bad)], [(BINARY, bad)]) for bad in BAD[::9]),
]

# --- 5.5.1 and 7.4: closing ---

TAKEN = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999)
NOT_TAKEN = (0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)

CLOSINGS = [
    Row("5.5.1 after a message", [text(), closing(1000)], [HELLO], 1000),
    Row("5.5.1 two close frames", [closing(1000), closing(1000)], code=1000),
    Row("5.5.1 a ping after it", [closing(1000), frame(PING, b"x")], code=1000),
    Row("5.5.1 a text after it", [closing(1000), text()], code=1000),
    Row("5.5.1 a broken frame after it", [closing(1000), frame(3, b"x")], code=1000),
    Row("5.5.1 without a code", [frame(CLOSE, b"")], code=1000),
    Row("5.5.1 half a code", [frame(CLOSE, b"\x03")], code=1002),
    Row("5.5.1 with a reason", [closing(1000, LOUD)], code=1000),
    Row("5.5.1 with the longest reason", [closing(1000, b"*" * 123)], code=1000),
    Row("5.5 with too long a reason", [closing(1000, b"*" * 124)], code=1002),
    *(Row(f"5.5.1 reason with {bad.hex()}", [closing(1000, b"so far " + bad)], code=1007) for bad in BAD[::7]),
    *(Row(f"7.4 code {code}", [closing(code)], code=1000) for code in TAKEN),
    *(Row(f"7.4 code {code} with a reason", [closing(code, b"why")], code=1000) for code in TAKEN),
    *(Row(f"7.4 code {code}", [closing(code)], code=1002) for code in NOT_TAKEN),
    *(Row(f"7.4 code {code} with a reason", [closing(code, b"why")], code=1002) for code in NOT_TAKEN),
]

ROWS = [*FRAMING, *PINGS, *RESERVED, *OPCODES, *FRAGMENTS, *UTF8, *CLOSINGS]
