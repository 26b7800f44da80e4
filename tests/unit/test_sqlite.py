"""What only the SQLite log has: files, a schema, and tails that get lost."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from fakes import ANN, FakeClock, Ids, Pump, said

from chatservice.domain.commands import Position
from chatservice.domain.errors import Refused
from chatservice.domain.events import Entry
from chatservice.domain.ports import Appended, LogError, Page
from chatservice.domain.promise import Promise
from chatservice.domain.recovery import Resolution, resolve
from chatservice.logs import sqlite_heads as heads_module
from chatservice.logs.migrations import steps, upgrade
from chatservice.logs.registry import DURABILITIES, BadStore, check_log, open_log
from chatservice.logs.search import indexed
from chatservice.logs.sqlite import SQLiteLog


class Opened:
    """A log on a file, opened by a server of its own."""

    def __init__(self, path: Path, ids: Ids) -> None:
        self.pump = Pump()
        self.told: list[Entry] = []
        self.log = SQLiteLog(path, call_from_thread=self.pump, clock=FakeClock(), randomness=ids)
        self.log.start(self)

    def committed(self, entry: Entry) -> None:
        self.told.append(entry)

    def say(self, text: str, room: str = "lobby") -> Appended:
        return self.pump.until(self.log.append(room, said(text)))

    def read(self, since: int = 0, room: str = "lobby") -> Page:
        return self.pump.until(self.log.read(room, since, 1000))


class Nobody:
    """A sink that nothing comes of."""

    def committed(self, entry: Entry) -> None: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def test_durable_settings(path: Path) -> None:
    """Unless the operator wants it otherwise every answered message is on disk: WAL with full sync, set on the
    connection that writes."""
    opened = Opened(path, Ids())
    writer = opened.log._writer
    assert writer is not None
    opened.say("hi")
    connection = writer._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert opened.log.durability == "disk"
    opened.log.stop()


def test_settings_that_trust_the_machine(path: Path) -> None:
    """`process` leaves the sync to the operating system, and the log says so."""
    log = SQLiteLog(path, call_from_thread=Pump(), clock=FakeClock(), randomness=Ids(), durability=DURABILITIES[1])
    log.start(Nobody())
    assert log._writer is not None
    assert log._writer._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._writer._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    assert log.durability == "process"
    log.stop()


def test_another_reader_sees_what_was_answered(path: Path) -> None:
    """When the sender has its answer, the message is in the file: a process that dies now has lost nothing."""
    opened = Opened(path, Ids())
    opened.say("hi")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as other:
        assert other.execute("SELECT seq, user_id FROM entry").fetchall() == [(1, ANN.id)]
        assert other.execute("SELECT name, top FROM room").fetchall() == [("lobby", 1)]
    opened.log.stop()


def test_a_lost_tail_is_told(path: Path) -> None:
    """A copy of the file is put back: whoever saw more is told up to where its view is right, and no number of
    the lost ones comes again under their epoch."""
    ids = Ids()
    first = Opened(path, ids)
    for n in range(1, 6):
        epoch = first.say(str(n)).epoch
    copies = {name: name.with_suffix(name.suffix + ".bak") for name in path.parent.glob("chat.db*")}
    for name, copy in copies.items():
        shutil.copy(name, copy)
    for n in range(6, 9):
        first.say(f"lost {n}")
    first.log.stop()
    for name in path.parent.glob("chat.db*"):
        if name not in copies.values():
            name.unlink()
    for name, copy in copies.items():
        if not name.name.endswith("-shm"):
            copy.rename(name)
    second = Opened(path, ids)
    page = second.read()
    assert page.top == 5 and page.epoch != epoch and page.forks == ((epoch, 5),)
    assert resolve(Position(epoch, 8), page) == Resolution("truncated", 5)
    assert resolve(Position(epoch, 4), page) == Resolution("", 4)
    answer = second.say("six again")
    assert (answer.seq, answer.epoch) == (6, page.epoch)
    assert resolve(Position(epoch, 8), second.read()) == Resolution("truncated", 5)
    second.log.stop()


def test_a_process_that_was_killed(path: Path) -> None:
    """Opened again without having been closed, the log has all and forks: one who has read all misses nothing."""
    ids = Ids()
    killed = Opened(path, ids)
    epoch = [killed.say(str(n)) for n in range(1, 4)][-1].epoch
    copy = path.parent / "after" / "chat.db"
    copy.parent.mkdir()
    for name in path.parent.glob("chat.db*"):  # what a crash leaves: the file and its WAL, unmerged
        if not name.name.endswith("-shm"):
            shutil.copy(name, copy.parent / name.name)
    opened = Opened(copy, ids)
    page = opened.read()
    assert [entry.body.text for entry in page.entries] == ["1", "2", "3"]
    assert resolve(Position(epoch, 3), page).recovered and page.forks == ((epoch, 3),)
    assert opened.say("4").seq == 4
    opened.log.stop()
    killed.log.stop()


def test_a_broken_message_fails_alone(path: Path) -> None:
    """What cannot be written is its sender's trouble: numbers stay gapless, the others are kept."""
    opened = Opened(path, Ids())
    jobs: list[Promise[Appended]] = [opened.log.append("lobby", said(text)) for text in ("a", "\ud800", "b")]
    assert opened.pump.until(jobs[2]).seq == 2
    assert jobs[0].result().seq == 1 and isinstance(jobs[1].error, UnicodeEncodeError)
    assert [entry.body.text for entry in opened.read().entries] == ["a", "b"]
    assert [entry.seq for entry in opened.told] == [1, 2]
    opened.log.stop()


