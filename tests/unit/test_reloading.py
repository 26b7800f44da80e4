"""Settings that change while people talk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher

from chatservice.config import Config, read_config
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.logbook import THRESHOLD
from chatservice.reloading import read_again
from chatservice.service import ChatService


class ThreadlessReactor(MemoryReactorClock):
    """One that nobody calls from another thread."""

    def callFromThread(self, call: Callable[[], object]) -> None:
        call()


@pytest.fixture
def seen() -> Iterator[list[LogEvent]]:
    """What the log is told."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    THRESHOLD.is_heard = True
    yield events
    THRESHOLD.is_heard = False
    globalLogPublisher.removeObserver(events.append)
    THRESHOLD.set("info")


def test_what_is_taken(tmp_path: Path, seen: list[LogEvent]) -> None:
    """Limits, origins and level are; a data directory is not, and that is told; each says where it was said."""
    before = read_config({"data": str(tmp_path)}, {})
    given = {
        "data": "/elsewhere",
        "origin": ["https://a.example"],
        "connections-per-address": "7",
        "log-level": "warn",
    }
    after = read_again(lambda: read_config(given, {"CHAT_MESSAGE_RATE": "9"}), before)
    assert (after.per_address, after.origins, after.log_level) == (7, {("https", "a.example", 443)}, "warn")
    assert (after.messages, after.data) == (Rate(MESSAGES.burst, 9.0), tmp_path)
    told = {event["name"]: event["event"] for event in seen if "name" in event}
    assert told.pop("data") == "setting_waits_for_restart"
    assert set(told) == {"origin", "connections-per-address", "log-level", "message-rate"}
    assert after.settings.by_name["data"].value == str(tmp_path)
    assert after.settings.by_name["message-rate"].source == "environment"


def test_what_cannot_be_used(seen: list[LogEvent]) -> None:
    """Nothing changes, and one line says why."""
    before = read_config({}, {})
    assert read_again(lambda: read_config({"lang": "de"}, {}), before) is before
    assert [event["event"] for event in seen] == ["reload_failed"] and "--lang de" in seen[0]["reason"]


def test_a_running_service_takes_them(tmp_path: Path, seen: list[LogEvent]) -> None:
    """They hold where they are used: for the hub, for the door, for pages, for the lines about connections."""
    given: dict[str, str | list[str]] = {"data": str(tmp_path), "store": "memory:", "metrics-listen": "none"}

    def read() -> Config:
        return read_config(given, {})

    service = ChatService(read(), ThreadlessReactor(), read=read)
    around = service.open_house().around
    assert around.chronicle.enabled
    given |= {"message-burst": "3", "log-level": "error", "origin": ["https://a.example"]}
    service.reload()
    assert around.hub.messages == Rate(3, MESSAGES.per_s) and not around.chronicle.enabled
    assert service.listening._origins == {("https", "a.example", 443)}
    service.stopService()
    assert around.health.ready() == (503, {"status": "draining"})
