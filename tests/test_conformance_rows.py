"""The list of what engines owe leads to tests that exist."""

from __future__ import annotations

import pytest
from conformance_rows import ROWS
from test_hostile_rows import TESTS, names_in

WANTED = [
    *range(1, 13),
    *range(20, 27),
    *range(30, 37),
    *range(40, 45),
    *range(50, 61),
    90,
    91,
]


def test_no_row_is_left_out() -> None:
    """Every row has a test."""
    assert sorted(ROWS) == [f"C{row:02}" for row in WANTED]


@pytest.mark.parametrize("row", ROWS)
def test_each_test_is_there(row: str) -> None:
    """What a row names is a test that is collected."""
    assert ROWS[row]
    for name in ROWS[row]:
        path, _, test = name.partition("::")
        assert test in names_in(TESTS / path), name
