"""The archive in a SQLite file that all workers of one machine share. One of them writes, and has locked it for
that."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chatservice.domain.ports import LogError
from chatservice.logs.archive_folding import text_of
from chatservice.logs.archive_tables import Put, Stored, Tables, bounds_table
from chatservice.logs.archive_threads import Away
from chatservice.logs.chores import Purge
from chatservice.logs.redis_codec import encode_record
from chatservice.logs.search import indexed, question
from chatservice.logs.soundness import check_whole

VERSION = 1
PRAGMAS = ("journal_mode=WAL", "wal_autocheckpoint=2000", "mmap_size=0", "secure_delete=ON", "trusted_schema=OFF")

SCHEMA = """
CREATE TABLE about (id TEXT NOT NULL) STRICT;

CREATE TABLE room (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE,
    epoch TEXT    NOT NULL,
    top   INTEGER NOT NULL,
    first INTEGER NOT NULL,             -- from here to top nothing is missing
    ts    INTEGER NOT NULL,             -- milliseconds since 1970
    forks TEXT    NOT NULL,             -- epoch:last,epoch:last,
    rules TEXT    NOT NULL
) STRICT;

CREATE TABLE entry (
    room  INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    epoch TEXT    NOT NULL,
    ts    INTEGER NOT NULL,
    ref   INTEGER,                      -- the message it is about
    body  BLOB    NOT NULL,             -- chatservice/logs/codec.py
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_ref ON entry (room, ref) WHERE ref IS NOT NULL;

CREATE TABLE message (
    place  INTEGER PRIMARY KEY,         -- where it stands among all that was ever said anywhere
    room   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    record BLOB    NOT NULL             -- chatservice/logs/redis_codec.py
) STRICT;
CREATE UNIQUE INDEX message_seq ON message (room, seq);

CREATE TABLE chore (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE found USING fts5 (body, content = '', tokenize = 'unicode61 remove_diacritics 2');
"""


def lock_writer(path: Path) -> int:
    """The right to write to that archive, as a descriptor: whoever has it open has the right.

    :raises Away: if another process of this machine has it.
    :raises OSError: if the lock cannot be opened.
    """
    lock = os.open(f"{path}-writer", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise Away("another process on this machine writes to it") from error
    return lock


class SQLiteDialect:
    """See `Dialect`. The index is contentless: it must be told the old words to take them out."""

    mark = "?"
    for_update = ""

    def put(self, tables: Tables, rows: Sequence[Put]) -> None:
        """See `Dialect.put`."""
        index: list[tuple[int, str]] = []
        new: list[tuple[int, int, int, bytes]] = []
        taken = set(self._taken(tables, [place for _, _, place, _, before in rows if before is None]))
        for room, seq, place, record, before in rows:
            words, text = encode_record(record), text_of(record)
            if before is None:
                # A place stands for one message; two rooms may have been given the same in one microsecond.
                while place in taken:
                    place += 1
                    if place not in taken:
                        taken.update(self._taken(tables, [place]))
                taken.add(place)
                new.append((place, room, seq, words))
            else:
                tables.run("UPDATE message SET record = ? WHERE place = ?", words, place)
                if before == text:
                    continue
                self.drop(tables, room, [(place, before)])
            if text:
                index.append((place, indexed(room, text)))
        tables.many("INSERT INTO message (place, room, seq, record) VALUES (?, ?, ?, ?)", new)
        tables.many("INSERT INTO found (rowid, body) VALUES (?, ?)", index)

    def _taken(self, tables: Tables, places: Sequence[int]) -> list[int]:
        return [place for (place,) in tables.among("SELECT place FROM message WHERE place IN (??)", places)]

    def drop(self, tables: Tables, room: int, rows: Sequence[tuple[int, str]]) -> None:
        """See `Dialect.drop`."""
        gone = [(place, indexed(room, text)) for place, text in rows if text]
        tables.many("INSERT INTO found (found, rowid, body) VALUES ('delete', ?, ?)", gone)

    def find(self, tables: Tables, query: str, below: Mapping[int, int], before: int, limit: int) -> list[Stored]:
        """See `Dialect.find`."""
        asked = question(query, list(below))
        if asked is None:
            return []
        return list(
            tables.run(
                f"{bounds_table(below)} SELECT message.room, message.seq, message.record, message.place FROM found"
                " CROSS JOIN message ON message.place = found.rowid JOIN bound ON bound.room = message.room"
                " WHERE found MATCH ? AND found.rowid < ? AND message.seq < bound.below"
                " ORDER BY found.rowid DESC LIMIT ?",
                *(asked, before, limit),
            ).fetchall()
        )


class SQLiteEngine:
    """See `archive_store.Database`.

    :raises LogError: if the file cannot be used.
    """

    dialect = SQLiteDialect()
    tidies_as_writer = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._purge = Purge()

    def __str__(self) -> str:
        return f"sqlite:{self._path}"

    def prepare(self) -> str:
        """Make what is missing; answers the archive's id."""
        check_whole(self._path)
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            try:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version > VERSION:
                    raise LogError(f"the archive {self._path} is of version {version}; use a newer chatservice")
                if version < VERSION:
                    self._make(connection)
                row = connection.execute("SELECT id FROM about").fetchone()
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise LogError(f"cannot use the archive {self._path}: {error}") from error
        return str(row[0])

    def _make(self, connection: sqlite3.Connection) -> None:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'about'").fetchone() is None:
            raise LogError(f"{self._path} is a database, but no archive")
        connection.execute("PRAGMA journal_mode=WAL")
        # Workers start together: whoever comes second finds it done.
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute("INSERT INTO about VALUES (?)", (secrets.token_hex(8),))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def writer(self) -> sqlite3.Connection:
        """The one connection that writes, and checkpoints (writer.py says why only one may). A lock of the
        operating system stands behind the lease: whoever was stopped for a while, and goes on, still has it."""
        self._unlock()
        self._lock = lock_writer(self._path)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        for pragma in (*PRAGMAS, "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        self._purge = Purge()
        return connection

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def released(self) -> None:
        """The writer's connection is closed."""
        self._unlock()

    def reader(self) -> sqlite3.Connection:
        """One that changes nothing, not even when it is closed as the last one."""
        return sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,
        )

    @contextmanager
    def transaction(self, connection: Any, *, writes: bool) -> Iterator[None]:
        """All or nothing."""
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def is_lost(self, error: Exception) -> bool:
        """See `Pool`. What is wrong with a value is no loss: it would come again with the next connection."""
        values = (sqlite3.DataError, sqlite3.IntegrityError)
        return isinstance(error, sqlite3.Error | OSError) and not isinstance(error, values)

    def is_late(self, error: Exception) -> bool:
        """See `Pool`. Statements have no limit here."""
        return False

    def interrupt(self, connection: sqlite3.Connection) -> None:
        """See `Pool`."""
        connection.interrupt()

    def tidy(self, connection: Any) -> bool:
        """A step of erasing; see `chores.Purge`."""
        if connection.execute("SELECT 1 FROM chore").fetchone() is None:
            return False
        return self._purge.step(connection)
