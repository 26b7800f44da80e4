"""How the house stands, in one JSON object, for the page at `/admin/`. Nothing that anybody said is in it."""

from __future__ import annotations

from heapq import nsmallest
from typing import Any

from chatservice.domain.rules import rank
from chatservice.transports.figures import numbers
from chatservice.transports.surroundings import Surroundings

ROOMS, PEOPLE = 200, 200
"""Of so many details are told, of the rest their number: a page cannot be read with more."""


def house_state(around: Surroundings, plain: dict[str, Any]) -> dict[str, Any]:
    """Everything but rates, which take two looks.

    :param plain: see `figures`.
    """
    hub = around.hub
    rooms, private = _rooms(around)
    return {
        "now": hub.now_ms,
        "build": hub.build,
        "connections": {"open": plain["connections"], "by_dialect": plain["by_dialect"]},
        "rooms": {"n": len(rooms), "direct": private, "list": rooms[:ROOMS]},
        "people": {"n": len(hub.roster), "list": _people(around)},
        "messages": plain["written"],
        "memory": {"resident": plain["memory"]},
        "counted": numbers(around.counted),
        "complaints": [complaint._asdict() for complaint in around.desk.complaints],
    }


def _rooms(around: Surroundings) -> tuple[list[dict[str, Any]], int]:
    """The rooms, the biggest first, and how many conversations of two people there are."""
    private = sum(name.startswith("dm:") for name in around.hub.rooms)
    rooms = [room for room in around.hub.rooms.values() if not room.name.startswith(("@", "dm:"))]
    rooms.sort(key=lambda room: (-room.here.n, room.name))
    told = [
        {
            "name": room.name,
            "n": room.here.n,
            "seq": room.top,
            "state": room.state.name.lower(),
            "private": room.rules.private,
            "locked": room.rules.locked,
        }
        for room in rooms
    ]
    return told, private


def _people(around: Surroundings) -> list[dict[str, Any]]:
    """The living, those with the higher rank first."""
    hub = around.hub
    living = ((hub.roster.find(user_id), sessions) for user_id, sessions in hub.sessions.items())
    first = nsmallest(
        PEOPLE,
        ((person, sessions) for person, sessions in living if person is not None),
        key=lambda one: (-rank(one[0].role), one[0].user.nick),
    )
    return [
        {
            "id": person.user.id,
            "nick": person.user.nick,
            "role": person.role,
            "guest": person.guest,
            "status": person.status,
            "conns": person.conns,
            "rooms": sorted(name for name in person.rooms if not name.startswith(("@", "dm:"))),
            "waiting": sum(getattr(session.peer, "waiting_bytes", 0) for session in sessions),
            "dialects": sorted({getattr(session.peer, "dialect_name", "HTTP") for session in sessions}),
        }
        for person, sessions in first
    ]
