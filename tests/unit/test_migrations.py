"""A database of an older program becomes one of this program, with all that is in it."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from desk import Desk, Sink, seqs
from fakes import ANN, BOB, NOON, FakeClock, Ids, Pump
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import Store

from chatservice.domain.events import Said
from chatservice.domain.ports import LogError
from chatservice.logs import migrations
from chatservice.logs.migrations import steps, upgrade
from chatservice.logs.sqlite import SQLiteLog

# As the first version wrote them: room, number, user, cid, body.
OLD = [
    (1, 1, "u_ann", "c1", '{"k":"said","u":"u_ann","n":"Ann","t":"我在上海工作","c":"c1"}'),
    (1, 2, "u_bob", None, '{"k":"said","u":"u_bob","n":"Bob","t":"waves","a":1}'),
    (1, 3, "u_bob", None, '{"k":"said","u":"u_bob","n":"Bob","t":"plain \\"fox\\" \\u0041"}'),
    (2, 1, "u_ann", "c1", '{"k":"said","u":"u_ann","n":"Anna","t":"fox in the attic","c":"c1"}'),
]
TS = int(NOON * 1000)


def old_database(path: Path) -> None:
    """A file as the first version left it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    number, sql = steps()[0]
    connection.executescript(f"{sql}\nPRAGMA user_version = {number};")
    for id, name, top in ((1, "lobby", 3), (2, "attic", 1)):
        connection.execute("INSERT INTO room VALUES (?, ?, ?, ?, ?, 'old')", (id, name, f"k{id}", top, TS))
    connection.execute("INSERT INTO fork VALUES (1, 1, 'k0', 2)")
    for room, seq, user_id, cid, body in OLD:
        row = (room, seq, f"k{room}", TS, user_id, cid, body.encode())
        connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()


def schema(path: Path) -> set[tuple[str, ...]]:
    """Everything that makes a schema: columns, keys and indexes as SQLite understands them."""
    connection = sqlite3.connect(path)
    found = set(connection.execute("SELECT type, name, tbl_name FROM sqlite_master"))
    for kind, name, _ in list(found):
        if kind in ("table", "index"):
            pragma = "table_xinfo" if kind == "table" else "index_xinfo"
            found |= {(name, *map(str, row)) for row in connection.execute(f"PRAGMA {pragma}('{name}')")}
        if kind == "table":
            found |= {(name, *map(str, row)) for row in connection.execute(f"PRAGMA foreign_key_list('{name}')")}
    found |= {("version", *map(str, row)) for row in connection.execute("PRAGMA user_version")}
    found |= {("list", *map(str, row)) for row in connection.execute("PRAGMA table_list")}
    connection.close()
    return found


@pytest.fixture
def upgraded(tmp_path: Path) -> Desk:
    """An old database, opened by this program."""
    old_database(tmp_path / "chat.db")
    return Desk(Store("sqlite", tmp_path))


def test_an_upgraded_database_equals_a_fresh_one(upgraded: Desk, tmp_path: Path) -> None:
    """The same tables, columns, keys, indexes and version, whichever way one came there."""
    upgraded.store.stop()
    (tmp_path / "fresh").mkdir()
    fresh = Desk(Store("sqlite", tmp_path / "fresh"))
    fresh.store.stop()
    assert schema(tmp_path / "chat.db") == schema(tmp_path / "fresh" / "chat.db")
    assert ("version", str(steps()[-1][0])) in schema(tmp_path / "chat.db")


PIECES = st.sampled_from(("上海", "我在", "fox", "quick", " ", " ", '"', "\\", "é", "👍", "1"))
SAYING = st.tuples(
    st.integers(0, 1), st.booleans(), st.booleans(), st.lists(PIECES, min_size=1, max_size=8).map("".join)
)


@settings(deadline=None, database=None, max_examples=25)
@given(st.lists(SAYING, min_size=1, max_size=20), st.integers(1, 3))
def test_upgraded_messages_equal_fresh_ones(sayings: list[tuple[int, bool, bool, str]], openings: int) -> None:
    """Whatever an old program had stored: after the upgrade log, history and search have what they would have, had
    this program stored it."""
    rooms = ("lobby", "attic")
    with tempfile.TemporaryDirectory() as place:
        old, fresh = Path(place, "old"), Path(place, "fresh")
        old.mkdir()
        fresh.mkdir()
        desk = Desk(Store("sqlite", fresh))
        for n, saying in enumerate(sayings):
            desk.put(_saying(n, saying), rooms[saying[0]])
        desk.store.stop()
        connection = sqlite3.connect(old / "chat.db", isolation_level=None)
        connection.executescript(f"{steps()[0][1]}\nPRAGMA user_version = 1;")
        connection.execute("ATTACH ? AS fresh", (str(fresh / "chat.db"),))
        connection.execute("INSERT INTO room SELECT id, name, epoch, top, ts, opened_by FROM fresh.room")
        connection.execute("INSERT INTO entry SELECT room, seq, epoch, ts, user_id, cid, body FROM fresh.entry")
        connection.close()
        for directory in (old, fresh):  # opened equally often from here on
            for _ in range(openings):
                Desk(Store("sqlite", directory)).store.stop()
        one, other = Desk(Store("sqlite", old)), Desk(Store("sqlite", fresh))
        for room in rooms:
            assert one.read(room=room) == other.read(room=room)
            assert one.history(room=room) == other.history(room=room)
        for word in ("上海", "海我", "在", "fox", "qu", "quick", "1", "é"):
            found = [(hit.room, hit.message.seq) for hit in one.search(word, *rooms).hits]
            assert sorted(found) == sorted((hit.room, hit.message.seq) for hit in other.search(word, *rooms).hits)
        one.store.stop()
        other.store.stop()


