"""Who is here, beside the room or over it."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server


def test_beside_the_room(shared_server: Server, browsing: Browsing) -> None:
    """Where there is space the button with the number of people hides and shows them, and that stays so."""
    ann = ThePage(browsing, shared_server, "Ann", query="?room=panels", viewport={"width": 1440, "height": 800})
    people, button = ann.page.locator("aside.people"), ann.page.locator(".count")
    expect(people).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(people).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    wide = ann.scroller.bounding_box()
    assert wide is not None and wide["width"] > 1180
    ann.page.reload()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(people).to_be_hidden()
    ann.page.get_by_role("button", name="Search").click()
    expect(ann.page.locator("aside.search")).to_be_visible()
    button.click()
    expect(ann.page.locator("aside.search")).to_have_count(0)
    expect(people).to_be_visible()
    button.click()
    ann.say("/who")
    expect(people).to_be_visible()


def test_over_the_room(shared_server: Server, browsing: Browsing) -> None:
    """Where there is none they lie over the room, and go when one presses beside them; so does the search."""
    bob = ThePage(browsing, shared_server, "Bob", query="?room=panels", viewport={"width": 768, "height": 800})
    people, button = bob.page.locator("aside.people"), bob.page.locator(".count")
    expect(people).to_be_hidden()
    button.click()
    expect(people).to_be_visible()
    people.locator(".person", has_text="Bob").click()
    expect(people.locator(".menu")).to_be_visible()
    bob.scroller.click(position={"x": 60, "y": 60})
    expect(people).to_be_hidden()
    button.click()
    people.get_by_role("button", name="Close").click()
    expect(people).to_be_hidden()
    expect(button).to_be_focused()
    bob.page.get_by_role("button", name="Search").click()
    expect(bob.page.locator("aside.search")).to_be_visible()
    bob.page.locator(".rooms header").click()
    expect(bob.page.locator("aside.search")).to_have_count(0)
