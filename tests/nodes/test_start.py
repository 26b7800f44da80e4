"""A start on Redis with an archive asks and looks once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from twisted.internet.testing import MemoryReactorClock

from chatservice import preparing
from chatservice.logs import archive_sqlite, redis_log
from chatservice.service import make_service


class Still(MemoryReactorClock):
    """A reactor that never turns: what threads want to be done waits."""

    def callFromThread(self, call: Callable[[], object]) -> None:
        pass


def test_everything_is_looked_at_once(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is read and agreed on once, and the archive, which may be big, is looked at once; what was found is
    what the house stands on."""
    counted: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        really = getattr(module, name)

        def counting(*arguments: Any, **more: Any) -> Any:
            counted[name] += 1
            return really(*arguments, **more)

        monkeypatch.setattr(module, name, counting)

    count(preparing, "load_key")
    count(redis_log, "agree_on_key")
    count(archive_sqlite, "check_whole")
    given = {
        "data": str(tmp_path),
        "store": server.url,
        "archive": "sqlite:",
        "listen": ["tcp:0:interface=127.0.0.1"],
        "line": ["none"],
        "metrics-listen": "none",
    }
    service = make_service(given, {}, Still(), files=())
    assert service.lock is not None
    try:
        house = service.open_house()
        try:
            assert counted == {"load_key": 1, "agree_on_key": 1, "check_whole": 1}
            assert house.archive is not None and house.archive.id
            assert house.hub.passes is not None and house.hub.passes._registry is house.hub.registry
        finally:
            assert house.archive is not None
            house.archive.stop()
            house.passwords.close()
            house.around.desk.close()
    finally:
        service.lock.close()
