"""What of the operator's acts is put on record: those that change a room or an account."""

from __future__ import annotations

import pwd
from collections.abc import Mapping
from functools import cache
from typing import Any

from chatservice.domain.names import clean_room, clean_words
from chatservice.domain.trust import Deed

ACTOR = "operator"
"""Who acts, in the audit log; no user has that id: they begin with `u_`."""

_ON_ROOMS = {"room lock": "lock", "room topic": "topic", "room expires": "expires"}
_ON_ACCOUNTS = frozenset({"user add", "user passwd", "user role"})

Fields = Mapping[str, Any]


def deed_of(fields: Fields, told: Fields | None, ts: int, unix: str) -> Deed | None:
    """The deed, of a command that was done, or may have been; None for those that only look.

    :param fields: what was asked. A password in it goes nowhere.
    :param told: what it was answered; None if the answer was lost. Then names are as they were asked for.
    :param ts: milliseconds since 1970.
    :param unix: who asked; see `unix_user`.
    """
    command, outcome = fields.get("command"), "unknown" if told is None else ""
    if command in _ON_ROOMS:
        value = clean_words(str(fields.get("value")))
        room, seq = (clean_room(str(fields.get("room"))), 0) if told is None else (told["room"], told["seq"])
        return Deed(ts, room, ACTOR, _ON_ROOMS[command], seq, value=value, unix=unix, outcome=outcome)
    if command in _ON_ACCOUNTS:
        user = _asked_of(fields) if told is None else told["user"]
        role = "" if command == "user passwd" else user["role"]
        return Deed(
            ts, "", ACTOR, command, 0, user["id"], value=role, name=user["name"], unix=unix, outcome=outcome
        )
    return None


def _asked_of(fields: Fields) -> Fields:
    return {
        "id": "",
        "name": clean_words(str(fields.get("name"))),
        "role": clean_words(str(fields.get("role") or "member")),
    }


@cache
def unix_user(uid: int) -> str:
    """`root (0)`; the number alone for one that has no name here.

    Only root and the user of the service get as far as that (`transports/control.py`), so few are looked up, and
    each once: where a directory service has the names, that may take a moment.
    """
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except (KeyError, OSError):
        return str(uid)
