"""The page as it is built from what is here now."""

from __future__ import annotations

import subprocess

import pytest

from e2e.server import CHECKOUT


@pytest.fixture(scope="package", autouse=True)
def built() -> None:
    """The server serves what stands in static/app/."""
    subprocess.run(["make", "--no-print-directory", "web"], cwd=CHECKOUT, check=True)
