"""What commands and answers are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import hiredis

DEADLINE_S = 3.0
"""How long an answer may take. The slowest script takes milliseconds; a fork of a big server some hundred."""

Word = bytes | str | int
Answer = Any
Done = Callable[[Answer], None]
"""Is given the answer, or a `RedisError` (as a value: commands are too many for exceptions)."""


def pack(words: Sequence[Word]) -> bytes:
    """A command as it goes onto the connection."""
    # Its stubs say that it takes a tuple of one.
    packed: bytes = hiredis.pack_command(tuple(words))  # type: ignore[arg-type]
    return packed
