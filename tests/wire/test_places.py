"""Who has no token is known by whence they come."""

from __future__ import annotations

import pytest

from chatservice.domain.events import Moderated, User
from chatservice.transports.admission import Bounds
from wire.house import House, frame, handshake, read_answer, read_frames

ANN, BOB = "203.0.113.9", "203.0.113.10"
ROOMS = "/api/rooms/lobby/"
OWNER = User("u_owner", "Owner")


def say(house: House, host: str, *headers: str) -> tuple[int, str]:
    """Say something over HTTP: the status, and who said it."""
    transport = house.connect(house.door, host)
    lines = [f"POST {ROOMS}messages HTTP/1.1", "Host: x", "Content-Length: 2", *headers]
    house.feed(transport, ("\r\n".join(lines) + "\r\n\r\nhi").encode())
    status = read_answer(transport.take()).status
    transport.lose()
    visitors = house.door.site.resource._rooms._visitors._known
    return status, visitors[f"address {host}"].session.user.user.id


def moderate(house: House, action: str, user_id: str) -> None:
    """A moderator's word, as the log tells it."""
    house.hub.log.append("lobby", Moderated(OWNER, action, User(user_id, "x"), None, 0, ""))
    house.pump.run()


def public() -> House:
    return House(loopback=False, bounds=Bounds())


def enters(house: House, host: str, path: str = "/text") -> bool:
    """Whether somebody of that address can say something in the lobby by WebSocket."""
    transport = house.connect(house.door, host)
    house.feed(transport, handshake(path, "Host: x"))
    transport.take()
    house.feed(transport, frame("hello"))
    told = [payload.decode() for _, payload in read_frames(transport.take())]
    transport.lose()
    return any(word.endswith("hello") for word in told)


def test_a_ban_by_any_way_in() -> None:
    """Who was banned as a guest over HTTP is banned over WebSocket, lines and HTTP alike, also when they were
    forgotten; others are not, and so is nobody when the ban is taken back."""
    house = public()
    status, user_id = say(house, ANN)
    assert status == 201 and say(house, ANN) == (201, user_id) and say(house, BOB)[1] != user_id
    assert enters(house, ANN)
    moderate(house, "ban", user_id)
    assert say(house, ANN) == (403, user_id) and not enters(house, ANN)
    line = house.connect(house.lines, ANN)
    house.feed(line, b"hello\r\n")
    assert b"hello" not in line.take()
    assert say(house, BOB)[0] == 201 and enters(house, BOB)
    house.wait(700)  # who is silent for so long is forgotten; the ban is not
    assert say(house, ANN) == (403, user_id)
    moderate(house, "unban", user_id)
    assert say(house, ANN) == (201, user_id) and enters(house, ANN)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_this_computer_is_no_place(host: str) -> None:
    """Behind it may be everybody, through a proxy we know nothing of: such a ban is of one guest alone."""
    house = public()
    _, user_id = say(house, host)
    moderate(house, "ban", user_id)
    assert say(house, host) == (403, user_id) and enters(house, host)


def test_the_id_tells_nothing() -> None:
    """It looks like any other, and differs from key to key."""
    house = public()
    user_id = house.hub.place(f"{ANN}:5123")
    assert user_id is not None and user_id == house.hub.place(ANN) == house.hub.place(f"::ffff:{ANN}")
    assert user_id.startswith("u_") and len(user_id) == 18 and ANN not in user_id
    assert (
        house.hub.place("2001:db8::1") == house.hub.place("[2001:db8::2]:5") != house.hub.place("2001:db8:0:1::1")
    )
