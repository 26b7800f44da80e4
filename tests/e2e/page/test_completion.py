"""Names, commands and emoji are offered while one writes."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server


def test_names(shared_server: Server, browsing: Browsing) -> None:
    """UI-13: names are offered in the middle of a sentence, walked through by arrows, taken by Tab or Enter."""
    ann = ThePage(browsing, shared_server, "Ann", query="?room=names")
    for nick in ("Bob", "Bobby", "陈子墨"):
        ThePage(browsing, shared_server, nick, query="?room=names")
    expect(ann.page.locator("aside .person")).to_have_count(4)
    options = ann.page.get_by_role("option")
    expect(ann.box).to_have_attribute("aria-controls", "suggestions")
    expect(ann.box).not_to_have_attribute("aria-activedescendant", re.compile("."))
    ann.box.press_sequentially("ask @bo")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    ann.box.press("ArrowDown")
    chosen = options.nth(1)
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(ann.box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    name = chosen.locator("bdi").inner_text()
    ann.box.press("Tab")
    expect(ann.box).to_have_value(f"ask @{name} ")
    expect(ann.box).to_be_focused()
    expect(options).to_have_count(0)
    ann.box.press_sequentially("和@陈")
    expect(options).to_have_count(1)
    ann.box.press("Enter")
    expect(ann.box).to_have_value(f"ask @{name} 和 @陈子墨 ")
    expect(ann.pending).to_have_count(0)
    ann.box.press_sequentially("@bob")
    expect(options).to_have_count(2)
    ann.box.press("Escape")
    expect(options).to_have_count(0)
    ann.box.press("Enter")
    ann.shows(f"ask @{name} 和 @陈子墨 @bob")


def test_emoji_and_commands(shared_server: Server, browsing: Browsing) -> None:
    """UI-13: emoji are found by English and Chinese words, commands at the beginning only; `:)` is left alone."""
    ann = ThePage(browsing, shared_server, "Ann emoji", query="?room=emoji")
    options = ann.page.get_by_role("option")
    ann.box.press_sequentially("well done :tada")
    expect(options.first).to_contain_text("🎉")
    ann.box.press("Tab")
    expect(ann.box).to_have_value("well done 🎉 ")
    ann.box.press_sequentially(":谢谢")
    expect(options.first).to_contain_text("🙏")
    ann.box.press("Enter")
    ann.box.press_sequentially("see /he and 12:30 :)")
    expect(options).to_have_count(0)
    ann.box.fill("")
    ann.box.press_sequentially("/hel")
    expect(options).to_have_count(1)
    ann.box.press("Tab")
    expect(ann.box).to_have_value("/help ")
    ann.box.press("Enter")
    expect(ann.page.get_by_role("dialog")).to_contain_text("Keyboard")
    ann.page.keyboard.press("Escape")
    expect(ann.page.get_by_role("dialog")).to_have_count(0)
    expect(ann.box).to_be_focused()
