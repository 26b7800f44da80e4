"""What is typed into our page: input methods, and words that would like to be more than words."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.ourpage import OurPage
from e2e.peers import WebSocketPeer
from e2e.server import Server

EVIL = "<img src=x onerror=alert(1)>"
PAYLOADS = [
    "<script>alert(1)</script>",
    EVIL,
    "<svg/onload=alert(1)>",
    "\"><iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>click</a>",
    "<style>*{display:none}</style><b>bold</b>&lt;&amp;",
    "</li></ol><h1 id=evil>out</h1>",
    "{{7*7}} ${7*7} %s {0} {nick}",
]
FOREIGN = "img[src=x], script:not([src]), svg[onload], iframe, #chat a, #rows style, #rows .text *, #evil"


def test_markup_is_shown_as_text(server: Server, browsing: Browsing) -> None:
    """HTML as nick and as text is shown letter by letter, to those who see it live and to those who come later."""
    live = OurPage(browsing, server, "Ann")
    with WebSocketPeer(server.socket_url("/text", nick=EVIL)) as other:
        for payload in PAYLOADS:
            other.say(payload)
        other.say(f"/me {EVIL}")
        action = f"* {EVIL} {EVIL}"
        live.shows(*PAYLOADS, action)
        assert EVIL in live.people()
        late = OurPage(browsing, server, "Bob")
        late.shows(*PAYLOADS, action)
        for visitor in (live, late):
            assert set(visitor.page.locator("#rows .nick").all_text_contents()) == {EVIL}
            assert visitor.page.locator(FOREIGN).count() == 0
    expect(live.page.locator("#rows li.leave")).to_have_text(f"{EVIL} left")


def test_ones_own_markup_is_shown_as_text(server: Server, browsing: Browsing) -> None:
    """HTML as one's own name, as the room's name, and in what is still on its way, is text as well."""
    visitor = OurPage(browsing, server, EVIL, query="?room=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(visitor.page.locator("#room-name")).to_have_text(EVIL)
    expect(visitor.page.locator("#own-nick")).to_have_text(EVIL)
    for payload in PAYLOADS:
        visitor.say(payload)
    visitor.shows(*PAYLOADS)
    assert visitor.page.locator(FOREIGN).count() == 0


def test_enter_inside_a_composition_sends_nothing(server: Server, browsing: Browsing) -> None:
    """Enter that chooses a word of an input method does not send; the next Enter does."""
    visitor = OurPage(browsing, server, "Ann")
    page = visitor.page
    keys = page.evaluate_handle(
        """() => { const keys = []; document.querySelector("#text").addEventListener("keydown",
           (event) => keys.push([event.key, event.isComposing])); return keys; }"""
    )
    browser = page.context.new_cdp_session(page)
    visitor.box.focus()
    browser.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    expect(visitor.box).to_have_value("ni hao")
    # The key alone: an input method takes it, so that it types no line break.
    for kind in ("rawKeyDown", "keyUp"):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        browser.send("Input.dispatchKeyEvent", {"type": kind, **key})
    assert keys.json_value() == [["Enter", True]]
    assert (visitor.texts(), visitor.pending.count()) == ([], 0)
    browser.send("Input.insertText", {"text": "你好"})
    expect(visitor.box).to_have_value("你好")
    assert (visitor.texts(), visitor.pending.count()) == ([], 0)
    page.keyboard.press("Enter")
    assert keys.json_value()[-1] == ["Enter", False]
    visitor.shows("你好")


@pytest.mark.parametrize(("key_code", "sends"), [(229, False), (13, True)])
def test_enter_with_key_code_229_sends_nothing(
    server: Server, browsing: Browsing, key_code: int, sends: bool
) -> None:
    """Safari tells the choosing Enter after the composition's end, by code 229 only; the plain one sends."""
    visitor = OurPage(browsing, server, "Ann")
    visitor.box.fill("你好")
    was_taken = visitor.box.evaluate(
        """(box, keyCode) => !box.dispatchEvent(new KeyboardEvent("keydown",
           { key: "Enter", keyCode, which: keyCode, bubbles: true, cancelable: true }))""",
        key_code,
    )
    assert was_taken is sends
    if sends:
        visitor.shows("你好")
    else:
        assert (visitor.texts(), visitor.pending.count()) == ([], 0)
        expect(visitor.box).to_have_value("你好")


def test_shift_enter_makes_a_line_and_blanks_say_nothing(server: Server, browsing: Browsing) -> None:
    """Shift+Enter breaks the line; an empty box and one of blanks send nothing; // says a slash."""
    visitor = OurPage(browsing, server, "Ann")
    for blank in ("", "   ", "\n\n"):
        visitor.say(blank)
    visitor.box.fill("")
    visitor.box.press_sequentially("one")
    visitor.box.press("Shift+Enter")
    visitor.box.press_sequentially("two")
    visitor.box.press("Enter")
    visitor.say("//slash")
    visitor.shows("one\ntwo", "/slash")


def test_an_unknown_command_is_not_said_aloud(server: Server, browsing: Browsing) -> None:
    """A mistyped command is told to its writer alone."""
    visitor = OurPage(browsing, server, "Ann")
    visitor.say("/passwrod secret")
    expect(visitor.page.locator("#rows li.notice")).to_have_text("* /passwrod is no command; /help lists them")
    assert visitor.texts() == []
