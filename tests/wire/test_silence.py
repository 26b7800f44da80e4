"""Who is silent is asked, and who stays silent is ended."""

from __future__ import annotations

import pytest

from wire.house import House, frame
from wire.people import PING, LinePerson, SimplePerson, TextPerson, WebSocketPerson


@pytest.mark.parametrize("path", ["/", "/text", "/echo", "/scream"])
def test_a_silent_websocket(house: House, path: str) -> None:
    """25 s of silence: a ping. No answer for 10 s: it is closed and out of the room; 5 s later it is cut off."""
    one = WebSocketPerson(house, path)
    one.frames()
    house.wait(24)
    assert one.frames() == []
    house.wait(1)
    assert one.frames() == [(PING, b"")]
    house.wait(9)
    assert one.frames() == [] and len(house.chat.peers) == 1
    house.wait(1)
    one.frames()
    assert one.closed == (1008, "timed out")
    assert not house.chat.peers and house.hub.rooms == {} and len(house.around.pings) == 0
    house.wait(4)
    assert not one.transport.aborted
    house.wait(1)
    assert one.transport.aborted
    one.leave()
    assert len(house.around.farewells) == 0


def test_the_others_learn_of_the_dead(house: House) -> None:
    """Somebody whose link is down leaves the room after 35 s."""
    dead, other = TextPerson(house), TextPerson(house)
    for _ in range(7):
        house.wait(5)
        other.answer_ping()
    assert other.heard()[-1] == "user1 left"
    house.wait(5)
    assert dead.transport.aborted and not other.transport.aborted


@pytest.mark.parametrize(
    "sign",
    [frame(b"", 10), frame(b"unasked", 10), frame(b"are you there", 9), frame("hello")],
    ids=["pong", "another pong", "ping", "text"],
)
def test_signs_of_life(house: House, sign: bytes) -> None:
    """A pong, a ping and a message each begin a new silence."""
    one = TextPerson(house)
    for _ in range(10):
        house.wait(24)
        one.feed(sign)
    one.heard()
    assert one.pings == 0 and not one.transport.aborted
    house.wait(25)
    one.heard()
    assert one.pings == 1


def test_an_answered_ping(house: House) -> None:
    """A browser in a background tab stays for hours: a ping every 25 s, each answered."""
    one = SimplePerson(house)
    for n in range(1, 20):
        house.wait(25)
        one.frames()
        assert one.pings == n
        one.answer_ping()
    assert not one.transport.aborted


def test_a_silent_line(house: House) -> None:
    """90 s of silence: one line of ours, which keeps NAT open. 150 s: `timed out` and the end."""
    one, other = LinePerson(house), TextPerson(house)
    one.heard(), other.heard()
    house.wait(1)
    other.leave()
    one.heard()
    house.wait(88)
    assert one.heard() == []
    house.wait(1)
    assert one.heard() == ["* still there? say something within 60 s, or this connection ends"]
    house.wait(59)
    assert one.heard() == [] and not one.transport.disconnecting
    house.wait(1)
    assert one.heard() == ["* timed out"] and one.transport.disconnecting
    assert house.hub.rooms == {}


def test_a_line_that_is_typed_on(house: House) -> None:
    """Any byte is a sign of life, half a line too."""
    one = LinePerson(house)
    one.heard()
    for _ in range(5):
        house.wait(89)
        one.feed(b"x")
    assert one.heard() == []


def test_it_is_told_in_the_listeners_language() -> None:
    """On a Chinese listener the silent are asked and ended in Chinese."""
    house = House(lang="zh-CN")
    one = LinePerson(house)
    one.heard()
    house.wait(150)
    assert one.heard() == ["* 还在吗？60 秒内不说话就会断开", "* 连接超时"]
