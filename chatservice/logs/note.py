"""Whoever wants to know how long the log's work takes."""

from __future__ import annotations

from collections.abc import Callable

Note = Callable[[str, float, bool], object]
"""Told in the reactor's thread: what was done (`commit`, `read`), the seconds it took, whether it failed."""


def ignore(op: str, seconds: float, failed: bool) -> None:
    """Nobody does."""
