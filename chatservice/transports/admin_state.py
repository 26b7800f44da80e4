"""How the house stands, in one JSON object, for the page at `/admin/`. Nothing that anybody said is in it."""

from __future__ import annotations

import resource
from collections import defaultdict
from dataclasses import fields
from heapq import nsmallest
from typing import Any

from chatservice.domain.rules import rank
from chatservice.transports.counted import Counted
from chatservice.transports.desk import Connection
from chatservice.transports.surroundings import Surroundings

ROOMS, PEOPLE = 200, 200
"""Of so many details are told, of the rest their number: a page cannot be read with more."""

_PAGE_BYTES = resource.getpagesize()


def house_state(around: Surroundings) -> dict[str, Any]:
    """Everything but rates, which take two looks."""
    hub = around.hub
    rooms, private = _rooms(around)
    return {
        "now": hub.now_ms,
        "build": hub.build,
        "connections": {"open": around.counted.connections, "by_dialect": _connections(around)},
        "rooms": {"n": len(rooms), "direct": private, "list": rooms[:ROOMS]},
        "people": {"n": len(hub.roster), "list": _people(around)},
        "messages": hub.committed_count,
        "memory": {"resident": resident_bytes()},
        "counted": _numbers(around.counted),
        "complaints": [complaint._asdict() for complaint in around.desk.complaints],
    }


def _numbers(counted: Counted) -> dict[str, int]:
    """What is one plain number each."""
    values = ((each.name, getattr(counted, each.name)) for each in fields(counted))
    return {name: value for name, value in values if isinstance(value, int)}


def resident_bytes() -> int:
    """What the process has in memory; where there is no /proc, the most it ever had."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _connections(around: Surroundings) -> list[dict[str, Any]]:
    by_dialect: dict[str, list[Connection]] = defaultdict(list)
    for registry in around.desk.connections:
        for connection in registry:
            by_dialect[connection.dialect_name].append(connection)
    return [
        {
            "dialect": name,
            "n": len(those),
            "waiting": sum(one.waiting_bytes for one in those),
            "most": max(one.waiting_bytes for one in those),
            "lagging": sum(one.lags for one in those),
        }
        for name, those in sorted(by_dialect.items(), key=lambda item: -len(item[1]))
    ]


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
