"""The operator's page: signing in, looking on, throwing somebody out."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from npm import installed
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.fitting import cut, small
from e2e.page.test_axe import HERE, Judge
from e2e.page.thepage import PHONE
from e2e.peers import WebSocketPeer
from e2e.server import Server
from e2e.test_accounts import chatservice

WORDS = "a good long password"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with an owner and a moderator."""
    with Server(tmp_path_factory.mktemp("house"), "--insecure-no-limits") as server:
        for name, role in (("Olga", "owner"), ("Max", "mod")):
            assert (
                chatservice(server.directory, "user", "add", name, "--role", role, typed=f"{WORDS}\n").returncode
                == 0
            )
        yield server


def sign_in(page: Page, name: str, password: str = WORDS) -> None:
    """At the door."""
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    page.locator("#password").press("Enter")


def test_there_is_none_without_an_owner(server: Server, browsing: Browsing) -> None:
    """A service without an owner has no such page."""
    page = browsing.page(server.page_url + "lite")
    assert page.request.get(server.page_url + "admin/").status == 404


def test_an_owner(house: Server, browsing: Browsing) -> None:
    """Signs in, sees who is here, follows what happens, throws somebody out with a reason, signs out."""
    page = browsing.page(house.page_url + "admin/")
    browsing.may_refuse()
    sign_in(page, "Olga", "not this one")
    expect(page.locator("#wrong")).to_have_text("Name or password are not right.")
    sign_in(page, "Olga")
    expect(page.locator("#lamp")).to_have_text("live")
    expect(page.locator("#settings tr", has_text="insecure-no-limits")).to_contain_text("yescommand line")
    with WebSocketPeer(house.socket_url(nick="<b>Ann</b>", room="tea")) as ann:
        ann.arrived()
        row = page.locator("#people tbody tr", has_text="<b>Ann</b>")
        expect(row).to_contain_text("tea")
        expect(page.locator("#rooms tbody tr", has_text="tea")).to_be_visible()
        expect(page.locator("#connections tbody tr", has_text="simple")).to_be_visible()
        row.locator("button").click()
        page.locator("#reason").fill("shouting")
        page.locator("#do").click()
        expect(page.locator("#acting")).to_be_hidden()
        expect(row).to_have_count(0)
    page.locator("#out").click()
    expect(page.locator("#door")).to_be_visible()
    page.reload()
    expect(page.locator("#door")).to_be_visible()


def test_a_moderator(house: Server, browsing: Browsing) -> None:
    """Looks, and has no button."""
    page = browsing.page(house.page_url + "admin/")
    sign_in(page, "Max")
    expect(page.locator("#only")).to_be_visible()
    with WebSocketPeer(house.socket_url(nick="Bea")) as bea:
        bea.arrived()
        expect(page.locator("#people tbody tr", has_text="Bea")).to_be_visible()
        assert page.locator("#people button").count() == 0


@pytest.mark.parametrize("lang", ["en", pytest.param("zh-CN", marks=pytest.mark.slow)])
def test_how_it_looks(house: Server, browsing: Browsing, lang: str) -> None:
    """None of axe's rules is broken, wide and narrow, light and dark, in both languages; all can be touched."""
    judge = Judge((installed(HERE / "axe") / "axe-core" / "axe.min.js").read_text("utf-8"))
    page = browsing.page(f"{house.page_url}admin/?lang={lang}", bypass_csp=True)
    expect(page.locator("#door")).to_be_visible()
    judge.looks(page, "door")
    sign_in(page, "Olga")
    with WebSocketPeer(house.socket_url(nick="陈子墨", room="a-room-with-quite-a-long-name")) as peer:
        peer.arrived()
        expect(page.locator("#people tbody tr", has_text="陈子墨")).to_be_visible()
        judge.looks(page, "house")
        page.locator("#people tbody tr", has_text="陈子墨").locator("button").click()
        judge.looks(page, "acting")
        assert not judge.found, "\n".join(judge.found)
        page.locator("#cancel").click()
        phone = browsing.page(f"{house.page_url}admin/?lang={lang}", **PHONE)
        sign_in(phone, "Olga")
        expect(phone.locator("#people tbody tr", has_text="陈子墨")).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
        assert [*cut(phone), *small(phone, 44)] == []


def test_it_is_small() -> None:
    """Page, style and scripts together are at most 25 KB zipped."""
    static = Path(__file__).parents[3] / "chatservice" / "static"
    files = [*static.glob("admin*"), static / "paper.css", static / "lite-rows.js", static / "lite-words.js"]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= 25 * 1024
