"""Reading back through everything that was ever said in a room."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.filling import fill
from e2e.page.gauge import MIB, Gauge, p95
from e2e.page.thepage import ThePage
from e2e.server import Server

MOST_ROWS = 320
SIZE = {"width": 1100, "height": 800}

# Scrolls up by so many pixels a picture until the beginning is reached. `drift` is how far what is being read
# moved by itself from one picture to the next; `seen` has every number that was on the page.
_SCROLL = """async ({ step, first }) => {
  const scroller = document.querySelector(".scroller");
  const found = { seen: [], drift: 0, rows: 0, wrong: [], frames: [] };
  const seen = new Set();
  const picture = () => new Promise(requestAnimationFrame);
  const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2;
  let watched = null, top = 0, known = "", still = 0, before = await picture();
  for (;;) {
    const now = await picture();
    found.frames.push(now - before);
    before = now;
    const moved = watched?.isConnected ? Math.abs(watched.getBoundingClientRect().top - top) : 0;
    found.drift = Math.max(found.drift, moved);
    const rows = [...scroller.querySelectorAll("li[data-seq]")];
    const ends = `${rows[0].dataset.seq} ${rows.at(-1).dataset.seq}`;
    if (ends !== known) {
      known = ends;
      const numbers = rows.map((row) => Number(row.dataset.seq));
      found.rows = Math.max(found.rows, scroller.querySelectorAll("li").length);
      if (numbers.some((number, index) => index && number <= numbers[index - 1])) found.wrong.push(numbers);
      for (const number of numbers) seen.add(number);
      still = 0;
    }
    if (scroller.scrollTop === 0 && Number(rows[0].dataset.seq) === first) break;
    if (++still > 1200) break; // nothing has changed for twenty seconds: whoever called sees what is missing
    scroller.scrollBy(0, -step);
    watched = document.elementFromPoint(innerWidth / 2, middle)?.closest("li") ?? null;
    top = watched?.getBoundingClientRect().top ?? 0;
  }
  found.seen = [...seen].sort((a, b) => a - b);
  return found;
}"""


def scroll_back(
    server: Server, browsing: Browsing, room: str, count: int, step: int
) -> tuple[dict[str, Any], Page]:
    """What was found on the way to the first of so many messages, and the page."""
    fill(server, room, count)
    ann = ThePage(browsing, server, f"Ann {room}", query=f"?room={room}", viewport=SIZE)
    expect(ann.rows.last).to_have_attribute("data-seq", str(count))
    gauge = Gauge(ann.page)
    heap = gauge.heap()
    found: dict[str, Any] = ann.page.evaluate(_SCROLL, {"step": step, "first": 1})
    found["heap"] = gauge.heap() - heap
    found["nodes"] = gauge.nodes()
    assert found["seen"] == list(range(1, count + 1)), "each of them has been shown"
    assert not found["wrong"], "and in its order, once"
    assert found["drift"] <= 1
    assert found["rows"] <= MOST_ROWS
    assert found["nodes"] <= 6000
    expect(ann.page.locator(".begin")).to_have_text("This is where the room begins.")
    ann.pill.click()
    expect(ann.rows.last).to_have_attribute("data-seq", str(count))
    expect(ann.rows.last).to_be_in_viewport()
    return found, ann.page


def test_fifteen_hundred(shared_server: Server, browsing: Browsing) -> None:
    """UI-09: up to the first of 1 500 messages each is shown, in order, once; nothing drifts, rows are trimmed."""
    scroll_back(shared_server, browsing, "back", 1500, 400)


@pytest.mark.slow
def test_ten_thousand(shared_server: Server, browsing: Browsing) -> None:
    """UI-09: 10 000 messages are as smooth as few, and leave nothing behind."""
    found, _ = scroll_back(shared_server, browsing, "far back", 10_000, 150)
    frames = p95(found["frames"])
    print(f"10 000 messages back: p95 frame {frames:.1f} ms, {found['rows']} rows, {found['nodes']:.0f} nodes,")
    print(f"drift {found['drift']:.2f} px, heap {found['heap'] / MIB:+.1f} MiB")
    assert frames <= 25
    assert found["heap"] <= 10 * MIB
