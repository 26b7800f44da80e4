"""Messages in their final state, in SQLite: kept beside the log in the very transaction that appends to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from chatservice.domain import message as rule
from chatservice.domain.events import Body, Deleted, Edited, Reacted, Said, User
from chatservice.domain.message import Message, Tally
from chatservice.logs.codec import decode, encode
from chatservice.logs.index import take_out
from chatservice.logs.search import indexed

_COLUMNS = "id, seq, ts, user_id, nick, text, rev, deleted, extra"


def keep(
    connection: sqlite3.Connection, room: int, seq: int, ts: int, body: Body, as_moderator: bool
) -> Body | None:
    """Fold `body`, which is about to become entry `seq`, into the messages of `room`.

    :returns: the body as it is to be kept, None if it changes nothing.
    :raises Refused: if it may not be done; nothing has been changed then.
    """
    match body:
        case Said():
            _insert(connection, room, rule.said(seq, ts, body))
        case Edited():
            found = _find(connection, room, body.ref)
            after, body = rule.edited(None if found is None else found[1], body)
            assert found is not None
            _replace(connection, room, found[0], found[1], after)
        case Deleted():
            found = _find(connection, room, body.ref)
            after = rule.deleted(None if found is None else found[1], body, as_moderator)
            assert found is not None
            _replace(connection, room, found[0], found[1], after)
            _erase(connection, room, body.ref)
        case Reacted():
            return _react(connection, room, seq, body)
    return body


def _insert(connection: sqlite3.Connection, room: int, message: Message) -> None:
    connection.execute(
        "INSERT INTO message (room, seq, ts, user_id, nick, text, extra) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (room, message.seq, message.ts, message.user.id, message.user.nick, message.text, _extra(message)),
    )
    for user_id in message.mentions:
        connection.execute("INSERT OR IGNORE INTO mention VALUES (?, ?, ?)", (room, user_id, message.seq))


def _replace(connection: sqlite3.Connection, room: int, id: int, before: Message, after: Message) -> None:
    connection.execute(
        "UPDATE message SET text = ?, rev = ?, deleted = ?, extra = ? WHERE id = ?",
        (after.text, after.rev, after.deleted, _extra(after), id),
    )
    was_indexed = take_out(connection, id, room, before.text)
    if was_indexed and not after.deleted:
        connection.execute("INSERT INTO found (rowid, body) VALUES (?, ?)", (id, indexed(room, after.text)))
    connection.execute("INSERT OR IGNORE INTO chore VALUES ('purge')")


def _erase(connection: sqlite3.Connection, room: int, ref: int) -> None:
    """Take the words of a message out of every entry that holds them."""
    for table in ("reaction", "mention"):
        connection.execute(f"DELETE FROM {table} WHERE room = ? AND seq = ?", (room, ref))
    rows = connection.execute(
        "SELECT seq, body FROM entry WHERE room = ?1 AND seq = ?2"
        " UNION ALL SELECT seq, body FROM entry WHERE room = ?1 AND ref = ?2",
        (room, ref),
    ).fetchall()
    for seq, stored in rows:
        body = decode(stored)
        if isinstance(body, Said | Edited):
            connection.execute(
                "UPDATE entry SET body = ? WHERE room = ? AND seq = ?", (encode(rule.erase(body)), room, seq)
            )


def _react(connection: sqlite3.Connection, room: int, seq: int, body: Reacted) -> Reacted | None:
    found = _find(connection, room, body.ref)
    kinds, n, has = connection.execute(
        "SELECT count(DISTINCT emoji), coalesce(sum(emoji = ?3), 0), coalesce(max(emoji = ?3 AND user_id = ?4), 0)"
        " FROM reaction WHERE room = ?1 AND seq = ?2",
        (room, body.ref, body.emoji, body.user.id),
    ).fetchone()
    kept = rule.reacted(None if found is None else found[1], body, kinds, n, bool(has))
    if kept is not None and kept.on:
        row = (room, body.ref, body.emoji, body.user.id, seq)
        connection.execute("INSERT INTO reaction VALUES (?, ?, ?, ?, ?)", row)
    elif kept is not None:
        connection.execute(
            "DELETE FROM reaction WHERE room = ? AND seq = ? AND emoji = ? AND user_id = ?",
            (room, body.ref, body.emoji, body.user.id),
        )
    return kept


def _find(connection: sqlite3.Connection, room: int, seq: int) -> tuple[int, Message] | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM message WHERE room = ? AND seq = ?", (room, seq)).fetchone()
    return None if row is None else (row[0], _message(row))


def _extra(message: Message) -> str | None:
    fields: dict[str, Any] = {
        "a": int(message.action),
        "r": message.reply,
        "m": list(message.mentions),
        "x": message.meta,
    }
    kept = {key: value for key, value in fields.items() if value}
    return orjson.dumps(kept).decode() if kept else None


def _message(row: Sequence[Any]) -> Message:
    _, seq, ts, user_id, nick, text, rev, deleted, extra = row
    f = orjson.loads(extra) if extra else {}
    return Message(
        seq,
        ts,
        User(user_id, nick),
        text,
        rev,
        bool(deleted),
        bool(f.get("a")),
        f.get("r"),
        tuple(f.get("m", ())),
        f.get("x"),
    )


def page(connection: sqlite3.Connection, room: int, where: str, values: Sequence[Any]) -> list[Message]:
    """Messages of `room` for which `where` holds, without their reactions.

    :param where: SQL of our own, with `?` for `values`.
    """
    rows = connection.execute(f"SELECT {_COLUMNS} FROM message WHERE room = ? AND {where}", (room, *values))
    return [_message(row) for row in rows]


def with_reactions(
    connection: sqlite3.Connection, room: int, messages: list[Message], viewer: str
) -> list[Message]:
    """The messages with what people put on them."""
    if not messages:
        return []
    lowest, highest = min(m.seq for m in messages), max(m.seq for m in messages)
    tallies: dict[int, dict[str, Tally]] = {}
    for seq, emoji, n, me in connection.execute(
        "SELECT seq, emoji, count(*), max(user_id = ?) FROM reaction WHERE room = ? AND seq BETWEEN ? AND ?"
        " GROUP BY seq, emoji ORDER BY seq, min(since)",
        (viewer, room, lowest, highest),
    ):
        tallies.setdefault(seq, {})[emoji] = Tally(n, bool(me))
    return [rule.with_reactions(message, tallies.get(message.seq, {})) for message in messages]
