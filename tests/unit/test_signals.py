"""What the process does at signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatservice.signals import on_hangup, stop_only_once


class RunningReactor:
    """As much of one as a signal needs."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []

    def callWhenRunning(self, call: Callable[..., object], *arguments: Any) -> None:
        call(*arguments)

    def callFromThread(self, call: Callable[[], object]) -> None:
        self.calls.append(call)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Every handler is what it was."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def test_only_the_first_is_heard() -> None:
    """However often and by whichever of the two signals the end is asked for, it is begun once."""
    heard: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: heard.append(number))
    stop_only_once(RunningReactor())
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(number)
    assert heard == [signal.SIGTERM]


def test_what_is_ignored_stays_so() -> None:
    """A process that was told to ignore SIGINT, as a shell tells those in the background, goes on doing so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_only_once(RunningReactor())
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_hangup_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGHUP has the reactor call, each time; nothing is done within the signal itself."""
    monkeypatch.setattr("os.isatty", lambda _: False)
    reactor, done = RunningReactor(), []
    on_hangup(reactor, lambda: done.append("read"))
    for _ in range(2):
        signal.raise_signal(signal.SIGHUP)
    assert done == []
    for call in reactor.calls:
        call()
    assert done == ["read", "read"]


def test_hangup_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a terminal it reads again as long as that is there, and ends when it is gone."""
    terminals = {0: True}
    monkeypatch.setattr("os.isatty", lambda number: terminals.get(number, False))
    reactor, ended = RunningReactor(), []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    on_hangup(reactor, lambda: None)
    signal.raise_signal(signal.SIGHUP)
    assert (len(reactor.calls), ended) == (1, [])
    terminals.clear()
    signal.raise_signal(signal.SIGHUP)
    assert (len(reactor.calls), ended) == (1, [signal.SIGTERM])
