"""What the writer does between messages, in small steps: making erased words unreadable, and pruning."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from chatservice.logs.accounts import forget_invites
from chatservice.logs.index import Index, shrink, take_out
from chatservice.logs.people import forget_sessions

STEP_PAGES = 64  # of the index merged at once: a few milliseconds
STEP_ROWS = 500  # entries pruned at once: 0.9 ms was measured
PRUNE_EVERY_S = 60.0
CHECKPOINT_PATIENCE_MS = 20  # longer than a page of history takes to read


class Chores:
    """The writer's housekeeping.

    :param clock: seconds since 1970.
    :param index: what of the messages is indexed.
    :param pruned: is told a room's name and the oldest number it still has; in the writer's thread.
    """

    def __init__(
        self, clock: Callable[[], float], index: Index, pruned: Callable[[str, int], object] = lambda *_: None
    ) -> None:
        self._clock = clock
        self._index = index
        self._pruned = pruned
        self._purge = Purge()
        self._pruned_at = 0.0

    def step(self, connection: sqlite3.Connection) -> bool:
        """One small piece of work, in no transaction. True while there is more to do at once."""
        if self._index.waiting:
            self._catch_up(connection)
        if self._clock() - self._pruned_at >= PRUNE_EVERY_S or self._clock() < self._pruned_at:
            if self._prune(connection):
                return True
            self._pruned_at = self._clock()
        if connection.execute("SELECT 1 FROM chore").fetchone() is None:
            return False
        return self._purge.step(connection)

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._index.catch_up(connection)
            connection.execute("COMMIT")
        except sqlite3.Error:
            self._index.forget()
            raise

    def _prune(self, connection: sqlite3.Connection) -> bool:
        now_ms = int(self._clock() * 1000)
        forget_sessions(connection, now_ms)
        forget_invites(connection, now_ms)
        rooms = connection.execute(
            "SELECT id, name, json_extract(rules, '$.expires') FROM room"
            " WHERE json_extract(rules, '$.expires') > 0"
        ).fetchall()
        for room, name, expires_s in rooms:
            if trim(connection, room, now_ms - expires_s * 1000):
                (first,) = connection.execute("SELECT first FROM room WHERE id = ?", (room,)).fetchone()
                self._pruned(name, first)
                return True
        return False


class Purge:
    """Makes erased words unreadable, where tables `chore` and `found` are as in schema/."""

    def __init__(self) -> None:
        self._is_merging = False  # a round has begun in this process

    def step(self, connection: sqlite3.Connection) -> bool:
        """Within no transaction. True while there is more to do at once.

        Merge the index into one segment, which drops the tombstoned words, then empty the write-ahead log.

        SQLite 3.40 has no FTS5 secure-delete; `secure_delete=ON` overwrites what the merge sets free. A round ends
        all that was deleted before it began. What is deleted during it asks for another one: a tombstone that is
        written now is in a segment that this merge does not take.
        """
        before = connection.total_changes
        if not self._is_merging:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR IGNORE INTO chore VALUES ('purging')")
            connection.execute("DELETE FROM chore WHERE name = 'purge'")
            # A negative number puts all segments on one level first, so that the merge takes them all.
            connection.execute("INSERT INTO found (found, rank) VALUES ('merge', ?)", (-STEP_PAGES,))
            connection.execute("COMMIT")
            self._is_merging = True
            return True
        connection.execute("INSERT INTO found (found, rank) VALUES ('merge', ?)", (STEP_PAGES,))
        if connection.total_changes - before >= 2:  # fewer: there was nothing left to merge (sqlite.org/fts5.html)
            return True
        if not _empty_write_ahead_log(connection):  # a reader is in the way: next time
            return False
        connection.execute("DELETE FROM chore WHERE name = 'purging'")
        _empty_write_ahead_log(connection)
        self._is_merging = False
        return connection.execute("SELECT 1 FROM chore").fetchone() is not None


def _empty_write_ahead_log(connection: sqlite3.Connection) -> bool:
    """Whether the log could be emptied. It waits for no reader: messages would wait as well."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_PATIENCE_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
    return not busy


def trim(connection: sqlite3.Connection, room: int, before_ts: int) -> bool:
    """Take up to `STEP_ROWS` entries from before `before_ts` out of a room. True if there may be more.

    The newest entry stays, so that a room never forgets how far it has counted.
    """
    connection.execute("BEGIN IMMEDIATE")
    (last,) = connection.execute(
        "SELECT max(seq) FROM (SELECT seq, ts FROM entry WHERE room = ?1"
        " AND seq < (SELECT top FROM room WHERE id = ?1) ORDER BY seq LIMIT ?3) WHERE ts < ?2",
        (room, before_ts, STEP_ROWS),
    ).fetchone()
    if last is None:
        connection.execute("COMMIT")
        return False
    for id, text in connection.execute(
        "SELECT id, text FROM message WHERE room = ? AND seq <= ? AND deleted = 0", (room, last)
    ).fetchall():
        take_out(connection, id, room, text)
    for table in ("message", "reaction", "mention", "entry"):
        connection.execute(f"DELETE FROM {table} WHERE room = ? AND seq <= ?", (room, last))
    shrink(connection)
    connection.execute("UPDATE room SET first = ? WHERE id = ?", (last + 1, room))
    connection.execute("INSERT OR IGNORE INTO chore VALUES ('purge')")
    connection.execute("COMMIT")
    return True
