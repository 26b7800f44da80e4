"""`/health`: is the process alive? `/health/ready`: should it be given work? Neither asks the log for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from twisted.web.resource import Resource
from twisted.web.server import Request

from chatservice import __version__
from chatservice.domain.ports import Engine
from chatservice.transports.counted import Counted

AWAY_S = 30.0
"""Shorter than that all workers would be sent away from at once, for a restart of what they share; longer it is
better that a balancer shows its own page."""


class Health:
    """What probes are told.

    :param now: seconds on a clock that never goes back.
    :param away_s: for how long what all nodes share has been away.
    :ivar draining: the service is about to end.
    :ivar log: what is asked which of its servers are away.
    :ivar beside: what the chat can do without for a while, by name, each with a look whether it is there.
    """

    def __init__(
        self, now: Callable[[], float], counted: Counted, away_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._away_s = away_s
        self._now = now
        self._counted = counted
        self._began = now()
        self.draining = False
        self.log: Engine | None = None
        self.beside: dict[str, Callable[[], bool]] = {}

    def _away(self) -> list[str]:
        """The servers of the log that are away, if others are not: then this worker is as good as any other, and
        must not be left out."""
        log = self.log
        return list(log.away) if log is not None and len(log.away) < log.servers else []

    def live(self) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON."""
        told = {"status": "ok", "version": __version__, "uptime_s": int(self._now() - self._began)}
        away = self._away() + [name for name, is_there in self.beside.items() if not is_there()]
        if away or self._away_s():
            told |= {"status": "degraded"} | ({"away": away} if away else {})
        return 200, told

    def ready(self) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON."""
        if self.draining:
            return 503, {"status": "draining"}
        if self._away_s() > AWAY_S:
            return 503, {"status": "storage"}
        if away := self._away():
            return 200, {"status": "degraded", "away": away}
        if not self._counted.storage_is_up(self._now()):
            return 503, {"status": "storage"}
        return 200, {"status": "ok"}


class HealthResource(Resource):
    """One of the two."""

    isLeaf = True

    def __init__(self, look: Callable[[], tuple[int, Mapping[str, Any]]]) -> None:
        super().__init__()
        self._look = look

    def render_GET(self, request: Request) -> bytes:
        """The answer; nobody may keep it."""
        status, told = self._look()
        body = orjson.dumps(told) + b"\n"
        request.setResponseCode(status)
        request.setHeader(b"Content-Type", b"application/json")
        request.setHeader(b"Cache-Control", b"no-store")
        request.setHeader(b"Content-Length", b"%d" % len(body))
        return b"" if request.method == b"HEAD" else body
