"""Answers that wait until a replica has what they tell of (`--durability replica`).

All that one turn of the reactor has written is asked for by one WAIT behind it on the same connection, as a sync
of the disk is shared by all who talk at that moment. What is asked meanwhile is answered after it.

Trap: what was sent in a turn need not be what is answered in the end. A script that the server has forgotten is
sent once more, and a room that only the archive knows is put back first: the WAIT of that turn says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.redis.errors import RedisError

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
        held = _Held(done, self._ask_for)
        self._ask_for(held)
        return held.answered

    def _ask_for(self, held: _Held) -> None:
        if not self._sent:
            self._call_soon(self._ask)
        self._sent.append(held)

    def _ask(self) -> None:
        sent, self._sent = self._sent, []
        self._call((b"WAIT", 1, WAIT_MS), lambda answer: _confirmed(sent, answer))


class _Held:
    """An answer that waits, or is not there yet.

    :param ask_for: has it confirmed once more.
    """

    __slots__ = ("_answer", "_ask_for", "_done", "_is_answered", "_is_late")

    def __init__(self, done: Done, ask_for: Callable[[_Held], None]) -> None:
        self._done: Done | None = done
        self._ask_for = ask_for
        self._answer: Any = None
        self._is_answered = self._is_late = False

    def answered(self, answer: Any) -> None:
        """The command's answer. An error needs no replica."""
        self._answer, self._is_answered = answer, True
        if isinstance(answer, Exception):
            self.give(answer)
        elif self._is_late:
            self._ask_for(self)

    def confirmed(self, error: Exception | None) -> None:
        """WAIT's answer. A connection answers in order: if there is nothing yet, what was sent before that WAIT
        has led to something else, which is sent after it."""
        if self._is_answered:
            self.give(self._answer if error is None else error)
        else:
            self._is_late = True

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