def _saying(n: int, saying: tuple[int, bool, bool, str]) -> Said:
    _, is_action, has_cid, text = saying
    return Said(BOB if n % 2 else ANN, text, action=is_action, cid=f"c{n}" if has_cid else None)


def test_every_step_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stopped after any step goes on from there to the same end."""
    schemas = []
    for count in range(len(steps()) + 1):
        path = tmp_path / f"{count}.db"
        for known in (steps()[:count], steps()):
            if known:
                monkeypatch.setattr(migrations, "steps", lambda known=known: known)
                connection = sqlite3.connect(path, isolation_level=None)
                upgrade(connection)
                connection.close()
                monkeypatch.undo()
        schemas.append(schema(path))
    assert len(schemas) == len(steps()) + 1 and all(one == schemas[0] for one in schemas)


def test_old_messages_are_read(upgraded: Desk) -> None:
    """All that was said stands in the log and in history, under the numbers, epochs and forks it had."""
    page = upgraded.read()
    assert [entry.body for entry in page.entries] == [
        Said(ANN, "我在上海工作", cid="c1"),
        Said(BOB, "waves", action=True),
        Said(BOB, 'plain "fox" A'),
    ]
    assert page.forks == (("k0", 2), ("k1", 3)) and page.first == 1 and page.entries[0].epoch == "k1"
    past = upgraded.history()
    assert seqs(past) == [1, 2, 3]
    assert [(m.user.nick, m.text, m.action, m.rev, m.ts) for m in past.messages] == [
        ("Ann", "我在上海工作", False, 0, TS),
        ("Bob", "waves", True, 0, TS),
        ("Bob", 'plain "fox" A', False, 0, TS),
    ]
    assert upgraded.message(1, room="attic").user.nick == "Anna"
    upgraded.store.stop()


def test_old_messages_are_found(upgraded: Desk) -> None:
    """Search finds them, room by room, two Chinese characters inside a sentence as well."""
    assert upgraded.texts("上海") == ["我在上海工作"]
    assert upgraded.texts("fox", "lobby", "attic") == ["fox in the attic", 'plain "fox" A']
    assert upgraded.texts("fox", "attic") == ["fox in the attic"]
    upgraded.store.stop()


def test_old_messages_live_on(upgraded: Desk) -> None:
    """They can be retried, edited, reacted to, counted and deleted like any other."""
    again = upgraded.say("我在上海工作", cid="c1")
    assert (again.seq, again.duplicate) == (1, True)
    assert upgraded.edit(1, "我在北京工作").seq == 4
    assert upgraded.react(3, "👍").seq == 5
    assert upgraded.ask("unread", "lobby", "u_eve", 0).unread == 3
    upgraded.delete(3, BOB)
    upgraded.reopen()
    assert upgraded.texts("上海") == upgraded.texts("plain") == []
    assert upgraded.texts("北京") == ["我在北京工作"] and upgraded.message(3).deleted
    upgraded.store.stop()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """What a newer program made is left alone, with one sentence that says what to do."""
    path = tmp_path / "chat.db"
    Desk(Store("sqlite", tmp_path)).store.stop()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {steps()[-1][0] + 1}")
    connection.close()
    before = path.read_bytes()
    log = SQLiteLog(path, call_from_thread=Pump(), clock=FakeClock(), randomness=Ids())
    with pytest.raises(LogError, match=r"use a newer chatservice"):
        log.start(Sink())
    log.stop()
    assert path.read_bytes() == before


def test_a_step_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is done wholly or not at all: after a failure the old program still opens the file."""
    path = tmp_path / "chat.db"
    old_database(path)
    broken = [steps()[0], (2, "CREATE TABLE half (a) STRICT; SELECT * FROM nowhere;")]
    monkeypatch.setattr(migrations, "steps", lambda: broken)
    with pytest.raises(LogError, match="cannot open the database"):
        SQLiteLog(path, call_from_thread=Pump(), clock=FakeClock(), randomness=Ids()).start(Sink())
    monkeypatch.undo()
    names = {row[1] for row in schema(path)}
    assert "half" not in names and ("version", "1") in schema(path)
    desk = Desk(Store("sqlite", tmp_path))
    assert desk.read().top == 3
    desk.store.stop()
