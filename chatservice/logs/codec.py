"""Entry bodies as bytes on disk. Short keys, one JSON object; unknown kinds are refused loudly."""

from __future__ import annotations

import orjson

from chatservice.domain.events import Body, Said, User


def encode(body: Body) -> bytes:
    """A body as JSON."""
    stored: dict[str, object] = {"k": "said", "u": body.user.id, "n": body.user.nick, "t": body.text}
    if body.action:
        stored["a"] = 1
    if body.cid is not None:
        stored["c"] = body.cid
    return orjson.dumps(stored)


def decode(stored: bytes) -> Body:
    """The body that `encode` wrote.

    :raises ValueError: if a newer version of the program wrote it, or it is not ours.
    """
    fields = orjson.loads(stored)
    match fields:
        case {"k": "said", "u": str(user_id), "n": str(nick), "t": str(text)}:
            return Said(User(user_id, nick), text, bool(fields.get("a")), fields.get("c"))
        case {"k": kind}:
            raise ValueError(f"the log holds an entry of unknown kind {kind!r}")
    raise ValueError("the log holds an entry that is not ours")


def same_message(body: Body, other: Body) -> bool:
    """Whether a second try with the same cid says the same thing; the nick may have changed in between."""
    return body.text == other.text and body.action == other.action
