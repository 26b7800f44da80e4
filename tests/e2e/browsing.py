"""Pages in a real Chromium, and everything that must never happen in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, WebSocket, expect

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)

# Chromium itself says this when nobody listens there; no script can prevent it.
_NOBODY_THERE = re.compile(
    r"WebSocket connection to '[^']*' failed|Failed to load resource: net::ERR_CONNECTION_(REFUSED|RESET)"
)

# So with a self-signed certificate, for which there is no worker; no script can know that beforehand.
_NO_WORKER = "An SSL certificate error occurred when fetching the script."

_REFUSED = "status of 401 (Unauthorized)"

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Browsing:
    """Opens pages, each in a context of its own, and remembers what went wrong in them.

    :ivar wrongs: one line each: console errors, uncaught errors, CSP reports, dialogs, foreign requests.
    """

    def __init__(self, browser: Browser) -> None:
        self.wrongs: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._server_is_down = False
        self._may_refuse = False

    def page(self, url: str, chat: str = "", **context: Any) -> Page:
        """A new visitor at `url`; all that the page fetches must come from there.

        :param chat: host and port of the chat when that is elsewhere.
        """
        visitor = self._browser.new_context(**{"locale": "en-US", **context})
        self._contexts.append(visitor)
        visitor.set_default_timeout(PATIENCE_MS)
        visitor.add_init_script(_REPORT_VIOLATIONS)
        own = {urlsplit(url).netloc, chat}
        # Of the whole context: what a page opens is watched as well.
        visitor.on("console", self._console)
        visitor.on("weberror", lambda error: self.wrongs.append(f"uncaught: {error.error}"))
        visitor.on("dialog", self._dialog)
        visitor.on("request", lambda request: self._request(request, own))
        visitor.on("page", lambda page: page.on("websocket", lambda socket: self._request(socket, own)))
        page = visitor.new_page()
        page.goto(url)
        return page

    @contextmanager
    def server_down(self) -> Iterator[None]:
        """While the server is down on purpose, Chromium may say that nobody answers. At the end the page
        must have been seen online again, so that no late complaint is left."""
        self._server_is_down = True
        yield
        self._server_is_down = False

    def may_refuse(self) -> None:
        """From now on Chromium may report requests that were refused with 401: it does so by itself, at some time
        after the page was answered."""
        self._may_refuse = True

    def finish(self) -> None:
        """Close everything; nothing may have gone wrong."""
        while self._contexts:
            self._contexts.pop().close()
        assert not self.wrongs, self.wrongs

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error" or message.text == _NO_WORKER:
            return
        if self._may_refuse and _REFUSED in message.text:
            return
        if not (self._server_is_down and _NOBODY_THERE.search(message.text)):
            self.wrongs.append(f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request | WebSocket, own: set[str]) -> None:
        asked = urlsplit(request.url)
        if asked.netloc not in own and asked.scheme not in ("about", "data", "blob"):
            self.wrongs.append(f"foreign request: {request.url}")


def tab_beside(page: Page) -> Page:
    """Another tab of the same browser at the same address; its context is watched already."""
    tab = page.context.new_page()
    tab.goto(page.url)
    return tab
