"""From a SQLite log to an empty Redis: rooms with their numbers and epochs, accounts, marks, sessions.

A head in Redis is written under an identity that no server has, so the first access begins a new epoch and notes
where the old one ended (lua/fence.lua): whoever was connected to the old chat goes on exactly where it was.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chatservice.domain.commands import Position
from chatservice.domain.events import Edited, Said, User
from chatservice.domain.ports import LogError
from chatservice.logs import accounts, messages
from chatservice.logs.archive import Copy, Forks
from chatservice.logs.archive_store import Database
from chatservice.logs.archive_tables import Tables
from chatservice.logs.codec import decode, decode_rules
from chatservice.logs.migrations import steps
from chatservice.logs.redis_codec import Record, card, encode_record
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_log import CID_TTL_S
from chatservice.logs.redis_people import encode_account
from chatservice.logs.redis_signals import encode_user
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError

Command = Sequence[bytes | str | int]

AT_ONCE = 500
"""Commands, or entries of a room, that go in one piece."""

UNFINISHED = b"a move that was not finished"
"""Stands where the id of the archive will, and so keeps chats from starting on half of a log."""


@dataclass(slots=True)
class Moved:
    """What was moved.

    :ivar left: entries that are in the old file only.
    """

    rooms: int = 0
    entries: int = 0
    accounts: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Room:
    id: int
    name: str
    epoch: str
    top: int
    ts: int
    first: int
    rules: str
    forks: Forks


def move(
    source: Path, address: Address, key: bytes, archive: Database | None, *, keep: int, prefix: str = "cs"
) -> Moved:
    """Copy all. The file is not changed; nobody else may have it open.

    :param key: what signs tokens, so that they stay good.
    :param archive: takes every entry; without one only the newest `keep` of each room go along.
    :raises LogError: with one sentence, also if the Redis or the archive is not empty.
    """
    try:
        with _opened(source) as log, Blocking(address) as asking:
            return _Move(log, asking, Keys(prefix, address.db), archive, keep).run(key)
    except (RedisError, OSError) as error:
        raise LogError(f"cannot move to the Redis at {address}: {error}") from error
    except sqlite3.Error as error:
        raise LogError(f"cannot read the database {source}: {error}") from error


class _opened:
    """The database, to be read."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise LogError(f"there is no database {path}")
        self._log = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        (version,) = self._log.execute("PRAGMA user_version").fetchone()
        if version != steps()[-1][0]:
            self._log.close()
            raise LogError("the database is of another version of chatservice: start this one on it once")
        return self._log

    def __exit__(self, *_: object) -> None:
        self._log.close()


