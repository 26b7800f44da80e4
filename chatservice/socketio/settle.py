"""What functions of an application give back: a value now, or a Deferred or coroutine for later."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


def settle(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    done: Callable[[Any], object],
    failed: Callable[[BaseException], object],
) -> None:
    """Call it, and one of the two others with what came of it, at once if it is there at once."""
    try:
        result = function(*arguments)
        if isinstance(result, Coroutine):
            result = Deferred.fromCoroutine(result)
    except Exception as error:
        failed(error)
        return
    if isinstance(result, Deferred):
        result.addCallback(done)

        def failure(why: Failure) -> None:
            assert why.value is not None
            failed(why.value)

        result.addErrback(failure)
    else:
        done(result)
