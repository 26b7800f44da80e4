"""What a screen reader is told: what others say now, seldom enough to be read out, and nothing else."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.filling import fill
from e2e.page.thepage import ThePage, Wire, watch
from e2e.peers import WebSocketPeer
from e2e.server import Server, eventually

LIVE = "[aria-live]:not([aria-live=off]), [role=status], [role=alert]"
LOW = {"width": 1200, "height": 500}


def test_history_is_silent(shared_server: Server, browsing: Browsing) -> None:
    """UI-16: what was said before is not read out: not at the first load, nor further up, nor after a gap."""
    fill(shared_server, "silent", 120)
    wire = Wire()
    ann = ThePage(browsing, shared_server, "Ann silent", query="?room=silent", wire=wire, viewport=LOW)
    heard = watch(ann.page, LIVE)
    expect(ann.rows).to_have_count(50)
    ann.scroller.evaluate("(it) => { it.scrollTop = 0 }")
    expect(ann.page.locator("li.row[data-seq='71']")).to_have_count(1)  # a slow machine may load one page more
    assert heard() == []
    wire.pull()
    expect(ann.bar).to_be_visible()
    fill(shared_server, "silent", 10, after=120)
    wire.cut = False
    expect(ann.bar).to_have_count(0)
    expect(ann.pill).to_be_visible()
    ann.pill.click()
    expect(ann.rows.last).to_have_attribute("data-seq", "130")
    assert heard() == ["Connection lost. What you write is sent when it is back.", "Connected again"]


def test_bursts(shared_server: Server, browsing: Browsing) -> None:
    """UI-16: ten messages in a second are at most two announcements, the second of which counts the rest."""
    ann = ThePage(browsing, shared_server, "Ann hears", query="?room=bursts")
    heard = watch(ann.page, LIVE)
    with WebSocketPeer(shared_server.socket_url(room="bursts", nick="Bob bursts")) as bob:
        bob.arrived()
        for number in range(10):
            bob.say(f"word {number}")
        expect(ann.rows).to_have_count(10)
        eventually(lambda: told(heard()) == 10, "all ten are told")
        assert len(heard()) <= 2
        # The same words again are news again.
        bob.say("ok")
        eventually(lambda: heard()[-1] == "Bob bursts: ok", "the message is read out")
        bob.say("ok")
        eventually(lambda: heard()[-2:] == ["Bob bursts: ok"] * 2, "and so is the next one")


def test_own_words(shared_server: Server, browsing: Browsing) -> None:
    """UI-16: what one says oneself is not read out; what others answer is."""
    ann = ThePage(browsing, shared_server, "Ann own", query="?room=own")
    bob = ThePage(browsing, shared_server, "Bob own", query="?room=own")
    heard = watch(ann.page, LIVE)
    ann.say("my own words")
    ann.shows("my own words")
    bob.shows("my own words")
    bob.say("heard you")
    eventually(lambda: heard() == ["Bob own: heard you"], "the answer is read out")


def told(announcements: list[str]) -> int:
    """How many messages they are about."""
    return sum(int(text.split()[0]) if text.endswith("new messages") else 1 for text in announcements)
