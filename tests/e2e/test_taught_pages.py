"""The pages and clients that newcomers are taught work unchanged but for the address."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.peers import Ears, LinePeer, ProgramPeer, WebSocketPeer
from e2e.server import Server
from e2e.taught import filled, served

Open = Callable[..., Page]


@pytest.fixture(params=["file", "http"])
def opened(
    request: pytest.FixtureRequest, shared_server: Server, browsing: Browsing, tmp_path: Path
) -> Iterator[Open]:
    """Opens a taught page: from a file (Origin `null`), and from another web server of this computer."""
    with served(tmp_path) as own_server:

        def open_page(name: str, path: str, **query: str) -> Page:
            copy = filled(name, tmp_path, __CHAT__=shared_server.socket_url(path, **query))
            url = copy.as_uri() if request.param == "file" else f"{own_server}/{name}"
            return browsing.page(url, chat=f"127.0.0.1:{shared_server.web_port}")

        yield open_page


@pytest.mark.parametrize("name", ["echo.html", "echo-listeners.html"])
@pytest.mark.parametrize(
    ("path", "answer"),
    [("/echo", "Hi, straße 你好 👋"), ("/scream", "HI, STRASSE 你好 👋!!!")],
    ids=["echo", "scream"],
)
def test_the_echo_page(opened: Open, name: str, path: str, answer: str) -> None:
    """The echo page says Connected, and what is sent comes back: as it was, or screamed."""
    page = opened(name, path)
    expect(page.locator("div")).to_have_text("Connected")
    page.locator("input").fill("Hi, straße 你好 👋")
    page.locator("button").click()
    expect(page.locator("div")).to_have_text(answer)
    page.locator("input").fill("")
    page.locator("button").click()
    expect(page.locator("div")).to_have_text("" if path == "/echo" else "!!!")


def test_the_broadcast_page(opened: Open, shared_server: Server) -> None:
    """The broadcast page shows who comes, what is said and who leaves, the newest at the bottom."""
    page = opened("broadcast.html", "/text", room="broadcast")
    lines = page.locator(".list > .section")
    expect(page).to_have_title("ready")
    expect(lines).to_have_text([re.compile(r"^user\d+ comes in$")])
    with WebSocketPeer(shared_server.socket_url("/text", room="broadcast", nick="Tom")) as tom:
        expect(lines.last).to_have_text("Tom comes in")
        page.locator("#input").fill("hello, everybody")
        page.locator(".send-btn").click()
        expect(lines.last).to_have_text("hello, everybody")
        tom.hears("hello, everybody")
        for number in range(20):
            tom.say(f"line {number}")
        expect(lines).to_have_count(23)
        expect(lines.last).to_have_text("line 19")
        below = page.locator(".content").evaluate("e => e.scrollHeight - e.clientHeight - e.scrollTop")
        assert below <= 1
    expect(lines.last).to_have_text("Tom left")
    expect(page.locator("#input")).to_have_value("")


def test_the_typed_page(opened: Open, shared_server: Server) -> None:
    """The typed page shows ready sentences: comings in blue, goings in red, words in the page's own colour."""
    page = opened("typed.html", "/", room="typed")
    lines = page.locator("body > div")
    with LinePeer(shared_server.line_port) as line:
        line.say("/nick Lee")
        line.until(lambda heard: any(words.endswith("is now Lee") for words in heard))
        expect(lines).to_have_text([re.compile(r"^user\d+ comes in$")])
        me = lines.first.inner_text().partition(" ")[0]
        line.say("/join typed")
        expect(lines.last).to_have_text("Lee comes in")
        page.locator("#words").fill("你好 & welcome")
        page.locator("#go").click()
        expect(lines.last).to_have_text(f"{me} says: 你好 & welcome")
        line.hears(f"{me}say:你好 & welcome")
        line.say("thanks")
        expect(lines.last).to_have_text("Lee says: thanks")
        line.say("bye")
        line.ended()
        assert line.heard[-1] == "* bye"
    expect(lines.last).to_have_text("Lee left")
    blue, black, red = "rgb(0, 0, 255)", "rgb(0, 0, 0)", "rgb(255, 0, 0)"
    colours = lines.evaluate_all("all => all.map((one) => getComputedStyle(one).color)")
    assert colours == [blue, blue, black, black, red]


