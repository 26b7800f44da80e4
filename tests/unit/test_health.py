"""What probes are told when a server of the log is away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chatservice.transports.counted import Counted
from chatservice.transports.health import Health


@pytest.mark.parametrize(
    ("away", "servers", "live", "ready"),
    [
        ((), 0, "ok", "ok"),
        ((), 2, "ok", "ok"),
        (("1",), 2, "degraded", "degraded"),
        (("0",), 1, "ok", "ok"),
        (("0", "1"), 2, "ok", "ok"),
    ],
)
def test_some_are_away(away: tuple[str, ...], servers: int, live: str, ready: str) -> None:
    """While some of several are away that is said, and the worker is still as good as any other."""
    health = Health(lambda: 7.0, Counted())
    log: Any = SimpleNamespace(away=away, servers=servers)
    health.log = log
    for told, (status, words) in ((live, health.live()), (ready, health.ready())):
        assert (status, words["status"]) == (200, told)
        assert words.get("away") == (list(away) if told == "degraded" else None)


def test_one_that_refuses_leaves_the_others() -> None:
    """A commit that has failed makes a worker unready only if no other server takes any."""
    counted = Counted()
    health = Health(lambda: 7.0, counted)
    counted.stored("commit", 0.1, 6.0)
    assert health.ready() == (503, {"status": "storage"})
    log: Any = SimpleNamespace(away=("1",), servers=2)
    health.log = log
    assert health.ready()[0] == 200
    log.away = ("0", "1")
    assert health.ready() == (503, {"status": "storage"})
