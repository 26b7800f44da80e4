"""The list of messages: nothing missed, nothing moved, days and groups where they belong."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import Frame, ThePage, Wire
from e2e.peers import WebSocketPeer
from e2e.server import Server

LOW = {"width": 1100, "height": 500}


def test_missed_messages(shared_server: Server, browsing: Browsing) -> None:
    """UI-06: what came while the page was cut off is there afterwards, without gap or double, and is marked."""
    wire = Wire()
    ann = ThePage(browsing, shared_server, "Ann missed", query="?room=missed", wire=wire)
    with WebSocketPeer(shared_server.socket_url(room="missed", nick="peer")) as peer:
        peer.arrived()
        peer.say("before")
        ann.shows("before")
        wire.pull()
        for number in range(20):
            peer.say(f"missed {number}")
        peer.until(lambda _: len(peer.said) == 21)
    wire.cut = False
    ann.shows("before", *(f"missed {number}" for number in range(20)))
    expect(ann.page.locator("li.unread + li .text")).to_have_text("missed 0")
    expect(ann.page.locator("li.unread")).to_have_count(1)


def test_reading_further_up(shared_server: Server, browsing: Browsing) -> None:
    """UI-07: whoever reads further up is not moved; a pill counts what comes and leads to it."""
    with WebSocketPeer(shared_server.socket_url(room="calm", nick="peer")) as peer:
        peer.arrived()
        for number in range(80):
            peer.say(f"old {number:02}")
        peer.until(lambda _: len(peer.said) == 80)
        ann = ThePage(browsing, shared_server, "Ann calm", query="?room=calm", viewport=LOW)
        expect(ann.row("old 79")).to_be_attached()
        ann.scroller.evaluate("it => { it.scrollTop = it.scrollHeight / 2 }")
        expect(ann.pill).to_be_visible()
        watched = ann.texts.evaluate_all("all => all.find(it => it.getBoundingClientRect().top > 150).textContent")
        before = ann.top_of(watched)
        for number in range(3):
            peer.say(f"new {number}")
        expect(ann.pill).to_have_text("3 new messages")
        assert abs(ann.top_of(watched) - before) <= 1
        ann.pill.click()
        expect(ann.row("new 2")).to_be_in_viewport()
        expect(ann.pill).to_have_count(0)


def test_grouping(shared_server: Server, browsing: Browsing) -> None:
    """UI-10: what somebody says within five minutes is a group; a second later it is another."""
    start = datetime(2026, 3, 4, 12, tzinfo=ZoneInfo("UTC"))
    times = [start, start + timedelta(minutes=4, seconds=59), start + timedelta(minutes=10)]
    page = told_at(shared_server, browsing, "groups", times)
    expect(page.rows).to_have_count(3)
    assert [("first" in (row.get_attribute("class") or "")) for row in page.rows.all()] == [True, False, True]


def test_days(shared_server: Server, browsing: Browsing) -> None:
    """UI-10: days begin at the reader's own midnight, also where the clock is changed that night."""
    midnight = datetime(2026, 3, 8, 0, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    around = [midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=1)]
    shanghai = told_at(shared_server, browsing, "east", around, timezone_id="Asia/Shanghai")
    expect(shanghai.page.locator("li.day")).to_have_count(2)
    york = told_at(shared_server, browsing, "west", around, timezone_id="America/New_York")
    expect(york.page.locator("li.day")).to_have_count(1)
    short_day = datetime(2026, 3, 8, 0, 0, tzinfo=ZoneInfo("America/New_York"))
    next_day = datetime(2026, 3, 9, 0, 0, tzinfo=ZoneInfo("America/New_York"))
    assert next_day.timestamp() - short_day.timestamp() == 23 * 3600
    at = [short_day, datetime(2026, 3, 8, 23, 59, 59, tzinfo=ZoneInfo("America/New_York")), next_day]
    changed = told_at(shared_server, browsing, "short", at, timezone_id="America/New_York")
    expect(changed.page.locator("li.day")).to_have_count(2)


def test_midnight_comes(shared_server: Server, browsing: Browsing) -> None:
    """UI-10: at midnight "Today" becomes "Yesterday" by itself."""
    evening = datetime(2026, 3, 4, 23, 59, 50, tzinfo=ZoneInfo("UTC"))
    page = told_at(shared_server, browsing, "late", [evening], clock_at=evening, timezone_id="UTC")
    expect(page.page.locator("li.day")).to_contain_text("Today")
    page.page.clock.run_for(11_000)
    expect(page.page.locator("li.day")).to_contain_text("Yesterday")


def told_at(
    server: Server,
    browsing: Browsing,
    room: str,
    times: list[datetime],
    clock_at: datetime | None = None,
    **context: str,
) -> ThePage:
    """A page in a room in which one peer spoke at these times, as far as the page is told."""
    with WebSocketPeer(server.socket_url(room=room, nick="peer")) as peer:
        peer.arrived()
        for number in range(len(times)):
            peer.say(f"at {number}")
        peer.until(lambda _: len(peer.said) == len(times))

    def shift(frame: Frame) -> Frame:
        copy: Frame = json.loads(json.dumps(frame))
        for number, message in enumerate(copy.get("state", [])):
            message["ts"] = int(times[number].timestamp() * 1000)
        return copy

    wire = Wire()
    wire.bend = shift
    nick = f"reader of {room}"
    visitor = ThePage(browsing, server, nick, query=f"?room={room}", wire=wire, clock=clock_at or False, **context)
    if clock_at is not None:
        visitor.turn_until(lambda: visitor.rows.count() == len(times), "all of them")
    expect(visitor.rows).to_have_count(len(times))
    return visitor
