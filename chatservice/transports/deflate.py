"""permessage-deflate (RFC 7692) without memory: what is compressed once serves everyone who takes it.

Neither side carries its window from one message to the next. So a compressed frame is the same for all peers with
the same window, and a connection that compresses costs no more than one that does not.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from autobahn.exception import PayloadCorruptError, PayloadExceededError

WINDOW_BITS = 12
"""4 KiB, longer than nearly every event: 15 bits compress those no better and take eight times as long."""

LEAST_WINDOW_BITS = 9
"""zlib makes no raw stream with a window of 8 bits (it would silently take 9)."""

LEVEL, MEM_LEVEL = 3, 5

TAIL = b"\x00\x00\xff\xff"
"""The end of every message, which is not sent (RFC 7692 section 7.2.1)."""

# RFC 7692 section 7.1.
_WITHOUT_VALUE = {"server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"}
_WITH_BITS = re.compile(r'((?:server|client)_max_window_bits)[ \t]*=[ \t]*("?)([89]|1[0-5])\2')


class Agreed(NamedTuple):
    """What one connection does about compression.

    :ivar answer: the Sec-WebSocket-Extensions header of the answer.
    :ivar window_bits: how far back what we compress for it may refer.
    """

    answer: str
    window_bits: int


def agree(offers: str) -> Agreed | None:
    """The answer to a Sec-WebSocket-Extensions header; None if nothing in it can be accepted.

    The first offer that we can keep is taken. `client_no_context_takeover` is answered unasked, as RFC 7692
    section 7.1.1.2 lets a server do: otherwise each peer could make us keep 40 KB for it. So is
    `server_no_context_takeover` (section 7.1.1.1). `client_max_window_bits` is a hint that needs no answer
    (section 7.1.2.2): we inflate with the largest window.
    """
    for offer in offers.split(","):
        extension, *parameters = (part.strip() for part in offer.split(";"))
        if extension == "permessage-deflate":
            asked = _read(parameters)
            if asked is not None:
                bits = min(WINDOW_BITS, asked.get("server_max_window_bits", WINDOW_BITS))
                # A window smaller than the one asked for may be answered (section 7.1.2.1).
                window = f"; server_max_window_bits={bits}" if "server_max_window_bits" in asked else ""
                answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover" + window
                return Agreed(answer, bits)
    return None


def _read(parameters: list[str]) -> dict[str, int] | None:
    """The parameters of one offer by name; None if we cannot keep them or they make no sense."""
    asked: dict[str, int] = {}
    for parameter in parameters:
        bits = _WITH_BITS.fullmatch(parameter)
        name = parameter if bits is None else bits[1]
        if name in asked or (bits is None and name not in _WITHOUT_VALUE):
            return None
        asked[name] = zlib.MAX_WBITS if bits is None else int(bits[3])
    return asked if asked.get("server_max_window_bits", WINDOW_BITS) >= LEAST_WINDOW_BITS else None


def deflate(payload: bytes, window_bits: int = WINDOW_BITS) -> bytes:
    """One message, compressed for those who have a window of so many bits or more."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -window_bits, MEM_LEVEL)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


class Inflater:
    """The way in of one connection; Autobahn calls it where it has a `PerMessageCompress`.

    Its own one lets a peer append to a finished stream for ever. Nothing is kept between messages. After the first
    error, which ends the connection, all that still comes is nothing: Autobahn does not get past a second one, and
    would gather bytes before it instead of seeing the close frame behind it.
    """

    __slots__ = ("_failed", "_stream")

    EXTENSION_NAME = "permessage-deflate"

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._failed = False

    def start_decompress_message(self) -> None:
        """The first frame of a message begins. Its window may be the largest; we asked for nothing less."""
        if not self._failed:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def decompress_message_data(self, data: bytes, max_output_len: int) -> bytes:
        """What some bytes of the message hold.

        :raises PayloadExceededError: before there is more of it than `max_output_len` and one byte.
        :raises PayloadCorruptError: if this is not compressed, or goes on after its own end.
        """
        if self._stream is None:
            return b""
        try:
            inflated = self._stream.decompress(data, max(0, max_output_len) + 1)
        except zlib.error as error:
            raise self._fail(PayloadCorruptError("this is not compressed")) from error
        if len(inflated) > max_output_len:
            raise self._fail(PayloadExceededError("too much comes out of this"))
        # A last block may be followed by one empty byte (RFC 7692 section 7.2.3.4), by nothing else.
        if self._stream.unused_data not in (b"", b"\0"):
            raise self._fail(PayloadCorruptError("this goes on after its end"))
        return inflated

    def end_decompress_message(self) -> None:
        """The last frame of the message has ended.

        :raises PayloadCorruptError: if the message stops in the middle.
        """
        stream, self._stream = self._stream, None
        if stream is None or stream.eof:
            return
        try:
            more = stream.decompress(TAIL, 1)
        except zlib.error as error:
            raise self._fail(PayloadCorruptError("this is not compressed")) from error
        if more:
            raise self._fail(PayloadCorruptError("this stops in the middle"))

    def _fail(self, error: Exception) -> Exception:
        self._failed, self._stream = True, None
        return error
