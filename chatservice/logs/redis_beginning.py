"""Asking about a room where there is an archive: it is asked first about a room that Redis does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from chatservice.domain.promise import Promise

SEED = [b"seed"]
"""What a fenced script answers about a room that has no head (lua/fence.lua)."""

Done = Callable[[Any], None]
Run = Callable[[bool, Done], None]
"""Runs a script, and gives its answer to the second; with True it is not to begin a room."""


class Seeding(Protocol):
    """Puts a room back that Redis has lost and the archive has."""

    def seed(self, head: bytes, *, only_looks: bool) -> Promise[None]:
        """Answers when the room stands as the archive has it; at once if it does not know the room. Rejected with
        `Refused` if the archive cannot be asked; not for those that only look: to them the room is empty then.

        :param head: the key of its head.
        """


@dataclass(slots=True)
class _Beginning:
    """A room about which the archive is asked, because something is to be appended.

    :ivar again: what has to be run again, in its order; `after` what was asked since.
    """

    again: list[Callable[[], None]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)


class Beginnings:
    """Keeps what is appended to a room in the order in which it was given."""

    def __init__(self, seeding: Seeding) -> None:
        self._seeding = seeding
        self._under_way: dict[bytes, int] = {}  # appends without an answer
        self._asked: dict[bytes, tuple[_Beginning, Promise[None]]] = {}

    def look(self, head: bytes, run: Run, done: Done) -> None:
        """A script that begins no room. It sees what was given before."""

        def answered(answer: Any) -> None:
            if answer == SEED and head in self._asked:
                self._asked[head][0].after.append(lambda: self.look(head, run, done))
            elif answer == SEED:
                self._seeding.seed(head, only_looks=True).then(lambda asked: _go(asked, run, done))
            else:
                done(answer)

        if head in self._asked:
            self._asked[head][0].after.append(lambda: self.look(head, run, done))
        else:
            run(True, answered)

    def append(self, head: bytes, run: Run, done: Done) -> None:
        """A script that may begin one."""
        if head in self._asked:  # what was given before comes first
            self._asked[head][0].after.append(lambda: self.append(head, run, done))
            return
        self._under_way[head] = self._under_way.get(head, 0) + 1

        def answered(answer: Any) -> None:
            self._under_way[head] -= 1
            if answer != SEED:
                done(answer)
            else:
                if head not in self._asked:
                    asked = self._seeding.seed(head, only_looks=False)
                    self._asked[head] = (_Beginning(), asked)
                    asked.then(lambda _: self._go_on(head))
                beginning, asked = self._asked[head]
                beginning.again.append(lambda: _go(asked, run, done))
            self._go_on(head)

        run(True, answered)

    def _go_on(self, head: bytes) -> None:
        """As soon as the archive has answered, and Redis all that was sent meanwhile."""
        if not self._under_way.get(head):
            self._under_way.pop(head, None)
            if head in self._asked and self._asked[head][1].done and self._asked[head][0].again:
                beginning, _ = self._asked.pop(head)
                for go in (*beginning.again, *beginning.after):
                    go()


def _go(asked: Promise[None], run: Run, done: Done) -> None:
    if asked.error is not None:
        done(asked.error)
    else:
        run(False, done)
