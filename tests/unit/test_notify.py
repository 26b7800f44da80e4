"""Signs of life for a service manager's watchdog."""

from __future__ import annotations

import os

import pytest

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise, rejected
from chatservice.notify import Manager, Watchdog


class Told(Manager):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = 0

    def alive(self) -> None:
        self.lives += 1


def test_a_log_that_hangs_is_no_life() -> None:
    """As long as the log has not answered the last question there is no further sign of life."""
    told, asked = Told(), []

    def ask() -> Promise[None]:
        asked.append(Promise[None]())
        return asked[-1]

    watchdog = Watchdog(told, ask)
    for _ in range(3):
        watchdog.beat()
    assert told.lives == len(asked) == 1
    asked[0].resolve(None)
    watchdog.beat()
    assert told.lives == len(asked) == 2
    asked[1].reject(Refused(Code.BUSY))  # a full disk: the writer lives
    watchdog.beat()
    assert told.lives == 3


def test_a_full_queue_says_nothing_of_the_writer() -> None:
    """A question that did not even reach the writer is asked again, and life is shown meanwhile."""
    told, answers = Told(), [rejected(Refused(Code.BUSY)), Promise[None](), Promise[None]()]
    watchdog = Watchdog(told, lambda: answers.pop(0))
    for _ in range(3):
        watchdog.beat()
    assert told.lives == 2 and len(answers) == 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_who_is_watched(environment: dict[str, str], expected: float | None) -> None:
    """A watchdog watches over the process it names, or whoever reads it; only a number of microseconds is one."""
    assert Manager.of(environment).watchdog_s == expected
