"""Two people talk; hostile text; what is on its way, refused, or kept for later."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ARCHIVED, Frame, ThePage, Wire, stored
from e2e.server import Server, eventually

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '<svg onload="alert(1)">',
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "</textarea><iframe srcdoc='<script>alert(1)</script>'>",
]


def test_two_people_talk(server: Server, browsing: Browsing) -> None:
    """UI-01: two visitors of a fresh service say their names and read what the other writes."""
    ann, bob = ThePage(browsing, server, "Ann"), ThePage(browsing, server, "小明")
    ann.say("hello 👋")
    expect(bob.texts).to_have_text(["hello 👋"])
    bob.say("你好，**Ann**")
    ann.shows("hello 👋", "你好，Ann")
    expect(ann.page.locator(".row .nick")).to_have_text(["Ann", "小明"])
    expect(ann.page.locator(".row strong")).to_have_text("Ann")
    expect(ann.box).to_have_value("")


def test_hostile_text_is_text(server: Server, browsing: Browsing) -> None:
    """UI-01: markup and addresses that would run something are shown as they were written."""
    ann, eve = ThePage(browsing, server, "Ann"), ThePage(browsing, server, "<b>Eve</b>")
    for text in HOSTILE:
        eve.say(text)
    ann.shows(*HOSTILE)
    expect(ann.page.locator(".row .nick").first).to_have_text("<b>Eve</b>")
    assert ann.page.locator(".row").locator("script, img, iframe, b, a[href^=javascript]").count() == 0


def test_no_answer(server: Server, browsing: Browsing) -> None:
    """UI-03: without an answer a message is pending, then "Sending…", then failed; a retry is the same message."""
    wire = Wire()
    ann = ThePage(browsing, server, "Ann", wire=wire, clock=True)
    first = wire.connections

    def swallow(frame: Frame) -> Frame | None:
        """On the first connection the answer and the event do not come."""
        cids = {said["cid"] for said in wire.said_of("message")}
        is_about_it = frame.get("id") in cids or frame.get("cid") in cids
        return None if is_about_it and wire.connections == first else frame

    wire.bend = swallow
    ann.say("is this thing on?")
    ann.page.clock.run_for(100)
    expect(ann.pending).to_have_count(1)
    expect(ann.pending.locator(".fate")).to_have_count(0)
    ann.page.clock.run_for(900)
    expect(ann.pending.locator(".fate")).to_have_text("Sending…")
    ann.page.clock.run_for(10_000)
    expect(ann.pending.locator(".fate")).to_contain_text("Not sent")
    ann.pending.get_by_role("button", name="Retry").click()
    ann.page.clock.run_for(2000)
    ann.turn_until(lambda: ann.rows.count() == 1 and not ann.pending.count(), "its answer")
    ann.shows("is this thing on?")
    said = wire.said_of("message")
    assert len(said) >= 2
    assert len({frame["cid"] for frame in said}) == 1
    assert stored(server) == ["is this thing on?"]


def test_written_while_the_server_is_down(server: Server, browsing: Browsing) -> None:
    """UI-04: what is written while the server is down arrives when it is back: all of it, once, in order."""
    ann, bob = ThePage(browsing, server, "Ann"), ThePage(browsing, server, "Bob")
    with browsing.server_down():
        server.kill9()
        expect(ann.bar).to_be_visible()
        expect(ann.box).to_be_enabled()
        for text in ("one", "two", "three"):
            ann.say(text)
        expect(ann.pending).to_have_count(3)
        server.start()
        ann.shows("one", "two", "three")
        bob.shows("one", "two", "three")
    assert stored(server) == ["one", "two", "three"]


def test_reload_while_there_is_no_connection(server: Server, browsing: Browsing) -> None:
    """UI-04: what waits is still there after a reload, beside what was said before, and so is the draft."""
    wire = Wire()
    ann = ThePage(browsing, server, "Ann", wire=wire)
    ann.say("before")
    ann.shows("before")
    wire.pull()
    ann.say("kept 1")
    ann.say("kept 2")
    ann.box.fill("half a sen")
    expect(ann.pending).to_have_count(2)
    eventually(lambda: len(ann.page.evaluate(ARCHIVED)) == 1, "the room is in the archive")
    ann.page.reload()
    expect(ann.pending).to_have_count(2)
    expect(ann.texts).to_have_text(["before"])
    expect(ann.box).to_have_value("half a sen")
    wire.cut = False
    ann.shows("before", "kept 1", "kept 2")
    assert stored(server) == ["before", "kept 1", "kept 2"]


@pytest.mark.parametrize("command", ["/nonsense", "/msg Nobody hi"])
def test_what_cannot_be_done_stays_in_the_box(shared_server: Server, browsing: Browsing, command: str) -> None:
    """UI-13: an unknown command is not said, stays in the box, and one is told why."""
    ann = ThePage(browsing, shared_server, "Ann", query=f"?room={command[1:4]}")
    ann.say(command)
    expect(ann.page.locator("#hint")).not_to_be_empty()
    expect(ann.box).to_have_value(command)
    expect(ann.pending).to_have_count(0)
    ann.say("//literal")
    ann.shows("/literal")
