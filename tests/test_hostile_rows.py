"""The map of bad inputs leads to tests that exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from hostile_rows import BESIDE, ROWS

TESTS = Path(__file__).parent
NAMED = {**{f"row {number}": names for number, names in ROWS.items()}, **BESIDE}


@cache
def names_in(path: Path) -> set[str]:
    """The tests of a file."""
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_no_row_is_left_out() -> None:
    """Every row of the table has a test, but for the one about a store that is not here."""
    assert sorted(ROWS) == [number for number in range(1, 110) if number != 107]


@pytest.mark.parametrize("row", NAMED)
def test_each_test_is_there(row: str) -> None:
    """What a row names is a test that is collected."""
    assert NAMED[row]
    for name in NAMED[row]:
        path, _, test = name.partition("::")
        assert test in names_in(TESTS / path), name
