"""Who is writing: told seldom, forgotten soon, and nothing moves for it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.filling import fill
from e2e.page.thepage import ThePage, Wire
from e2e.server import Server, eventually

_PLACES = """() => [".head", ".scroller", ".typing", ".composer", "li.row[data-seq]"].map((selector) => {
  const { x, y, width, height } = document.querySelector(selector).getBoundingClientRect();
  return [x, y, width, height];
})"""

_SHIFTS = """() => {
  globalThis.shifts = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) globalThis.shifts += value;
  }).observe({ type: "layout-shift" });
}"""


def test_typing(shared_server: Server, browsing: Browsing) -> None:
    """UI-12: it is told once in three seconds, is gone six seconds after the last word, and moves nothing."""
    ann = ThePage(browsing, shared_server, "Ann types", query="?room=typing", clock=True)
    wire = Wire()
    bob = ThePage(browsing, shared_server, "Bob types", query="?room=typing", wire=wire, clock=True)
    fill(shared_server, "typing", 1)
    ann.turn_until(lambda: ann.rows.count() == 1, "the message")
    before = ann.page.evaluate(_PLACES)
    ann.page.evaluate(_SHIFTS)

    seconds = 12
    for _ in range(seconds * 2):
        bob.box.press_sequentially("x")
        bob.page.clock.run_for(500)
    eventually(lambda: telling(bob, wire), "that Bob types is told")
    assert 2 <= len(wire.said_of("typing")) <= seconds / 3

    told = len(wire.said_of("typing"))
    writes = ann.page.locator(".typing", has_text="Bob types is typing…")
    expect(writes).to_be_attached()
    assert ann.page.evaluate(_PLACES) == before
    ann.page.clock.run_for(6000)
    expect(writes).to_have_count(0)
    assert ann.page.evaluate(_PLACES) == before
    assert ann.page.evaluate("shifts") == 0
    assert len(wire.said_of("typing")) == told


def test_second_thoughts(shared_server: Server, browsing: Browsing) -> None:
    """UI-12: who empties the box is not seen to write any more; to begin anew at once is not told once more."""
    wire = Wire()
    ann = ThePage(browsing, shared_server, "Ann thinks", query="?room=thoughts")
    bob = ThePage(browsing, shared_server, "Bob thinks", query="?room=thoughts", wire=wire, clock=True)
    bob.box.fill("well")
    writes = ann.page.locator(".typing", has_text="Bob thinks is typing…")
    expect(writes).to_be_attached()
    bob.box.fill("")
    expect(writes).to_have_count(0)
    bob.box.fill("no")
    bob.box.fill("")
    assert [frame["on"] for frame in wire.said_of("typing")] == [True, False]


def telling(visitor: ThePage, wire: Wire) -> bool:
    """Whether what the page has sent up to now has been seen on the wire."""
    page: Page = visitor.page
    page.evaluate("0")  # gives what comes from the page its turn
    return bool(wire.said_of("typing"))
