"""A value that is not there yet."""

from __future__ import annotations

import pytest

from chatservice.domain.promise import Promise, resolved, start


def test_resolve_runs_callbacks_in_order() -> None:
    """Whoever asked first is answered first, and each is given the promise itself."""
    promise: Promise[int] = Promise()
    heard: list[tuple[str, int]] = []
    promise.then(lambda p: heard.append(("first", p.result())))
    promise.then(lambda p: heard.append(("second", p.result())))
    assert heard == [] and not promise.done
    promise.resolve(7)
    assert heard == [("first", 7), ("second", 7)] and promise.done


def test_then_on_an_answered_promise() -> None:
    """Who asks when the answer is there gets it at once."""
    heard: list[int] = []
    resolved(7).then(lambda p: heard.append(p.result()))
    assert heard == [7]


def test_a_callback_may_ask_again() -> None:
    """A callback that adds another one to the same promise is heard, too."""
    promise: Promise[int] = Promise()
    heard: list[str] = []
    promise.then(lambda p: p.then(lambda _: heard.append("inner")))
    promise.then(lambda _: heard.append("outer"))
    promise.resolve(1)
    assert heard == ["inner", "outer"]


def test_only_the_first_answer_counts() -> None:
    """A second answer, of either kind, changes nothing."""
    promise: Promise[int] = Promise()
    calls: list[int] = []
    promise.then(lambda p: calls.append(p.result()))
    promise.resolve(1)
    promise.resolve(2)
    promise.reject(ValueError())
    assert promise.result() == 1 and promise.error is None and calls == [1]
    failed: Promise[int] = Promise()
    failed.reject(KeyError("a"))
    failed.resolve(1)
    assert isinstance(failed.error, KeyError)


def test_result_of_an_open_promise() -> None:
    """Asking for a value that is not there is a mistake of ours and says so."""
    with pytest.raises(RuntimeError):
        Promise().result()


def test_result_of_a_rejected_promise() -> None:
    """The error it was rejected with is raised where the value is asked for."""
    promise: Promise[int] = Promise()
    promise.reject(KeyError("a"))
    with pytest.raises(KeyError):
        promise.result()


def test_start_runs_up_to_the_first_open_promise() -> None:
    """A coroutine runs at once; promises that have their value do not stop it."""
    gate: Promise[int] = Promise()
    steps: list[str] = []

    async def work() -> int:
        steps.append("begun")
        one = await resolved(1)
        steps.append("past the first")
        return one + await gate

    promise = start(work())
    assert steps == ["begun", "past the first"] and not promise.done
    gate.resolve(41)
    assert promise.result() == 42


def test_an_error_comes_out_of_await() -> None:
    """A rejected promise raises inside the coroutine, which may go on from there."""
    first: Promise[int] = Promise()
    second: Promise[int] = Promise()

    async def work() -> str:
        try:
            await first
        except KeyError:
            return f"saved {await second}"
        return "untouched"

    promise = start(work())
    first.reject(KeyError("a"))
    second.resolve(2)
    assert promise.result() == "saved 2"


def test_an_error_nobody_catches_rejects_the_coroutine() -> None:
    """What a coroutine raises, at once or later, is its promise's error."""
    gate: Promise[int] = Promise()

    async def at_once() -> None:
        raise ValueError("now")

    async def later() -> None:
        await gate
        raise ValueError("later")

    assert isinstance(start(at_once()).error, ValueError)
    promise = start(later())
    gate.resolve(1)
    assert isinstance(promise.error, ValueError)


def test_many_awaits_do_not_nest() -> None:
    """Ten thousand answers that are there already cost no stack."""

    async def work() -> int:
        return sum([await resolved(1) for _ in range(10_000)])

    assert start(work()).result() == 10_000
