"""Our small page as a person uses it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from e2e.browsing import Browsing
from e2e.server import Server


class OurPage:
    """One visitor in the chat.

    :param query: the page's own query, such as `?lang=zh-CN`.
    :param nick: typed at the door; None stays outside.
    """

    def __init__(
        self, browsing: Browsing, server: Server, nick: str | None = None, *, query: str = "", **context: Any
    ) -> None:
        self.page: Page = browsing.page(server.lite_url + query, **context)
        self.box = self.page.locator("#text")
        self.rows = self.page.locator("#rows > li.row .text")
        self.pending = self.page.locator("#pending > li")
        if nick is not None:
            self.enter(nick)

    def enter(self, nick: str) -> None:
        """Say a name at the door and go in."""
        self.page.locator("#door-nick").fill(nick)
        self.page.locator("#door-form button").click()
        self.is_in()

    def is_in(self) -> None:
        """Wait until it is in its room: its own name stands in the list of people."""
        expect(self.page.locator("#people-list li").first).to_be_attached()

    def say(self, text: str) -> None:
        """Write and press Enter."""
        self.box.fill(text)
        self.box.press("Enter")

    def texts(self) -> list[str]:
        """All messages shown, from top to bottom."""
        return self.rows.all_text_contents()

    def shows(self, *texts: str) -> None:
        """Wait until exactly these messages are shown, in this order."""
        expect(self.rows).to_have_text(list(texts))

    def row(self, text: str) -> Locator:
        """The rows that hold this text."""
        return self.rows.filter(has_text=text)

    def people(self) -> list[str]:
        """Who is listed as being here."""
        return self.page.locator("#people-list li bdi").all_text_contents()
