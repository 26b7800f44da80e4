"""An archive in a database: one thread writes, two read, one looks how rooms stand, one tidies up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol, TypeVar

from chatservice.domain.events import Entry
from chatservice.domain.ports import Hit
from chatservice.domain.promise import Promise
from chatservice.logs.archive import Copy, Numbers, Standing
from chatservice.logs.archive_probing import Probing
from chatservice.logs.archive_tables import Dialect, Tables
from chatservice.logs.archive_threads import Pool
from chatservice.logs.redis_codec import Record

T = TypeVar("T")

READER, WRITER, TIDIER = "reader", "writer", "tidier"
READERS = 2
FAR = 2**62


class Database(Protocol):
    """What SQLite and PostgreSQL do each in its way. In words it says where it is, without a password.

    :ivar tidies_as_writer: only the writer's connection may tidy up.
    """

    tidies_as_writer: bool

    @property
    def dialect(self) -> Dialect: ...
    def prepare(self) -> str: ...
    def writer(self) -> Any: ...
    def reader(self) -> Any: ...
    def released(self) -> None: ...
    def transaction(self, connection: Any, *, writes: bool) -> AbstractContextManager[None]: ...
    def is_lost(self, error: Exception) -> bool: ...
    def is_late(self, error: Exception) -> bool: ...
    def interrupt(self, connection: Any) -> None: ...
    def tidy(self, connection: Any) -> bool: ...


class DatabaseArchive:
    """See `Archive`. It is there from the beginning, or the start fails.

    :param call_from_thread: calls a function in the reactor's thread.
    :param call_later: calls it there after so many seconds.
    :param trouble: is given sentences for the operator's log.
    :param id: what `prepare` has answered, where that was done already.
    :raises LogError: if it cannot be used.
    """

    def __init__(
        self,
        database: Database,
        call_from_thread: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], Any],
        trouble: Callable[[str], object] = lambda _: None,
        *,
        id: str | None = None,
    ) -> None:
        self.id = database.prepare() if id is None else id
        self.numbers = Numbers()
        self._database = database
        self._trouble = trouble
        self._away: dict[str, str] = {}  # pools that fail, and why
        self._probing = Probing(call_later, lambda: READER in self._away, self._probe)

        def pool(name: str, size: int, connect: Callable[[], Any], **more: Any) -> Pool:
            told = partial(self._failed, name)
            return Pool(name, size, connect, call_from_thread, database.is_lost, told, **more)

        # A copy that takes too long is trouble: nothing is trimmed meanwhile. A search that does is not.
        self._writer = pool(WRITER, 1, database.writer, closed=database.released)
        self._readers = pool(READER, READERS, database.reader, is_late=database.is_late)
        # The first message of a room waits for this, so it must not wait for searches. It has no name of its own:
        # it is asked so seldom that any read must do to say that the archive is back.
        self._standings = pool(READER, 1, database.reader, is_late=database.is_late)
        self._tidier = (
            self._writer
            if database.tidies_as_writer
            else pool(TIDIER, 1, database.writer, is_late=database.is_late, interrupt=database.interrupt)
        )

    def _failed(self, name: str, why: str | None) -> None:
        """What one of the pools says; said in the log only when all is well again, or was."""
        if why is None:
            if self._away.pop(name, None) is not None and not self._away:
                self._trouble("the archive is back")
        else:
            self.numbers.errors += 1
            if not self._away:
                self._trouble(f"the archive is away ({self._database}): {why}; Redis keeps what it has not")
            self._away[name] = why
            if name == READER:
                self._probing.begin()
        self.numbers.away = next(iter(self._away.values()), "")

    def _probe(self) -> Promise[int]:
        return self._read(lambda tables: tables.top(""), self._standings)

    def stop(self) -> None:
        """See `Archive.stop`."""
        self._probing.stop()
        for pool in {self._writer, self._readers, self._standings, self._tidier}:
            pool.close()
        self._database.released()

    def release(self) -> None:
        """See `Archive.release`."""
        if self._writer.is_open:
            self._writer.ask(lambda _: self._writer.drop())
        # What could not be written is for whoever writes now to try again; we only look whether it is back.
        for why in [self._away.pop(name) for name in (WRITER, TIDIER) if name in self._away]:
            self._away.setdefault(READER, why)
            self._probing.begin()

    # --- writing ---

    def store(self, copies: Sequence[Copy]) -> Promise[dict[str, Standing]]:
        """See `Archive.store`."""
        return self._write(lambda tables: tables.store(copies))

    def forget(self, room: str, before_ts: int) -> Promise[int]:
        """See `Archive.forget`."""
        return self._write(lambda tables: tables.forget(room, before_ts))

    def tidy(self) -> Promise[bool]:
        """See `Archive.tidy`."""
        return self._tidier.ask(self._database.tidy)

    # --- reading ---

    def standings(self, rooms: Sequence[str]) -> Promise[dict[str, Standing]]:
        """See `Archive.standings`."""
        return self._read(lambda tables: tables.standings(rooms), self._standings)

    def entries(
        self, room: str, after: int, below: int, limit: int, *, back: bool
    ) -> Promise[tuple[int, list[Entry]]]:
        """See `Archive.entries`."""
        return self._read(lambda tables: (tables.top(room), tables.entries(room, after, below, limit, back)))

    def history(
        self, room: str, after: int, below: int, limit: int, *, back: bool
    ) -> Promise[tuple[Standing | None, list[tuple[int, Record]]]]:
        """See `Archive.history`."""
        return self._read(
            lambda tables: (tables.standings([room]).get(room), tables.history(room, after, below, limit, back))
        )

    def search(self, query: str, below: Mapping[str, int], before: int | None, limit: int) -> Promise[list[Hit]]:
        """See `Archive.search`."""
        return self._read(lambda tables: tables.search(query, below, FAR if before is None else before, limit))

    def room_names(self, limit: int) -> Promise[list[tuple[str, int, str]]]:
        """See `Archive.room_names`."""
        return self._read(lambda tables: tables.room_names(limit))

    def _read(self, work: Callable[[Tables], T], readers: Pool | None = None) -> Promise[T]:
        return (readers or self._readers).ask(lambda connection: self._within(connection, work, writes=False))

    def _write(self, work: Callable[[Tables], T]) -> Promise[T]:
        return self._writer.ask(lambda connection: self._within(connection, work, writes=True))

    def _within(self, connection: Any, work: Callable[[Tables], T], *, writes: bool) -> T:
        with self._database.transaction(connection, writes=writes):
            return work(Tables(connection, self._database.dialect))
