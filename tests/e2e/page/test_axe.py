"""The accessibility rules of axe: nothing of the page breaks one, however it is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from npm import installed
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage, Wire
from e2e.peers import WebSocketPeer
from e2e.server import Server

HERE = Path(__file__).parent
WIDTHS = (360, 1440)
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that another scheme changes
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: dict[str, object] = {"light": TAGS, "dark": COLOURS}

_RUN = """async (only) => {
  const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) => [
    id, help, nodes.map(({ html, failureSummary }) => [html, failureSummary])]);
}"""

# Size and scheme come some pictures after they were asked for; and then they have to be drawn.
_IS_AS = """([width, scheme]) => innerWidth === width
  && getComputedStyle(document.documentElement).colorScheme === scheme"""
_IS_DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

SAID = [
    "hello **there**, see https://example.com/a，谢谢",
    "```\ndef f(x):\n    return x + 1  # a line of code that is longer than any telephone is wide, by far\n```",
    "> said before\n\n- one\n- two\n\n`code` and ~~not~~",
    "🎉🎉",
    "@陈子墨 could you have a look?",
]


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules, as a script."""
    return (installed(HERE / "axe") / "axe-core" / "axe.min.js").read_text("utf-8")


class Judge:
    """Looks at a page as it is now, in both widths and both colour schemes; the second one at its colours."""

    def __init__(self, axe: str) -> None:
        self.found: list[str] = []
        self._axe = axe

    def looks(self, page: Page, state: str) -> None:
        """Collect what is wrong."""
        if not page.evaluate("'axe' in window"):
            page.evaluate(self._axe)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for scheme, only in SCHEMES.items():
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.wait_for_function(_IS_AS, arg=[width, scheme])
                page.evaluate(_IS_DRAWN)
                for violation in page.evaluate(_RUN, only):
                    self.found.append(f"{state} {width} {scheme}: {json.dumps(violation, ensure_ascii=False)}")


def over_the_room(page: Page) -> None:
    """The members, where there is no space for them beside it."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    page.locator(".count").click()


@pytest.mark.parametrize("lang", ["en", pytest.param("zh-CN", marks=pytest.mark.slow)])
def test_axe(shared_server: Server, browsing: Browsing, axe: str, lang: str) -> None:
    """UI-14: door, room, offline, suggestions, a dialog, members and settings break none of axe's rules."""
    judge, wire = Judge(axe), Wire()
    query = f"?room=axe-{lang}&lang={lang}"
    ann = ThePage(browsing, shared_server, query=query, wire=wire, bypass_csp=True)
    page = ann.page
    judge.looks(page, "door")
    page.set_viewport_size({"width": 1440, "height": 800})
    with WebSocketPeer(shared_server.socket_url(room=f"axe-{lang}", nick="João")) as peer:
        peer.arrived()
        ann.enter("陈子墨")
        for text in SAID:
            peer.say(text)
        expect(ann.rows).to_have_count(len(SAID))
        ann.row("hello").hover()
        page.get_by_role("toolbar").get_by_role("button").first.click()
        expect(page.locator(".reactions button")).to_have_count(1)
        states: list[tuple[str, Callable[[], None]]] = [
            ("room", lambda: ann.box.focus()),
            ("suggestions", lambda: ann.box.press_sequentially("/")),
            ("emoji", lambda: page.locator(".writing .plain").click()),
            ("members", lambda: over_the_room(page)),
            ("member", lambda: page.locator("aside .person").first.click()),
            ("dialog", lambda: page.keyboard.press("Control+k")),
            ("settings", lambda: page.locator("footer .plain").click()),
            ("offline", wire.pull),
        ]
        shown = {
            "room": ".row",
            "suggestions": "[role=option]",
            "emoji": ".picker .grid button",
            "members": "[data-panel=people]",
            "member": ".menu",
            "dialog": "dialog.rooms",
            "settings": "dialog.settings",
            "offline": ".bar.amber",
        }
        for state, reach in states:
            if lang != "en" and state in ("emoji", "member"):
                continue  # no words are in them that are not elsewhere
            page.set_viewport_size({"width": 1440, "height": 800})
            reach()
            expect(page.locator(shown[state]).first).to_be_visible()
            judge.looks(page, f"{state} {lang}")
            if state != "members":
                page.keyboard.press("Escape")
                ann.box.fill("")
    assert not judge.found, "\n".join(judge.found)
