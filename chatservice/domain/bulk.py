"""How heavy what we show again is: an answer is bounded in bytes as well as in items.

Messages differ in size by a factor of ten thousand; five hundred of the longest would hold up everything else that
goes to the same peer, and the memory they take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from chatservice.domain.events import Entry
from chatservice.domain.limits import ANSWER_BYTES
from chatservice.domain.message import Message

HEAD_BYTES = 200  # names, numbers and brackets around the words
REACTION_BYTES = 96  # one kind of emoji with its count
VALUE_BYTES = 8  # a number or a truth value with its comma

T = TypeVar("T")


def of_entry(entry: Entry) -> int:
    """About how many bytes an entry takes on the wire."""
    body = entry.body
    return HEAD_BYTES + len(getattr(body, "text", "").encode()) + _of_value(getattr(body, "meta", None))


def of_message(message: Message) -> int:
    """About how many bytes a message in its final state takes on the wire."""
    reactions = REACTION_BYTES * len(message.reactions)
    return HEAD_BYTES + len(message.text.encode()) + _of_value(message.meta) + reactions


def _of_value(value: object) -> int:
    """About how long a value is in JSON."""
    if isinstance(value, str):
        return len(value.encode()) + 3
    if isinstance(value, Mapping):
        return 2 + sum(_of_value(key) + _of_value(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return 2 + sum(map(_of_value, value))
    return 0 if value is None else VALUE_BYTES


class Allowance:
    """The bytes that one answer may still take.

    :param left: bytes.
    """

    __slots__ = ("left",)

    def __init__(self, left: int = ANSWER_BYTES) -> None:
        self.left = left

    def take_all(self, items: Sequence[T], weigh: Callable[[T], int]) -> bool:
        """Whether all of `items` fit; if so they are taken."""
        weight = sum(map(weigh, items))
        if weight > self.left:
            return False
        self.left -= weight
        return True

    def first(self, items: Sequence[T], weigh: Callable[[T], int]) -> Sequence[T]:
        """As many of the first items as fit, and at least one: a page must not be empty while there is more."""
        return items[: self._fitting(items, weigh)]

    def last(self, items: Sequence[T], weigh: Callable[[T], int]) -> Sequence[T]:
        """As many of the last items as fit, and at least one."""
        return items[len(items) - self._fitting(items[::-1], weigh) :]

    def _fitting(self, items: Sequence[T], weigh: Callable[[T], int]) -> int:
        for count, item in enumerate(items):
            weight = weigh(item)
            if weight > self.left and count:
                return count
            self.left -= weight
        return len(items)
