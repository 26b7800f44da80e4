"""Rooms' heads in the writer's thread: loaded at first touch, forked if another opening had them, and saved once
a batch."""

from __future__ import annotations

import sqlite3

from chatservice.domain.ports import Randomness
from chatservice.logs.codec import decode_rules
from chatservice.logs.heads import FORKS_KEPT, Head, fork

HEADS_KEPT = 50_000  # rooms whose head stays in memory, about 300 bytes each


class OpenHead:
    """One room's head. `id` is None until the room has its first entry: looking into a room makes no row."""

    __slots__ = ("head", "id")

    def __init__(self, id: int | None, head: Head) -> None:
        self.id = id
        self.head = head


class Heads:
    """All heads of one opening of the log.

    :param fence: False leaves the fork fence out; only a test that shows what it is good for does that.
    """

    def __init__(self, randomness: Randomness, *, fence: bool = True) -> None:
        self._randomness = randomness
        self._identity = randomness.token()  # new at each opening
        self._fence = fence
        self._open: dict[str, OpenHead] = {}
        self._changed: dict[str, OpenHead] = {}  # within one transaction

    def open(self, connection: sqlite3.Connection, room: str) -> OpenHead:
        """The room's head; a new one if nobody ever wrote there."""
        opened = self._open.get(room)
        if opened is None:
            opened = self._open[room] = self._load(connection, room)
        return opened

    def _load(self, connection: sqlite3.Connection, room: str) -> OpenHead:
        row = connection.execute(
            "SELECT id, epoch, top, ts, opened_by, first, rules FROM room WHERE name = ?", (room,)
        ).fetchone()
        if row is None:
            return OpenHead(None, Head(self._randomness.token(), 0, 0, ()))
        room_id, epoch, top, ts, opened_by, first, rules = row
        forks = connection.execute("SELECT epoch, last FROM fork WHERE room = ? ORDER BY n", (room_id,))
        head = Head(epoch, top, ts, tuple(forks), first, decode_rules(rules))
        if opened_by != self._identity and self._fence:
            head = fork(head, self._randomness.token())
            self._save_fork(connection, room_id, head)
        return OpenHead(room_id, head)

    def persist(self, connection: sqlite3.Connection, room: str, opened: OpenHead) -> int:
        """The room's row, made when it has none yet."""
        if opened.id is None:
            row = connection.execute(
                "INSERT INTO room (name, epoch, top, ts, opened_by) VALUES (?, ?, 0, 0, ?)",
                (room, opened.head.epoch, self._identity),
            )
            opened.id = row.lastrowid
            assert opened.id is not None
        return opened.id

    def changed(self, room: str, opened: OpenHead) -> None:
        """The head has a new top."""
        self._changed[room] = opened

    def save(self, connection: sqlite3.Connection) -> None:
        """Write what has changed; the last thing in a transaction."""
        connection.executemany(
            "UPDATE room SET top = ?, ts = ? WHERE id = ?",
            [(opened.head.top, opened.head.ts, opened.id) for opened in self._changed.values()],
        )
        self._changed.clear()
        if len(self._open) > HEADS_KEPT:
            self._open.clear()

    def forget(self) -> None:
        """A transaction came to nothing: what memory says of tops and epochs may be wrong now."""
        self._open.clear()
        self._changed.clear()

    def _save_fork(self, connection: sqlite3.Connection, room_id: int, head: Head) -> None:
        epoch, last = head.forks[-1]
        connection.execute(
            "INSERT INTO fork (room, n, epoch, last) "
            "SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3 FROM fork WHERE room = ?1",
            (room_id, epoch, last),
        )
        connection.execute(
            "DELETE FROM fork WHERE room = ?1 AND n <= (SELECT max(n) FROM fork WHERE room = ?1) - ?2",
            (room_id, FORKS_KEPT),
        )
        connection.execute(
            "UPDATE room SET epoch = ?, opened_by = ? WHERE id = ?", (head.epoch, self._identity, room_id)
        )
