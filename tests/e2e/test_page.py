"""Our own page: a name, talk, who is there, what was said before; on a phone; in two languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.ourpage import OurPage
from e2e.peers import LinePeer, WebSocketPeer
from e2e.server import Server

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}


def test_two_people_talk(server: Server, browsing: Browsing) -> None:
    """Two visitors say their names at the door, see each other come, and read what the other writes."""
    ann = OurPage(browsing, server, "Ann")
    expect(ann.page.locator("#empty")).to_be_visible()
    bob = OurPage(browsing, server, "小明")
    expect(ann.page.locator("#rows li.enter")).to_have_text("小明 comes in")
    ann.say("hello 👋")
    bob.shows("hello 👋")
    bob.say("你好，\nAnn")
    ann.shows("hello 👋", "你好，\nAnn")
    expect(ann.pending).to_have_count(0)
    expect(ann.page.locator("#empty")).to_be_hidden()
    expect(ann.page.locator("#rows .nick")).to_have_text(["Ann", "小明"])
    expect(ann.box).to_have_value("")


def test_who_is_there(server: Server, browsing: Browsing) -> None:
    """The list of people follows who comes, changes their name and goes; one's own entry is marked."""
    ann = OurPage(browsing, server, "Ann")
    names = ann.page.locator("#people-list li")
    expect(names).to_have_text([re.compile(r"Ann \(you\)$")])
    with LinePeer(server.line_port) as line:
        line.say("/nick Bob")
        expect(names).to_have_text([re.compile(r"Ann \(you\)$"), re.compile("Bob$")])
        expect(ann.page.locator("#people-count")).to_have_text("2")
        ann.say("/nick Zoe")
        expect(names).to_have_text([re.compile("Bob$"), re.compile(r"Zoe \(you\)$")])
        expect(ann.page.locator("#own-nick")).to_have_text("Zoe")
        line.hears("* Ann is now Zoe")
    expect(names).to_have_count(1)
    expect(ann.page.locator("#people-count")).to_have_text("1")
    expect(ann.page.locator("#rows li.leave")).to_have_text("Bob left")


def test_a_taken_name_is_told(server: Server, browsing: Browsing) -> None:
    """Who comes with a name that somebody has gets another one and is told so; nobody is doubled."""
    with WebSocketPeer(server.socket_url(nick="Ann")) as first:
        first.arrived()
        second = OurPage(browsing, server, "ann")
        expect(second.page.locator("#rows li.notice")).to_have_text("* the name ann is taken")
        assert sorted(second.people()) == ["Ann", second.page.locator("#own-nick").inner_text()]


def test_history_on_load_and_on_demand(shared_server: Server, browsing: Browsing) -> None:
    """The last 50 messages are there at once; a button brings the earlier ones, each once and in order."""
    said = [f"message {number}" for number in range(1, 71)]
    with WebSocketPeer(shared_server.socket_url(room="long")) as writer:
        writer.arrived()
        for text in said:
            writer.say(text)
        writer.until(lambda _: len(writer.said) == len(said))
    visitor = OurPage(browsing, shared_server, "Ann", query="?room=long")
    visitor.shows(*said[-50:])
    at_bottom = "e => e.scrollHeight - e.clientHeight - e.scrollTop <= 1"
    assert visitor.page.locator("#scroller").evaluate(at_bottom)
    visitor.page.get_by_role("button", name="Show earlier messages").click()
    visitor.shows(*said)
    expect(visitor.page.locator("#earlier")).to_be_hidden()


def test_the_name_is_remembered(server: Server, browsing: Browsing) -> None:
    """Who comes back is in again at once, under the same name, with what was said."""
    ann = OurPage(browsing, server, "Ann")
    ann.say("one")
    ann.shows("one")
    ann.page.reload()
    ann.is_in()
    ann.shows("one")
    assert ann.people() == ["Ann"]
    expect(ann.page.locator("#door")).to_be_hidden()


