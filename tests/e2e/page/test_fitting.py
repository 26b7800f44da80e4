"""UI-18: small windows, great magnification, fingers, and readers who space the text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.fitting import cut, small, space_out
from e2e.page.talker import Talker
from e2e.page.thepage import ThePage
from e2e.server import Server

SMALLEST = {"width": 320, "height": 640}
MAGNIFIED = {"width": 320, "height": 256}  # what is left of 1280 × 1024 at 400 %
FINGER: dict[str, Any] = {"viewport": SMALLEST, "is_mobile": True, "has_touch": True}
ROOM = "a-room-with-quite-a-long-name"
CODE = "```js\nconst everything = await import('./a/very/long/path/to/some/module/or/other.js');\n```"


@contextmanager
def furnish(server: Server) -> Iterator[None]:
    """Some of everything in a room, and two who stay in it."""
    with (
        Talker(server, "Maximiliane Oberstaufenbergerin", ROOM) as one,
        Talker(server, "林晓雯", ROOM) as other,
    ):
        first = one.say("早！please read https://example.com/" + "long" * 20 + " and tell me **what you think**")
        other.ask("react", ref=first, emoji="👍", on=True)
        other.ask("react", ref=first, emoji="🎉", on=True)
        other.say("看过了", reply=first)
        one.say(CODE)
        one.say("> said\n\n- one\n- two\n\n1. " + "W" * 90)
        yield


@pytest.fixture(scope="module")
def furnished(shared_server: Server) -> Iterator[Server]:
    """A server with a room in which there is some of everything."""
    with furnish(shared_server):
        yield shared_server


def command(visitor: ThePage, words: str) -> None:
    """By the button: where one touches, Enter begins a line."""
    visitor.box.fill(words)
    visitor.page.locator(".send").click()


Show = Callable[[ThePage], None]


def show_room(visitor: ThePage) -> None:
    """The room; the actions of a message are shown too."""
    visitor.row("看过了").focus()
    expect(visitor.page.get_by_role("toolbar")).to_be_visible()


def show_rooms(visitor: ThePage) -> None:
    """The list of rooms, on a narrow page a page of its own."""
    if visitor.page.locator(".back").is_visible():
        visitor.page.locator(".back").click()
        expect(visitor.page.locator(".alone")).to_be_attached()
    expect(visitor.page.locator(".place")).not_to_have_count(0)


def show_members(visitor: ThePage) -> None:
    """Who is here, and the menu of one of them."""
    if not visitor.page.locator("aside").is_visible():
        visitor.page.locator(".count").click()
    visitor.page.locator("aside .person", has_text="林晓雯").click()
    expect(visitor.page.locator(".menu")).to_be_visible()


def show_search(visitor: ThePage) -> None:
    """Something was looked for and found."""
    visitor.page.locator(".head .plain[aria-expanded]").click()
    visitor.page.locator(".search input").fill("看过了")
    visitor.page.locator(".search input").press("Enter")
    expect(visitor.page.locator(".hits li")).to_have_count(1)


def show_settings(visitor: ThePage) -> None:
    """The settings, with the form to sign in."""
    show_rooms(visitor)
    visitor.page.locator(".rooms footer .plain").click()
    visitor.page.locator("dialog .link[aria-expanded]").click()
    expect(visitor.page.locator("dialog input[name=password]")).to_be_visible()


def show_keys(visitor: ThePage) -> None:
    """All keys and commands."""
    command(visitor, "/help")
    expect(visitor.page.locator("dialog .keys")).to_have_count(2)


def show_room_menu(visitor: ThePage) -> None:
    """What concerns the room."""
    visitor.page.locator(".head .plain").last.click()
    expect(visitor.page.locator("dialog.room")).to_be_visible()


def show_choices(visitor: ThePage) -> None:
    """Rooms to choose from."""
    show_rooms(visitor)
    visitor.page.locator(".find").click()
    expect(visitor.page.locator(".choices li")).not_to_have_count(0)


def show_emoji(visitor: ThePage) -> None:
    """Emoji to choose from."""
    visitor.page.locator(".writing .plain").click()
    expect(visitor.page.locator(".picker .grid button").first).to_be_visible()


def show_completion(visitor: ThePage) -> None:
    """Commands that could be meant."""
    visitor.box.press_sequentially("/")
    expect(visitor.page.get_by_role("option").first).to_be_visible()


def show_new_name(visitor: ThePage) -> None:
    """Another name is asked for."""
    command(visitor, "/nick")
    expect(visitor.page.locator("dialog.nick")).to_be_visible()


SHOWS: list[Show] = [
    show_room, show_rooms, show_members, show_search, show_settings, show_keys, show_room_menu, show_choices,
    show_emoji, show_completion, show_new_name,
]  # fmt: skip


def visit(server: Server, browsing: Browsing, own: str = "\0", **context: Any) -> ThePage:
    """A visitor of the furnished room, and what is seen at the door on the way."""
    visitor = ThePage(browsing, server, query=f"?room={ROOM}", **context)
    assert cut(visitor.page, own) == []
    visitor.page.locator("input[name=nick]").fill("Ann of the fitting room")
    visitor.page.locator(".letter button[type=submit]").click()
    expect(visitor.page.locator(".code")).to_be_attached()
    return visitor


def again(visitor: ThePage) -> None:
    """The room as it is found."""
    visitor.page.reload()
    expect(visitor.page.locator(".code")).to_be_attached()


@pytest.mark.parametrize(
    "viewport", [SMALLEST, pytest.param(MAGNIFIED, marks=pytest.mark.slow)], ids=["320 pixels", "400 %"]
)
def test_small_windows(furnished: Server, browsing: Browsing, viewport: dict[str, int]) -> None:
    """In 320 pixels, and magnified four times, all is read without scrolling sideways, and can be pressed; in 320
    pixels nothing is cut off either with more space between lines, letters and words."""
    visitor = visit(furnished, browsing, viewport=viewport)
    wrongs = {}
    for show in SHOWS:
        show(visitor)
        wrongs[show.__name__] = [*cut(visitor.page), *small(visitor.page, 24)]
        if viewport == SMALLEST:
            space_out(visitor.page)
            wrongs[f"{show.__name__}, spaced out"] = cut(visitor.page)
        again(visitor)
    assert {name: found for name, found in wrongs.items() if found} == {}
    expect(visitor.box).to_be_in_viewport(ratio=1)
    expect(visitor.page.locator(".send")).to_be_in_viewport(ratio=1)
    assert visitor.scroller.evaluate("it => it.clientHeight") >= 64  # at least two lines to read


def test_fingers(furnished: Server, browsing: Browsing) -> None:
    """On a screen that is touched, whatever is pressed is as large as a finger."""
    visitor = visit(furnished, browsing, **FINGER)
    wrongs = {}
    for show in SHOWS:
        show(visitor)
        wrongs[show.__name__] = [*cut(visitor.page), *small(visitor.page, 44)]
        again(visitor)
    assert {name: found for name, found in wrongs.items() if found} == {}
