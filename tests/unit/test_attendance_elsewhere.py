"""Those who are in a room by other nodes."""

from __future__ import annotations

import pytest
from fakes import FakePeer

from chatservice.domain import presence
from chatservice.domain.audience import AtOnce
from chatservice.domain.events import User
from chatservice.domain.limits import BigRooms
from chatservice.domain.presence import Attendance


def test_they_are_found_by_name() -> None:
    """So that a moderator on this node can name them; by any spelling, as long as they are here by any node."""
    here = Attendance("tea", AtOnce())
    assert here.named_elsewhere("Ann") is None
    ann = User("u_a", "Ann Lee")
    here.came("north", ann)
    here.came("south", ann)
    assert here.n == 1 and here.named_elsewhere("ann lee") == ann == here.elsewhere("u_a")
    here.went("north", "u_a")
    assert here.named_elsewhere("ANN LEE") == ann
    here.went("south", "u_a")
    assert here.named_elsewhere("Ann Lee") is None and here.n == 0


def test_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message with a mention asks, letter by letter: it must not look at everybody each time."""
    here = Attendance("tea", AtOnce())
    for n in range(100):
        here.came("north", User(f"u_{n}", f"Ann {n}"))
    assert here.named_elsewhere("Nobody") is None
    keyed: list[str] = []
    monkeypatch.setattr(presence, "nick_key", lambda nick: keyed.append(nick) or nick.lower())
    for n in range(100):
        here.came("north", User(f"u_{n}", f"Ann {n}"))  # as each beat of a node says again
        assert here.named_elsewhere(f"ANN {n}") == User(f"u_{n}", f"Ann {n}")
    assert len(keyed) == 100
    here.came("north", User("u_7", "Bob"))
    assert here.named_elsewhere("ann 7") is None and here.named_elsewhere("bob") == User("u_7", "Bob")


def test_those_who_are_only_counted() -> None:
    """Each node has one absolute number: part of how many there are, of nobody's list, and gone with the node."""
    here = Attendance("tea", AtOnce())
    here.came("north", User("u_a", "Ann"))
    for n in (7, 5, 5):
        here.counted("north", n)
    here.counted("south", 100)
    assert (here.n, len(here.users)) == (106, 1)
    assert here.page(None, 200) == (here.users, None)
    here.attending({"north": {}, "west": {}})
    assert here.n == 5
    here.node_gone("north")
    assert here.n == 0 and here.count_changed


def test_a_room_is_hot_by_all_who_are_there() -> None:
    """A node tells its few in rounds too where the room has many by other nodes."""
    here = Attendance("tea", AtOnce(), sizes=BigRooms(hot_users=10))
    here.listen(FakePeer())
    audience = next(iter(here._audiences.values()))
    here.counted("north", 10)
    assert audience.every_s == 0
    here.counted("north", 11)
    assert audience.every_s == BigRooms().every_s
    here.counted("north", 10)
    assert audience.every_s > 0
    here.counted("north", 9)
    assert audience.every_s == 0
