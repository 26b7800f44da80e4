"""A value that is not there yet, for the floors that may not import Twisted.

`asyncio.Future` needs its event loop and `concurrent.futures.Future` cannot be awaited, so floors 0
and 1 use this one-shot result. Everything here happens in one thread; a log that works in another
thread brings its result home first (`call_from_thread`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Promise(Generic[T]):
    """Resolved or rejected once; awaitable; callbacks run in the order in which they were added."""

    __slots__ = ("_callbacks", "_error", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Promise[T]], None]] = []

    def resolve(self, value: T) -> None:
        """Give the value and run the callbacks. A second answer is ignored."""
        if not self.done:
            self._value = value
            self._finish()

    def reject(self, error: BaseException) -> None:
        """Give an error instead of a value. A second answer is ignored."""
        if not self.done:
            self._error = error
            self._finish()

    def _finish(self) -> None:
        self.done = True
        callbacks, self._callbacks = self._callbacks, []
        broken: Exception | None = None
        for callback in callbacks:
            try:
                callback(self)
            except Exception as error:  # the others wait for the same answer
                broken = error
        if broken is not None:
            raise broken

    def then(self, callback: Callable[[Promise[T]], None]) -> None:
        """Call `callback(self)` when there is an answer; at once if there already is one."""
        if self.done:
            callback(self)
        else:
            self._callbacks.append(callback)

    @property
    def error(self) -> BaseException | None:
        """The error it was rejected with, or None."""
        return self._error

    def result(self) -> T:
        """The value.

        :raises BaseException: what it was rejected with.
        :raises RuntimeError: when there is no answer yet.
        """
        if not self.done:
            raise RuntimeError("no answer yet")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def __await__(self) -> Generator[Promise[T], None, T]:
        if not self.done:
            yield self
        return self.result()


def resolved(value: T) -> Promise[T]:
    """A promise that has its value already."""
    promise: Promise[T] = Promise()
    promise.resolve(value)
    return promise


def rejected(error: BaseException) -> Promise[Any]:
    """A promise that was refused already."""
    promise: Promise[Any] = Promise()
    promise.reject(error)
    return promise


def start(coroutine: Coroutine[Any, Any, T]) -> Promise[T]:
    """Run a coroutine that awaits nothing but promises; it runs at once, up to its first open one."""
    promise: Promise[T] = Promise()
    _step(coroutine, promise)
    return promise


def _step(coroutine: Coroutine[Any, Any, T], promise: Promise[T]) -> None:
    try:
        awaited = coroutine.send(None)
    except StopIteration as stop:
        promise.resolve(stop.value)
    except Exception as error:
        promise.reject(error)
    else:
        awaited.then(lambda _: _step(coroutine, promise))
