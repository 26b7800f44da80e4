"""Folding what changes a message, by the domain's rules, into what lua/append.lua is to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatservice.domain import message as rule
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Entry, Reacted, Said
from chatservice.domain.ports import Appended
from chatservice.logs.codec import encode, same_message
from chatservice.logs.redis_asking import Word
from chatservice.logs.redis_codec import Record, encode_record, read_entry, record_of

Fold = tuple[Word, ...]


def earlier(room: str, body: Body, answer: Any, old: Entry | None = None) -> Appended:
    """Where an earlier try with the same cid stands.

    :param old: its entry, if only the archive has it.
    :raises Refused: `cid_conflict` if that try said something else.
    """
    _, seq, stored = answer
    if stored is None and old is None:  # it is that old that its entry is not kept any more
        return Appended(room, int(seq), "", 0, duplicate=True)
    entry = old or read_entry(room, int(seq), stored)
    if not same_message(entry.body, body):
        raise Refused(Code.CID_CONFLICT)
    return Appended(room, entry.seq, entry.epoch, entry.ts, duplicate=True)


def fold(
    room: str, body: Body, found: Any, as_moderator: bool, old: Record | None = None
) -> tuple[Body, Fold] | None:
    """Fold `body` into what `find.lua`'s `all_of` has found of its message.

    :param old: how the message stands, if it is one that only the archive has.
    :returns: the body as it is to be kept, and what lua/append.lua is to do; None if it changes nothing.
    :raises Refused: if it may not be done.
    """
    ref: int = getattr(body, "ref", 0)
    stored, said, *edits = found
    record = old or record_of(room, ref, stored, said)
    message = None if record is None else record.message
    reactions = {} if record is None else dict(record.reactions)
    expected = (ref, stored or b"")
    match body:
        case Edited():
            after, kept = rule.edited(message, body)
            return kept, ("edit", *expected, encode_record(Record(after, reactions)))
        case Deleted():
            erased: list[Word] = []
            after = rule.deleted(message, body, as_moderator)
            for seq, entry in zip((ref, *map(int, edits[::2])), (said, *edits[1::2]), strict=True):
                if entry is None:
                    continue  # the archive has it, and does the same
                words = read_entry(room, seq, entry).body
                assert isinstance(words, Said | Edited)
                erased += [seq, encode(rule.erase(words))]
            return body, ("delete", *expected, encode_record(Record(after)), *erased)
        case Reacted():
            users = reactions.get(body.emoji, ())
            reacted = rule.reacted(message, body, len(reactions), len(users), body.user.id in users)
            if reacted is None or record is None:
                return None
            others = tuple(user for user in users if user != body.user.id)
            if reacted.on:
                reactions[body.emoji] = (*others, body.user.id)
            elif others:
                reactions[body.emoji] = others
            else:
                del reactions[body.emoji]
            return reacted, ("react", *expected, encode_record(replace(record, reactions=reactions)))
    raise TypeError(f"{type(body).__name__} is not folded")