def test_a_room_that_begins_with_a_failure(path: Path) -> None:
    """A room whose very first message cannot be written begins with the next one."""
    opened = Opened(path, Ids())
    with pytest.raises(UnicodeEncodeError):
        opened.say("\ud800")
    assert opened.say("a").seq == 1
    opened.log.stop()


def test_more_rooms_than_heads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the rooms' heads are dropped from memory, numbers and epochs go on as if nothing had been."""
    monkeypatch.setattr(heads_module, "HEADS_KEPT", 3)
    opened = Opened(path, Ids())
    epochs: dict[int, str] = {}
    for round_ in range(1, 4):
        for room in range(10):
            answer = opened.say("hi", f"room {room}")
            assert answer.seq == round_
            assert epochs.setdefault(room, answer.epoch) == answer.epoch
    opened.log.stop()


def test_reading_after_stop(path: Path) -> None:
    """A closed log refuses to read as well."""
    opened = Opened(path, Ids())
    opened.log.stop()
    with pytest.raises(Refused):
        opened.read()


def test_a_newer_database_is_left_alone(path: Path) -> None:
    """A file made by a newer program is refused in one line and not touched."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("CREATE TABLE future (it)")
    before = path.read_bytes()
    with pytest.raises(LogError, match="version 99"):
        Opened(path, Ids())
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("future",)]
    assert path.read_bytes()[100:] == before[100:]  # the header may note that WAL was asked for


@pytest.mark.parametrize("made", ["a directory", "no database", "nowhere"])
def test_a_file_that_is_no_log(path: Path, made: str) -> None:
    """What cannot be opened is one line that names the file."""
    if made == "a directory":
        path.mkdir()
    elif made == "no database":
        path.write_bytes(b"this is not a database, it is a text " * 100)
    else:
        path = path.parent / "missing" / "chat.db"
    with pytest.raises(LogError) as error:
        Opened(path, Ids())
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
    return [(kind, name, " ".join(sql.split())) for kind, name, sql in connection.execute(query)]


@pytest.mark.parametrize("first", range(len(steps()) + 1))
def test_an_upgraded_schema_equals_a_fresh_one(first: int) -> None:
    """From whichever version a database comes, it ends up as if it had been made today."""
    fresh, old = (
        sqlite3.connect(":memory:", isolation_level=None),
        sqlite3.connect(":memory:", isolation_level=None),
    )
    upgrade(fresh)
    old.create_function("chat_spaced", 2, indexed, deterministic=True)  # steps fill the index with it
    for number, sql in steps()[:first]:
        old.executescript(f"{sql}; PRAGMA user_version = {number};")
    upgrade(old)
    upgrade(old)  # and a second time changes nothing
    assert schema(old) == schema(fresh) != []
    for connection in (fresh, old):
        assert connection.execute("PRAGMA user_version").fetchone() == (steps()[-1][0],)


def test_steps_are_numbered_without_a_gap() -> None:
    """Schema files are 0001, 0002 …; a missing one would never run."""
    assert [number for number, _ in steps()] == list(range(1, len(steps()) + 1))


def test_stores_by_name(tmp_path: Path) -> None:
    """`--store` names a log; the file is chat.db in the data directory unless said otherwise."""
    pump = Pump()

    def opened(store: str) -> object:
        check_log(store, tmp_path)
        return open_log(
            store, tmp_path, "disk", call_soon=pump, call_from_thread=pump, clock=FakeClock(), randomness=Ids()
        )

    assert {type(opened(store + ":")).__name__ for store in ("memory", "sqlite")} == {"MemoryLog", "SQLiteLog"}
    assert (tmp_path / "chat.db").exists()
    opened("sqlite:other.db")
    assert (tmp_path / "other.db").exists()
    for durability in DURABILITIES:
        log = open_log(
            "sqlite:",
            tmp_path,
            durability,
            call_soon=pump,
            call_from_thread=pump,
            clock=FakeClock(),
            randomness=Ids(),
        )
        assert log.durability == durability
    for bad in ("redis:", "redis://h/x", "mongo:", "", "memory:x"):
        with pytest.raises(BadStore):
            opened(bad)