class _Move:
    def __init__(
        self, log: sqlite3.Connection, asking: Blocking, keys: Keys, archive: Database | None, keep: int
    ) -> None:
        self._log = log
        self._asking = asking
        self._keys = keys
        self._database = archive
        self._keep = keep
        self._now_ms = int(time.time() * 1000)
        self._waiting: list[Command] = []
        self._moved = Moved()

    def run(self, key: bytes) -> Moved:
        """All of it."""
        self._must_be_empty()
        database, keys = self._database, self._keys
        id = None if database is None else database.prepare()
        writer = None if database is None else database.writer()
        try:
            if writer is not None and writer.execute("SELECT 1 FROM room LIMIT 1").fetchone() is not None:
                raise LogError(f"the archive ({database}) is not empty")
            self._give((b"SET", keys.archive, UNFINISHED))
            self._give((b"SET", keys.secret, key))
            self._people()
            for room in list(self._rooms()):
                self._room(room, writer)
            self._send()
        finally:
            if writer is not None and database is not None:
                writer.close()
                database.released()
        self._give((b"DEL", keys.archive) if id is None else (b"MSET", keys.archive, id, keys.swept, id))
        self._send()
        return self._moved

    def _must_be_empty(self) -> None:
        cursor: Any = b"0"
        while True:
            answer = self._asking.ask((b"SCAN", cursor, b"MATCH", self._keys.prefix + b"*", b"COUNT", 10_000))[0]
            if isinstance(answer, RedisError):
                raise answer
            cursor, found = answer
            if found:
                raise LogError(
                    "that Redis has a chat in it already (or a move that was not finished): take an empty database"
                )
            if cursor == b"0":
                return

    def _give(self, *commands: Command) -> None:
        self._waiting += commands
        if len(self._waiting) >= AT_ONCE:
            self._send()

    def _send(self) -> None:
        for answer in self._asking.ask(*self._waiting):
            if isinstance(answer, RedisError):
                raise answer
        self._waiting = []

    # --- people ---

    def _people(self) -> None:
        keys = self._keys
        for account in accounts.load(self._log):
            self._give((b"HSET", keys.accounts, account.id, encode_account(account)))
            self._moved.accounts += 1
        self._give((b"SET", keys.accounts_version, 1))
        for user_id, room, seq in self._log.execute("SELECT user_id, room, seq FROM mark"):
            self._give((b"HSET", keys.marks(user_id), room, seq))
        for digest, user_id, nick, until in self._log.execute("SELECT digest, user_id, nick, until FROM session"):
            if until > self._now_ms:
                words = b"%d %s" % (until, encode_user(User(user_id, nick)))
                self._give((b"SET", keys.session(digest), words, b"PX", until - self._now_ms))
        for id, used, until in self._log.execute("SELECT id, used, until FROM invite"):
            if until > self._now_ms:
                self._give((b"SET", keys.invite(id), used, b"PX", until - self._now_ms))

    # --- rooms ---

    def _rooms(self) -> Iterator[_Room]:
        rows = self._log.execute(
            "SELECT id, name, epoch, top, ts, first, rules FROM room WHERE top > 0"
        ).fetchall()
        for id, name, epoch, top, ts, first, rules in rows:
            forks = self._log.execute("SELECT epoch, last FROM fork WHERE room = ? ORDER BY n", (id,))
            yield _Room(id, name, epoch, top, ts, first, rules, tuple(forks))

    def _room(self, room: _Room, writer: Any) -> None:
        names = self._keys.room(room.name)
        kept = max(room.first, room.top - self._keep + 1)
        since = room.first if writer is not None else kept
        rules = decode_rules(room.rules)
        place, expected = 0, None
        for entries in self._entries(room, since):
            copied: list[tuple[int, bytes]] = []
            for seq, epoch, ts, user_id, cid, body in entries:
                # Places of the old log say only which came first; those of Redis are microseconds.
                place = max(place + 1, ts * 1000)
                copied.append((seq, b"%d %s %d %s" % (ts, epoch.encode(), place, body)))
                if seq >= kept:
                    self._entry(room, seq, copied[-1][1], body)
                left = ts + CID_TTL_S * 1000 - self._now_ms
                if cid is not None and left > 0:
                    self._give((b"SET", self._keys.cid(room.name, user_id, cid), seq, b"PX", left))
            self._moved.entries += len(copied)
            if writer is not None:
                expected = self._archive(room, expected, copied, writer)
        self._records(room, kept)
        marks = () if writer is None else (b"a", room.top, b"b", room.first)
        forks = "".join(f"{epoch}:{last}," for epoch, last in room.forks)
        self._give(
            (
                *(b"HSET", names.head, b"e", room.epoch, b"s", room.top, b"r", b"moved", b"t", room.ts),
                *(b"p", place, b"o", kept, b"f", forks, b"u", room.rules if room.rules != "{}" else "", *marks),
            )
        )
        self._give((b"SET", names.id, room.epoch, b"NX"))  # it says that the partition is here; see lua/fence.lua
        if names.named:
            self._give((b"ZADD", names.named, place, room.name))
        if rules.expires_s:
            self._give((b"SADD", names.expiring, room.name))
        self._moved.rooms += 1
        self._moved.left += since - room.first

    def _entries(self, room: _Room, since: int) -> Iterator[list[Any]]:
        while True:
            rows = self._log.execute(
                "SELECT seq, epoch, ts, user_id, cid, body FROM entry WHERE room = ? AND seq >= ?"
                " ORDER BY seq LIMIT ?",
                (room.id, since, AT_ONCE),
            ).fetchall()
            if not rows:
                return
            yield rows
            since = rows[-1][0] + 1

    def _entry(self, room: _Room, seq: int, stored: bytes, raw: bytes) -> None:
        names, body = self._keys.room(room.name), decode(raw)
        self._give((b"RPUSH", names.log, stored))
        if isinstance(body, Said):
            self._give((b"RPUSH", names.cards, f"{seq}\x1f{'' if body.erased else card(body)}"))

    def _records(self, room: _Room, kept: int) -> None:
        """Messages that were changed since they were said."""
        names = self._keys.room(room.name)
        put: dict[int, dict[str, list[str]]] = {}
        for seq, emoji, user_id in self._log.execute(
            "SELECT seq, emoji, user_id FROM reaction WHERE room = ? AND seq >= ? ORDER BY seq, since",
            (room.id, kept),
        ):
            put.setdefault(seq, {}).setdefault(emoji, []).append(user_id)
        for message in messages.page(self._log, room.id, "seq >= ? ORDER BY seq", (kept,)):
            reactions = {emoji: tuple(users) for emoji, users in put.get(message.seq, {}).items()}
            if message.rev or message.deleted or reactions:
                self._give((b"HSET", names.records, message.seq, encode_record(Record(message, reactions))))
        edits: dict[int, str] = {}
        for seq, ref, body in self._log.execute(
            "SELECT seq, ref, body FROM entry WHERE room = ? AND ref >= ? ORDER BY seq", (room.id, kept)
        ):
            if isinstance(decode(body), Edited):
                edits[ref] = edits.get(ref, "") + f"{seq},"
        self._give(*((b"HSET", names.records, f"{ref}:e", seqs) for ref, seqs in edits.items()))

    def _archive(
        self, room: _Room, expected: Position | None, entries: Iterable[tuple[int, bytes]], writer: Any
    ) -> Position:
        assert self._database is not None
        rules = room.rules if room.rules != "{}" else ""
        copy = Copy(room.name, expected, room.epoch, room.forks, room.first, rules, list(entries))
        with self._database.transaction(writer, writes=True):
            stored = Tables(writer, self._database.dialect).store([copy])
        return stored[room.name].position
