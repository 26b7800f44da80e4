"""Reading MessagePack (github.com/msgpack/msgpack, spec.md), as far as Socket.IO's emitters write it. Pure.

Nothing is made that takes more than the bytes it is made of: a length says only what must still come.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

DEEPEST = 32
"""Arrays and maps in one another; orjson writes 254, and nobody says anything in so many."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TIMESTAMP, NOTEPACK = -1, 0
"""Kinds of extension: the one of the specification, and what notepack.io, which the emitters use, writes of its
own: `undefined` as one byte, and in older versions a date as milliseconds."""


class BadMessagePack(ValueError):
    """These bytes are no MessagePack, or hold what Socket.IO could not say."""


def unpack(data: bytes) -> Any:
    """The one value that `data` holds: None, bool, int, float, str, bytes, list, dict (its keys are strings). A
    date becomes text, as JavaScript says it in JSON. Text that is no UTF-8 has U+FFFD where it is broken.

    :raises BadMessagePack: for all else.
    """
    reader = _Reader(data)
    value = reader.value(DEEPEST)
    if reader.at != len(data):
        raise BadMessagePack("something follows the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, levels: int) -> Any:
        (kind,) = self._take(1)
        if kind <= 0x7F:
            return kind
        if kind >= 0xE0:
            return kind - 0x100
        if kind <= 0x8F:
            return self._map(kind & 0x0F, levels)
        if kind <= 0x9F:
            return self._array(kind & 0x0F, levels)
        if kind <= 0xBF:
            return self._text(kind & 0x1F)
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind in _LONG:
            form, read = _LONG[kind]
            return read(self, self._number(form), levels)
        if kind in _FIXED:
            return self._extension(_FIXED[kind], levels)
        raise BadMessagePack(f"0x{kind:02x} begins no value")

    def _take(self, size: int) -> bytes:
        begin, self.at = self.at, self.at + size
        if self.at > len(self._data):
            raise BadMessagePack("it ends too early")
        return self._data[begin : self.at]

    def _number(self, form: struct.Struct) -> Any:
        return form.unpack(self._take(form.size))[0]

    def _text(self, size: int, _levels: int = 0) -> str:
        return self._take(size).decode("utf-8", "replace")

    def _bytes(self, size: int, _levels: int = 0) -> bytes:
        return self._take(size)

    def _array(self, size: int, levels: int) -> list[Any]:
        self._descend(size, levels)
        return [self.value(levels - 1) for _ in range(size)]

    def _map(self, size: int, levels: int) -> dict[str, Any]:
        self._descend(2 * size, levels)
        found: dict[str, Any] = {}
        for _ in range(size):
            key = self.value(0)
            if not isinstance(key, str):
                raise BadMessagePack("a key is no string")
            found[key] = self.value(levels - 1)
        return found

    def _descend(self, size: int, levels: int) -> None:
        if levels <= 0:
            raise BadMessagePack(f"it is more than {DEEPEST} levels deep")
        if size > len(self._data) - self.at:  # each takes a byte at least
            raise BadMessagePack("it ends too early")

    def _extension(self, size: int, _levels: int) -> Any:
        kind = self._number(_INT8)
        data = self._take(size)
        if (kind, size) == (NOTEPACK, 1):
            return None
        if (kind, size) == (NOTEPACK, 8):
            return _date(0, struct.unpack(">q", data)[0] * 1_000_000)
        if (kind, size) == (TIMESTAMP, 4):
            return _date(struct.unpack(">I", data)[0], 0)
        if (kind, size) == (TIMESTAMP, 8):
            (both,) = struct.unpack(">Q", data)
            return _date(both & (1 << 34) - 1, both >> 34)
        if (kind, size) == (TIMESTAMP, 12):
            nanoseconds, seconds = struct.unpack(">Iq", data)
            return _date(seconds, nanoseconds)
        raise BadMessagePack(f"an extension of kind {kind} with {size} bytes")


def _date(seconds: int, nanoseconds: int) -> str:
    """See `Date.prototype.toISOString` (ECMA-262)."""
    try:
        moment = _EPOCH + timedelta(seconds=seconds, milliseconds=nanoseconds // 1_000_000)
    except OverflowError as error:
        raise BadMessagePack("a date that no calendar has") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z".rjust(24, "0")


_INT8 = struct.Struct(">b")
_U8, _U16, _U32 = struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I")
_PLAIN = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    code: struct.Struct(f">{form}")
    for code, form in zip((0xCA, 0xCB, *range(0xCC, 0xD4)), "fdBHIQbhiq", strict=True)
}
_FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_LONG: dict[int, tuple[struct.Struct, Callable[[_Reader, int, int], Any]]] = {
    0xC4: (_U8, _Reader._bytes),
    0xC5: (_U16, _Reader._bytes),
    0xC6: (_U32, _Reader._bytes),
    0xC7: (_U8, _Reader._extension),
    0xC8: (_U16, _Reader._extension),
    0xC9: (_U32, _Reader._extension),
    0xD9: (_U8, _Reader._text),
    0xDA: (_U16, _Reader._text),
    0xDB: (_U32, _Reader._text),
    0xDC: (_U16, _Reader._array),
    0xDD: (_U32, _Reader._array),
    0xDE: (_U16, _Reader._map),
    0xDF: (_U32, _Reader._map),
}
