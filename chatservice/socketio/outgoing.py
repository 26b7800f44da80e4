"""What is sent: one object a packet, whose forms on the various wires are made when needed, once, for everybody.

A `Batch` is a sequence of packets that some session has yet to be sent. Sessions that are told the same things
share their batches, so what leaves in one write is joined once however many take it: a batch remembers its last
extension, and whoever extends it by the same packet gets the same object.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final

from chatservice.socketio.jsontext import clean_text
from chatservice.wires.frames import BINARY, websocket_frame

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"

WS4, WS3, WS4_BASE64, WS3_BASE64, POLL4, POLL3, POLL3_BINARY = range(7)
"""The wire forms: WebSocket of both versions, with and without `b64`; payloads of both, EIO3's also as bytes."""

OVERHEAD_BYTES = 64
"""Each packet waiting counts for so much more than its text: that is about what its node in a batch takes."""

RECORD_SEPARATOR = b"\x1e"


def utf16_length(text: bytes) -> int:
    """How long JavaScript thinks this UTF-8 text is: code units of UTF-16."""
    return len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) // 2


class Outgoing:
    """One or more Engine.IO packets that belong together.

    :param text: a packet as text with its type character, UTF-8; empty if there is none.
    :param attachments: binary messages that follow it.
    """

    __slots__ = ("_forms", "_parts", "has_binary", "size")

    def __init__(self, text: bytes, attachments: Iterable[bytes] = ()) -> None:
        self._parts: tuple[tuple[bool, bytes], ...] = (
            *(((False, text),) if text else ()),
            *((True, piece) for piece in attachments),
        )
        self._measure()

    def _measure(self) -> None:
        self.has_binary: bool = any(binary for binary, _ in self._parts)
        self.size: int = sum(len(data) for _, data in self._parts) + OVERHEAD_BYTES
        self._forms: list[bytes | None] = [None] * len(_PART)

    @classmethod
    def message(cls, data: str | bytes) -> Outgoing:
        """A message packet with this content."""
        if isinstance(data, str):
            return cls(MESSAGE.encode() + clean_text(data).encode())
        return cls(b"", (data,))

    @classmethod
    def bundle(cls, packets: Iterable[Outgoing]) -> Outgoing:
        """Several, one after the other, as one."""
        bundle = cls(b"")
        bundle._parts = tuple(part for packet in packets for part in packet._parts)
        bundle._measure()
        return bundle

    def form(self, form: int) -> bytes:
        """Its bytes in one of the wire forms."""
        made = self._forms[form]
        if made is None:
            write = _PART[form]
            separator = RECORD_SEPARATOR if form == POLL4 else b""
            made = self._forms[form] = separator.join([write(binary, data) for binary, data in self._parts])
        return made


class Batch:
    """Packets in order. The empty one is the root of all.

    :ivar size: bytes, about; see `OVERHEAD_BYTES`.
    :ivar child: the batch that was last made of this one by adding a packet; forgotten at the end of the turn.
    :ivar form: the wire form in which it was asked for last,
    :ivar bytes: and what it is in that form.
    """

    __slots__ = ("_zipped", "bytes", "child", "form", "has_binary", "packet", "parent", "size")

    def __init__(self, parent: Batch | None = None, packet: Outgoing | None = None) -> None:
        self.parent: Final = parent
        self.packet: Final = packet
        self.child: Batch | None = None
        self.size: int = 0
        self.has_binary: bool = False
        if parent is not None and packet is not None:
            self.size = parent.size + packet.size
            self.has_binary = parent.has_binary or packet.has_binary
        self.form = -1
        self.bytes = b""
        self._zipped: dict[int, bytes] | None = None

    def joined(self, form: int) -> bytes:
        """All its packets in one wire form."""
        if form != self.form:
            parts: list[bytes] = []
            batch: Batch | None = self
            while batch is not None and batch.packet is not None:
                parts.append(batch.packet.form(form))
                batch = batch.parent
            if len(parts) == 1:
                self.bytes = parts[0]
            else:
                parts.reverse()
                self.bytes = (RECORD_SEPARATOR if form == POLL4 else b"").join(parts)
            self.form = form
        return self.bytes

    def zipped(self, form: int) -> bytes:
        """`joined`, compressed with gzip; made once as well."""
        if self._zipped is None:
            self._zipped = {}
        made = self._zipped.get(form)
        if made is None:
            made = self._zipped[form] = gzip.compress(self.joined(form), 6, mtime=0)
        return made


def _ws4(binary: bool, data: bytes) -> bytes:
    return websocket_frame(data, BINARY) if binary else websocket_frame(data)


def _ws3(binary: bool, data: bytes) -> bytes:
    return websocket_frame(b"\x04" + data, BINARY) if binary else websocket_frame(data)


def _base64_4(binary: bool, data: bytes) -> bytes:
    return b"b" + b64encode(data) if binary else data


def _base64_3(binary: bool, data: bytes) -> bytes:
    return b"b4" + b64encode(data) if binary else data


def _poll3(binary: bool, data: bytes) -> bytes:
    text = _base64_3(binary, data)
    return b"%d:%b" % (utf16_length(text), text)


def _poll3_binary(binary: bool, data: bytes) -> bytes:
    if binary:
        data = b"\x04" + data
    # The length in decimal, a byte a digit: bytes of value 0 to 9, not characters.
    digits = bytes(int(digit) for digit in str(len(data)))
    return bytes((binary,)) + digits + b"\xff" + data


_PART: list[Callable[[bool, bytes], bytes]] = [
    _ws4,
    _ws3,
    lambda binary, data: websocket_frame(_base64_4(binary, data)),
    lambda binary, data: websocket_frame(_base64_3(binary, data)),
    _base64_4,
    _poll3,
    _poll3_binary,
]
