"""Folding what was kept into the archive's messages. Pure.

Redis has checked it all (redis_folding.py): here it is done once more, to messages that may lack their beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chatservice.domain import message as rule
from chatservice.domain.events import Body, Deleted, Edited, Reacted, Said
from chatservice.logs.redis_codec import Record


@dataclass(slots=True)
class Kept:
    """A message of the archive while entries are folded into it.

    :ivar before: the text that the index has of it; None if it is new.
    """

    place: int
    record: Record
    before: str | None
    is_changed: bool = False


class Records:
    """Messages of one room by their numbers.

    :ivar erased: those of which the words are to be gone everywhere.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        self.erased: list[int] = []

    def put(self, seq: int, place: int, record: Record) -> None:
        """This is how the archive has it."""
        self._kept[seq] = Kept(place, record, text_of(record))

    def fold(self, seq: int, ts: int, place: int, body: Body) -> None:
        """The next entry."""
        if isinstance(body, Said):
            message = replace(rule.said(seq, ts, body), deleted=body.erased)
            self._kept[seq] = Kept(place, Record(message), None, True)
            return
        kept = self._kept.get(getattr(body, "ref", 0))
        if isinstance(body, Deleted):
            self.erased.append(body.ref)
        if kept is not None and not kept.record.message.deleted:
            kept.record, kept.is_changed = fold(kept.record, body), True

    def changed(self) -> Iterator[tuple[int, Kept]]:
        """What is to be written."""
        return ((seq, kept) for seq, kept in self._kept.items() if kept.is_changed)


def fold(record: Record, body: Body) -> Record:
    """A message that was not deleted, after an entry that was kept."""
    message = record.message
    match body:
        case Edited():
            return replace(record, message=replace(message, text=body.text, rev=body.rev))
        case Deleted():
            return Record(replace(message, text="", deleted=True, mentions=(), meta=None))
        case Reacted():
            reactions = dict(record.reactions)
            others = tuple(user for user in reactions.get(body.emoji, ()) if user != body.user.id)
            if body.on:
                reactions[body.emoji] = (*others, body.user.id)
            elif others:
                reactions[body.emoji] = others
            else:
                reactions.pop(body.emoji, None)
            return replace(record, reactions=reactions)
    return record


def rebuild(seq: int, ts: int, entries: Iterable[Body]) -> Record | None:
    """A message by all that was kept about it, oldest first; None if that does not begin with it."""
    record: Record | None = None
    for body in entries:
        if isinstance(body, Said):
            record = Record(replace(rule.said(seq, ts, body), deleted=body.erased))
        elif record is not None and not record.message.deleted:
            record = fold(record, body)
    return record


def text_of(record: Record) -> str:
    """The words of it that can be searched for."""
    return record.message.text
