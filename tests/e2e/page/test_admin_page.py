"""The operator's page: signing in, looking on, throwing somebody out."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from npm import installed
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.page.fitting import cut, small, space_out
from e2e.page.housestate import ROOMS, WIDE, full_house, open_admin
from e2e.page.test_axe import HERE, Judge
from e2e.page.thepage import PHONE
from e2e.peers import WebSocketPeer
from e2e.server import Server
from e2e.test_accounts import chatservice
from e2e.v1peer import V1Peer

WORDS = "a good long password"

# The tables that have to be scrolled sideways.
_SCROLLING = """() => [...document.querySelectorAll("section > div")]
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.id)"""


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


def test_a_ban_is_lifted(house: Server, browsing: Browsing) -> None:
    """Who is banned from a room is in it no more; the owner finds it among the others, and takes the ban back."""
    page = browsing.page(house.page_url + "admin/")
    sign_in(page, "Olga")
    with (
        V1Peer(house, "Will", rooms={"tea": None, "cake": None}) as will,
        V1Peer(house, "Eve", rooms={"tea": None}),
    ):
        row = page.locator("#people tbody tr", has_text="Will")
        for what, shown in (("ban", "cake"), ("unban", "cake")):
            row.locator("button").click()
            page.locator("#where").select_option("tea")
            page.locator("#what").select_option(what)
            page.locator("#do").click()
            expect(page.locator("#acting")).to_be_hidden()
            expect(row.locator("td").last.locator("xpath=preceding-sibling::td[1]")).to_have_text(shown)
        assert will.ask("join", room="tea")["type"] == "ok"


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


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [320, 360, 768, 1100, 1440])
def test_much_fits(house: Server, browsing: Browsing, width: int, lang: str) -> None:
    """200 rooms, names that are long, heaped with marks or written from right to left, workers of which one is
    gone: nothing is cut off or leaves the window, all is as big as a finger; also with letters spaced out."""
    page = open_admin(
        browsing, house, full_house(), lang, **{**PHONE, "viewport": {"width": width, "height": 740}}
    )
    for button in page.locator("[data-all]").all():
        button.click()
    expect(page.locator("#rooms tbody tr")).to_have_count(ROOMS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [*cut(page), *small(page, 44)] == []
    assert page.evaluate(_SCROLLING) == []
    page.locator("[data-user=u_0]").click()
    assert [*cut(page), *small(page, 44)] == []
    page.locator("#cancel").click()
    space_out(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width and cut(page) == []


@pytest.mark.parametrize("lang", ["en", pytest.param("zh-CN", marks=pytest.mark.slow)])
def test_much_is_accessible(house: Server, browsing: Browsing, lang: str) -> None:
    """Of such a page none of axe's rules is broken either; a card is a table's row to whoever hears it."""
    judge = Judge((installed(HERE / "axe") / "axe-core" / "axe.min.js").read_text("utf-8"))
    page = open_admin(browsing, house, full_house(), lang, bypass_csp=True, viewport={"width": 360, "height": 740})
    row = page.get_by_role("table").nth(0).get_by_role("row").nth(1)
    assert row.get_by_role("cell").count() == page.locator("#workers th").count()
    judge.looks(page, "full house")
    assert not judge.found, "\n".join(judge.found)


def test_all_workers_on_the_page(house: Server, browsing: Browsing) -> None:
    """Sums on top; a row each with since when its figures are; it is said whose people, rooms and troubles are
    shown, and that what all share does not answer, as long as it does not. Of one process there is none of it."""
    state = full_house()
    page = open_admin(browsing, house, state, "en", viewport={"width": 1440, "height": 900})
    tiles = page.locator("#tiles")
    expect(tiles).to_contain_text("Connections3140People2408Rooms here412Messages a second36.6")
    rows = page.locator("#workers tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("w1-1 shows this page")
    expect(rows.nth(1)).to_contain_text("w2-1")
    expect(rows.nth(1)).to_contain_text("2 s ago")
    expect(rows.nth(2)).to_contain_text("not heard of")
    expect(rows.nth(3)).to_contain_text("gone")
    expect(rows.nth(3)).to_contain_text("1 min ago")
    expect(page.locator("#workers .bad")).to_have_text(
        "What all workers share does not answer: the others as of 21 s ago."
    )
    for where in ("people", "rooms", "trouble"):
        expect(page.locator(f"#{where} .quiet").last).to_have_text("As w1-1 has it, which shows this page.")
    state["all"]["as_of_s"] = 0.4
    page.evaluate("(state) => tellState(state)", state)
    expect(page.locator("#workers .bad")).to_have_count(0)
    page.evaluate("(state) => tellState(state)", full_house(several=False))
    expect(page.locator("#workers")).to_be_hidden()
    expect(page.get_by_text("which shows this page")).to_have_count(0)
    expect(tiles).to_contain_text("Connections3140People2408Rooms412Messages a second18.3")


def test_drawn_anew(house: Server, browsing: Browsing) -> None:
    """Each state is drawn, and takes nothing from whoever is about to do something: a button that is held is
    pressed when it is released, what is selected stays, the focus stays where it was."""
    state = full_house()
    page = open_admin(browsing, house, state, "en", viewport={"width": 1440, "height": 900})

    def tell() -> None:
        for person in state["people"]["list"]:
            person["waiting"] += 1_000_000
        page.evaluate("(state) => tellState(state)", state)

    act = page.locator("[data-user=u_1]")
    act.hover()
    page.mouse.down()
    tell()
    page.mouse.up()
    expect(page.locator("#acting")).to_be_visible()
    page.locator("#cancel").click()
    page.locator("#people [data-all]").focus()
    tell()
    expect(page.locator("#people tbody tr").nth(1)).to_contain_text("1.9 MiB")
    expect(page.locator("#people [data-all]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#people tbody tr")).to_have_count(len(state["people"]["list"]))
    page.locator("#people tbody bdi").first.dblclick()
    tell()
    assert page.evaluate("getSelection().toString()").strip() in WIDE and page.evaluate(
        "!getSelection().isCollapsed"
    )


@pytest.mark.parametrize("end", ["contextmenu", "blur", "visibilitychange", "pointercancel"])
def test_a_press_whose_end_is_not_heard(house: Server, browsing: Browsing, end: str) -> None:
    """Figures stand still only while the main button is held: another one holds nothing, and where the release
    goes to a menu or another window, they go on."""
    state = full_house()
    page = open_admin(browsing, house, state, "en", viewport={"width": 1440, "height": 900})
    figure = page.locator("#people tbody tr").nth(1)

    def tell() -> None:
        for person in state["people"]["list"]:
            person["waiting"] += 1_000_000
        page.evaluate("(state) => tellState(state)", state)

    page.locator("[data-user=u_1]").hover()
    page.mouse.down(button="right")
    tell()
    expect(figure).to_contain_text("977 KiB")
    page.mouse.up(button="right")
    page.mouse.down()
    tell()
    expect(figure).to_contain_text("977 KiB")
    target = "document" if end == "visibilitychange" else "window"
    page.evaluate(f"{target}.dispatchEvent(new Event({end!r}, {{ bubbles: true }}))")
    expect(figure).to_contain_text("1.9 MiB")
    page.mouse.up()


def test_it_is_small() -> None:
    """Page, style and scripts together are at most 25 KB zipped."""
    static = Path(__file__).parents[3] / "chatservice" / "static"
    files = [*static.glob("admin*"), static / "paper.css", static / "lite-rows.js", static / "lite-words.js"]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= 25 * 1024
