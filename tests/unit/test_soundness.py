"""A damaged database is found before anything is written to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from chatservice.domain.ports import LogError
from chatservice.logs import soundness
from chatservice.logs.soundness import check_whole
from chatservice.logs.sqlite import open_database

PAGE = 4096


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Ours, with some thousand pages more."""
    path = tmp_path / "a b?c#d.db"  # a name that a URI would read otherwise
    connection = open_database(path)
    connection.execute("CREATE TABLE more (n INTEGER PRIMARY KEY, data BLOB)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO more (data) VALUES (?)", ((bytes(1000),) for _ in range(20_000)))
    connection.execute("COMMIT")
    connection.close()
    return path


def damage(path: Path) -> bytes:
    """Write over a page among the first quarter, which is looked at late; what the file holds then."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // PAGE // 4 * PAGE)
        file.write(b"\xa5" * PAGE)
    return path.read_bytes()


def test_a_whole_one(database: Path, tmp_path: Path) -> None:
    """A whole database, an empty file and none at all are fine, and are not touched."""
    before = database.read_bytes()
    check_whole(database)
    empty = tmp_path / "empty.db"
    empty.touch()
    check_whole(empty)
    check_whole(tmp_path / "none.db")
    assert database.read_bytes() == before and not (tmp_path / "none.db").exists()


def test_a_damaged_one(database: Path) -> None:
    """It is told in one line, and left as it is."""
    found = damage(database)
    with pytest.raises(LogError) as refused:
        check_whole(database)
    words = str(refused.value)
    assert words.startswith(f"the database {database} is damaged and was left as it is") and "\n" not in words
    assert database.read_bytes() == found


def test_after_a_kill(database: Path) -> None:
    """What a killed process left in the write-ahead log is looked at, and not moved."""
    writer = open_database(database)
    writer.execute("INSERT INTO more (data) VALUES ('last')")
    log = database.with_name(database.name + "-wal")
    copy = database.with_name("copy.db")
    copy.write_bytes(database.read_bytes())
    left = copy.with_name(copy.name + "-wal")
    left.write_bytes(log.read_bytes())
    before = left.read_bytes()
    check_whole(copy)
    assert left.read_bytes() == before != b""
    writer.close()
    again = sqlite3.connect(copy)
    assert again.execute("SELECT data FROM more ORDER BY n DESC LIMIT 1").fetchone() == ("last",)
    again.close()


class Impatient(threading.Thread):
    """A timer whose time is always up."""

    def __init__(self, _seconds: float, call: Callable[[], None]) -> None:
        super().__init__()
        self._call = call
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.0005):
            self._call()

    def cancel(self) -> None:
        self._over.set()


def test_a_long_look_is_ended(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the last page of a long file: after a while the rest is trusted."""
    damage(database)
    monkeypatch.setattr(soundness.threading, "Timer", Impatient)
    check_whole(database)
