"""What tells a person who looks elsewhere: title, icon, counts, notifications."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from e2e.browsing import Browsing
from e2e.page.filling import fill
from e2e.page.thepage import ThePage
from e2e.peers import WebSocketPeer
from e2e.server import Server

LOW = {"width": 1200, "height": 500}

# A browser that is driven is always in front: that somebody looks elsewhere is what these two change.
_LOOKS = """(looks) => {
  document.hasFocus = () => looks;
  dispatchEvent(new Event(looks ? "focus" : "blur"));
}"""

_COUNT_REQUESTS = """() => {
  globalThis.asked = [];
  const { Notification } = globalThis;
  const ask = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => {
    asked.push(navigator.userActivation.isActive);
    return ask();
  };
}"""

# Chromium without a screen has nowhere to show them.
_COLLECT_NOTIFICATIONS = """() => {
  globalThis.shown = [];
  const { Notification } = globalThis;
  globalThis.Notification = class {
    static permission = Notification.permission;
    static requestPermission = () => Notification.requestPermission();
    constructor(title, { body, tag }) { shown.push([title, body, tag]); }
  };
}"""


def test_title_and_counts(shared_server: Server, browsing: Browsing) -> None:
    """UI-11: the title counts what is unread until one looks and is at the end; mentions count by themselves."""
    fill(shared_server, "title", 40)
    ann = ThePage(browsing, shared_server, "Ann-title", query="?room=title", viewport=LOW)
    icon, here = ann.page.locator("link[rel=icon]"), ann.page.get_by_role("button", name="title")
    expect(ann.page).to_have_title("title · Chat")
    expect(icon).to_have_attribute("data-dot", "")
    with WebSocketPeer(shared_server.socket_url(room="title", nick="Bob title")) as bob:
        bob.arrived()
        ann.page.evaluate(_LOOKS, False)
        bob.say("one")
        expect(ann.page).to_have_title("(1) title · Chat")
        expect(icon).to_have_attribute("data-dot", "quiet")
        expect(here.locator(".badge")).to_have_count(0)
        bob.say("two for @Ann-title")
        expect(ann.page).to_have_title("(2) title · Chat")
        expect(icon).to_have_attribute("data-dot", "loud")
        expect(here.locator(".badge.loud")).to_have_text("11 for you")  # for the eyes, and for a reader
        # At the end, but nobody looks: nothing changes. Somebody looks, but further up: nothing changes either.
        ann.scroller.evaluate("(it) => { it.scrollTop = 0 }")
        expect(ann.pill).to_be_visible()
        ann.page.evaluate(_LOOKS, True)
        bob.say("three")
        expect(ann.page).to_have_title("(3) title · Chat")
        ann.pill.click()
        expect(ann.page).to_have_title("title · Chat")
        expect(icon).to_have_attribute("data-dot", "")
        expect(here.locator(".badge")).to_have_count(0)
        bob.say("four")
        expect(ann.row("four")).to_be_in_viewport()
        expect(ann.page).to_have_title("title · Chat")


def test_notifications(shared_server: Server, browsing: Browsing) -> None:
    """UI-11: the right to notify is asked for by a click in the settings only; then a mention is shown."""
    ann = ThePage(browsing, shared_server, "Ann-bell", query="?room=bell")
    ann.page.evaluate(_COUNT_REQUESTS)
    with WebSocketPeer(shared_server.socket_url(room="bell", nick="Bob bell")) as bob:
        bob.arrived()
        ann.page.evaluate(_LOOKS, False)
        bob.say("@Ann-bell are you there?")
        expect(ann.page).to_have_title("(1) bell · Chat")
        ann.page.evaluate(_LOOKS, True)
        expect(ann.page).to_have_title("bell · Chat")
        assert ann.page.evaluate("asked") == []

        wish = wish_for_notifications(ann.page)
        wish.click()
        expect(ann.page.get_by_role("alert")).to_contain_text("The browser does not allow it")
        expect(wish).not_to_be_checked()
        ann.page.context.grant_permissions(["notifications"])
        wish.click()
        expect(ann.page.get_by_role("alert")).to_have_count(0)
        expect(wish).to_be_checked()
        assert ann.page.evaluate("asked") == [True, True], "each time by a click"
        ann.page.keyboard.press("Escape")

        ann.page.evaluate(_COLLECT_NOTIFICATIONS)
        ann.page.evaluate(_LOOKS, False)
        bob.say("nothing for anybody")
        bob.say("@Ann-bell now?")
        ann.page.wait_for_function("() => shown.length > 0")
        assert ann.page.evaluate("shown") == [["Bob bell · bell", "@Ann-bell now?", "chat bell"]]


def wish_for_notifications(page: Page) -> Locator:
    """Open the settings; the box that wishes for notifications."""
    page.get_by_role("button", name="Settings").click()
    return page.get_by_label("Show notifications on this device")
