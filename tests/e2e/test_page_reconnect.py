"""The page and a server that dies: it comes back by itself, misses nothing, and loses nothing written."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import expect

from e2e.browsing import PATIENCE_MS, Browsing
from e2e.conftest import Serve
from e2e.ourpage import OurPage
from e2e.peers import LinePeer
from e2e.server import Server, free_port


def said_elsewhere(server: Server, *texts: str) -> None:
    """Start the server at another web port, where the page cannot find it, say these, and kill it again."""
    options = server.options
    server.options = [
        *(o for o in options if not o.startswith("--listen=")),
        f"--listen=tcp:{free_port()}:interface=127.0.0.1",
    ]
    server.start()
    with LinePeer(server.line_port) as line:
        line.say("\n".join(texts))
        line.until(lambda heard: any(words.endswith(f"say:{texts[-1]}") for words in heard))
    server.kill9()
    server.options = options


def is_online(visitor: OurPage) -> None:
    """Wait until the page says no more that its connection is lost."""
    expect(visitor.page.locator("#state")).to_be_hidden(timeout=2 * PATIENCE_MS)
    visitor.is_in()


def test_it_comes_back_and_fetches_what_it_missed(serve: Serve, browsing: Browsing) -> None:
    """After kill -9 and two restarts the page shows what was said meanwhile: once, in order, in its place."""
    server = serve("--insecure-no-limits")
    ann, bob = OurPage(browsing, server, "Ann"), OurPage(browsing, server, "Bob")
    ann.say("before 1")
    bob.shows("before 1")
    bob.say("before 2")
    ann.shows("before 1", "before 2")
    missed = [f"missed {number}" for number in range(1, 61)]  # more than the page would ask for when it loads
    with browsing.server_down():
        server.kill9()
        expect(ann.page.locator("#state")).to_be_visible()
        said_elsewhere(server, *missed)
        server.start()
        for visitor in (ann, bob):
            visitor.shows("before 1", "before 2", *missed)
            is_online(visitor)
    bob.say("after")
    ann.shows("before 1", "before 2", *missed, "after")
    bob.shows("before 1", "before 2", *missed, "after")
    numbers = ann.page.locator("#rows [data-seq]").evaluate_all("rows => rows.map((row) => row.dataset.seq)")
    assert numbers == [str(number) for number in range(1, 64)]
    assert sorted(ann.people()) == ["Ann", "Bob"]
    assert ann.page.locator("#own-nick").inner_text() == "Ann"


def test_what_is_written_while_disconnected_is_sent_afterwards(server: Server, browsing: Browsing) -> None:
    """Lines written while the server is down wait visibly and are said once when it is back, in order."""
    ann = OurPage(browsing, server, "Ann")
    ann.say("first")
    ann.shows("first")
    with browsing.server_down():
        server.kill9()
        expect(ann.page.locator("#state")).to_be_visible()
        for text in ("second", "third", "fourth"):
            ann.say(text)
        expect(ann.pending.locator(".text")).to_have_text(["second", "third", "fourth"])
        expect(ann.pending.locator(".fate")).to_have_text(["waiting for the connection"] * 3)
        server.start()
        ann.shows("first", "second", "third", "fourth")
        is_online(ann)
    expect(ann.pending).to_have_count(0)
    late = OurPage(browsing, server, "Bob")
    late.shows("first", "second", "third", "fourth")


def test_what_was_under_way_is_never_lost_in_silence(server: Server, browsing: Browsing) -> None:
    """A line that the server had not confirmed when it died stays, with a choice: again or drop."""
    ann = OurPage(browsing, server, "Ann")
    with browsing.server_down():
        # A stopped process takes what is sent into its buffers and never looks at it.
        os.kill(server.pid, signal.SIGSTOP)
        ann.say("did you get this?")
        ann.say("and this?")
        expect(ann.pending).to_have_count(2)
        server.kill9()
        expect(ann.pending.locator(".fate")).to_contain_text(["not confirmed", "not confirmed"])
        server.start()
        is_online(ann)
    assert ann.texts() == []
    ann.pending.first.get_by_role("button", name="Send again").click()
    ann.shows("did you get this?")
    ann.pending.first.get_by_role("button", name="Drop").click()
    expect(ann.pending).to_have_count(0)
    late = OurPage(browsing, server, "Bob")
    late.shows("did you get this?")


def test_an_orderly_restart_is_hardly_seen(server: Server, browsing: Browsing) -> None:
    """After an orderly restart the page goes on under its name, with nothing twice."""
    ann = OurPage(browsing, server, "Ann")
    ann.say("one")
    ann.shows("one")
    with browsing.server_down():
        server.restart()
        ann.say("two")
        ann.shows("one", "two")
        is_online(ann)
    ann.say("three")
    ann.shows("one", "two", "three")
    assert ann.people() == ["Ann"]
