"""Input methods: the keys that choose a word never send it."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page, expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server

# Safari ends the composition first; only the key code of the key that follows tells whose it is.
_SAFARI = """(box) => box.dispatchEvent(new KeyboardEvent("keydown", {
  key: "Enter", keyCode: 229, bubbles: true, cancelable: true,
}))"""


def compose(page: Page, text: str) -> CDPSession:
    """Begin to write with an input method; the word is not chosen yet."""
    method = page.context.new_cdp_session(page)
    method.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    return method


def choose(method: CDPSession) -> None:
    """An Enter that the input method takes, so that it types no line break: as itself, and as key code 229."""
    for code in (13, 229):
        for kind in ("rawKeyDown", "keyUp"):
            method.send("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "windowsVirtualKeyCode": code})


def test_choosing_a_word_sends_nothing(server: Server, browsing: Browsing) -> None:
    """UI-02: Enter during a composition, as code 229 and in Safari's order sends nothing; the next one does."""
    ann = ThePage(browsing, server, "Ann")
    ann.box.focus()
    method = compose(ann.page, "shang'hai")
    choose(method)
    method.send("Input.insertText", {"text": "上海"})
    ann.box.evaluate(_SAFARI)
    expect(ann.box).to_have_value("上海")
    expect(ann.pending).to_have_count(0)
    expect(ann.rows).to_have_count(0)
    ann.page.keyboard.press("Enter")
    ann.shows("上海")
    expect(ann.box).to_have_value("")


def test_name_form(shared_server: Server, browsing: Browsing) -> None:
    """UI-02: at the door, choosing a word does not enter."""
    visitor = ThePage(browsing, shared_server, query="?room=ime-door")
    name = visitor.page.locator("input[name=nick]")
    name.focus()
    method = compose(visitor.page, "zi'mo")
    visitor.page.keyboard.press("Enter")
    choose(method)
    expect(name).to_be_visible()
    method.send("Input.insertText", {"text": "子墨"})
    name.evaluate(_SAFARI)
    expect(name).to_have_value("子墨")
    visitor.page.keyboard.press("Enter")
    visitor.is_in()
    expect(visitor.page.locator(".me bdi")).to_have_text("子墨")


def test_search(shared_server: Server, browsing: Browsing) -> None:
    """UI-02: in the search, choosing a word does not search for half of it."""
    ann = ThePage(browsing, shared_server, "Ann of search", query="?room=ime-search")
    ann.say("明天去上海")
    ann.shows("明天去上海")
    ann.page.keyboard.press("Control+Shift+f")
    field = ann.page.locator(".search input")
    expect(field).to_be_focused()
    method = compose(ann.page, "shang'hai")
    ann.page.keyboard.press("Enter")
    choose(method)
    expect(ann.page.locator(".hits li")).to_have_count(0)
    method.send("Input.insertText", {"text": "上海"})
    ann.page.keyboard.press("Enter")
    expect(ann.page.locator(".hits mark")).to_have_text("上海")
    ann.page.locator(".hits button").click()
    expect(ann.row("明天去上海")).to_be_focused()


def test_completion(shared_server: Server, browsing: Browsing) -> None:
    """UI-02: while names are offered, choosing a word takes none of them."""
    ann = ThePage(browsing, shared_server, "Ann ime", query="?room=ime-names")
    bob = ThePage(browsing, shared_server, "林晓雯", query="?room=ime-names")
    expect(ann.page.locator("aside .person")).to_have_count(2)
    ann.box.press_sequentially("你好@林")
    option = ann.page.get_by_role("option")
    expect(option).to_have_count(1)
    method = compose(ann.page, "xiao")
    choose(method)
    expect(ann.pending).to_have_count(0)
    method.send("Input.insertText", {"text": "晓"})
    expect(ann.box).to_have_value("你好@林晓")
    ann.page.keyboard.press("Enter")
    expect(ann.box).to_have_value("你好 @林晓雯 ")
    ann.page.keyboard.press("Enter")
    expect(bob.page.locator("li.for-me .mention.mine")).to_have_text("@林晓雯")
