"""Those who are in a room by other nodes."""

from __future__ import annotations

from chatservice.domain.audience import AtOnce
from chatservice.domain.events import User
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
