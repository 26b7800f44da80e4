"""The first page: a name that cannot be had is told there."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from e2e.browsing import Browsing
from e2e.page.thepage import PHONE, ThePage, has_begun
from e2e.server import Server, eventually


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


WATCH_THE_DOOR = """
window.made = new Promise((resolve) => addEventListener("DOMContentLoaded", () =>
  resolve([...document.querySelectorAll("#app *")])));
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { window.shifts += value; }))
  .observe({ type: "layout-shift", buffered: true });
"""
SAME = """async () => {
  const made = await window.made;
  const now = [...document.querySelectorAll("#app *")];
  return [made.length > 10, now.length === made.length, now.every((element, index) => element === made[index])];
}"""


@pytest.mark.parametrize("context", [{"locale": "en-US"}, {"locale": "zh-CN", **PHONE}], ids=["wide", "phone"])
def test_there_before_the_page(shared_server: Server, browsing: Browsing, context: dict[str, Any]) -> None:
    """The door stands in the HTML already, in one's language; the page goes on with these very elements, and
    nothing moves."""
    page = browsing.page("about:blank", chat=shared_server.page_url.split("/")[2], **context)
    page.add_init_script(WATCH_THE_DOOR)
    page.goto(shared_server.page_url + "?room=tea")
    has_begun(page)
    assert page.locator("html").get_attribute("lang") == context["locale"].removesuffix("-US")
    expect(page.locator("input[name=nick]")).to_be_focused()
    assert page.evaluate(SAME) == [True, True, True]
    assert page.evaluate("window.shifts") == 0
    expect(page.locator("#app p").first).to_contain_text("#tea")


def test_faster_than_the_page(shared_server: Server, browsing: Browsing) -> None:
    """A name that is given before the script is there is taken when it comes; nothing leaves the page."""
    page = browsing.page("about:blank", chat=shared_server.page_url.split("/")[2])
    waiting: list[Route] = []
    page.route("**/app/app.*.js", lambda route: waiting.append(route))
    page.goto(shared_server.page_url + "?room=door", wait_until="commit")
    page.locator("input[name=nick]").fill("Flash")
    page.keyboard.press("Enter")
    assert page.url == shared_server.page_url + "?room=door"
    eventually(lambda: page.wait_for_timeout(10) or waiting, "the script is asked for")
    waiting.pop().continue_()
    expect(page.locator(".me bdi")).to_have_text("Flash")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_other_theme_before(shared_server: Server, browsing: Browsing, theme: str) -> None:
    """Who has chosen a theme sees no other one for a moment, nor the door when it is passed already."""
    other: Any = "light" if theme == "dark" else "dark"
    ann = ThePage(browsing, shared_server, "Ann", query="?room=door", color_scheme=other, service_workers="block")
    ann.page.evaluate("(theme) => localStorage.setItem('chat.theme', JSON.stringify(theme))", theme)
    waiting: list[Route] = []
    ann.page.route("**/app/app.*.js", lambda route: waiting.append(route))
    ann.page.reload(wait_until="commit")
    frame = ann.page.locator(".page > .rooms")
    expect(frame).to_have_css("background-color", "rgb(14, 16, 19)" if theme == "dark" else "rgb(241, 238, 230)")
    expect(ann.page.locator("input")).to_have_count(0)
    eventually(lambda: ann.page.wait_for_timeout(10) or waiting, "the script is asked for")
    waiting.pop().continue_()
    ann.is_in()
