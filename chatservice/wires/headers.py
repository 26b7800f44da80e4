"""Header lines of an HTTP request, read in one way wherever they are read (RFC 9110 section 5.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

FORGED = re.compile(rb"[\x00\x0b\x0c\x1c-\x1e\x85]|\r(?!\n)|(?<!\r)\n")
"""What some readers of a head take for the end of a line, Python's `splitlines` among them: what follows would
be a header to them (RFC 9112 section 2.2 allows CRLF only)."""


def fold(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names in small letters; values of a name that stands more than once are joined by a comma, so that one who
    asks for an origin or a host finds none it knows."""
    found: dict[str, str] = {}
    for name, value in fields:
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def fold_raw(fields: Iterable[tuple[bytes, Iterable[bytes]]]) -> dict[str, str]:
    """`fold` for headers as twisted.web has them; each byte is a character (ISO 8859-1)."""
    return fold((name.decode("latin-1"), value.decode("latin-1")) for name, values in fields for value in values)
