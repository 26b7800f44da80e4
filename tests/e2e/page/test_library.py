"""CL-03: the client library is loaded as a module and by a script tag, under the policy of the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.package import Package
from e2e.server import Server

TALK = """
const chat = new ChatClient("v1", { nick: "Script" });
await chat.connect();
const room = chat.room("library");
await room.join();
const { seq } = await room.send("hello");
chat.disconnect();
document.title = `said ${seq}`;
"""
MODULE = 'import { ChatClient } from "../client.js";\n' + TALK
CLASSIC = "(async () => { const { ChatClient } = ChatService;" + TALK + "})();"
USES = {
    "module": ('<script type="module" src="static/lite.js"></script>', MODULE),
    "script tag": ('<script src="client.iife.js"></script><script src="static/lite.js"></script>', CLASSIC),
}


@pytest.mark.parametrize("kind", USES)
def test_under_the_policy(browsing: Browsing, tmp_path: Path, kind: str) -> None:
    """Neither way breaks a rule of it: no report, no error, and one can talk."""
    tags, script = USES[kind]
    package = Package(tmp_path / "package")
    small = package.home / "chatservice" / "static"
    (small / "lite.html").write_text(
        f"<!doctype html><title>waits</title><link rel=icon href=data:,>{tags}", "utf-8"
    )
    (small / "lite.js").write_text(script, "utf-8")
    with package.server(tmp_path / "server") as server:
        page = browsing.page(server.lite_url)
        expect(page).to_have_title("said 1")
        # It leaves one name behind, or none.
        names = page.evaluate("Object.keys(globalThis).filter((name) => /chat/i.test(name))")
        assert names == (["ChatService"] if kind == "script tag" else [])


def test_no_cookies(shared_server: Server, browsing: Browsing) -> None:
    """UI-21: whoever has talked here has not been given a cookie."""
    page = browsing.page(shared_server.page_url)
    page.locator("input[name=nick]").fill("Ann")
    page.keyboard.press("Enter")
    page.locator("#text").fill("hello")
    page.keyboard.press("Enter")
    expect(page.locator("li.row[data-seq] .text")).to_have_text("hello")
    assert page.context.cookies() == []
    assert page.evaluate("document.cookie") == ""
