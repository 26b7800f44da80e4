"""Reading pages from SQLite: of the log, of the messages' final state, of what was searched for."""

from __future__ import annotations

import sqlite3

from chatservice.domain.events import Entry
from chatservice.domain.ports import Found, Hit, Page, Past
from chatservice.logs import messages
from chatservice.logs.codec import decode, decode_rules
from chatservice.logs.heads import Head
from chatservice.logs.search import question


def entries(connection: sqlite3.Connection, room: str, head: Head, seq: int, limit: int, back: bool) -> Page:
    """See `Log.read` and `Log.read_back`."""
    order = "seq < ?2 ORDER BY seq DESC" if back else "seq > ?2 ORDER BY seq"
    rows = connection.execute(
        "SELECT seq, epoch, ts, body FROM entry WHERE room = (SELECT id FROM room WHERE name = ?1)"
        f" AND {order} LIMIT ?3",
        (room, seq, limit),
    ).fetchall()
    if back:
        rows.reverse()
    found = tuple(Entry(room, seq, epoch, ts, decode(body)) for seq, epoch, ts, body in rows)
    # More may have been committed, or pruned, since the head was taken: only this reading's own row fits it.
    row = connection.execute("SELECT first, top, rules FROM room WHERE name = ?", (room,)).fetchone()
    if row is None:
        return Page(0, head.epoch, head.forks, 1, ())
    return Page(row[1], head.epoch, head.forks, row[0], found, decode_rules(row[2]))


def history(
    connection: sqlite3.Connection,
    room: str,
    epoch: str,
    viewer: str,
    limit: int,
    before: int | None,
    after: int | None,
) -> Past:
    """See `Messages.history`."""
    row = connection.execute("SELECT id FROM room WHERE name = ?", (room,)).fetchone()
    if row is None:
        return Past((), False, epoch)
    if after is not None:
        found = messages.page(connection, row[0], "seq > ? ORDER BY seq LIMIT ?", (after, limit + 1))
        shown = found[:limit]
    else:
        below = 2**62 if before is None else before
        found = messages.page(connection, row[0], "seq < ? ORDER BY seq DESC LIMIT ?", (below, limit + 1))
        shown = found[:limit][::-1]
    return Past(tuple(messages.with_reactions(connection, row[0], shown, viewer)), len(found) > limit, epoch)


def search(
    connection: sqlite3.Connection, query: str, rooms: tuple[str, ...], before: int | None, limit: int
) -> Found:
    """See `Messages.search`."""
    marks = ",".join("?" * len(rooms))
    names = dict(connection.execute(f"SELECT id, name FROM room WHERE name IN ({marks})", rooms))
    asked = question(query, list(names))
    if asked is None:
        return Found((), None)
    ids = ",".join(str(id) for id in names)
    rows = connection.execute(
        "SELECT message.room, message.id, message.seq FROM found JOIN message ON message.id = found.rowid"
        f" WHERE found MATCH ? AND found.rowid < ? AND message.room IN ({ids})"
        " ORDER BY found.rowid DESC LIMIT ?",
        (asked, 2**62 if before is None else before, limit + 1),
    ).fetchall()
    hits = [
        Hit(names[room], messages.page(connection, room, "seq = ?", (seq,))[0], id)
        for room, id, seq in rows[:limit]
    ]
    return Found(tuple(hits), rows[limit - 1][1] if len(rows) > limit else None)


def room_names(connection: sqlite3.Connection, limit: int, viewer: str | None) -> tuple[tuple[str, int], ...]:
    """See `Messages.room_names`."""
    return tuple(
        connection.execute(
            "SELECT name, top FROM room WHERE top > 0 AND name NOT GLOB 'dm:*' AND name NOT GLOB '@*'"
            " AND (?1 IS NULL OR json_extract(rules, '$.private') IS NULL"
            "      OR EXISTS (SELECT 1 FROM json_each(rules, '$.roles') WHERE key = ?1))"
            " ORDER BY ts DESC LIMIT ?",
            (viewer, limit),
        )
    )
