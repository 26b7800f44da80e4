"""What is to be said: kept until the server has it for good, or refuses it for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LIMIT = 200
"""Nobody types more while a train is in a tunnel; a program that does must hear of it."""


class OutboxFull(Exception):
    """So much waits to be said that this was not taken."""


@dataclass(slots=True)
class Letter:
    """One message on its way.

    :ivar members: what the frame holds besides `type`, `id`, `room` and `cid`.
    :ivar due: not before this time.
    :ivar is_under_way: sent on this connection, not answered yet.
    :ivar was_sent: on this connection or an earlier one.
    """

    room: str
    cid: str
    members: dict[str, Any] = field(default_factory=dict)
    due: float = 0.0
    is_under_way: bool = False
    was_sent: bool = False


class Outbox:
    """Messages in the order in which they were said.

    Of each room only the first is under way: were two, and the first refused for a moment, the second could
    overtake it.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._letters: dict[str, Letter] = {}

    def __len__(self) -> int:
        return len(self._letters)

    def __contains__(self, cid: object) -> bool:
        return cid in self._letters

    def put(self, letter: Letter) -> None:
        """Take one more.

        :raises OutboxFull: when `limit` are kept already.
        """
        if len(self._letters) >= self._limit:
            raise OutboxFull(f"{self._limit} messages wait already")
        self._letters[letter.cid] = letter

    def take(self, now: float) -> list[Letter]:
        """What is to be sent now; it counts as under way."""
        ready = [letter for letter in self._first_of_each_room() if not letter.is_under_way and letter.due <= now]
        for letter in ready:
            letter.is_under_way = letter.was_sent = True
        return ready

    def put_off(self, cid: str, due: float) -> None:
        """It was refused for a moment."""
        letter = self._letters.get(cid)
        if letter is not None:
            letter.is_under_way, letter.due = False, due

    def remove(self, cid: str) -> None:
        """It has its answer."""
        self._letters.pop(cid, None)

    def lost(self) -> None:
        """The connection is gone: nobody knows which of those under way arrived, so all are sent again."""
        for letter in self._letters.values():
            letter.is_under_way, letter.due = False, 0.0

    def disown(self) -> list[str]:
        """We are somebody else now, whose cids are other cids: what was sent before must not be sent again."""
        doubtful = [letter.cid for letter in self._letters.values() if letter.was_sent]
        for cid in doubtful:
            del self._letters[cid]
        return doubtful

    def next_due(self) -> float | None:
        """When there is something to send."""
        return min((it.due for it in self._first_of_each_room() if not it.is_under_way), default=None)

    def _first_of_each_room(self) -> Iterator[Letter]:
        seen: set[str] = set()
        for letter in self._letters.values():
            if letter.room not in seen:
                seen.add(letter.room)
                yield letter
