"""The audit log: what moderators and the operator did, one JSON object a line, in files of bounded size."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from chatservice.domain.trust import Deed

FILE_BYTES = 10_000_000
FILES = 5
"""`audit.log` and four before it: some hundred thousand deeds, which is years."""

_PLAIN = re.compile(r"[\x20-\x7e\u4e00-\u9fff]*")


class AuditFile:
    """See `Audit`. A deed is one write of less than two kilobytes to the kernel, at most a few a second, so it
    needs no thread; nothing waits for the disk.

    :param report: is given what kept a deed from being written.
    """

    def __init__(
        self, path: Path, report: Callable[[BaseException], object], *, file_bytes: int = FILE_BYTES
    ) -> None:
        self._path = path
        self._report = report
        self._file_bytes = file_bytes

    def note(self, deed: Deed) -> None:
        """See `Audit.note`. Opened each time: whoever moves the file away gets a new one, without a signal."""
        try:
            line = as_line(deed)
            self._make_room(len(line))
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(self._path, flags, 0o600)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except Exception as error:  # a full disk must not keep a moderator from throwing somebody out
            self._report(error)

    def _make_room(self, size: int) -> None:
        try:
            full = self._path.stat().st_size + size > self._file_bytes
        except FileNotFoundError:
            return
        if full:
            names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, FILES))]
            for younger, older in reversed(list(pairwise(names))):
                if younger.exists():
                    younger.replace(older)


def as_line(deed: Deed) -> bytes:
    """The deed as a line. What is empty is left out; what a terminal would act upon, or not show, is escaped."""
    fields: dict[str, Any] = {
        "time": _moment(deed.ts),
        "room": deed.room,
        "seq": deed.seq,
        "actor": deed.actor,
        "unix": deed.unix,
        "action": deed.action,
        "target": deed.target,
        "name": deed.name,
        "addresses": list(deed.addresses),
        "value": deed.value,
        "until": _moment(deed.until) if deed.until else "",
        "ref": deed.ref,
        "reason": deed.reason,
        "outcome": deed.outcome,
    }
    line = orjson.dumps({name: value for name, value in fields.items() if value}).decode()
    return (line if _PLAIN.fullmatch(line) else "".join(map(_visible, line))).encode() + b"\n"


def _moment(ms: int) -> str:
    """Milliseconds since 1970 in RFC 3339. A time beyond the calendar's end is its number."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return str(ms)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return character
    code = ord(character)
    if code > 0xFFFF:  # JSON writes these as two
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
