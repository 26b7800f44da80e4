"""A thousand messages in a second."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.peers import WebSocketPeer
from e2e.server import Server

COUNT = 1000
MOST_ROWS = 320
TICK_MS = 50

_WATCH = """() => {
  globalThis.most = 0;
  globalThis.long = [];
  const list = document.querySelector(".content");
  new MutationObserver(() => { most = Math.max(most, list.querySelectorAll("li").length); })
    .observe(list, { childList: true, subtree: true });
  new PerformanceObserver((found) => { for (const { duration } of found.getEntries()) long.push(duration); })
    .observe({ type: "longtask" });
}"""


def burst(server: Server, browsing: Browsing, room: str) -> list[float]:
    """Send them while somebody writes; what was found: the lengths of long tasks in ms."""
    ann = ThePage(browsing, server, f"Ann {room}", query=f"?room={room}")
    ann.page.evaluate(_WATCH)
    with WebSocketPeer(server.socket_url(room=room, nick=f"Bob {room}")) as bob:
        bob.arrived()
        each = COUNT * TICK_MS // 1000
        for start in range(0, COUNT, each):
            for number in range(start, start + each):
                bob.say(f"word {number}")
            ann.box.press_sequentially(f"{start // each % 10}")
            ann.page.wait_for_timeout(TICK_MS / 2)
        expect(ann.texts.last).to_have_text(f"word {COUNT - 1}")
    shown = ann.texts.all_text_contents()
    assert shown == [f"word {number}" for number in range(COUNT - len(shown), COUNT)]
    assert len(shown) >= 250
    assert ann.page.evaluate("most") <= MOST_ROWS
    expect(ann.rows.last).to_be_in_viewport()
    expect(ann.box).to_have_value("01234567890123456789")
    found: list[float] = ann.page.evaluate("long")
    return found


def test_burst(shared_server: Server, browsing: Browsing) -> None:
    """A thousand messages in a second: the newest are shown in order, few rows stand, typing goes on."""
    burst(shared_server, browsing, "burst")


@pytest.mark.slow
def test_burst_in_time(shared_server: Server, browsing: Browsing) -> None:
    """And the page is never busy for longer than 200 ms."""
    tasks = burst(shared_server, browsing, "timed burst")
    print(f"burst of {COUNT}: longest task {max(tasks, default=0):.0f} ms, {len(tasks)} above 50 ms")
    assert max(tasks, default=0) <= 200
