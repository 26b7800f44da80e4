"""Socket.IO clients of three generations, on every transport, in the same rooms as everybody else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from socketio.test_clients import CLIENTS, TRANSPORTS, clients

from e2e.browsing import Browsing
from e2e.conftest import Serve
from e2e.peers import LinePeer, WebSocketPeer
from e2e.server import CHECKOUT, Server
from e2e.taught import filled, served
from examples import examples

__all__ = ["clients"]

BUILD = CHECKOUT / "web" / "socketio-clients" / "build"
Open = Callable[..., Page]


def node(directory: Path, *words: object) -> subprocess.Popen[str]:
    """A program of tests/js."""
    return subprocess.Popen(
        ["node", "chat.js", *map(str, words)],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_the_chat(clients: Path, shared_server: Server, client: str, transport: str) -> None:
    """Each client on each transport: as taught, as chat.v1, and from the one to the other by hello."""
    program = node(clients, client, transport, shared_server.web_port, "taught", "full", "hello")
    _, complaint = program.communicate(timeout=40)
    assert program.returncode == 0, complaint


def test_a_restart(clients: Path, serve: Serve) -> None:
    """All clients on all transports come back by themselves after a restart, and what was said is still there."""
    server = serve("--insecure-no-limits")
    programs = {
        (client, transport): node(clients, client, transport, server.web_port, "restart")
        for client in CLIENTS
        for transport in TRANSPORTS
    }
    try:
        for which, program in programs.items():
            assert program.stdout is not None and program.stderr is not None
            assert program.stdout.readline() == "ready\n", (which, program.stderr.read())
        server.stop()
        server.start()
        for which, program in programs.items():
            _, complaint = program.communicate(timeout=40)
            assert program.returncode == 0, (which, complaint)
    finally:
        for program in programs.values():
            program.kill()
            program.communicate()


def test_the_wire_page(clients: Path, serve: Serve) -> None:
    """The program in docs/wire/socketio.md prints what stands below it, answer and event in either order."""
    page = CHECKOUT / "docs" / "wire" / "socketio.md"
    ((_, program),), ((_, printed),) = examples(page, "js"), examples(page, "text")
    address = f"127.0.0.1:{serve().web_port}"
    done = subprocess.run(
        ["node", "-e", 'const io = require("client-4");\n' + program.replace("127.0.0.1:8080", address)],
        cwd=clients,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (sorted(done.stdout.splitlines()), done.stderr) == (sorted(printed.splitlines()), "")


# --- the lessons' pages ---


@pytest.fixture(scope="module")
def client_files() -> Path:
    """The browser clients as the build puts them into the package."""
    assert shutil.which("npm"), "npm is needed (tests/install-tools says how)"
    directory = CHECKOUT / "chatservice" / "socketio" / "clients"
    if not (directory / "4" / "LICENSE").exists():
        subprocess.run([BUILD], check=True, timeout=300)
    return directory


@pytest.fixture(params=["/socket.io/2/socket.io.js", "/socket.io/socket.io.js"], ids=["2.x", "4.x"])
def opened(
    request: pytest.FixtureRequest,
    shared_server: Server,
    browsing: Browsing,
    client_files: Path,
    tmp_path: Path,
) -> Iterator[Open]:
    """Opens a lesson's page with the client of either generation, which the chat itself serves."""
    chat = f"http://127.0.0.1:{shared_server.web_port}"
    with served(tmp_path) as own_server:

        def open_page(name: str, room: str, where: str = "http") -> Page:
            copy = filled(name, tmp_path, __CLIENT__=chat + request.param, __CHAT__=f"{chat}/?room={room}")
            url = copy.as_uri() if where == "file" else f"{own_server}/{name}"
            return browsing.page(url, chat=f"127.0.0.1:{shared_server.web_port}")

        yield open_page


@pytest.mark.parametrize("where", ["file", "http"])
def test_the_news_page(opened: Open, where: str) -> None:
    """The first lesson's page hears the news and answers it, opened from a file or from a server."""
    expect(opened("socketio-news.html", "news", where)).to_have_title("world")


def test_the_chat_page(opened: Open, shared_server: Server, request: pytest.FixtureRequest) -> None:
    """The chat page shows who comes in blue, who goes in red, and what is said by whatever client."""
    room = "page" + str(abs(hash(request.node.name)))
    page = opened("socketio-chat.html", room)
    lines = page.locator("body > div")
    expect(lines).to_have_text([re.compile(r"^user\d+ comes in$")])
    me = lines.first.inner_text().partition(" ")[0]
    with WebSocketPeer(shared_server.socket_url("/text", room=room, nick="Tom")) as tom:
        expect(lines.last).to_have_text("Tom comes in")
        page.locator("#words").fill("你好 😀 & welcome")
        page.locator("#go").click()
        expect(lines.last).to_have_text(f"{me} says: 你好 😀 & welcome")
        tom.hears("你好 😀 & welcome")
        tom.say("thanks")
        expect(lines.last).to_have_text("Tom says: thanks")
        with LinePeer(shared_server.line_port) as line:
            line.say("/join " + room)
            line.say("from a terminal")
            expect(lines.last).to_have_text(re.compile(r"^user\d+ says: from a terminal$"))
    expect(page.locator("body > div", has_text="Tom left")).to_have_css("color", "rgb(255, 0, 0)")
    expect(lines.first).to_have_css("color", "rgb(0, 0, 255)")


def test_the_form_page(opened: Open, shared_server: Server, request: pytest.FixtureRequest) -> None:
    """The form page greets, says what is in its form and shows what the others say, but not its own words."""
    room = "form" + str(abs(hash(request.node.name)))
    with WebSocketPeer(shared_server.socket_url("/text", room=room)) as other:
        other.until(lambda heard: heard)
        page = opened("socketio-form.html", room)
        expect(page).to_have_title("connected")
        other.hears("hello from the form")
        page.locator("[name=sayinput]").fill("大家好")
        page.get_by_role("button", name="say").click()
        other.hears("大家好")
        other.say("你也好")
        expect(page.locator("#chatroom")).to_have_text("你也好")


def test_with_strangers_on_the_network_markup_is_text(
    serve: Serve, browsing: Browsing, client_files: Path, tmp_path: Path
) -> None:
    """With `escape=html` a lesson's page, which uses innerHTML, shows other people's markup as text."""
    server = serve("--insecure-no-limits")
    chat = f"http://127.0.0.1:{server.web_port}"
    copy = filled(
        "socketio-chat.html",
        tmp_path,
        __CLIENT__=chat + "/socket.io/socket.io.js",
        __CHAT__=f"{chat}/?room=evil&escape=html",
    )
    page = browsing.page(copy.as_uri(), chat=f"127.0.0.1:{server.web_port}")
    expect(page.locator("body > div")).to_have_count(1)
    evil = "<img src=x onerror=alert(1)><b id=evil>'&amp;\""
    with WebSocketPeer(server.socket_url("/text", room="evil")) as other:
        other.until(lambda heard: heard)
        other.say(evil)
        expect(page.get_by_text(evil)).to_be_visible()
    assert page.locator("#evil, img").count() == 0
