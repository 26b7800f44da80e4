"""The first page: a name that cannot be had is told there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server


@pytest.mark.parametrize("nick", ["/help", "@Bob", "x" * 33, "a\u202eb"])
def test_impossible_names(shared_server: Server, browsing: Browsing, nick: str) -> None:
    """A name that the server would refuse is refused at the door, with the reason; another one gets in."""
    visitor = ThePage(browsing, shared_server, query="?room=door")
    name = visitor.page.locator("input[name=nick]")
    name.fill(nick)
    name.press("Enter")
    expect(visitor.page.get_by_role("alert")).to_contain_text("At most 32 characters")
    expect(name).to_be_focused()
    visitor.enter(f"Ann {len(nick)}")


def test_name_of_an_earlier_visit(shared_server: Server, browsing: Browsing) -> None:
    """If the server refuses a name that the browser has kept, the page asks for another one."""
    visitor = ThePage(browsing, shared_server, query="?room=door")
    visitor.page.evaluate("localStorage.setItem('chat.nick', JSON.stringify('/kept'))")
    visitor.page.reload()
    visitor.page.locator("input[name=nick]").wait_for()
    visitor.enter("Ann again")
    expect(visitor.page.locator(".me bdi")).to_have_text("Ann again")
