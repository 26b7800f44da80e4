"""`/health`: is the process alive? `/health/ready`: should it be given work? Neither asks the log for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from twisted.web.resource import Resource
from twisted.web.server import Request

from chatservice import __version__
from chatservice.transports.counted import Counted


class Health:
    """What probes are told.

    :param now: seconds on a clock that never goes back.
    :ivar draining: the service is about to end.
    :ivar beside: what the chat can do without for a while, by name, each with a look whether it is there.
    """

    def __init__(self, now: Callable[[], float], counted: Counted) -> None:
        self._now = now
        self._counted = counted
        self._began = now()
        self.draining = False
        self.beside: dict[str, Callable[[], bool]] = {}

    def live(self) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON."""
        away = [name for name, is_there in self.beside.items() if not is_there()]
        told = {"status": "degraded", "away": away} if away else {"status": "ok"}
        return 200, {**told, "version": __version__, "uptime_s": int(self._now() - self._began)}

    def ready(self) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON."""
        if self.draining:
            return 503, {"status": "draining"}
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