def test_a_pasted_stack_of_lines_is_never_refused(server: Server, browsing: Browsing) -> None:
    """Twelve messages at once, more than the server takes in one go, all arrive, in order."""
    ann = OurPage(browsing, server, "Ann")
    said = [f"line {number}" for number in range(12)]
    for text in said:
        ann.say(text)
    ann.shows(*said)
    expect(ann.pending).to_have_count(0)
    expect(ann.page.locator("#rows li.notice")).to_have_count(0)


def test_on_a_phone(shared_server: Server, browsing: Browsing) -> None:
    """At 360 px nothing scrolls sideways, the send button is in reach, and the list of people opens."""
    with WebSocketPeer(shared_server.socket_url(room="phone", nick="N" * 32)) as other:
        visitor = OurPage(browsing, shared_server, query="?room=phone", **PHONE)
        assert_fits(visitor)
        visitor.enter("M" * 32)
        other.say("long" * 200)
        other.say("https://example.invalid/" + "path/" * 50)
        expect(visitor.rows).to_have_count(2)
        assert_fits(visitor)
        visitor.box.fill("by thumb\nin two lines")
        expect(visitor.page.locator("#send")).to_be_in_viewport(ratio=1)
        visitor.page.locator("#send").tap()
        expect(visitor.rows.last).to_have_text("by thumb\nin two lines")
        expect(visitor.rows.last).to_be_in_viewport()
        people = visitor.page.locator("#people")
        expect(people).to_be_hidden()
        visitor.page.locator("#people-button").tap()
        expect(people).to_be_in_viewport()
        assert_fits(visitor)
        visitor.page.locator("#people-button").tap()
        expect(people).to_be_hidden()


def assert_fits(visitor: OurPage) -> None:
    """The page is not wider than the screen, and neither is the list of messages."""
    width = "e => e.scrollWidth - e.clientWidth"
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    assert visitor.page.locator("#scroller").evaluate(width) <= 0


@pytest.mark.parametrize(
    ("query", "locale", "lang", "button", "placeholder", "comes"),
    [
        ("", "en-GB", "en", "Enter", "Message #lobby", "Bob comes in"),
        ("", "zh-CN", "zh-CN", "进入", "发消息到 #lobby", "Bob 进来了"),
        ("?lang=zh", "en-US", "zh-CN", "进入", "发消息到 #lobby", "Bob 进来了"),
        ("?lang=en", "zh-CN", "en", "Enter", "Message #lobby", "Bob comes in"),
    ],
)
def test_in_both_languages(
    shared_server: Server,
    browsing: Browsing,
    query: str,
    locale: str,
    lang: str,
    button: str,
    placeholder: str,
    comes: str,
) -> None:
    """The page speaks English or Chinese: as the browser does, or as the address wishes."""
    visitor = OurPage(browsing, shared_server, query=query, locale=locale)
    page = visitor.page
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    visitor.enter("Ann")
    expect(visitor.box).to_have_attribute("placeholder", placeholder)
    with WebSocketPeer(shared_server.socket_url(nick="Bob")):
        expect(page.locator("#rows li.enter").last).to_have_text(comes)
    words = page.locator("[data-words]").all_text_contents()
    assert all(words)
    chinese = [word for word in words if re.search("[\u4e00-\u9fff]", word)]
    assert len(chinese) == (len(words) if lang == "zh-CN" else 0)


def test_the_language_can_be_changed_at_the_door(shared_server: Server, browsing: Browsing) -> None:
    """A button at the door changes the language; the page remembers it."""
    visitor = OurPage(browsing, shared_server)
    visitor.page.get_by_role("button", name="中文").click()
    expect(visitor.page.locator("#door h1")).to_have_text("你叫什么？")
    visitor.page.reload()
    expect(visitor.page.locator("#door h1")).to_have_text("你叫什么？")
