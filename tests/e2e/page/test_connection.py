"""What the page tells about its connection, to the eyes and to a screen reader."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage, Wire, watch
from e2e.server import Server


def test_short_interruptions_have_no_countdown(shared_server: Server, browsing: Browsing) -> None:
    """UI-05: below five seconds a number would only flicker; below one and a half there is no bar at all."""
    ann, wire = offline(shared_server, browsing, "short", after_ms=4000)
    ann.page.clock.run_for(1400)
    expect(ann.bar).to_have_count(0)
    ann.page.clock.run_for(200)
    expect(ann.bar).to_have_text("Connection lost. What you write is sent when it is back.Try now")
    ann.page.clock.run_for(1000)
    expect(ann.bar).not_to_contain_text("second")
    wire.cut = False
    ann.page.clock.run_for(2000)
    expect(ann.bar).to_have_count(0)


def test_countdown_and_try_now(shared_server: Server, browsing: Browsing) -> None:
    """UI-05: a long wait is counted down for the eyes; "Try now" connects at once; readers hear of states only."""
    ann, wire = offline(shared_server, browsing, "long", after_ms=60_000)
    heard = watch(ann.page, ".bars [role=status]")
    ann.page.clock.run_for(2100)
    expect(ann.bar).to_contain_text("next attempt in 58 seconds")
    ann.page.clock.run_for(3000)
    expect(ann.bar).to_contain_text("next attempt in 55 seconds")
    assert wire.connections == 1, "nothing was tried before its time"
    wire.cut = False
    ann.bar.get_by_role("button", name="Try now").click()
    expect(ann.page.locator(".status.online")).to_be_attached()
    expect(ann.bar).to_have_count(0)
    assert wire.connections == 2
    assert heard() == ["Connection lost. What you write is sent when it is back.", "Connected again"]


def offline(server: Server, browsing: Browsing, room: str, after_ms: int) -> tuple[ThePage, Wire]:
    """A page whose server has said goodbye, with the time after which it wants the page back."""
    wire = Wire()
    ann = ThePage(browsing, server, f"Ann {room}", query=f"?room={room}", wire=wire, clock=True)
    wire.tell({"type": "bye", "code": 1012, "reason": "restart", "reconnect": True, "after_ms": after_ms})
    wire.pull()
    expect(ann.page.locator(".status.online")).to_have_count(0)
    return ann, wire


def test_a_server_that_takes_nothing_for_a_moment(shared_server: Server, browsing: Browsing) -> None:
    """When what all workers share is away a quiet bar says that messages wait; it goes when that is back, or when
    the connection is another one."""
    wire = Wire()
    ann = ThePage(browsing, shared_server, query="?room=stalled", wire=wire)
    ann.page.locator("input[name=nick]").fill("Ann stalled")
    ann.page.locator(".letter button[type=submit]").click()
    ann.is_in()
    wire.tell({"type": "status", "engine": "down"})
    expect(ann.bar).to_have_text(
        "The server cannot take messages for a moment. They wait here and are sent when it can."
    )
    wire.tell({"type": "status", "engine": "up"})
    expect(ann.bar).to_have_count(0)
    wire.tell({"type": "status", "engine": "down"})
    expect(ann.bar).to_have_count(1)
    wire.pull()
    wire.cut = False
    expect(ann.page.locator(".status.online")).to_be_attached()
    expect(ann.bar).to_have_count(0)
    assert wire.connections > 1
