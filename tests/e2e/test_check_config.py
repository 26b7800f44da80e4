"""`chatservice check-config` finds libraries that are missing, and tells everything that is wrong at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.server import CHECKOUT, clean_environment

HIREDIS = "Redis needs the hiredis library: pip install hiredis"
PSYCOPG = "PostgreSQL needs the psycopg library: pip install 'psycopg[binary]'"


def check(directory: Path, *settings: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run it where a library cannot be imported."""
    beside = directory / "libraries"
    beside.mkdir(exist_ok=True)
    if without:
        (beside / f"{without}.py").write_text("raise ImportError('no pq wrapper available')\n")
    environment = {**clean_environment(), "PYTHONPATH": f"{beside}:{CHECKOUT}"}
    command = [sys.executable, "-m", "chatservice.cli", "check-config", *settings]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=30)


REDIS = "--store=redis://localhost"


@pytest.mark.parametrize(
    ("settings", "without", "told"),
    [
        ((REDIS,), "hiredis", HIREDIS),
        (("--socketio-emitters=redis://localhost",), "hiredis", f"--socketio-emitters: {HIREDIS}"),
        ((REDIS, "--archive=postgresql://localhost/chat"), "psycopg", PSYCOPG),
        ((REDIS, "--archive=postgresql://localhost/chat?nonsense=1"), "", "--archive: this is no address"),
    ],
)
def test_a_library_that_is_missing(tmp_path: Path, settings: tuple[str, ...], without: str, told: str) -> None:
    """The same sentence, with the remedy, whatever needs the library; without a fault there is none."""
    done = check(tmp_path, *settings, without=without)
    assert done.returncode == 1 and done.stderr.startswith(f"chatservice: {told}"), done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    if without:
        (tmp_path / "libraries" / f"{without}.py").unlink()
        assert check(tmp_path, *settings).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["libraries"], "it makes nothing"


def test_all_that_is_wrong(tmp_path: Path) -> None:
    """What the libraries, the store and the listeners say is told together."""
    archive = "--archive=postgresql://localhost/chat"
    done = check(tmp_path, REDIS, archive, "--redirect=0", without="psycopg")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 2, done.stderr
    assert PSYCOPG in done.stderr and "--redirect" in done.stderr
