"""Threads that read from SQLite while the writer writes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.logs.note import Note, ignore

T = TypeVar("T")

READERS = 2  # a long search must not hold up a short page; more threads only fight for the interpreter


class Readers:
    """A pool of read-only connections.

    :param call_from_thread: calls a function in the reactor's thread.
    :param note: told how long each answer took, waiting included; see `Note`.
    """

    def __init__(
        self, path: Path, call_from_thread: Callable[[Callable[[], None]], object], note: Note = ignore
    ) -> None:
        self._note = note
        self._path = path
        self._call_from_thread = call_from_thread
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="chat-log-reader")

    def ask(self, work: Callable[[sqlite3.Connection], T]) -> Promise[T]:
        """Run `work` in one read transaction; the promise is answered in the reactor's thread."""
        promise: Promise[T] = Promise()
        asked_at = time.monotonic()

        def answer(result: T) -> None:
            self._note("read", time.monotonic() - asked_at, False)
            promise.resolve(result)

        def run() -> None:
            try:
                connection = self._connection()
                connection.execute("BEGIN")
                try:
                    result = work(connection)
                finally:
                    connection.execute("COMMIT")
            except Exception as error:
                self._call_from_thread(lambda error=error: promise.reject(error))  # type: ignore[misc]
            else:
                self._call_from_thread(lambda: answer(result))

        def cancelled(future: Future[None]) -> None:
            if future.cancelled():
                self._call_from_thread(lambda: promise.reject(Refused(Code.UNAVAILABLE)))

        self._pool.submit(run).add_done_callback(cancelled)
        return promise

    def close(self) -> None:
        """Finish what runs, refuse what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")  # the writer alone checkpoints
            self._local.connection = connection
            self._connections.append(connection)
        return connection
