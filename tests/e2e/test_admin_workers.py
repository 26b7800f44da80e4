"""`/admin/` of a chat of two processes shows both, whichever of them is asked."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect
from redis_server import RedisServer

from e2e.browsing import Browsing
from e2e.family import Family
from e2e.peers import WebSocketPeer
from e2e.server import eventually
from e2e.test_accounts import chatservice

WORDS = "a good long password"
PEOPLE = 8


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """Two workers, and somebody who owns them."""
    with RedisServer() as redis, Family(tmp_path_factory.mktemp("family"), redis.url, 2) as family:
        added = chatservice(family.directory, "user", "add", "Olga", "--role", "owner", typed=f"{WORDS}\n")
        assert added.returncode == 0, added.stderr
        yield family


class Owner:
    """Asks how the chat stands, each time on a new connection, which any worker may get."""

    def __init__(self, family: Family) -> None:
        self._url = family.page_url
        self._token = self._ask("v1/login", {"name": "Olga", "password": WORDS})["token"]

    def look(self) -> dict[str, Any]:
        """How all stand."""
        return self._ask("admin/api/state")

    def _ask(self, path: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
        body = None if fields is None else json.dumps(fields).encode()
        request = Request(self._url + path, body, {"Content-Type": "application/json"})
        if fields is None:
            request.add_header("Authorization", f"Bearer {self._token}")
        with urlopen(request, timeout=20) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told


def states(told: dict[str, Any]) -> dict[int, str]:
    """Process id -> what is said of that worker."""
    return {row["pid"]: row["state"] for row in told["workers"]}


def people(told: dict[str, Any]) -> int:
    """How many are connected to all workers together."""
    (row,) = [row for row in told["all"]["by_dialect"] if row["dialect"] == "simple"] or [{"n": 0}]
    n: int = row["n"]
    return n


def test_each_shows_all(family: Family, browsing: Browsing) -> None:
    """Two rows and the sums of both, by each of the two; also on the page."""
    owner = Owner(family)
    with ExitStack() as stack:
        for number in range(PEOPLE):
            stack.enter_context(WebSocketPeer(family.socket_url(room="tea", nick=f"P{number}"))).arrived()
        seen: dict[int, dict[str, Any]] = {}

        def both_show_all() -> bool:
            told = owner.look()
            here = next(pid for pid, state in states(told).items() if state == "here")
            if people(told) == PEOPLE:
                seen[here] = told
            return len(seen) == 2

        eventually(both_show_all, "both workers to show all", 30)
        assert set(seen) == set(family.workers)
        for told in seen.values():
            assert set(states(told)) == set(seen) and told["all"]["workers"] == 2
            assert told["all"]["people"] == PEOPLE and {row["worker"][:3] for row in told["workers"]} == {
                "w1-",
                "w2-",
            }
            assert all(row["age_s"] < 10 and row["memory"] > 1e7 and row["up_s"] >= 0 for row in told["workers"])
        page = browsing.page(family.page_url + "admin/")
        page.locator("#name").fill("Olga")
        page.locator("#password").fill(WORDS)
        page.locator("#password").press("Enter")
        expect(page.locator("#workers tbody tr")).to_have_count(2)
        expect(page.locator("#connections tbody tr", has_text="simple")).to_contain_text(str(PEOPLE))


def test_one_that_dies(family: Family) -> None:
    """A worker that is killed is shown as gone when its lease is over, and nobody who was connected to it counts
    any more; the one in its place is there. Workers that are replaced in good order leave nothing behind."""
    owner = Owner(family)
    victim = family.workers[0]
    os.kill(victim, signal.SIGKILL)
    told = eventually(
        lambda: (
            (told := owner.look()) and states(told).get(victim) == "gone" and told["all"]["workers"] == 2 and told
        ),
        "that it is gone, and another in its place",
        60,
    )
    assert set(states(told)) == {victim, *family.workers}
    assert told["all"]["connections"] == sum(
        row["connections"] for row in told["workers"] if row["state"] in ("here", "lives")
    )
    family.renew()
    eventually(lambda: set(states(owner.look())) == {victim, *family.workers}, "the new ones and no others", 30)
