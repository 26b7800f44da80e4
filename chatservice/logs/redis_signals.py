"""What is not kept, as bytes on a room's channel: one JSON object each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from chatservice.domain.events import Event, Presence, ReadElsewhere, Renamed, Typing, User

Fields = Mapping[str, Any]

_KINDS: dict[str, tuple[type[Any], Callable[[Any], list[Any]], Callable[[str, list[Any]], Event]]] = {
    "typing": (
        Typing,
        lambda e: [*user_fields(e.user), int(e.on)],
        lambda room, f: Typing(room, User(f[0], f[1]), bool(f[2])),
    ),
    "status": (
        Presence,
        lambda e: [*user_fields(e.user), e.status, e.conns, e.text],
        lambda room, f: Presence(User(f[0], f[1]), f[2], f[3], f[4]),
    ),
    "renamed": (
        Renamed,
        lambda e: [*user_fields(e.user), e.was],
        lambda room, f: Renamed(room, User(f[0], f[1]), f[2]),
    ),
    "read": (
        ReadElsewhere,
        lambda e: [e.room, e.seq, e.unread, e.mentions],
        lambda room, f: ReadElsewhere(f[0], f[1], f[2], f[3]),
    ),
}
_NAMES = {row[0]: name for name, row in _KINDS.items()}


def user_fields(user: User) -> tuple[str, str]:
    """A user as two words."""
    return user.id, user.nick


def encode_user(user: User) -> bytes:
    """A user as JSON."""
    return orjson.dumps(user_fields(user))


def read_user(stored: bytes) -> User:
    """The user that `encode_user` wrote."""
    return User(*orjson.loads(stored))


def read_present(stored: bytes) -> User | int:
    """The same, or the number of those whom a worker does not name."""
    told = orjson.loads(stored)
    return told if isinstance(told, int) else User(*told)


def encode_signal(event: Event) -> bytes | None:
    """An event as JSON; None for one that other nodes need not know."""
    name = _NAMES.get(type(event))
    return None if name is None else orjson.dumps([name, *_KINDS[name][1](event)])


def read_signal(room: str, told: bytes) -> Event | None:
    """The event that `encode_signal` wrote; None if a newer version of the program did."""
    name, *fields = orjson.loads(told)
    row = _KINDS.get(name)
    return None if row is None else row[2](room, fields)
