"""Examples in the documents, and how what really happens is held against them.

In an example `…` stands for anything. A word of `WORDS` stands for what stood in its place at first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

WORDS = ("EPOCH", "SESSION", "TOKEN", "OWNER")
_PIECES = re.compile("(…|" + "|".join(rf"\b{word}\b" for word in WORDS) + ")")


def examples(page: Path, kind: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of that kind: what else stands on the opening line, and the block."""
    for found in re.finditer(rf"^```{kind} ?(\S*)\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S):
        yield found[1], found[2]


def fill_in(example: str, known: Mapping[str, str]) -> str:
    """The example with what its words stand for."""
    return _PIECES.sub(lambda piece: known.get(piece[0], piece[0]), example)


def matches(expected: str, got: str, known: dict[str, str]) -> bool:
    """Whether `got` is as the example says; what its words stand for is learned on the way."""
    pattern, learned = "", set()
    for piece in _PIECES.split(expected):
        if piece == "…":
            pattern += ".*?"
        elif piece not in WORDS or piece in known:
            pattern += re.escape(known.get(piece, piece))
        else:
            pattern += f"(?P={piece})" if piece in learned else f'(?P<{piece}>[^":\\s]+)'
            learned.add(piece)
    found = re.fullmatch(pattern, got, re.S)
    if found is not None:
        known.update(found.groupdict())
    return found is not None
