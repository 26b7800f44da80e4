"""The page about the wire: a visitor's own connection, octet by octet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from npm import installed
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.fitting import cut, small
from e2e.page.test_axe import HERE, Judge
from e2e.page.thepage import PHONE
from e2e.server import Server


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """One server for all of these."""
    return shared_server


def visit(browsing: Browsing, server: Server, query: str = "", **context: Any) -> Page:
    """The page, once it has been told about its handshake."""
    page = browsing.page(f"{server.page_url}wire{query}", **context)
    expect(page.locator("#anatomy .steps")).to_be_visible()
    return page


def say(page: Page, text: str) -> None:
    """Send something and wait until it has come back and been shown."""
    page.locator("#say").fill(text)
    page.locator("#say").press("Enter")


def test_the_handshake(server: Server, browsing: Browsing) -> None:
    """Request, answer and every step between are shown; the cookie's value is not."""
    page = browsing.page(server.page_url + "lite")
    page.context.add_cookies([{"name": "chat", "value": "a-secret-word", "url": server.page_url}])
    page.goto(server.page_url + "wire")
    anatomy = page.locator("#anatomy")
    expect(anatomy.locator("pre").first).to_contain_text("GET /wire?lang=en")
    expect(anatomy.locator("pre").first).to_contain_text("Cookie: (18 octets not shown)")
    expect(anatomy.locator("pre").last).to_contain_text("101 Switching Protocols")
    accept = anatomy.locator(".steps code").last.text_content()
    assert accept and accept in (anatomy.locator("pre").last.text_content() or "")
    assert "a-secret-word" not in page.content()


def test_a_frame_taken_apart(server: Server, browsing: Browsing) -> None:
    """Bits, key, masked and plain octets, code points, the verdict and the echo's time of a Chinese text."""
    page = visit(browsing, server)
    say(page, "你好")
    anatomy = page.locator("#anatomy")
    expect(anatomy.locator(".octets > span")).to_have_count(6)
    expect(anatomy.locator(".points > span")).to_have_count(2)
    expect(anatomy.locator(".points")).to_contain_text("U+4F60e4 bd a0")
    expect(anatomy.locator(".good")).to_contain_text(["UTF-8: good."])
    rows = anatomy.locator(".octets > span")
    for at, plain in enumerate("e4bda0e5a5bd"[i : i + 2] for i in range(0, 12, 2)):
        masked, key, shown = rows.nth(at).locator("span").all_text_contents()
        assert shown == plain and int(masked, 16) ^ int(key, 16) == int(plain, 16)
    echo = page.locator("#line button", has_text="←").filter(has_text="text 你好")
    echo.click()
    expect(anatomy).to_contain_text(re.compile(r"You heard the echo [\d.]+ ms after you sent"))
    expect(page.locator("#line button", has_text="pong").first).to_be_visible()
    page.locator("#line button", has_text="pong").first.click()
    expect(anatomy).to_contain_text(re.compile(r"The pong came [\d.]+ ms after"))


def test_octets_that_are_no_text(server: Server, browsing: Browsing) -> None:
    """Octets typed in hexadecimal go as they are; where they would fail as text is marked, nonsense is refused."""
    page = visit(browsing, server)
    page.locator("#as-octets").click()
    say(page, "61 c3 28")
    anatomy = page.locator("#anatomy")
    expect(anatomy.locator(".bad")).to_have_text(
        "As text it would fail at octet 1 (c3): invalid continuation byte."
    )
    expect(anatomy.locator(".octets .fails .p")).to_have_text("c3")
    say(page, "61 c")
    expect(page.locator("#trouble")).to_be_visible()


def test_everything_there_is_to_try(server: Server, browsing: Browsing) -> None:
    """Every button sends what it says: all three forms of the length, nothing, and half an emoji, which becomes
    U+FFFD before it leaves the browser."""
    page = visit(browsing, server)
    buttons = page.locator("#tries button")
    frames = page.locator("#line button", has=page.locator(".to")).filter(has_not_text="pong")
    for at in range(buttons.count()):
        buttons.nth(at).click()
        expect(frames).to_have_count(at + 1)
    frames.filter(has_text="xxxx").last.click()
    expect(page.locator("#anatomy")).to_contain_text("Payload, 65536 octets")
    expect(page.locator("#anatomy")).to_contain_text("127 stands for")
    frames.nth(3).click()
    expect(page.locator("#anatomy .points")).to_contain_text("U+FFFD")


