"""What a WebSocket handshake asks for, judged before the connection opens. Pure; no Autobahn here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatservice.dialects.phrases import choose_language
from chatservice.dialects.registry import PATHS, SUBPROTOCOLS, by_subprotocol
from chatservice.domain.commands import Join, Position
from chatservice.domain.errors import Refused
from chatservice.domain.limits import HISTORY_LIMIT
from chatservice.domain.names import clean_room
from chatservice.transports.credentials import BEARER
from chatservice.transports.surroundings import Manners
from chatservice.wires.handshake import Denied


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a peer wants to be treated."""

    dialect: str
    subprotocol: str | None
    lang: str
    escape: bool
    nick: str | None
    join: Join


def _first(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = query.get(name)
    return values[0] if values else None


def _number(text: str | None, most: int) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    return min(int(text), most)


def read_wishes(
    path: str, query: Mapping[str, Sequence[str]], subprotocols: Sequence[str], manners: Manners
) -> Wishes:
    """The wishes in a handshake.

    A number that makes no sense counts as not given: a beginner's typo must not keep a page out.

    :raises Denied: 404 for an unknown path, 400 when only unknown subprotocols are offered.
    """
    if path not in PATHS:
        raise Denied(404, "no WebSocket here; there is one at " + " ".join(PATHS))
    # A token among them is not for choosing, and is never agreed to.
    subprotocols = [word for word in subprotocols if not word.startswith(BEARER)]
    chosen = by_subprotocol(subprotocols)
    if subprotocols and chosen is None:
        raise Denied(400, "unknown subprotocol; known are " + " ".join(SUBPROTOCOLS))
    subprotocol, dialect = chosen or (None, PATHS[path] or manners.default_dialect)
    epoch, seq = _first(query, "epoch"), _number(_first(query, "since"), 2**53)
    return Wishes(
        dialect=dialect,
        subprotocol=subprotocol,
        lang=choose_language(_first(query, "lang"), manners.lang),
        escape={"html": True, "off": False}.get(_first(query, "escape") or "", manners.escape),
        nick=_first(query, "nick"),
        join=Join(
            _room(_first(query, "room")) or manners.default_room,
            last=_number(_first(query, "last"), HISTORY_LIMIT) or 0,
            since=None if seq is None else Position(epoch or "", seq),
            alone=True,
            invite=_first(query, "invite"),
        ),
    )


def _room(wish: str | None) -> str | None:
    """The room wished for, if there can be one of that name."""
    try:
        return None if wish is None else clean_room(wish)
    except Refused:
        return None
