"""Whoever is at the end of the messages stays there, whatever takes room away."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.filling import fill
from e2e.page.thepage import PHONE, ThePage, Wire
from e2e.server import Server

_IS_AT_END = "(it) => it.scrollHeight - it.clientHeight - it.scrollTop <= 1"


class AtEnd:
    """A page at the end of a room of many messages."""

    def __init__(self, server: Server, browsing: Browsing, nick: str, **context: object) -> None:
        self.wire = Wire()
        self.visitor = ThePage(browsing, server, nick, query="?room=end", wire=self.wire, **context)
        self.last = self.visitor.rows.last
        self.stays()

    def stays(self) -> None:
        """The last message is seen, all of it, with nothing below."""
        self.visitor.page.wait_for_function(_IS_AT_END, arg=self.visitor.scroller.element_handle())
        expect(self.last).to_be_in_viewport(ratio=1)
        row, edge = self.last.bounding_box(), self.visitor.scroller.bounding_box()
        assert row is not None and edge is not None
        assert row["y"] + row["height"] <= edge["y"] + edge["height"] + 1


@pytest.fixture(scope="module")
def said(shared_server: Server) -> None:
    """What all of them read."""
    fill(shared_server, "end", 60)


@pytest.fixture
def at_end(request: pytest.FixtureRequest, shared_server: Server, said: None, browsing: Browsing) -> AtEnd:
    """On a telephone, or as the test has it."""
    context = {"desk": {"viewport": {"width": 1200, "height": 700}}, "phone": PHONE}[
        getattr(request, "param", "phone")
    ]
    return AtEnd(shared_server, browsing, request.node.name[-30:].replace("[", " ").strip("]"), **context)


BOTH = pytest.mark.parametrize("at_end", ["desk", "phone"], indirect=True)


def test_banner(at_end: AtEnd) -> None:
    """UI-08: the bar about the connection comes and goes, and the last message stays in view."""
    at_end.wire.pull()
    expect(at_end.visitor.bar).to_be_visible()
    at_end.stays()
    at_end.wire.cut = False
    expect(at_end.visitor.bar).to_have_count(0)
    at_end.stays()


@BOTH
def test_growing_composer(at_end: AtEnd) -> None:
    """UI-08: the box grows with what is written, shrinks again, and the last message stays in view."""
    low = at_end.visitor.box.bounding_box()
    at_end.visitor.box.fill("line\n" * 8)
    at_end.visitor.page.wait_for_function(
        "(height) => document.querySelector('#text').offsetHeight > height + 100", arg=(low or {})["height"]
    )
    at_end.stays()
    at_end.visitor.box.fill("")
    at_end.stays()


@BOTH
def test_resized_window(at_end: AtEnd) -> None:
    """UI-08: in a window of another size, with the keyboard of a telephone too, the last message stays in view.

    Pictures in messages, which that check names as well, cannot be sent yet.
    """
    width = at_end.visitor.page.viewport_size or {}
    for size in ((width["width"], 420), (width["width"], 800), (340, 640), (700, 640)):
        at_end.visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
        at_end.visitor.page.wait_for_function("(height) => innerHeight === height", arg=size[1])
        at_end.stays()
