"""What of the operator's acts is put on record: those that change a room or an account."""

from __future__ import annotations

import pwd
from collections.abc import Mapping
from functools import cache
from typing import Any

from chatservice.domain.names import clean_words
from chatservice.domain.trust import Deed

ACTOR = "operator"
"""Who acts, in the audit log; no user has that id: they begin with `u_`."""

_ON_ROOMS = {"room lock": "lock", "room topic": "topic", "room expires": "expires"}
_ON_ACCOUNTS = frozenset({"user add", "user passwd", "user role"})

Fields = Mapping[str, Any]


def deed_of(fields: Fields, told: Fields, ts: int, unix: str) -> Deed | None:
    """The deed, of a command that was done; None for those that only look.

    :param fields: what was asked. A password in it goes nowhere.
    :param told: what it was answered.
    :param ts: milliseconds since 1970.
    :param unix: who asked; see `unix_user`.
    """
    command = fields.get("command")
    if command in _ON_ROOMS:
        value = clean_words(str(fields.get("value")))
        return Deed(ts, told["room"], ACTOR, _ON_ROOMS[command], told["seq"], value=value, unix=unix)
    if command in _ON_ACCOUNTS:
        user = told["user"]
        role = "" if command == "user passwd" else user["role"]
        return Deed(ts, "", ACTOR, command, 0, user["id"], value=role, name=user["name"], unix=unix)
    return None


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
