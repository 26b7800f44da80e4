"""Read marks and sessions in SQLite."""

from __future__ import annotations

import sqlite3

from chatservice.domain.events import User
from chatservice.domain.ports import Unread

COUNT_LIMIT = 1000
"""Unread messages are counted up to here; nobody reads the difference between 1000 and 100 000."""


def raise_mark(connection: sqlite3.Connection, user_id: str, room: str, seq: int) -> int:
    """See `People.raise_mark`."""
    connection.execute(
        "INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
        (user_id, room, seq),
    )
    (mark,) = connection.execute("SELECT seq FROM mark WHERE user_id = ? AND room = ?", (user_id, room)).fetchone()
    return int(mark)


def marks(connection: sqlite3.Connection, user_id: str) -> dict[str, int]:
    """See `People.marks`."""
    return dict(connection.execute("SELECT room, seq FROM mark WHERE user_id = ?", (user_id,)))


def keep_session(connection: sqlite3.Connection, digest: bytes, user: User, until_ms: int) -> None:
    """See `People.keep_session`."""
    connection.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET nick = excluded.nick, until = excluded.until",
        (digest, user.id, user.nick, until_ms),
    )


def session(connection: sqlite3.Connection, digest: bytes, now_ms: int) -> User | None:
    """See `People.session`."""
    row = connection.execute(
        "SELECT user_id, nick FROM session WHERE digest = ? AND until > ?", (digest, now_ms)
    ).fetchone()
    return None if row is None else User(*row)


def forget_sessions(connection: sqlite3.Connection, now_ms: int) -> None:
    """Drop what nobody can resume any more."""
    connection.execute("DELETE FROM session WHERE until <= ?", (now_ms,))


def unread(connection: sqlite3.Connection, room: str, user_id: str, after: int) -> Unread:
    """See `Messages.unread`."""
    (messages,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM message WHERE room = (SELECT id FROM room WHERE name = ?1)"
        " AND seq > ?2 AND user_id <> ?3 AND deleted = 0 LIMIT ?4)",
        (room, after, user_id, COUNT_LIMIT),
    ).fetchone()
    (mentions,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM mention WHERE room = (SELECT id FROM room WHERE name = ?1)"
        " AND user_id = ?3 AND seq > ?2 LIMIT ?4)",
        (room, after, user_id, COUNT_LIMIT),
    ).fetchone()
    return Unread(messages, mentions)
