"""WebSocket frames as somebody sees them who looks over the shoulder of the reader (RFC 6455 section 5). Pure.

What a frame says is taken apart to the bit, and what is wrong with it is named; whoever really reads the
connection judges it for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
CONTROL_BYTES = 125

CONTINUATION, TEXT, CLOSE = 0, 1, 8
_FIN, _RSV1, _CONTROL = 0x80, 0x40, 0x08
_NO_CLOSE_CODES = frozenset({1004, 1005, 1006, *range(1015, 3000)})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text is UTF-8 as far as it has come.

    :ivar at: the octet of the whole message at which it is not, or None.
    :ivar octets: those that cannot stand there.
    :ivar why: in words.
    :ivar waiting: octets at the end that begin a character which the next fragment has to finish.
    """

    at: int | None = None
    octets: bytes = b""
    why: str = ""
    waiting: int = 0

    @property
    def is_good(self) -> bool:
        return self.at is None


class TextEye:
    """Reads the octets of one message, fragment by fragment."""

    def __init__(self) -> None:
        self._read = 0
        self._left = b""
        self._failed: Verdict | None = None

    def look(self, piece: bytes, *, is_last: bool) -> Verdict:
        """What there is to say after this piece. What has failed stays so."""
        if self._failed is not None:
            return self._failed
        data = self._left + piece
        begin = self._read - len(self._left)
        self._read += len(piece)
        self._left = b""
        try:
            data.decode()
        except UnicodeDecodeError as error:
            # The rules of Unicode's table 3-7 are Python's: an end that could still become a character is told
            # from one that could not.
            if error.end == len(data) and error.reason == "unexpected end of data" and not is_last:
                self._left = data[error.start :]
                return Verdict(waiting=len(self._left))
            self._failed = Verdict(begin + error.start, data[error.start : error.end], error.reason)
            return self._failed
        return Verdict()


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One frame, or the head of one that cannot be read on from.

    :ivar head: its first 2 to 14 octets, with the masking key.
    :ivar length: of the payload, as the head says.
    :ivar form: how many bits the length has: 7, 16 or 64.
    :ivar key: the masking key; None if it is not masked.
    :ivar masked: the payload as it came; empty if the head is wrong.
    :ivar payload: the same without the mask.
    :ivar breaks: rules that it breaks, each with its place in RFC 6455.
    :ivar text: what there is to say about it as text; None where nothing says that it is.
    :ivar is_whole: false if only its head was looked at, since nothing can follow it.
    """

    head: bytes
    length: int
    form: int
    key: bytes | None
    masked: bytes
    payload: bytes
    breaks: tuple[str, ...]
    text: Verdict | None
    is_whole: bool = True

    @property
    def is_final(self) -> bool:
        return bool(self.head[0] & _FIN)

    @property
    def reserved(self) -> tuple[int, int, int]:
        first = self.head[0]
        return first >> 6 & 1, first >> 5 & 1, first >> 4 & 1

    @property
    def opcode(self) -> int:
        return self.head[0] & 0x0F


class FrameEye:
    """Takes the frames of one client off its bytes.

    :param most: a longer payload is not waited for.
    :param deflates: whether permessage-deflate was agreed to (RFC 7692), so that RSV1 means something.
    """

    def __init__(self, most: int, *, deflates: bool = False) -> None:
        self._most = most
        self._deflates = deflates
        self._data = b""
        self._text: TextEye | None = None  # of the message that has begun
        self._is_amid = False
        self._is_deflated = False
        self._is_blind = False

    @property
    def waiting(self) -> int:
        """Octets that have come and are no whole frame yet."""
        return len(self._data)

    def look(self, data: bytes) -> Iterator[tuple[SeenFrame | None, bytes]]:
        """Each whole frame with its octets, as far as the caller asks; what it does not ask for waits.

        A frame whose head is wrong comes without its payload, with all that is there. Behind it nobody knows where
        a frame begins: from then on all that comes is handed on unseen.
        """
        self._data += data
        while self._data:
            if self._is_blind:
                rest, self._data = self._data, b""
                yield None, rest
                return
            seen = self._frame()
            if seen is None:
                return
            if not seen.is_whole:
                self._is_blind = True
                octets, self._data = self._data, b""
            else:
                size = len(seen.head) + seen.length
                octets, self._data = self._data[:size], self._data[size:]
            yield seen, octets

    def _frame(self) -> SeenFrame | None:
        data = self._data
        if len(data) < 2:
            return None
        first, second = data[0], data[1]
        short, is_masked = second & 0x7F, second & 0x80
        form, end = {126: (16, 4), 127: (64, 10)}.get(short, (7, 2))
        begin = end + (4 if is_masked else 0)
        if len(data) < begin:
            return None
        length = short if form == 7 else int.from_bytes(data[2:end])
        key = data[end:begin] if is_masked else None
        breaks = tuple(self._broken(first, length, form, is_masked=key is not None))
        if breaks or length > self._most:
            too_long = () if breaks else (f"longer than {self._most} octets, which is as much as we take",)
            return SeenFrame(data[:begin], length, form, key, b"", b"", breaks + too_long, None, False)
        if len(data) < begin + length:
            return None
        masked = data[begin : begin + length]
        payload = masked if key is None else unmask(masked, key)
        text = self._judge(first, payload)
        late = tuple(_wrong_close(payload)) if first & 0x0F == CLOSE else ()
        return SeenFrame(data[:begin], length, form, key, masked, payload, late, text)

    def _broken(self, first: int, length: int, form: int, *, is_masked: bool) -> Iterator[str]:
        opcode, is_control = first & 0x0F, bool(first & _CONTROL)
        if not is_masked:
            yield "a client masks its frames (RFC 6455, 5.1)"
        allowed = _RSV1 if self._deflates and not is_control and opcode else 0
        if first & 0x70 & ~allowed:
            yield "a reserved bit is set and no extension gives it a meaning (RFC 6455, 5.2)"
        if opcode not in NAMES:
            yield "this opcode is reserved (RFC 6455, 5.2)"
        if is_control and not first & _FIN:
            yield "a control frame is not fragmented (RFC 6455, 5.5)"
        if is_control and length > CONTROL_BYTES:
            yield "a control frame has at most 125 octets (RFC 6455, 5.5)"
        if length < {7: 0, 16: 126, 64: 65_536}[form] or length >> 63:
            yield "a length is told in the shortest form (RFC 6455, 5.2)"
        if opcode == CONTINUATION and not self._is_amid:
            yield "nothing has begun that this could go on with (RFC 6455, 5.4)"
        if opcode in (1, 2) and self._is_amid:
            yield "the message before has not ended (RFC 6455, 5.4)"

    def _judge(self, first: int, payload: bytes) -> Verdict | None:
        opcode, is_last = first & 0x0F, bool(first & _FIN)
        if opcode == CLOSE:
            return TextEye().look(payload[2:], is_last=True)
        if opcode & _CONTROL:
            return None
        if opcode:
            self._is_deflated = bool(first & _RSV1)
            # A binary message is nobody's text, but what it would be as one is good to know.
            self._text = None if self._is_deflated else TextEye()
        self._is_amid = not is_last
        return None if self._text is None else self._text.look(payload, is_last=is_last)


def unmask(payload: bytes, key: bytes) -> bytes:
    """Each octet XOR that of the key whose turn it is (RFC 6455 section 5.3); twice is the same as never."""
    size = len(payload)
    stretched = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(size)


def _wrong_close(payload: bytes) -> Iterator[str]:
    if len(payload) == 1:
        yield "a close code has two octets (RFC 6455, 5.5.1)"
    elif payload:
        code = int.from_bytes(payload[:2])
        if code < 1000 or code >= 5000 or code in _NO_CLOSE_CODES:
            yield "no frame says this close code (RFC 6455, 7.4)"
