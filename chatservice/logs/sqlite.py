"""The default log: one SQLite file, WAL, `synchronous=FULL`, one writer thread, readers apart.

With group commit a full sync costs next to nothing (29 000 to 48 000 messages a second were measured, 2 900
with a commit each), so an answered message survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from chatservice.domain import rules
from chatservice.domain.accounts import Account
from chatservice.domain.bus import ALONE, OURS
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Entry, Moderated, Reacted, Said, User
from chatservice.domain.ports import Appended, Found, LogError, LogSink, Pace, Page, Past, Randomness, Unread
from chatservice.domain.promise import Promise, rejected, start
from chatservice.logs import accounts, messages, pages, people
from chatservice.logs.chores import Chores
from chatservice.logs.codec import decode, encode, encode_rules, same_message
from chatservice.logs.heads import Head
from chatservice.logs.index import Index
from chatservice.logs.migrations import upgrade
from chatservice.logs.note import Note, ignore
from chatservice.logs.readers import Readers
from chatservice.logs.sqlite_heads import Heads
from chatservice.logs.writer import Job, Writer

P = ParamSpec("P")
T = TypeVar("T")

PRAGMAS = ("journal_mode=WAL", "wal_autocheckpoint=2000", "mmap_size=0", "secure_delete=ON", "trusted_schema=OFF")


def open_database(path: Path, durability: str = "disk") -> sqlite3.Connection:
    """The writer's connection, its schema brought up to date.

    :param durability: `disk` syncs each commit; `process` leaves that to the operating system.
    :raises LogError: if the file cannot be used.
    """
    connection: sqlite3.Connection | None = None
    try:
        # Password hashes are in it. SQLite gives the files beside it the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        for pragma in (*PRAGMAS, f"synchronous={'FULL' if durability == 'disk' else 'NORMAL'}"):
            connection.execute(f"PRAGMA {pragma}")
        upgrade(connection)
    except (OSError, sqlite3.Error, LogError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, LogError):
            raise
        raise LogError(f"cannot open the database {path}: {error}") from error
    return connection


class SQLiteLog:
    """See `Engine`.

    :param path: the database file; made when it is missing.
    :param call_from_thread: calls a function in the reactor's thread.
    :param clock: seconds since 1970.
    :param durability: `disk` syncs each commit; `process` leaves that to the operating system.
    """

    servers = 0
    away: tuple[str, ...] = ()
    stop_blocks = True
    cid_ttl_s: int | None = None
    paces = False
    bus = ALONE
    once = OURS
    board = None
    meter = None

    def __init__(
        self,
        path: Path,
        *,
        call_from_thread: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        randomness: Randomness,
        durability: str = "disk",
        fence: bool = True,
        note: Note = ignore,
    ) -> None:
        self._note = note
        self.durability = durability
        self._path = path
        self._call_from_thread = call_from_thread
        self._clock = clock
        self._heads = Heads(randomness, fence=fence)  # the writer's thread only
        self._index = Index()  # the writer's too
        self._chores = Chores(clock, self._index, self._pruned)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._sink: LogSink | None = None

    def start(self, sink: LogSink) -> None:
        """See `Log.start`."""
        connection = open_database(self._path, self.durability)
        self._sink = sink
        for account in accounts.load(connection):
            sink.registered(account)
        self._writer = Writer(
            connection,
            call_from_thread=self._call_from_thread,
            before_commit=self._before_commit,
            rolled_back=self._rolled_back,
            chore=self._chores.step,
            note=self._note,
        )
        self._readers = Readers(self._path, self._call_from_thread, self._note)

    def stop(self) -> None:
        """See `Log.stop`."""
        if self._readers is not None:
            self._readers.close()
            self._readers = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # --- writing ---

    def _before_commit(self, connection: sqlite3.Connection) -> None:
        self._index.keep_up(connection)
        self._heads.save(connection)

    def _rolled_back(self) -> None:
        self._index.forget()
        self._heads.forget()

    def check_there(self, room: str) -> None:
        """See `Log.check_there`: it is in this process."""

    def settled(self) -> Promise[None]:
        """See `Log.settled`: the writer does one thing after the other."""
        return self._do(lambda connection: None)

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        """See `Log.append`."""
        if self._writer is None:
            return rejected(Refused(Code.UNAVAILABLE))
        outcome: Promise[Appended] = Promise()

        def finish(promise: Promise[tuple[Appended, Entry | None]]) -> None:
            if promise.error is None:
                outcome.resolve(promise.result()[0])
            else:
                outcome.reject(promise.error)

        job = Job(lambda connection: self._append(connection, room, body, as_moderator), self._tell)
        self._writer.submit(job).then(finish)
        return outcome

    def _tell(self, result: tuple[Appended, Entry | None]) -> None:
        entry = result[1]
        if entry is not None and self._sink is not None:
            self._sink.committed(entry)

    def _pruned(self, room: str, first: int) -> None:
        """In the writer's thread."""
        sink = self._sink
        if sink is not None:
            self._call_from_thread(lambda: sink.pruned(room, first))

    def _append(
        self, connection: sqlite3.Connection, room: str, body: Body, as_moderator: bool
    ) -> tuple[Appended, Entry | None]:
        opened = self._heads.open(connection, room)
        if body.cid is not None and opened.id is not None:
            earlier = _earlier(connection, room, opened.id, body)
            if earlier is not None:
                return earlier, None
        if opened.id is None and isinstance(body, Edited | Deleted | Reacted):
            raise Refused(Code.NO_MESSAGE)  # before the room gets a row: a refusal leaves nothing behind
        room_id = self._heads.persist(connection, room, opened)
        head = opened.head
        ts = max(head.ts, int(self._clock() * 1000))
        kept = messages.keep(connection, room_id, head.top + 1, ts, body, as_moderator)
        if kept is None:
            return Appended(room, 0, head.epoch, ts), None
        head.top, head.ts = head.top + 1, ts
        self._heads.changed(room, opened)
        connection.execute(
            "INSERT INTO entry (room, seq, epoch, ts, user_id, cid, body, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (room_id, head.top, head.epoch, ts, kept.user.id, kept.cid, encode(kept), getattr(kept, "ref", None)),
        )
        if isinstance(kept, Said):
            self._index.added()
        elif isinstance(kept, Moderated):
            head.rules = rules.apply(head.rules, kept)
            connection.execute("UPDATE room SET rules = ? WHERE id = ?", (encode_rules(head.rules), room_id))
        return Appended(room, head.top, head.epoch, ts), Entry(room, head.top, head.epoch, ts, kept)

    def stored(self, room: str, body: Body) -> Promise[Appended | None]:
        """See `Log.stored`; the writer knows what it was given before."""
        return self._do(self._stored, room, body)

    def _stored(self, connection: sqlite3.Connection, room: str, body: Body) -> Appended | None:
        opened = self._heads.open(connection, room)
        return None if opened.id is None else _earlier(connection, room, opened.id, body)

    # --- reading the log ---

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """See `Log.read`."""
        return start(self._read(room, max(0, since), limit, back=False))

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """See `Log.read_back`."""
        return start(self._read(room, 2**62 if before is None else before, limit, back=True))

    async def _read(self, room: str, seq: int, limit: int, *, back: bool) -> Page:
        head = await self._head(room)
        return await self._ask(pages.entries, room, head, seq, limit, back)

    async def _head(self, room: str) -> Head:
        """The room's head, forked if need be, after all that was appended before."""
        return await self._do(self._snapshot, room)

    def _snapshot(self, connection: sqlite3.Connection, room: str) -> Head:
        return self._heads.open(connection, room).head.copy()

    # --- messages ---

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        """See `Messages.history`."""
        return start(self._history(room, viewer, limit, before, after))

    async def _history(self, room: str, viewer: str, limit: int, before: int | None, after: int | None) -> Past:
        head = await self._head(room)
        return await self._ask(pages.history, room, head.epoch, viewer, limit, before, after)

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        """See `Messages.search`."""
        return start(self._search(query, tuple(rooms), before, limit))

    async def _search(self, query: str, rooms: tuple[str, ...], before: int | None, limit: int) -> Found:
        await self._do(self._index.look)
        return await self._ask(pages.search, query, rooms, before, limit)

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        """See `Messages.unread`."""
        return self._ask(people.unread, room, user_id, after)

    def room_names(self, limit: int, viewer: str | None) -> Promise[tuple[tuple[str, int], ...]]:
        """See `Messages.room_names`."""
        return self._ask(pages.room_names, limit, viewer)

    # --- people ---

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        """See `People.raise_mark`."""
        return self._do(people.raise_mark, user_id, room, seq)

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        """See `People.marks`."""
        return self._ask(people.marks, user_id)

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        """See `People.keep_session`."""
        return self._do(people.keep_session, digest, user, until_ms)

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        """See `People.session`."""
        return self._do(people.session, digest, now_ms)

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        """See `People.use_invite`."""
        return self._do(accounts.use_invite, id, uses, until_ms)

    # --- accounts ---

    def add_account(self, account: Account) -> Promise[Account]:
        """See `Accounts.add_account`."""
        return self._register(lambda connection: accounts.add(connection, account))

    def change_account(
        self,
        user_id: str,
        *,
        role: str | None = None,
        password: str | None = None,
        end_sessions: bool = False,
        if_password: str | None = None,
    ) -> Promise[Account]:
        """See `Accounts.change_account`."""
        return self._register(
            lambda connection: accounts.change(connection, user_id, role, password, end_sessions, if_password)
        )

    def _register(self, work: Callable[[sqlite3.Connection], Account]) -> Promise[Account]:
        if self._writer is None or self._sink is None:
            return rejected(Refused(Code.UNAVAILABLE))
        return self._writer.submit(Job(work, self._sink.registered))

    # --- threads ---

    def _do(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Promise[T]:
        """Run `work` in the writer's next transaction."""
        if self._writer is None:
            return rejected(Refused(Code.UNAVAILABLE))
        return self._writer.submit(Job(lambda connection: work(connection, *args, **kwargs)))

    def _ask(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Promise[T]:
        """Run `work` on a reader's connection."""
        if self._readers is None:
            return rejected(Refused(Code.UNAVAILABLE))
        return self._readers.ask(lambda connection: work(connection, *args, **kwargs))


def _earlier(connection: sqlite3.Connection, name: str, room: int, body: Body) -> Appended | None:
    """Where an earlier try with the same cid stands.

    :raises Refused: `cid_conflict` if that try said something else.
    """
    row = connection.execute(
        "SELECT seq, epoch, ts, body FROM entry WHERE room = ? AND user_id = ? AND cid = ?",
        (room, body.user.id, body.cid),
    ).fetchone()
    if row is None:
        return None
    if not same_message(decode(row[3]), body):
        raise Refused(Code.CID_CONFLICT)
    return Appended(name, row[0], row[1], row[2], duplicate=True)
