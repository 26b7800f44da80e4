"""Acknowledgements that a server waits for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.socketio.errors import AckTimeout

Answer = list[Any]


class Acks:
    """All that one namespace waits for; ids are counted for all its sockets together, so that one packet can ask
    many."""

    def __init__(self, call_later: Callable[..., Any]) -> None:
        self._call_later = call_later
        self._ids = count()

    def new_id(self) -> int:
        """The next question's number. Its packet is encoded before `ask`: what cannot be said is not asked."""
        return next(self._ids)

    def ask(self, id: int, wanted: int, timeout_s: float | None) -> Asked:
        """A question to so many sockets."""
        return Asked(id, wanted, timeout_s, self._call_later)


class Asked:
    """One question.

    :ivar id: its number on the wire.
    :ivar result: a Deferred of the answers, a list each, in the order of their coming; fails with `AckTimeout`,
        which holds those that did come, when the time is up or all have answered but those who left.
    """

    def __init__(self, id: int, wanted: int, timeout_s: float | None, call_later: Callable[..., Any]) -> None:
        self.id = id
        self.result: Deferred[list[Answer]] = Deferred(self._cancelled)
        self._missing = wanted
        self._somebody_left = False
        self._answers: list[Answer] = []
        self._forget: list[Callable[[int], object]] = []
        self._timer: Any = None
        if not wanted:
            self._finish()
        elif timeout_s is not None:
            self._timer = call_later(timeout_s, self._give_up)

    def expect(self, forget: Callable[[int], object]) -> Callable[[Answer], None]:
        """What is to be called with one socket's answer.

        :param forget: is called with the id if no answer is waited for any more.
        """
        self._forget.append(forget)
        return self._answered

    def gone(self) -> None:
        """A socket went away without an answer."""
        self._somebody_left = True
        self._one_less()

    def _answered(self, answer: Answer) -> None:
        self._answers.append(answer)
        self._one_less()

    def _one_less(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._finish()

    def _finish(self) -> None:
        if self._somebody_left:
            self._give_up()
            return
        self._stop()
        if not self.result.called:
            self.result.callback(self._answers)

    def _give_up(self) -> None:
        self._stop()
        if not self.result.called:
            self.result.errback(AckTimeout(self._answers))

    def _cancelled(self, _: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        forget, self._forget = self._forget, []
        for each in forget:
            each(self.id)
