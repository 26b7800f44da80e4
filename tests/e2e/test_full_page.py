"""The built page as it is served: few requests, any path, no network, an upgrade while it is open."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from e2e.browsing import Browsing
from e2e.conftest import Serve
from e2e.package import Package
from e2e.page.thepage import ARCHIVED, has_begun
from e2e.proxy import below
from e2e.server import CHECKOUT, PATIENCE_S, Server, eventually

WORKER_RUNS = "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The page of the checkout is built."""
    subprocess.run(["make", "--no-print-directory", "web"], cwd=CHECKOUT, check=True)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """A package of one's own."""
    return Package(tmp_path / "package")


def build_of(page: Page) -> str:
    """Which build a page is of."""
    return page.locator('meta[name="build"]').get_attribute("content") or ""


def is_shown(page: Page) -> None:
    """Wait until its script has run and its style is there."""
    has_begun(page)
    page.wait_for_function("() => document.body.innerText.trim() !== ''")
    assert page.evaluate("[...document.styleSheets].every((sheet) => sheet.cssRules.length > 0)")


def test_first_load(server: Server, browsing: Browsing) -> None:
    """UI-28: a newcomer's page is there after at most six requests, all answered, none elsewhere."""
    page = browsing.page("about:blank", chat=server.page_url.split("/")[2])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answered: list[int] = []
    page.on("response", lambda response: answered.append(response.status))
    page.goto(server.page_url, wait_until="networkidle")
    is_shown(page)
    assert 3 <= len(asked) <= 6, asked
    assert set(answered) == {200}


def test_it_knows_its_build(server: Server, browsing: Browsing) -> None:
    """The page is of the build that hello tells."""
    with connect(server.socket_url("/v1"), proxy=None) as connection:
        connection.send('{"type":"hello","id":1}')
        told = json.loads(connection.recv(PATIENCE_S))["build"]
    assert build_of(browsing.page(server.page_url)) == told != ""


def test_below_a_path(server: Server, browsing: Browsing) -> None:
    """Behind a proxy that strips a path it works, both pages do: nothing is asked for outside that path."""
    with below("/chat/", server.web_port) as address:
        page = browsing.page(address)
        is_shown(page)
        scope = page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.scope)")
        assert scope == address
        small = browsing.page(address + "lite")
        small.locator("#door-nick").fill("Ann")
        small.locator("#door-form button").click()
        expect(small.locator("#people-list li")).to_have_count(1)


def test_without_a_network(serve: Serve, browsing: Browsing) -> None:
    """UI-26: reloaded while the service is down the page is shown all the same, with what was said last; once it
    is up, it is its page again."""
    server = serve()
    page = browsing.page(server.page_url)
    page.wait_for_function(WORKER_RUNS)
    page.locator("input[name=nick]").fill("Ann")
    page.keyboard.press("Enter")
    page.locator("#text").fill("said before")
    page.keyboard.press("Enter")
    eventually(lambda: len(page.evaluate(ARCHIVED)) == 1, "the room is in the archive")
    with browsing.server_down():
        server.stop()
        page.reload()
        expect(page.locator("li.row[data-seq] .text")).to_have_text("said before")
        expect(page.locator("#text")).to_be_editable()
        page.goto(server.page_url + "?room=den")
        is_shown(page)
        server.start()
        page.reload()
        expect(page.locator(".status.online")).to_be_attached()
        page.wait_for_function("fetch('robots.txt').then((answer) => answer.ok)")


def test_nothing_said_is_kept(server: Server, browsing: Browsing) -> None:
    """UI-26: what the worker keeps are the page and its files: nothing of the API, whoever asks for it."""
    page = browsing.page(server.page_url)
    page.wait_for_function(WORKER_RUNS)
    said = "fetch('api/rooms/lobby/messages', { method: 'POST', body: 'secret' }).then((answer) => answer.status)"
    assert page.evaluate(said) == 201
    assert "secret" in page.evaluate("fetch('api/rooms/lobby/export').then((answer) => answer.text())")
    kept = page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys())
                for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
            return found;
        }"""
    )
    assert "/" in kept and len(kept) >= 3
    assert [path for path in kept if path != "/" and not path.startswith("/app/")] == []


WHAT_IS_LEFT = """async () => [
    (await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length]"""


def test_away_with_the_worker(server: Server, browsing: Browsing) -> None:
    """UI-26: `?nosw` in the address removes the worker and what it kept."""
    page = browsing.page(server.page_url)
    page.wait_for_function(WORKER_RUNS)
    assert page.evaluate(WHAT_IS_LEFT) == [1, 1]
    page.goto(server.page_url + "?nosw")
    page.wait_for_function(f"({WHAT_IS_LEFT})().then((left) => left.join() === '0,0')")
    is_shown(page)


def test_an_upgrade_while_it_is_open(package: Package, browsing: Browsing, tmp_path: Path) -> None:
    """UI-25: after an upgrade the next load is the new page; one that is still open gets the files of its own
    build, and says that there is a new one: a click leads to it, with what was being written."""
    with package.server(tmp_path / "server") as server:
        page = browsing.page(server.page_url)
        page.wait_for_function(WORKER_RUNS)
        page.locator("input[name=nick]").fill("Ann")
        page.keyboard.press("Enter")
        page.locator("#text").fill("half a sentence")
        first = build_of(page)
        script = page.locator("link#main").get_attribute("href") or ""
        package.rebuild()
        assert first != package.build
        with browsing.server_down():
            server.restart()
            assert (
                page.evaluate("(src) => fetch(src, { cache: 'reload' }).then((answer) => answer.status)", script)
                == 200
            )
            page.locator(".bar.indigo").get_by_role("button", name="Reload").click()
            expect(page.locator(f'meta[name="build"][content="{package.build}"]')).to_be_attached()
            expect(page.locator("#text")).to_have_value("half a sentence")
            expect(page.locator(".status.online")).to_be_attached()
            expect(page.locator(".bar.indigo")).to_have_count(0)
        assert not (package.app / Path(script).name).exists()
        with urllib.request.urlopen(server.page_url + script) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        # Its worker is replaced as well, and with it what is shown without a network.
        page.wait_for_function(
            "build => caches.keys().then((names) => names.length === 1 && names[0].endsWith(build))",
            arg=package.build,
        )


def test_where_it_is_not_built(package: Package, browsing: Browsing, tmp_path: Path) -> None:
    """/ is the small page then and the banner says how to get the full one; a worker of before leaves."""
    with package.server(tmp_path / "server") as server:
        page = browsing.page(server.page_url)
        page.wait_for_function(WORKER_RUNS)
        assert "the small one" not in server.banner
        shutil.rmtree(package.app)
        with browsing.server_down():
            server.restart()
            page.goto(server.page_url)
            expect(page.locator("#door-nick")).to_be_visible()
            page.wait_for_function(f"({WHAT_IS_LEFT})().then((left) => left.join() === '0,0')")
        assert [line for line in server.banner.splitlines() if "the small one" in line and "npm" in line]
        eventually(lambda: page.locator("#door-nick").is_visible(), "the small page")
