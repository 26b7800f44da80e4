"""Entries, records and heads as bytes in Redis; see lua/find.lua."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from chatservice.domain import message as rule
from chatservice.domain.events import Entry, Said, User
from chatservice.domain.message import Message, Tally
from chatservice.domain.ports import Page
from chatservice.domain.rules import NO_RULES, Rules
from chatservice.logs.codec import decode, decode_rules

US = "\x1f"


def read_entry(room: str, seq: int, stored: bytes) -> Entry:
    """An entry as the list has it: `ts epoch place body`."""
    ts, epoch, _, body = stored.split(b" ", 3)
    return Entry(room, seq, epoch.decode(), int(ts), decode(body))


def place_of(stored: bytes) -> int:
    """Where it stands among all that was ever said anywhere."""
    return int(stored.split(b" ", 3)[2])


def read_told(room: str, told: bytes) -> Entry:
    """An entry as the channel has it: `seq epoch ts body`."""
    seq, epoch, ts, body = told.split(b" ", 3)
    return Entry(room, int(seq), epoch.decode(), int(ts), decode(body))


def read_page(room: str, answer: Sequence[Any]) -> Page:
    """What lua/read.lua answers, as far as Redis has it."""
    top, epoch, forks, first, rules, begin, entries, _ = answer
    return Page(
        top,
        epoch.decode(),
        read_forks(forks),
        first,
        tuple(read_entry(room, seq, stored) for seq, stored in enumerate(entries, begin)),
        read_rules(rules),
    )


def read_forks(stored: bytes) -> tuple[tuple[str, int], ...]:
    """Earlier epochs: `epoch:last,epoch:last,`."""
    forks = (fork.rpartition(":") for fork in stored.decode().split(",") if fork)
    return tuple((epoch, int(last)) for epoch, _, last in forks)


def read_rules(stored: bytes) -> Rules:
    """The room's standing orders."""
    return decode_rules(stored.decode()) if stored else NO_RULES


def card(body: Said) -> str:
    """What is counted of a message, without its number."""
    return f"{body.user.id}{US}" + "".join(f"{user_id}{US}" for user_id in body.mentions)


@dataclass(frozen=True, slots=True)
class Record:
    """How a message stands, and who put what on it.

    :ivar reactions: emoji to the ids of users, both in the order in which they came.
    """

    message: Message
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shown_to(self, viewer: str) -> Message:
        """The message with its reactions, as that user sees them."""
        tallies = {emoji: Tally(len(users), viewer in users) for emoji, users in self.reactions.items()}
        return rule.with_reactions(self.message, tallies) if tallies else self.message


def encode_record(record: Record) -> bytes:
    """A record as JSON; what is empty is left out."""
    message = record.message
    fields = {
        "s": message.ts,
        "u": message.user.id,
        "n": message.user.nick,
        "t": message.text,
        "v": message.rev,
        "d": int(message.deleted),
        "a": int(message.action),
        "r": message.reply,
        "m": list(message.mentions),
        "x": message.meta,
        "j": [[emoji, list(users)] for emoji, users in record.reactions.items()],
    }
    return orjson.dumps({key: value for key, value in fields.items() if value})


def read_record(seq: int, stored: bytes) -> Record:
    """The record that `encode_record` wrote."""
    f: Mapping[str, Any] = orjson.loads(stored)
    message = Message(
        seq,
        f["s"],
        User(f["u"], f["n"]),
        f.get("t", ""),
        f.get("v", 0),
        bool(f.get("d")),
        bool(f.get("a")),
        f.get("r"),
        tuple(f.get("m", ())),
        f.get("x"),
    )
    return Record(message, {emoji: tuple(users) for emoji, users in f.get("j", ())})


def record_of(room: str, seq: int, stored: bytes | None, entry: bytes | None) -> Record | None:
    """How message `seq` stands: by its record, or as it was said if nothing has changed it; None if it is none."""
    if entry is None:
        return None
    if stored is not None:
        return read_record(seq, stored)
    said = read_entry(room, seq, entry)
    return Record(rule.said(seq, said.ts, said.body)) if isinstance(said.body, Said) else None
