"""The archive's tables, in the SQL that SQLite and PostgreSQL share. For the archive's threads: on one connection,
within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chatservice.domain import message as rule
from chatservice.domain.events import Body, Edited, Entry, Said
from chatservice.domain.ports import Hit
from chatservice.logs.archive import Copy, Standing
from chatservice.logs.archive_folding import Records, rebuild, text_of
from chatservice.logs.codec import decode, encode
from chatservice.logs.redis_codec import Record, read_forks, read_record

STEP_ROWS = 500
"""Entries that are forgotten at once: a few milliseconds."""

AT_ONCE = 400
"""Values in one question."""

Put = tuple[int, int, int, Record, str | None]
"""A message to be kept: room, number, place, how it stands, the text that is indexed of it (None: it is new)."""

Stored = tuple[int, int, bytes, int]
"""A message that was found: room, number, record, place."""


class Dialect(Protocol):
    """What differs from one database to the other: above all how words are indexed and found.

    :ivar mark: stands for a value in SQL.
    :ivar for_update: keeps others from changing a row that was read.
    """

    mark: str
    for_update: str

    def put(self, tables: Tables, rows: Sequence[Put]) -> None:
        """Keep these messages, in place of what was there."""

    def drop(self, tables: Tables, room: int, rows: Sequence[tuple[int, str]]) -> None:
        """Messages, by place and text, are about to go: so must their words."""

    def find(self, tables: Tables, query: str, below: Mapping[int, int], before: int, limit: int) -> list[Stored]:
        """Messages with these words, newest first; see `Archive.search`."""


class Tables:
    """One connection."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection = connection
        self._dialect = dialect

    def run(self, sql: str, *values: object) -> Any:
        """A statement; `?` stands for a value."""
        return self.connection.execute(sql.replace("?", self._dialect.mark), values)

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """A statement for each row."""
        if rows:
            self.connection.cursor().executemany(sql.replace("?", self._dialect.mark), rows)

    def among(self, sql: str, values: Iterable[object], *more: object) -> list[Any]:
        """The rows for many values; `??` is their place in `sql`, after that of `more`."""
        left, found = list(values), []
        while left:
            some, left = left[:AT_ONCE], left[AT_ONCE:]
            found += self.run(sql.replace("??", ",".join("?" * len(some))), *more, *some).fetchall()
        return found

    # --- rooms ---

    def standings(self, rooms: Sequence[str]) -> dict[str, Standing]:
        """See `Archive.standings`."""
        rows = self.among("SELECT name, top, epoch, first, ts, forks, rules FROM room WHERE name IN (??)", rooms)
        return {row[0]: _standing(row[1:]) for row in rows}

    def top(self, room: str) -> int:
        """The newest number of a room, 0 if there is none."""
        row = self.run("SELECT top FROM room WHERE name = ?", room).fetchone()
        return 0 if row is None else int(row[0])

    def room_names(self, limit: int) -> list[tuple[str, int, str]]:
        """See `Archive.room_names`."""
        return list(
            self.run(
                "SELECT name, top, rules FROM room WHERE top > 0 AND substr(name, 1, 3) <> 'dm:'"
                " AND substr(name, 1, 1) <> '@' ORDER BY ts DESC LIMIT ?",
                limit,
            ).fetchall()
        )

    def _ids(self, rooms: Iterable[str]) -> dict[str, int]:
        return dict(self.among("SELECT name, id FROM room WHERE name IN (??)", rooms))

    def _id(self, room: str) -> int:
        return self._ids([room]).get(room, -1)

    # --- writing ---

    def store(self, copies: Sequence[Copy]) -> dict[str, Standing]:
        """See `Archive.store`."""
        stored = {copy.room: self._store(copy) for copy in copies}
        return {room: standing for room, standing in stored.items() if standing is not None}

    def _store(self, copy: Copy) -> Standing | None:
        row = self.run(
            f"SELECT id, top, epoch, ts FROM room WHERE name = ?{self._dialect.for_update}", copy.room
        ).fetchone()
        expected = copy.expected
        if (row is None) != (expected is None) or (
            expected is not None and row is not None and (row[1], row[2]) != (expected.seq, expected.epoch)
        ):
            return None
        if row is None:
            made = self.run(
                "INSERT INTO room (name, epoch, top, first, ts, forks, rules) VALUES (?, '', 0, 1, 0, '', '')"
                " ON CONFLICT (name) DO NOTHING RETURNING id",
                copy.room,
            ).fetchone()
            if made is None:  # another worker has, at this moment
                return None
            row = (made[0], 0, "", 0)
        room, top, _, ts = row
        if copy.cut is not None:
            self._cut(room, copy.cut)
            top = copy.cut
        if copy.entries:
            self._add(room, copy.entries)
            top, ts = copy.entries[-1][0], max(ts, int(copy.entries[-1][1].split(b" ", 1)[0]))
        forks = "".join(f"{epoch}:{last}," for epoch, last in copy.forks)
        self.run(
            "UPDATE room SET epoch = ?, top = ?, first = ?, ts = ?, forks = ?, rules = ? WHERE id = ?",
            *(copy.epoch, top, copy.first, ts, forks, copy.rules, room),
        )
        return Standing(top, copy.epoch, copy.first, ts, copy.forks, copy.rules)

    def _add(self, room: int, entries: Sequence[tuple[int, bytes]]) -> None:
        rows: list[tuple[object, ...]] = []
        read: list[tuple[int, int, int, Body]] = []
        for seq, stored in entries:
            said_at, epoch, where, raw = stored.split(b" ", 3)
            body = decode(raw)
            rows.append((room, seq, epoch.decode(), int(said_at), getattr(body, "ref", None), raw))
            read.append((seq, int(said_at), int(where), body))
        self.many("INSERT INTO entry (room, seq, epoch, ts, ref, body) VALUES (?, ?, ?, ?, ?, ?)", rows)
        records = Records()
        refs = {ref for _, _, _, body in read if (ref := getattr(body, "ref", None)) is not None}
        for seq, place, record in self._messages(room, refs):
            records.put(seq, place, record)
        for seq, ts, place, body in read:
            records.fold(seq, ts, place, body)
        self._put((room, seq, kept.place, kept.record, kept.before) for seq, kept in records.changed())
        for ref in records.erased:
            self._erase(room, ref)

    def _put(self, rows: Iterable[Put]) -> None:
        rows = list(rows)
        self._dialect.put(self, rows)
        if any(before is not None and before != text_of(record) for _, _, _, record, before in rows):
            self.note_erased()

    def _messages(self, room: int, seqs: Iterable[int]) -> list[tuple[int, int, Record]]:
        sql = "SELECT seq, place, record FROM message WHERE room = ? AND seq IN (??)"
        return [(seq, place, read_record(seq, record)) for seq, place, record in self.among(sql, seqs, room)]

    def _about(self, room: int, ref: int) -> list[tuple[int, int, Body]]:
        """Number, ts and body of all entries about a message."""
        sql = "SELECT seq, ts, body FROM entry WHERE room = ? AND "
        rows = self.run(sql + "seq = ?", room, ref).fetchall() + self.run(sql + "ref = ?", room, ref).fetchall()
        return [(seq, ts, decode(body)) for seq, ts, body in sorted(rows, key=lambda row: row[0])]

    def _erase(self, room: int, ref: int) -> None:
        """Take the words of a message out of every entry that holds them."""
        for seq, _, body in self._about(room, ref):
            if isinstance(body, Said | Edited) and not body.erased:
                erased = encode(rule.erase(body))
                self.run("UPDATE entry SET body = ? WHERE room = ? AND seq = ?", erased, room, seq)
                self.note_erased()

    def note_erased(self) -> None:
        """Words were taken out: nothing of them may be left over."""
        # Written anew if it is there: who tidies up takes away only the mark that was there before.
        self.run("INSERT INTO chore (name) VALUES ('purge') ON CONFLICT (name) DO UPDATE SET name = excluded.name")

    def _cut(self, room: int, valid: int) -> None:
        """Take back all above a number: entries, messages, and what they did to the messages before."""
        refs = self.run(
            "SELECT DISTINCT ref FROM entry WHERE room = ? AND seq > ? AND ref <= ?", room, valid, valid
        ).fetchall()
        self._drop(room, "seq > ?", valid)
        self.run("DELETE FROM entry WHERE room = ? AND seq > ?", room, valid)
        changed: list[Put] = []
        for seq, place, record in self._messages(room, (ref for (ref,) in refs)):
            about = self._about(room, seq)
            # What a deletion has erased does not come back with it.
            again = rebuild(seq, about[0][1], (body for _, _, body in about)) if about else None
            if again is None:
                again = Record(replace(record.message, deleted=True, text=""))
            changed.append((room, seq, place, again, text_of(record)))
        self._put(changed)

    def _drop(self, room: int, where: str, value: int) -> None:
        rows = self.run(
            f"SELECT seq, place, record FROM message WHERE room = ? AND {where}", room, value
        ).fetchall()
        if rows:
            texts = [(place, text_of(read_record(seq, record))) for seq, place, record in rows]
            self._dialect.drop(self, room, texts)
            self.run(f"DELETE FROM message WHERE room = ? AND {where}", room, value)
            self.note_erased()

    def forget(self, room: str, before_ts: int) -> int:
        """See `Archive.forget`."""
        row = self.run(
            f"SELECT id, top, first FROM room WHERE name = ?{self._dialect.for_update}", room
        ).fetchone()
        if row is None:
            return 1
        id, top, first = row
        (last,) = self.run(
            "SELECT max(seq) FROM (SELECT seq, ts FROM entry WHERE room = ? AND seq < ?"
            " ORDER BY seq LIMIT ?) AS old WHERE ts < ?",
            *(id, top, STEP_ROWS, before_ts),
        ).fetchone()
        if last is not None:
            self._drop(id, "seq <= ?", last)
            self.run("DELETE FROM entry WHERE room = ? AND seq <= ?", id, last)
            first = max(first, last + 1)
            self.run("UPDATE room SET first = ? WHERE id = ?", first, id)
            self.note_erased()
        return int(first)

    # --- reading ---

    def entries(self, room: str, after: int, below: int, limit: int, back: bool) -> list[Entry]:
        """See `Archive.entries`."""
        rows = self._between("entry", "epoch, ts, body", room, after, below, limit, back)
        found = [Entry(room, seq, epoch, ts, decode(body)) for seq, epoch, ts, body in rows]
        run = list(_until_hole(reversed(found) if back else found, -1 if back else 1))
        return run[::-1] if back else run

    def history(self, room: str, after: int, below: int, limit: int, back: bool) -> list[tuple[int, Record]]:
        """See `Archive.history`."""
        rows = self._between("message", "record", room, after, below, limit, back)
        return [(seq, read_record(seq, record)) for seq, record in rows]

    def _between(
        self, table: str, columns: str, room: str, after: int, below: int, limit: int, back: bool
    ) -> list[Any]:
        rows = self.run(
            f"SELECT seq, {columns} FROM {table} WHERE room = ? AND seq > ? AND seq < ?"
            f" ORDER BY seq {'DESC' if back else ''} LIMIT ?",
            *(self._id(room), after, below, limit),
        ).fetchall()
        return rows[::-1] if back else list(rows)

    def search(self, query: str, below: Mapping[str, int], before: int, limit: int) -> list[Hit]:
        """See `Archive.search`."""
        names = {id: name for name, id in self._ids(below).items()}
        if not names:
            return []
        found = self._dialect.find(self, query, {id: below[names[id]] for id in names}, before, limit)
        return [Hit(names[room], read_record(seq, record).message, place) for room, seq, record, place in found]


def bounds_table(below: Mapping[int, int]) -> str:
    """Rooms with the numbers below which to look, as a table `bound (room, below)`; nothing but whole numbers."""
    values = ",".join(f"({room:d}, {number:d})" for room, number in below.items())
    return f"WITH bound (room, below) AS (VALUES {values})"


def _standing(row: Sequence[Any]) -> Standing:
    top, epoch, first, ts, forks, rules = row
    return Standing(top, epoch, first, ts, read_forks(forks.encode()), rules)


def _until_hole(entries: Iterable[Entry], step: int) -> Iterator[Entry]:
    last: int | None = None
    for entry in entries:
        if last is not None and entry.seq != last + step:
            return
        last = entry.seq
        yield entry
