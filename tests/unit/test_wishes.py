"""What a WebSocket handshake asks for."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qs

import pytest

from chatservice.domain import commands
from chatservice.domain.commands import Position
from chatservice.transports.surroundings import Manners
from chatservice.transports.wishes import Wishes, read_wishes
from chatservice.wires.handshake import Denied

Join = partial(commands.Join, alone=True)  # text-like dialects are in one room at a time
HERE = Manners("en", "simple", "lobby", loopback=True)
PUBLIC = Manners("zh-CN", "text", "大厅", loopback=False)


def wishes(path: str = "/", query: str = "", *subprotocols: str, manners: Manners = HERE) -> Wishes:
    return read_wishes(path, parse_qs(query), subprotocols, manners)


@pytest.mark.parametrize(
    ("path", "subprotocols", "dialect", "told"),
    [
        ("/", (), "simple", None),
        ("/text", (), "text", None),
        ("/echo", (), "echo", None),
        ("/scream", (), "scream", None),
        ("/v1", (), "full", None),
        ("/", ("chat.v1",), "full", "chat.v1"),
        ("/text", ("superchat",), "full", "superchat"),
        ("/v1", ("chat",), "simple", "chat"),
        ("/", ("chat.text",), "text", "chat.text"),
        ("/text", ("chat",), "simple", "chat"),
        ("/echo", ("mqtt", "chat.text", "chat"), "text", "chat.text"),
    ],
)
def test_dialects(path: str, subprotocols: tuple[str, ...], dialect: str, told: str | None) -> None:
    """A subprotocol is stronger than the path; the first one we know is told back."""
    wish = wishes(path, "", *subprotocols)
    assert (wish.dialect, wish.subprotocol) == (dialect, told)


def test_the_listeners_defaults() -> None:
    """Where a peer says nothing the listener's manners hold."""
    wish = wishes(manners=PUBLIC)
    assert (wish.dialect, wish.lang, wish.escape, wish.nick) == ("text", "zh-CN", True, None)
    assert wish.join == Join("大厅", last=0, since=None)
    assert wishes().escape is False


def test_everything_at_once() -> None:
    """All of the address is understood."""
    wish = wishes("/", "room=a%20b&nick=Ann%20Lee&last=20&since=5&epoch=k3&lang=zh-TW&escape=html")
    assert wish == Wishes("simple", None, "zh-CN", True, "Ann Lee", Join("a b", 20, Position("k3", 5)))
    assert wishes("/", "escape=off", manners=PUBLIC).escape is False


@pytest.mark.parametrize(
    ("query", "join"),
    [
        ("last=-1", Join("lobby")),
        ("last=x", Join("lobby")),
        ("last=1.5", Join("lobby")),
        ("last=²", Join("lobby")),
        ("last=", Join("lobby")),
        ("last=0", Join("lobby")),
        ("last=201", Join("lobby", 200)),
        ("last=" + "9" * 16, Join("lobby", 200)),
        ("last=" + "9" * 5000, Join("lobby")),
        ("last=3&last=4", Join("lobby", 3)),
        ("since=5", Join("lobby", since=Position("", 5))),
        ("epoch=k3", Join("lobby")),
        ("since=-5&epoch=k3", Join("lobby")),
        ("since=9999999999999999&epoch=k3", Join("lobby", 0, Position("k3", 2**53))),
        ("room=", Join("lobby")),
        ("room=%40ann", Join("lobby")),
    ],
)
def test_what_makes_no_sense_counts_as_not_given(query: str, join: commands.Join) -> None:
    """A beginner's typo keeps nobody out; numbers stay in their bounds."""
    assert wishes("/", query).join == join


@pytest.mark.parametrize("query", ["escape=yes", "escape=HTML", "lang=de", "nick=", "token=x", "nonsense"])
def test_unknown_values_change_nothing(query: str) -> None:
    """A value or a parameter nobody knows is passed over."""
    assert wishes("/", query) == wishes()


@pytest.mark.parametrize("path", ["/x", "/text/", "//", "", "/TEXT", "/v1/", "/v2", "/static/lite.js", "/../etc"])
def test_unknown_paths(path: str) -> None:
    """An unknown path is a 404 that names the known ones and nothing of what was asked."""
    with pytest.raises(Denied) as denied:
        wishes(path)
    assert denied.value.status == 404
    assert denied.value.reason == "no WebSocket here; there is one at / /v1 /text /echo /scream /wire"


@pytest.mark.parametrize("offered", [("mqtt",), ("Chat", "<script>"), ("",)])
def test_unknown_subprotocols(offered: tuple[str, ...]) -> None:
    """Only unknown subprotocols are a 400 that names the known ones."""
    with pytest.raises(Denied) as denied:
        wishes("/", "", *offered)
    assert denied.value.status == 400
    assert denied.value.reason == "unknown subprotocol; known are chat.v1 superchat chat chat.text"
