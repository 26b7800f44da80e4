"""The watch over the pages is awake: what must not happen in a page is noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.browsing import Browsing
from e2e.ourpage import OurPage
from e2e.server import Server, eventually, free_port


@pytest.mark.parametrize(
    ("script", "notice"),
    [
        ("console.error('oh no')", "console: oh no"),
        ("setTimeout(() => nothing.there)", "uncaught: "),
        ("setTimeout(() => { document.body.innerHTML = '<b>' })", "CSP: require-trusted-types-for"),
        ("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:PORT/' }))", "CSP: img-src"),
        ("fetch('http://127.0.0.1:PORT/').catch(() => 0)", "CSP: connect-src"),
        ("setTimeout(() => alert(1))", "dialog: 1"),
        ("location = 'http://127.0.0.1:PORT/'", "foreign request: http://127.0.0.1:PORT/"),
        ("void new WebSocket('ws://127.0.0.1:CHAT/nowhere')", "console: WebSocket connection to"),
        ("fetch('/nowhere')", "console: Failed to load resource"),
        ("open('/lite').addEventListener('load', (event) => console.error('over there'))", "console: over there"),
    ],
    ids=["console", "error", "innerHTML", "image", "fetch", "dialog", "elsewhere", "socket", "missing", "popup"],
)
def test_what_must_not_happen_is_noticed(
    shared_server: Server, browsing: Browsing, script: str, notice: str
) -> None:
    """A page that does what no page of ours may do fails the test that opened it."""
    visitor = OurPage(browsing, shared_server, "Ann")
    assert browsing.wrongs == []
    port, chat = str(free_port()), str(shared_server.web_port)
    visitor.page.evaluate(script.replace("PORT", port).replace("CHAT", chat))
    notice = notice.replace("PORT", port)
    eventually(
        lambda: visitor.page.wait_for_timeout(20) or any(notice in wrong for wrong in browsing.wrongs), notice
    )
    with pytest.raises(AssertionError, match=re.escape(notice)):
        browsing.finish()
    browsing.wrongs.clear()


def test_no_page_goes_unwatched() -> None:
    """Only that watch opens pages: no test makes a context or a page of its own."""
    tests = Path(__file__).parents[1].rglob("*.py")
    alone = {path.name for path in tests if re.search(r"\.new_(page|context)\(", path.read_text("utf-8"))}
    assert alone - {Path(__file__).name} == {"browsing.py"}
