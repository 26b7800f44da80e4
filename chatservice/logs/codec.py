"""Entry bodies and rules as bytes on disk. One JSON object each, short keys; unknown kinds are refused loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from chatservice.domain.events import Body, Deleted, Edited, Moderated, Opened, Reacted, Said, User
from chatservice.domain.rules import Rules

Fields = dict[str, Any]


def _said(body: Said) -> Fields:
    return {
        "t": body.text,
        "a": int(body.action),
        "r": body.reply,
        "m": list(body.mentions),
        "x": body.meta,
        "e": int(body.erased),
    }


def _read_said(user: User, f: Fields) -> Said:
    mentions = tuple(f.get("m", ()))
    return Said(user, f["t"], bool(f.get("a")), f.get("c"), f.get("r"), mentions, f.get("x"), bool(f.get("e")))


def _moderated(body: Moderated) -> Fields:
    target = None if body.target is None else [body.target.id, body.target.nick]
    networks = list(body.networks)
    return {"d": body.action, "w": target, "v": body.value, "z": body.until, "y": body.reason, "h": networks}


def _read_moderated(user: User, f: Fields) -> Moderated:
    target = User(*f["w"]) if f.get("w") else None
    value, until, reason, networks = f.get("v", ""), f.get("z", 0), f.get("y", ""), tuple(f.get("h", ()))
    return Moderated(user, f["d"], target, value, until, reason, f.get("c"), networks)


_KINDS: dict[str, tuple[type[Body], Callable[[Any], Fields], Callable[[User, Fields], Body]]] = {
    "said": (Said, _said, _read_said),
    "edited": (
        Edited,
        lambda b: {"f": b.ref, "t": b.text, "v": b.rev, "e": int(b.erased)},
        lambda u, f: Edited(u, f["f"], f.get("t", ""), f["v"], bool(f.get("e")), f.get("c")),
    ),
    "deleted": (
        Deleted,
        lambda b: {"f": b.ref, "y": b.reason},
        lambda u, f: Deleted(u, f["f"], f.get("y", ""), f.get("c")),
    ),
    "reacted": (
        Reacted,
        lambda b: {"f": b.ref, "j": b.emoji, "o": int(b.on), "z": b.n},
        lambda u, f: Reacted(u, f["f"], f["j"], bool(f.get("o")), f.get("z", 0), f.get("c")),
    ),
    "moderated": (Moderated, _moderated, _read_moderated),
    "opened": (
        Opened,
        lambda b: {"d": b.dm, "w": [b.other.id, b.other.nick]},
        lambda u, f: Opened(u, f["d"], User(*f["w"]), f.get("c")),
    ),
}
_NAMES = {row[0]: name for name, row in _KINDS.items()}


def encode(body: Body) -> bytes:
    """A body as JSON; what is empty is left out."""
    name = _NAMES[type(body)]
    fields = {key: value for key, value in _KINDS[name][1](body).items() if value or key == "t"}
    if body.cid is not None:
        fields["c"] = body.cid
    return orjson.dumps({"k": name, "u": body.user.id, "n": body.user.nick, **fields})


def decode(stored: bytes) -> Body:
    """The body that `encode` wrote.

    :raises ValueError: if a newer version of the program wrote it, or it is not ours.
    """
    fields = orjson.loads(stored)
    row = _KINDS.get(str(fields.get("k"))) if isinstance(fields, dict) else None
    if row is None:
        raise ValueError("the log holds an entry of a kind that is not known")
    try:
        return row[2](User(fields["u"], fields["n"]), fields)
    except (KeyError, TypeError) as error:
        raise ValueError("the log holds an entry that is not ours") from error


def same_message(body: Body, other: Body) -> bool:
    """Whether a second try with the same cid says the same; the nick may have changed in between, and a message
    that was erased since has no words left to compare."""
    if isinstance(body, Said) and isinstance(other, Said):
        if body.erased or other.erased:
            return True
        return (body.text, body.action, body.reply) == (other.text, other.action, other.reply)
    if isinstance(body, Edited) and isinstance(other, Edited):
        return body.ref == other.ref and (body.erased or other.erased or body.text == other.text)
    if isinstance(body, Reacted) and isinstance(other, Reacted):
        return (body.ref, body.emoji, body.on) == (other.ref, other.emoji, other.on)
    return type(body) is type(other) and replace(body, user=other.user) == other


def encode_rules(rules: Rules) -> str:
    """A room's rules as JSON."""
    fields = {
        "roles": dict(rules.roles),
        "muted": dict(rules.muted),
        "banned": dict(rules.banned),
        "networks": {user: list(networks) for user, networks in rules.networks.items()},
        "nicks": dict(rules.nicks),
        "slow": rules.slow_s,
        "locked": rules.locked,
        "private": rules.private,
        "expires": rules.expires_s,
        "topic": rules.topic,
    }
    return orjson.dumps({key: value for key, value in fields.items() if value}).decode()


def decode_rules(stored: str) -> Rules:
    """The rules that `encode_rules` wrote."""
    fields: Mapping[str, Any] = orjson.loads(stored)
    return Rules(
        fields.get("roles", {}),
        fields.get("muted", {}),
        fields.get("banned", {}),
        fields.get("slow", 0),
        fields.get("locked", False),
        fields.get("private", False),
        fields.get("expires", 0),
        fields.get("topic", ""),
        {user: tuple(networks) for user, networks in fields.get("networks", {}).items()},
        fields.get("nicks", {}),
    )
