"""What a request wants of an Engine.IO server, and whether it may have it. Pure: no HTTP library in here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from chatservice.socketio.errors import (
    BAD_HANDSHAKE_METHOD,
    BAD_REQUEST,
    FORBIDDEN,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    UNSUPPORTED_VERSION,
    HTTPRefusal,
)

if TYPE_CHECKING:
    from chatservice.socketio.house import House
    from chatservice.socketio.session import Session

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request that began a session.

    :ivar query: the last value of each parameter.
    :ivar headers: names in small letters; several values of one joined by commas; ISO 8859-1, as sent.
    :ivar address: the peer's, as the transport shows it.
    :ivar is_secure: it came under TLS as far as this process can see.
    """

    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    is_secure: bool = False


def read_query(query: str) -> dict[str, str]:
    """The last value of each parameter of a query string, empty ones too."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=64))
    except ValueError:
        return {}


def is_allowed(house: House, headers: Mapping[str, str]) -> bool:
    """May the page that asks?"""
    origin = headers.get("origin")
    return origin is None or house.options.allowed(origin, headers.get("host", ""))


def judge(house: House, method: str, request: Handshake, *, is_upgrade: bool) -> Session | None:
    """The session that a request is about; None if it wants a new one. The order of the checks is the reference's.

    :raises HTTPRefusal: if it may not have it.
    """
    query = request.query
    wanted = query.get("transport", "")
    if wanted not in house.options.transports:
        raise HTTPRefusal(UNKNOWN_TRANSPORT)
    if _CONTROLS.search(request.headers.get("origin", "")):
        raise HTTPRefusal(BAD_REQUEST)
    if (wanted == "websocket") != is_upgrade:
        raise HTTPRefusal(BAD_REQUEST)
    sid = query.get("sid")
    if sid is not None:
        session = house.find(sid)
        if session is None:
            raise HTTPRefusal(UNKNOWN_SID)
        if not is_upgrade and session.is_websocket:
            raise HTTPRefusal(BAD_REQUEST)
        if not is_allowed(house, request.headers):
            raise HTTPRefusal(FORBIDDEN, 403)
        return session
    if method != "GET":
        raise HTTPRefusal(BAD_HANDSHAKE_METHOD)
    if not is_allowed(house, request.headers):
        raise HTTPRefusal(FORBIDDEN, 403)
    version(house, query)
    if not house.has_room(None if is_upgrade else request.address):
        raise HTTPRefusal(FORBIDDEN, 503, "Too many sessions")
    return None


def version(house: House, query: Mapping[str, str]) -> int:
    """Which version of Engine.IO a newcomer speaks. The reference takes everything but 4 for a 3; we do not guess.

    :raises HTTPRefusal: if it is none of ours.
    """
    wanted = query.get("EIO", "")
    if wanted not in ("3", "4") or int(wanted) not in house.options.versions:
        raise HTTPRefusal(UNSUPPORTED_VERSION)
    return int(wanted)


def jsonp_index(query: Mapping[str, str]) -> str | None:
    """The digits of `j`: nothing else of it ever gets into a script."""
    wanted = query.get("j")
    return None if wanted is None else "".join(re.findall("[0-9]", wanted))[:12]
