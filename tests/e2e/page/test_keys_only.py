"""The whole visit by keys alone: the focus is always somewhere, and one sees where."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.thepage import Frame, ThePage, Wire
from e2e.server import Server

# What has the focus: its name for us, the colour of the ring, and the colour that the ring is drawn on. Where one
# writes, the ring is the border of the sheet around the box.
_FOCUSED = """() => {
  const at = document.activeElement;
  const ring = at.id === "text" ? at.closest(".sheet") : at;
  const style = getComputedStyle(ring);
  const inside = at.id === "text" || parseFloat(style.outlineOffset) < 0;
  let under = inside ? ring : ring.parentElement;
  const clear = /^(transparent|rgba\\(.*, 0\\))$/;
  while (under.parentElement && clear.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  return {
    at: at === document.body ? ""
      : at.id || at.getAttribute("aria-label") || at.textContent.trim() || at.className,
    ring: at.id === "text" ? style.borderTopColor : style.outlineStyle === "none" ? "" : style.outlineColor,
    under: getComputedStyle(under).backgroundColor,
  };
}"""


def focused(page: Page) -> dict[str, Any]:
    """What has the focus; something must have it as soon as all is drawn that has changed."""
    page.wait_for_function("() => document.activeElement !== document.body")
    found: dict[str, Any] = page.evaluate(_FOCUSED)
    return found


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as CSS computes them (WCAG 2.2, "contrast ratio")."""

    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def press(page: Page, *keys: str) -> None:
    """Press keys; after each of them something has the focus."""
    for key in keys:
        page.keyboard.press(key)
        focused(page)


def go_to(page: Page, name: str, key: str = "Tab", most: int = 30) -> None:
    """Press Tab until something of that name has the focus."""
    for _ in range(most):
        if focused(page)["at"].startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} is not reached by {key}")


def test_a_visit(server: Server, browsing: Browsing) -> None:
    """UI-15: come in, speak, change rooms, look who is there, retry what failed, leave: without a mouse."""
    wire = Wire()
    ann = ThePage(browsing, server, wire=wire, viewport={"width": 900, "height": 700})
    page = ann.page
    expect(page.locator("input[name=nick]")).to_be_focused()
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")
    ann.is_in()
    assert focused(page)["at"] == "text"
    page.keyboard.type("hello")
    press(page, "Enter")
    ann.shows("hello")

    # Another room, and back.
    page.keyboard.type("/join tea")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("tea")
    press(page, "Alt+ArrowUp")
    expect(page.locator("h1")).to_have_text("lobby")
    go_to(page, "#tea", "Shift+Tab")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("tea")

    # The members: into their drawer, back to the button that opened it, and again, to do something there.
    go_to(page, "Members, 1 here", "Shift+Tab")
    press(page, "Enter")
    expect(page.locator("aside .drawer button")).to_be_focused()
    go_to(page, "AN")
    press(page, "Enter", "Tab", "Escape")
    assert focused(page)["at"].startswith("AN"), "Escape leaves the menu first"
    press(page, "Escape")
    expect(page.locator("aside")).not_to_be_visible()
    assert focused(page)["at"] == "Members, 1 here"
    press(page, "Enter")
    go_to(page, "AN")
    press(page, "Enter")
    go_to(page, "Away")
    press(page, "Enter")
    expect(page.locator("aside .lamp.away")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("aside")).not_to_be_visible()

    # What failed is tried again.
    go_to(page, "text")

    def refuse(frame: Frame) -> bool:
        """Refuse a message in the server's place."""
        if frame["type"] != "message":
            return False
        wire.tell({"type": "error", "id": frame["id"], "code": "forbidden", "message": "no", "temporary": False})
        return True

    wire.catch = refuse
    page.keyboard.type("again")
    press(page, "Enter")
    expect(ann.pending.locator(".fate.failed")).to_be_visible()
    wire.catch = lambda frame: False
    go_to(page, "Retry", "Shift+Tab")
    press(page, "Enter")
    ann.shows("again")
    assert focused(page)["at"] == "text"

    # A dialog keeps the focus and gives it back; then the room is left.
    press(page, "Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "Shift+Tab", "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page)["at"] == "text"
    go_to(page, "Room menu", "Shift+Tab")
    press(page, "Enter")
    go_to(page, "Leave the room")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("lobby")
    expect(page.get_by_role("dialog")).to_have_count(0)
    focused(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_rings(shared_server: Server, browsing: Browsing, scheme: str) -> None:
    """UI-15: wherever Tab leads there is a ring, with a contrast of at least three to what it is drawn on."""
    visitor = ThePage(browsing, shared_server, query=f"?room=rings-{scheme}", color_scheme=scheme)
    page = visitor.page
    for stop in stops(page):
        assert_seen(stop)
    visitor.enter(f"Ann {scheme}")
    visitor.say("a link https://example.com/ and\n```\ncode\n```")
    expect(visitor.rows).to_have_count(1)
    seen = stops(page)
    assert len(seen) >= 12, seen
    for stop in seen:
        assert_seen(stop)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    for stop in stops(page):
        assert_seen(stop)


def stops(page: Page) -> list[dict[str, Any]]:
    """All places that Tab leads to, until it is where it began."""
    found: list[dict[str, Any]] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if not stop["at"]:
            continue  # the browser itself, after the last one
        if stop in found:
            break
        found.append(stop)
    return found


def assert_seen(stop: dict[str, Any]) -> None:
    """Its ring is there and can be told from what is under it."""
    assert stop["ring"], stop
    assert contrast(stop["ring"], stop["under"]) >= 3, stop


def test_long_lists(shared_server: Server, browsing: Browsing) -> None:
    """UI-15: on a low screen the chosen one of many suggestions is always seen."""
    ann = ThePage(browsing, shared_server, "Ann low", query="?room=low", viewport={"width": 900, "height": 360})
    ann.box.press_sequentially("/")
    chosen = ann.page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_contain_text("/me")
    ann.box.press("ArrowUp")
    expect(chosen).to_contain_text("/mute")
    expect(chosen).to_be_in_viewport(ratio=1)
