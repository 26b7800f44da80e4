"""The one thread that writes to SQLite, with group commit: everything that waits is one transaction.

It alone writes and it alone checkpoints: two checkpointing connections can corrupt a WAL database on
SQLite before 3.51.3, and Debian 12 has 3.40 (sqlite.org/wal.html, "the WAL-reset bug").
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.logs.note import Note, ignore

T = TypeVar("T")

BATCH = 512
"""Jobs one transaction may hold: 48 000 messages a second at about 10 ms each were measured there."""

WAITING = 5_000
"""Jobs that may wait; above it `busy` is the honest answer (a tenth of a second of work)."""


CHORE_EVERY_S = 1.0
CHORE_PAUSE_S = 0.02  # between two steps of the same chore, so that messages come first
CHORE_BUSY_S = 0.1  # the same while messages never stop: erased words must be gone in time none the less


class Job(Generic[T]):
    """One piece of work for the writer: runs inside its transaction, answers in the reactor's thread.

    :ivar told: called in the reactor's thread with the result once it is committed, before the promise.
    """

    __slots__ = ("promise", "run", "told")

    def __init__(self, run: Callable[[sqlite3.Connection], T], told: Callable[[T], None] | None = None) -> None:
        self.run = run
        self.told = told
        self.promise: Promise[T] = Promise()

    def answer(self, result: T | BaseException) -> None:
        """Hand the outcome to whoever waits. In the reactor's thread."""
        if isinstance(result, BaseException):
            self.promise.reject(result)
            return
        if self.told is not None:
            self.told(result)
        self.promise.resolve(result)


class Writer:
    """Runs jobs in the order in which they came.

    :param connection: opened with `check_same_thread=False`; only this thread uses it from now on.
    :param before_commit: called in the transaction after a batch's jobs.
    :param rolled_back: called when a transaction came to nothing, before its jobs are tried one by one.
    :param chore: called when nothing waits, and now and then however much does; True if there is more to do.
    :param note: told of each commit, see `Note`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        call_from_thread: Callable[[Callable[[], None]], object],
        before_commit: Callable[[sqlite3.Connection], None],
        rolled_back: Callable[[], None],
        chore: Callable[[sqlite3.Connection], bool],
        note: Note = ignore,
    ) -> None:
        self._note = note
        self._connection = connection
        self._call_from_thread = call_from_thread
        self._before_commit = before_commit
        self._rolled_back = rolled_back
        self._chore = chore
        self._queue: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._closed = False
        # A daemon: if the reactor dies of an error, the process must not hang on this thread.
        self._thread = threading.Thread(target=self._work, name="chat-log-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Promise[T]:
        """Queue a job. Its promise is rejected with `Refused` when too much waits or all is closed."""
        if self._closed:
            job.promise.reject(Refused(Code.UNAVAILABLE))
        elif self._queue.qsize() >= WAITING:
            job.promise.reject(Refused(Code.BUSY, retry_ms=200))
        else:
            self._queue.put(job)
        return job.promise

    def close(self) -> None:
        """Finish what waits and close the connection; blocks until that is done."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        going = True
        chore_at = time.monotonic()
        more_to_do = False
        while going:
            batch, going = self._take(CHORE_PAUSE_S if more_to_do else CHORE_EVERY_S)
            begun = time.monotonic()
            outcomes = self._commit(batch)
            if outcomes:
                took_s = time.monotonic() - begun
                self._call_from_thread(lambda outcomes=outcomes, s=took_s: self._told(outcomes, s))  # type: ignore[misc]
            if going and (
                not batch or time.monotonic() - chore_at >= (CHORE_BUSY_S if more_to_do else CHORE_EVERY_S)
            ):
                more_to_do = self._do_chore()
                chore_at = time.monotonic()
        self._connection.close()

    def _told(self, outcomes: list[tuple[Job[Any], Any]], took_s: float) -> None:
        failed = [result for _, result in outcomes if isinstance(result, BaseException)]
        self._note("commit", took_s, any(not isinstance(why, Refused) or why.code is Code.BUSY for why in failed))
        _answer(outcomes)

    def _take(self, patience_s: float) -> tuple[list[Job[Any]], bool]:
        """Everything that waits, at least one job unless none comes in time; False at the end of all."""
        batch: list[Job[Any]] = []
        try:
            job = self._queue.get(timeout=patience_s)
            while job is not None:
                batch.append(job)
                if len(batch) == BATCH:
                    return batch, True
                job = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _do_chore(self) -> bool:
        try:
            return self._chore(self._connection)
        except sqlite3.Error:  # a full or failing disk shows in the messages' own answers; try again later
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return False

    def _commit(self, batch: list[Job[Any]]) -> list[tuple[Job[Any], Any]]:
        if not batch:
            return []
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [(job, _run(job, connection)) for job in batch]
            self._before_commit(connection)
            connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._rolled_back()
            if len(batch) > 1:  # one by one, so that only the guilty fail
                return [outcome for job in batch for outcome in self._commit([job])]
            return [(batch[0], _as_refusal(error))]
        return outcomes


def _run(job: Job[Any], connection: sqlite3.Connection) -> Any:
    try:
        return job.run(connection)
    except Refused as refusal:  # an answer, not a failure: it has changed nothing
        return refusal


def _as_refusal(error: Exception) -> BaseException:
    if isinstance(error, sqlite3.OperationalError):  # disk full, I/O error, locked: may pass
        return Refused(Code.BUSY, retry_ms=1000)
    return error


def _answer(outcomes: list[tuple[Job[Any], Any]]) -> None:
    broken: Exception | None = None
    for job, result in outcomes:
        try:
            job.answer(result)
        except Exception as error:  # whoever could not bear its answer must not keep the others from theirs
            broken = error
    if broken is not None:
        raise broken  # the reactor logs it
