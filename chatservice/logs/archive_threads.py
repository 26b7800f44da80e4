"""Threads in which a database is asked, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise

T = TypeVar("T")

RETRY_MS = 2000
AGAIN_S = 0.2  # a statement that has not begun yet cannot be interrupted


class Away(Exception):
    """The database cannot be used now; its text says why, for the operator. It is not shown to peers."""


class Pool:
    """Some threads.

    :param connect: opens a connection; raises `Away`.
    :param is_lost: whether an error means that the connection is of no use any more; it is then opened anew.
    :param failed: told of each failure that is the database's, in the reactor's thread; None: it works again.
    :param is_late: whether an error only means that one statement took too long: nothing is wrong with the rest.
    :param interrupt: ends the statement that runs on a connection, from another thread; given if it may take long.
    :param closed: called in the thread when a connection was closed.
    """

    def __init__(
        self,
        name: str,
        size: int,
        connect: Callable[[], Any],
        call_from_thread: Callable[[Callable[[], None]], object],
        is_lost: Callable[[Exception], bool],
        failed: Callable[[str | None], object],
        closed: Callable[[], object] = lambda: None,
        *,
        is_late: Callable[[Exception], bool] = lambda _: False,
        interrupt: Callable[[Any], object] | None = None,
    ) -> None:
        self._connect = connect
        self._call_from_thread = call_from_thread
        self._is_lost = is_lost
        self._failed = failed
        self._closed = closed
        self._is_late = is_late
        self._interrupt = interrupt
        self._under_way: set[Future[None]] = set()
        self._local = threading.local()
        self._open: set[Any] = set()
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=f"chat-archive-{name}")

    @property
    def is_open(self) -> bool:
        """Whether it has a connection."""
        return bool(self._open)

    def ask(self, work: Callable[[Any], T]) -> Promise[T]:
        """Run `work` on a connection. Rejected with `Refused` (`unavailable`) when there is none."""
        promise: Promise[T] = Promise()

        def run() -> None:
            try:
                result = work(self._connection())
            except Exception as error:
                if self._is_away(error):
                    self.drop()
                why = first_line(error)
                self._call_from_thread(lambda error=error, why=why: self._reject(promise, error, why))  # type: ignore[misc]
            else:
                self._call_from_thread(lambda: self._resolve(promise, result))

        def ended(future: Future[None]) -> None:
            self._under_way.discard(future)
            if future.cancelled():
                self._call_from_thread(lambda: promise.reject(Refused(Code.UNAVAILABLE)))

        try:
            future = self._pool.submit(run)
        except RuntimeError:  # it is closed
            promise.reject(Refused(Code.UNAVAILABLE))
        else:
            self._under_way.add(future)
            future.add_done_callback(ended)  # called at once if it has ended
        return promise

    def _resolve(self, promise: Promise[T], result: T) -> None:
        self._failed(None)
        promise.resolve(result)

    def _reject(self, promise: Promise[Any], error: Exception, why: str) -> None:
        if self._is_away(error):
            self._failed(why)
            promise.reject(Refused(Code.UNAVAILABLE, retry_ms=RETRY_MS))
        elif self._is_late(error):
            promise.reject(Refused(Code.UNAVAILABLE, retry_ms=RETRY_MS))
        else:
            promise.reject(error)

    def _is_away(self, error: Exception) -> bool:
        return isinstance(error, Away) or (self._is_lost(error) and not self._is_late(error))

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._open.add(connection)
        return connection

    def drop(self) -> None:
        """Within a thread: close its connection; the next work opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            self._open.discard(connection)
            _close(connection)
            self._closed()

    def close(self) -> None:
        """Finish what runs, or interrupt it if it can be; refuse what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        while self._interrupt is not None and wait(set(self._under_way), AGAIN_S).not_done:
            for connection in set(self._open):
                self._interrupt(connection)
        self._pool.shutdown()
        for connection in self._open:
            _close(connection)


def first_line(error: Exception) -> str:
    """What an error says, for the operator; a database adds lines with the statement, which may hold words."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Exception:  # a connection that is broken is as good as closed
        return
