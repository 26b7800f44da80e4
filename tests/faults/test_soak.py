"""What `make soak` does for 20 minutes, for a moment."""

from __future__ import annotations

import pytest

from faults.soak import main


def test_a_short_soak(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends, and tells what it has found."""
    main(4)
    told = capsys.readouterr().out
    assert told.splitlines()[-1].startswith("lost 0, doubled 0, out of order 0 of ")
