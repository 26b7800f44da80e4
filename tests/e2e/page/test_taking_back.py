"""What was written and never sent can be taken back."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage, Wire, stored
from e2e.server import Server


def test_before_it_was_sent(server: Server, browsing: Browsing) -> None:
    """Without a connection a message that waits can be deleted: it is never said, what came after it is."""
    wire = Wire()
    ann = ThePage(browsing, server, "Ann", wire=wire)
    wire.pull()
    expect(ann.bar).to_be_visible()
    ann.say("not this one")
    ann.say("this one")
    waiting = ann.pending.filter(has_text="not this one")
    waiting.get_by_role("button", name="Delete").click()
    expect(waiting).to_have_count(0)
    wire.cut = False
    ann.page.evaluate("dispatchEvent(new Event('online'))")
    ann.shows("this one")
    assert stored(server) == ["this one"]
    assert [frame["text"] for frame in wire.said_of("message")] == ["this one"]
