"""docs/client.md: the page works in Chromium, the programs print what stands below them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.server import CHECKOUT, Server
from e2e.taught import served
from e2e.test_javascript_client import library, node
from examples import examples

__all__ = ["library"]

PAGE = CHECKOUT / "docs" / "client.md"
IIFE = CHECKOUT / "chatservice" / "static" / "app" / "client.iife.js"
PROGRAMS = [program for _, program in examples(PAGE, "js")]
PLACE = "http://127.0.0.1:8080"


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_programs(library: Path, server: Server, number: int) -> None:
    """Each prints the lines that stand below it."""
    lines = PROGRAMS[number].splitlines()
    expected = [line.removeprefix("// → ") for line in lines if line.startswith("// → ")]
    assert expected
    ws = (CHECKOUT / "web" / "node_modules" / "ws" / "wrapper.mjs").as_uri()
    program = "\n".join(
        [
            f'import {{ ChatClient }} from "{library.as_uri()}";',
            f'import {{ WebSocket }} from "{ws}";',
            f'const url = "{server.socket_url("/v1")}";',
            *lines,
        ]
    )
    done = subprocess.run(node("--input-type=module", "-e", program), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_the_page_elsewhere(library: Path, server: Server, browsing: Browsing, tmp_path: Path) -> None:
    """On somebody's own web server it loads the library from the chat, and two visitors talk."""
    [(_, page)] = examples(PAGE, "html")
    assert page.count(PLACE) == 2
    (tmp_path / "index.html").write_text(page.replace(PLACE, server.page_url.rstrip("/")), "utf-8")
    with served(tmp_path) as address:
        ann, bob = (browsing.page(f"{address}/index.html", server.page_url.split("/")[2]) for _ in range(2))
        ann.fill("#say", "<b>tea</b>")
        ann.press("#say", "Enter")
        for visitor in (ann, bob):
            expect(visitor.locator("li")).to_have_text(["user1: <b>tea</b>"])


TALK = """async (ChatClient) => {
    const chat = new ChatClient("v1");
    await chat.connect();
    const room = chat.room("den");
    await room.join();
    const { seq } = await room.send("hi");
    chat.disconnect();
    return seq;
}"""


def test_under_our_own_policy(library: Path, server: Server, browsing: Browsing) -> None:
    """Both forms load and work on our own page, with its Content-Security-Policy and Trusted Types."""
    page = browsing.page(server.lite_url)
    assert page.evaluate(f'import("/client.js").then(({{ ChatClient }}) => ({TALK})(ChatClient))') == 1

    # In the place of the page's own script; a page that is not the server's may not connect to this computer.
    page.route("**/static/lite.js", lambda route: route.fulfill(path=IIFE))
    page.reload()
    assert page.evaluate(f"({TALK})(ChatService.ChatClient)") == 2