def test_the_form_page(opened: Open, shared_server: Server) -> None:
    """The form page says what is in its form and collects what everybody says."""
    page = opened("form.html", "/text", room="form", lang="zh")
    room = page.locator("#chatroom")
    expect(room).to_have_text(re.compile("^user[0-9]+ 进来了$"))
    with WebSocketPeer(shared_server.socket_url("/text", room="form")) as other:
        other.until(lambda heard: heard)
        page.locator("[name=sayinput]").fill("大家好")
        page.get_by_role("button", name="说").click()
        other.hears("大家好")
        expect(room).to_contain_text("大家好")
        other.say("你也好")
        expect(room).to_contain_text("你也好")
    expect(room).to_have_text(re.compile("离开了$"))


@pytest.mark.parametrize(("name", "path"), [("broadcast.html", "/text"), ("typed.html", "/")])
def test_escape_html_keeps_strangers_markup_out_of_a_taught_page(
    opened: Open, shared_server: Server, name: str, path: str
) -> None:
    """With escape=html in the address, a page that uses innerHTML shows other people's markup as text."""
    page = opened(name, path, room="markup", escape="html")
    expect(page.get_by_text("comes in")).to_be_visible()  # the page is in the room before anything is said
    evil = "<img src=x onerror=alert(1)><b id=evil>'&amp;\""
    with WebSocketPeer(shared_server.socket_url("/text", room="markup")) as other:
        other.until(lambda heard: heard)
        other.say(evil)
        expect(page.get_by_text(evil)).to_be_visible()
    assert page.locator("#evil, img").count() == 0


@pytest.fixture
def node(shared_server: Server, tmp_path: Path) -> Iterator[ProgramPeer]:
    """The taught Node client, connected."""
    client = filled("net-client.js", tmp_path, __PORT__=str(shared_server.line_port))
    with ProgramPeer("node", client) as peer:
        peer.until(lambda heard: any(words.startswith("server: Hi 127.0.0.1:") for words in heard))
        yield peer


@pytest.fixture
def listener(shared_server: Server) -> Iterator[WebSocketPeer]:
    """Somebody in the lobby, there before anybody else of the test."""
    with WebSocketPeer(shared_server.socket_url()) as peer:
        peer.arrived()
        yield peer


def test_the_node_client_talks(listener: WebSocketPeer, node: ProgramPeer) -> None:
    """The greeting without a newline is said with the first line typed; `bye` hangs up."""
    node.say("，我是 Node")
    node.say("second line")
    said = listener.hears_messages(2)
    assert [frame["text"] for frame in said] == ["你好，我是 Node", "second line"]
    nick = own_nick(node)
    assert {frame["from"]["nick"] for frame in said} == {nick}
    node.until(lambda heard: any(f"{nick}say:second line" in words for words in heard))
    listener.say("welcome")
    node.until(lambda heard: any(words.endswith("say:welcome") for words in heard))
    node.say("bye")
    node.hears("closed")
    assert_left(listener, nick)
    assert node.process.wait(15) == 0


def test_the_node_client_that_never_ends_its_line(listener: WebSocketPeer, node: ProgramPeer) -> None:
    """A greeting whose newline never comes is never said, and nothing breaks when the client goes."""
    nick = own_nick(node)
    node.say("bye")
    node.hears("closed")
    assert_left(listener, nick)
    listener.say("still here")
    listener.until(lambda _: listener.said)
    assert [frame["text"] for frame in listener.said] == ["still here"]


@pytest.mark.parametrize("end", [socket.SHUT_WR, None], ids=["finished", "cut"])
def test_an_unfinished_line_is_not_said(listener: WebSocketPeer, shared_server: Server, end: int | None) -> None:
    """A TCP client that goes in the middle of a line has not said it; its whole lines before are said."""
    with LinePeer(shared_server.line_port) as peer:
        peer.socket.sendall("whole\n你".encode()[:-1])
        listener.until(lambda _: listener.said)
        nick = own_nick(peer)
        if end is not None:
            peer.socket.shutdown(end)
            peer.ended()
    assert_left(listener, nick)
    assert [frame["text"] for frame in listener.said] == ["whole"]


def own_nick(peer: Ears) -> str:
    """What a line peer was told that it is called."""
    heard = peer.until(lambda heard: any("* you are " in words for words in heard))
    return next(words for words in heard if "* you are " in words).split("* you are ")[1].split()[0]


def assert_left(listener: WebSocketPeer, nick: str) -> None:
    """Wait until the listener was told that this one left."""

    def leaves() -> list[dict[str, Any]]:
        return [frame for frame in listener.frames if frame["type"] == "leave" and frame["user"]["nick"] == nick]

    listener.until(lambda _: leaves())
    assert [frame["data"] for frame in leaves()] == [f"{nick} left"]
