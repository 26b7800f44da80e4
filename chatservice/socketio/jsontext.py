"""JSON in and out as JavaScript means it: compact, key order kept, lone surrogates replaced, bytes taken out.

orjson does the work. What it refuses although browsers send it (an emoji cut in half, numbers beyond 64 bit)
goes through the standard library.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

from chatservice.socketio.errors import BadPacket

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
MAX_DEPTH = 200
"""orjson writes 254 levels; what came in must be able to go out again, in an envelope or two."""

_LONE = re.compile("[\ud800-\udfff]")
_INT64, _UINT64, _FLOATABLE = 2**63, 2**64, 10**308


def loads(text: str) -> Any:
    """The value; lone surrogates become U+FFFD.

    :raises BadPacket: if it is no JSON, or nested more than `MAX_DEPTH` levels deep.
    """
    value = _parse(text)
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise BadPacket("nested too deeply")
    return value


def _parse(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if _SURROGATE_ESCAPE.search(text) is None:
            raise BadPacket("no JSON") from None
    try:
        return _clean(json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise BadPacket("no JSON") from None


def dumps(value: object) -> tuple[bytes, list[bytes]]:
    """UTF-8, and the bytes-like values that were in it: a placeholder stands for each. NaN and infinities become
    null, as in JavaScript.

    :raises TypeError: if it cannot be said in JSON.
    """
    try:
        return _dump(value, 0)
    except TypeError:  # a lone surrogate, a number as key, an integer beyond 64 bit; else it is raised again
        try:
            return _dump(_clean(value), orjson.OPT_NON_STR_KEYS)
        except RecursionError:
            raise TypeError("nested too deeply for JSON") from None


def _dump(value: object, options: int) -> tuple[bytes, list[bytes]]:
    attachments: list[bytes] = []

    def default(odd: object) -> object:
        if isinstance(odd, bytes | bytearray | memoryview):
            attachments.append(bytes(odd))
            return {"_placeholder": True, "num": len(attachments) - 1}
        if isinstance(odd, set | frozenset):
            return list(odd)
        raise TypeError(f"{type(odd).__name__} is no JSON")

    return orjson.dumps(value, default, options), attachments


def clean_text(text: str) -> str:
    """`text` with its surrogate pairs joined and lone surrogates replaced, so that it can be UTF-8."""
    if _LONE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for outer in level
            if isinstance(outer, list | dict)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(item, list | dict) for item in level)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key) if isinstance(key, str) else key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, int) and not -_INT64 <= value < _UINT64:
        return float(value) if abs(value) < _FLOATABLE else None  # what a JavaScript number makes of it
    return value


def _refuse(_constant: str) -> NoReturn:
    raise ValueError
