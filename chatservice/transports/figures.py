"""How this process stands, in plain numbers: for the operator's page, and for the board that all workers see."""

from __future__ import annotations

import os
import resource
import socket
from collections import deque
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import orjson
from twisted.internet.interfaces import IDelayedCall

from chatservice.domain.board import Board
from chatservice.transports.counted import Counted

if TYPE_CHECKING:
    from chatservice.transports.surroundings import Surroundings

RATE_S = 10.0
"""A rate is that of so long."""

LOOK_S = 0.5
"""So often the loop is asked how late it is."""

_PAGE_BYTES = resource.getpagesize()


def figures(around: Surroundings) -> dict[str, Any]:
    """What is one number each, and the connections; rates and lateness take two looks.

    :returns: with `written`, the entries that came by this process: over all workers each is counted once, while
        `Hub.committed_count` counts those of other workers too.
    """
    hub = around.hub
    return {
        "connections": around.counted.connections,
        "by_dialect": by_dialect(around),
        "people": len(hub.sessions),
        "rooms": sum(not name.startswith(("@", "dm:")) for name in hub.rooms),
        "written": hub.committed_count if hub.bus.written is None else hub.bus.written,
        "memory": resident_bytes(),
        "refused": sum(n for name, n in numbers(around.counted).items() if name.startswith("refused")),
    }


def by_dialect(around: Surroundings) -> list[dict[str, Any]]:
    """The connections, those of the commonest dialect first. Each is looked at once and briefly, 0.4 µs: there may
    be tens of thousands, and meanwhile nobody is told anything."""
    tallies: dict[str, list[int]] = {}
    for registry in around.desk.connections:
        for one in registry:
            name, waiting = one.dialect_name, one.waiting_bytes
            tally = tallies.get(name)
            if tally is None:
                tally = tallies[name] = [0, 0, 0, 0]
            tally[0] += 1
            if waiting:
                tally[1] += waiting
                tally[2] = max(tally[2], waiting)
            if one.lags:
                tally[3] += 1
    return [
        {"dialect": name, "n": n, "waiting": waiting, "most": most, "lagging": lagging}
        for name, (n, waiting, most, lagging) in sorted(tallies.items(), key=lambda item: -item[1][0])
    ]


def numbers(counted: Counted) -> dict[str, int]:
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


class Flow:
    """How fast a number grows."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def per_s(self, now: float, number: int) -> float:
        """A second, over the last `RATE_S`, as far as it was looked at."""
        self._seen.append((now, number))
        while now - self._seen[0][0] > RATE_S:
            self._seen.popleft()
        then, before = self._seen[0]
        return round((number - before) / (now - then), 2) if now > then else 0.0


class Pulse:
    """How late the loop is, looked at all the time."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._latest = 0.0
        self._timer: IDelayedCall | None = None
        self._due = 0.0
        self._wait()

    def take_ms(self) -> float:
        """The most since this was asked last, in milliseconds."""
        latest, self._latest = self._latest, 0.0
        return round(latest * 1000, 1)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._due = self._around.now() + LOOK_S
        self._timer = self._around.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._latest = max(self._latest, self._around.now() - self._due)
        self._wait()


def who_we_are(around: Surroundings) -> dict[str, Any]:
    """By what an operator finds this process: the word that stands in the log's lines, machine and process id."""
    return {"worker": around.desk.worker, "host": socket.gethostname(), "pid": os.getpid()}


def pin_figures(around: Surroundings, board: Board) -> None:
    """From now on all workers can see how we stand."""
    pulse, flow, started_at, who = Pulse(around), Flow(), around.now(), who_we_are(around)
    around.desk.closing.append(pulse.stop)

    def sheet() -> bytes:
        now, plain = around.now(), figures(around)
        rate, up_s = flow.per_s(now, plain["written"]), round(now - started_at)
        return orjson.dumps({**who, **plain, "per_s": rate, "lag_ms": pulse.take_ms(), "up_s": up_s})

    board.keep(sheet)