def test_every_dialect(server: Server, browsing: Browsing) -> None:
    """A text appears as every dialect tells it; what is markup stays text; coming and going are there at once."""
    page = visit(browsing, server)
    voices = page.locator("#voices .voice")
    page.locator("#events button", has_text="enter").click()
    expect(voices.first).to_contain_text("user1 comes in")
    say(page, "<img src=x onerror=alert(1)>")
    expect(voices).to_have_count(10)
    for words in ("/v1", "TCP", "Socket.IO 2", "server-sent events", "id: k3f9:1"):
        expect(page.locator("#voices")).to_contain_text(words)
    assert page.locator("#voices img, #line img, #anatomy img").count() == 0


def test_the_end_and_a_new_beginning(server: Server, browsing: Browsing) -> None:
    """The connection is closed and opened anew by its buttons, also with compression offered and declined."""
    page = visit(browsing, server)
    page.locator("#close").click()
    expect(page.locator("#lamp")).to_have_text("closed, 1000")
    say(page, "deaf")
    expect(page.locator("#trouble")).to_be_visible()
    page.locator("#again").click()
    expect(page.locator("#lamp")).to_have_text("open")
    page.locator("#deflate").check()
    expect(page.locator("#anatomy pre").first).to_contain_text("deflate=1")


def test_a_bug_report(server: Server, browsing: Browsing) -> None:
    """All of it goes to the clipboard as text, and where there is no clipboard into a box to copy from."""
    page = visit(browsing, server, permissions=["clipboard-read", "clipboard-write"])
    say(page, "你好")
    expect(page.locator("#anatomy .points")).to_be_visible()
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # what is shown for a moment stays
    page.locator("#report").click()
    expect(page.locator("#report")).to_have_text("Copied")
    report = page.evaluate("navigator.clipboard.readText()")
    for words in ("browser: Mozilla", "GET /wire", "SHA-1: ", "payload: e4 bd a0 e5 a5 bd", "UTF-8: good"):
        assert words in report
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.clock.run_for(2000)
    expect(page.locator("#report")).to_have_text("Copy as bug report")
    page.locator("#report").click()
    assert page.locator("#report-text").input_value().startswith("chatservice /wire\n")


def test_by_keyboard(server: Server, browsing: Browsing) -> None:
    """With the Tab key and Enter alone one sends, chooses a frame and reads it."""
    page = visit(browsing, server)
    page.locator("#say").focus()
    page.keyboard.type("hi")
    page.keyboard.press("Enter")
    expect(page.locator("#anatomy .points")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#line') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    expect(page.locator("#anatomy .steps")).to_be_visible()


@pytest.mark.parametrize("lang", ["en", pytest.param("zh-CN", marks=pytest.mark.slow)])
def test_how_it_looks(server: Server, browsing: Browsing, lang: str) -> None:
    """None of axe's rules is broken, wide and narrow, light and dark, in both languages; nothing is cut; what is
    pressed is as large as a finger where fingers are."""
    judge = Judge((installed(HERE / "axe") / "axe-core" / "axe.min.js").read_text("utf-8"))
    page = visit(browsing, server, f"?lang={lang}", bypass_csp=True, viewport={"width": 1440, "height": 900})
    judge.looks(page, "handshake")
    page.set_viewport_size({"width": 1440, "height": 900})
    say(page, "你好 world")
    expect(page.locator("#anatomy .points")).to_be_visible()
    judge.looks(page, "frame")
    assert not judge.found, "\n".join(judge.found)
    assert cut(page) == []
    assert page.locator("html").get_attribute("lang") == lang
    phone = visit(browsing, server, f"?lang={lang}", **PHONE)
    say(phone, "你好 world")
    expect(phone.locator("#anatomy .points")).to_be_visible()
    assert [*cut(phone), *small(phone, 44)] == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
