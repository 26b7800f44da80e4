"""The page as a person uses it, and the wire below it as a test bends it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from e2e.browsing import Browsing, tab_beside
from e2e.server import Server, eventually

Frame = dict[str, Any]
# The messages of the lobby that this browser keeps for when there is no connection.
ARCHIVED = """async () => {
  if (!(await indexedDB.databases()).some(({ name }) => name === "chat")) return []; // to open it would make it
  return new Promise((resolve) => {
    const opening = indexedDB.open("chat");
    opening.onsuccess = () => {
      const asking = opening.result.transaction("rooms").objectStore("rooms").get("lobby");
      asking.onsuccess = () => resolve(asking.result?.messages ?? []);
      opening.result.close();
    };
  });
}"""

STEP_MS = 20  # of a clock that is turned by hand: a picture and a little
NARROW = 640  # below this width the rooms, and oneself, are a screen of their own
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


class Wire:
    """What lies between a page and its server.

    :ivar cut: nothing gets through, and who is connected is not any more.
    :ivar said: every frame the page has sent, on all its connections.
    :ivar catch: whether a frame from the page does not reach the server.
    :ivar bend: what becomes of a frame from the server; None swallows it.
    """

    def __init__(self) -> None:
        self.cut = False
        self.said: list[Frame] = []
        self.connections = 0
        self.catch: Callable[[Frame], bool] = lambda frame: False
        self.bend: Callable[[Frame], Frame | None] = lambda frame: frame
        self._open: list[WebSocketRoute] = []

    def carry(self, route: WebSocketRoute) -> None:
        """A new connection of the page."""
        self.connections += 1
        if self.cut:
            route.close(code=1012)
            return
        server = route.connect_to_server()
        self._open.append(route)
        route.on_message(lambda text: self._out(str(text), server))
        server.on_message(lambda text: self._in(str(text), route))

    def pull(self) -> None:
        """Cut it, and let every new attempt fail."""
        self.cut = True
        while self._open:
            self._open.pop().close(code=1012)

    def tell(self, frame: Frame | str) -> None:
        """Say something to the page as if it came from the server; unless there is no connection."""
        if self._open:
            self._open[-1].send(frame if isinstance(frame, str) else json.dumps(frame))

    def said_of(self, kind: str) -> list[Frame]:
        """What the page has sent of that type."""
        return [frame for frame in self.said if frame["type"] == kind]

    def _out(self, text: str, server: WebSocketRoute) -> None:
        frame = json.loads(text)
        self.said.append(frame)
        if not self.cut and not self.catch(frame):
            server.send(text)

    def _in(self, text: str, route: WebSocketRoute) -> None:
        frame = self.bend(json.loads(text))
        if frame is not None and not self.cut:
            route.send(json.dumps(frame))


_WATCH = """(selector) => {
  const words = [...document.querySelectorAll(selector)].map((region) => {
    const heard = [];
    new MutationObserver(() => heard.push(region.textContent)).observe(
      region, { childList: true, characterData: true, subtree: true });
    return heard;
  });
  return () => words.flat().map((text) => text.trim()).filter(Boolean);
}"""


def watch(page: Page, selector: str) -> Callable[[], list[str]]:
    """What a screen reader hears of these live regions, from now on."""
    heard = page.evaluate_handle(_WATCH, selector)
    return lambda: list(heard.evaluate("(heard) => heard()"))


def has_begun(page: Page) -> None:
    """Wait until the page's own script runs: what is seen before that stands in the HTML."""
    page.wait_for_function("() => window.onclick === null")


class ThePage:
    """One visitor.

    :param nick: typed at the door; None stays outside.
    :param query: of the address, such as `?room=tea`.
    :param wire: lies between this page and the server.
    :param clock: time stands still, and `page.clock.run_for` turns it; from then on, if it is a moment.
    """

    def __init__(
        self,
        browsing: Browsing,
        server: Server,
        nick: str | None = None,
        *,
        query: str = "",
        wire: Wire | None = None,
        clock: bool | datetime = False,
        **context: Any,
    ) -> None:
        # Each visitor would fetch all of the page twice; e2e/test_full_page.py is about its worker.
        self.page: Page = browsing.page(server.page_url + query, **{"service_workers": "block", **context})
        if wire is not None:
            self.page.route_web_socket(re.compile(r"/v1$"), wire.carry)
        if clock:
            # Playwright's clock goes on by itself until it is stopped, and is stopped at a moment to come only.
            then = datetime.now(UTC) if clock is True else clock
            self.page.clock.install(time=then - timedelta(minutes=5))
        if wire is not None or clock:
            self.page.reload()  # both take hold of a page when it begins
        has_begun(self.page)
        if clock:
            self.page.clock.pause_at(then)
        self._stands = bool(clock)
        self._find()
        if nick is not None:
            self.enter(nick)

    def _find(self) -> None:
        self.box = self.page.locator("#text")
        self.rows = self.page.locator("li.row[data-seq]")
        self.texts = self.page.locator("li.row[data-seq] .text")
        self.pending = self.page.locator("li.pending")
        self.scroller = self.page.locator(".scroller")
        self.pill = self.page.locator(".pill")
        self.bar = self.page.locator(".bar.amber")

    def tab(self) -> ThePage:
        """Another tab of the same browser, at the same address."""
        other = copy(self)
        other.page = tab_beside(self.page)
        has_begun(other.page)
        other._find()
        return other

    def enter(self, nick: str) -> None:
        """Say a name at the door and go in."""
        self.page.locator("input[name=nick]").fill(nick)
        self.page.locator(".letter button[type=submit]").click()
        self.is_in()

    def is_in(self) -> None:
        """Wait until it is in its room."""
        if self._stands:
            self.turn_until(lambda: self.page.locator("aside .person").count(), "it is in its room")
        if (self.page.viewport_size or PHONE["viewport"])["width"] >= NARROW:
            expect(self.page.locator(".status.online")).to_be_attached()
        expect(self.page.locator("aside .person").first).to_be_attached()

    def turn_until(self, look: Callable[[], object], what: str) -> None:
        """Turn its clock, a little at a time, until that is true: what comes over the wire takes real time."""
        eventually(lambda: self.page.clock.run_for(STEP_MS) or look(), what)

    def say(self, text: str) -> None:
        """Write and press Enter."""
        self.box.fill(text)
        self.box.press("Enter")

    def shows(self, *texts: str) -> None:
        """Wait until exactly these messages are shown, in this order, and nothing is on its way."""
        expect(self.texts).to_have_text(list(texts))
        expect(self.pending).to_have_count(0)

    def row(self, text: str) -> Locator:
        """The message with this text."""
        return self.rows.filter(has=self.page.locator(".text, .gone", has_text=text))

    def top_of(self, text: str) -> float:
        """Where a message stands, in pixels from the top of the window."""
        box = self.row(text).bounding_box()
        assert box is not None
        return box["y"]


def stored(server: Server, room: str = "lobby") -> list[str]:
    """The texts that are in the room's log, as it can be taken away."""
    with urlopen(f"{server.page_url}api/rooms/{room}/export", timeout=10) as answer:
        entries = [json.loads(line) for line in answer.read().splitlines()]
    return [entry["text"] for entry in entries if entry["type"] == "message"]
