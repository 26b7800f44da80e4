"""Which names look the same (UTS 39, Unicode Security Mechanisms), from Unicode's tables.

The tables come with confusable_homoglyphs. Its own functions answer whether one string may be mistaken at all;
we must find whom it is mistaken for, and make skeletons (UTS 39 section 4): what looks the same has the same one.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

_DIRECTION_MARKS = "\u200e\u200f"  # around right-to-left characters in the table
_SCRIPTLESS = frozenset({"COMMON", "INHERITED"})
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that are written together: UTS 39 section 5.2, "highly restrictive"."""


def skeleton(text: str) -> str:
    """What `text` has in common with everything that looks like it (UTS 39 section 4). Not to be shown."""
    prototypes = _prototypes()
    # A prototype of several characters may hold one that has a prototype of its own: three rounds reach all.
    for _ in range(3):
        before, text = text, unicodedata.normalize("NFD", text).translate(prototypes)
        if text == before:
            break
    return unicodedata.normalize("NFD", text)


def is_one_hand(text: str) -> bool:
    """Whether its letters are of one script or of scripts that go together, and its digits of one kind."""
    found = {script for character in text if (script := script_of(character)) not in _SCRIPTLESS}
    zeros = {ord(c) - unicodedata.decimal(c) for c in text if unicodedata.decimal(c, None) is not None}
    return (len(found) < 2 or any(found <= together for together in _TOGETHER)) and len(zeros) < 2


def script_of(character: str) -> str:
    """Its script's name in capitals (Unicode's Scripts.txt); COMMON and INHERITED belong to all."""
    starts, ends, scripts = _scripts()
    at = bisect_right(starts, ord(character)) - 1
    return scripts[at] if at >= 0 and ord(character) <= ends[at] else "UNKNOWN"


@cache
def _scripts() -> tuple[list[int], list[int], list[str]]:
    table = _table("categories.json")
    names: list[str] = table["iso_15924_aliases"]
    ranges: list[list[int]] = sorted(table["code_points_ranges"])
    return [row[0] for row in ranges], [row[1] for row in ranges], [names[row[2]] for row in ranges]


@cache
def _prototypes() -> Mapping[int, str]:
    """Each confusable character to what stands for it.

    The table has every pair in both directions. A character with one partner is replaced by it, one with several
    is what they are replaced by; of two that have but each other the smaller stands for both.
    """
    table: dict[str, list[dict[str, str]]] = _table("confusables.json")
    prototypes: dict[int, str] = {}
    for said, rows in table.items():
        source = said.strip(_DIRECTION_MARKS)
        partners = {row["c"].strip(_DIRECTION_MARKS) for row in rows}
        if len(source) == 1 and len(partners) == 1:
            (partner,) = partners
            mutual = len(partner) == 1 and _partners(table, partner) == {source}
            if not mutual or partner < source:
                prototypes[ord(source)] = partner
    return prototypes


def _partners(table: Mapping[str, Iterable[Mapping[str, str]]], character: str) -> set[str]:
    return {row["c"].strip(_DIRECTION_MARKS) for row in table.get(character, ())}


def _table(name: str) -> Any:
    return orjson.loads(files("confusable_homoglyphs").joinpath(name).read_bytes())
