"""Answers that wait until a replica has what they tell of (`--durability replica`).

All that one turn of the reactor has written is asked for by one WAIT behind it on the same connection, as a sync
of the disk is shared by all who talk at that moment. What is asked meanwhile is answered after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.redis.errors import Lost, RedisError

WAIT_MS = 100
"""How long a replica may take. One in the same building takes less than one."""

Done = Callable[[Any], None]


class Unconfirmed(RedisError):
    """It was done, but no replica has said in time that it has it: if the server is lost now, so may be this.
    Whoever asks again with the same cid is told where it stands."""


class Confirming:
    """Holds answers.

    :param call: sends a command on the connection by which all else goes.
    :param call_soon: calls a function at the end of the turn.
    """

    def __init__(
        self,
        call: Callable[[tuple[bytes | int, ...], Done], None],
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self._call = call
        self._call_soon = call_soon
        self._sent: list[_Held] = []  # in this turn

    def hold(self, done: Done) -> Done:
        """Something is sent in this turn: what is to be given its answer instead of `done`."""
        if not self._sent:
            self._call_soon(self._ask)
        held = _Held(done)
        self._sent.append(held)
        return held.answered

    def _ask(self) -> None:
        sent, self._sent = self._sent, []
        self._call((b"WAIT", 1, WAIT_MS), lambda answer: _confirmed(sent, answer))


class _Held:
    """An answer that waits, or is not there yet."""

    __slots__ = ("_answer", "_done")

    def __init__(self, done: Done) -> None:
        self._done: Done | None = done
        self._answer: Any = Lost("it was not answered")  # a connection answers in order

    def answered(self, answer: Any) -> None:
        """The command's answer. An error needs no replica."""
        self._answer = answer
        if isinstance(answer, Exception):
            self.give(answer)

    def confirmed(self, error: Exception | None) -> None:
        """WAIT's answer."""
        self.give(self._answer if error is None else error)

    def give(self, answer: Any) -> None:
        """Hand it on, once."""
        done, self._done = self._done, None
        if done is not None:
            done(answer)


def _confirmed(sent: list[_Held], copies: Any) -> None:
    error = copies if isinstance(copies, Exception) else None if copies else Unconfirmed("no replica has it")
    broken: Exception | None = None
    for held in sent:
        try:
            held.confirmed(error)
        except Exception as failure:  # the others wait for the same
            broken = failure
    if broken is not None:
        raise broken
