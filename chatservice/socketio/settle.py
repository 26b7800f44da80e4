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
    report: Callable[[BaseException], object],
) -> None:
    """Call it, and one of the two others with what came of it, at once if it is there at once.

    :param failed: is given an error of `function`.
    :param report: is given an error of `done` or `failed`. Never raises.
    """
    try:
        result = function(*arguments)
        if isinstance(result, Coroutine):
            result = Deferred.fromCoroutine(result)
    except Exception as error:
        _tell(failed, error, report)
        return
    if isinstance(result, Deferred):
        result.addCallbacks(done, lambda why: failed(_error(why)))
        result.addErrback(lambda why: report(_error(why)))
    else:
        _tell(done, result, report)


def _tell(one: Callable[[Any], object], what: Any, report: Callable[[BaseException], object]) -> None:
    try:
        one(what)
    except Exception as error:
        report(error)


def _error(why: Failure) -> BaseException:
    assert why.value is not None
    return why.value
