"""Rooms in which one node has more people than it names to the others."""

from __future__ import annotations

from chat import Tab

from chatservice.logs.redis_presence import NAMED
from nodes.chats import Node
from nodes.conftest import MakeNode

MORE = 5


def people(node: Node, n: int) -> list[Tab]:
    """So many in the lobby, each somebody else."""
    tabs = []
    for _ in range(n):
        tab = node.enter(f"u_{node.store.ids.token()}", "lobby")
        tabs.append(tab)
    return tabs


def n_seen(node: Node) -> int:
    """How many are in the lobby, as that node sees it."""
    return node.hub.rooms["lobby"].here.n


def named(node: Node) -> int:
    """How many of them it could name."""
    return len(node.hub.rooms["lobby"].here.users)


def test_those_above_are_only_counted(make_node: MakeNode) -> None:
    """The other node knows two hundred by name and how many more there are; who is named and goes is followed by
    one of those, so that a room that has become small again is known by name."""
    north, south = make_node(), make_node()
    people(south, 1)
    crowd = people(north, NAMED + MORE)
    south.wait_for(lambda: named(south) == NAMED + 1, "the names")
    assert n_seen(south) == NAMED + 1
    north.store.raw.bus.presence.beat()
    south.wait_for(lambda: n_seen(south) == NAMED + MORE + 1, "the count")
    assert named(south) == NAMED + 1
    late = make_node()
    people(late, 1)
    late.wait_for(lambda: n_seen(late) == NAMED + MORE + 2, "the count, to one that comes later")
    for tab in (*crowd[:2], crowd[-1]):
        tab.lose()
    north.wait(10.0)
    north.store.raw.bus.presence.beat()
    for node in (south, late):
        node.wait_for(lambda node=node: n_seen(node) == NAMED + MORE - 1, "the new count")  # type: ignore[misc]
        assert named(node) == NAMED + 2
    for tab in crowd[2:7]:
        tab.lose()
    north.wait(10.0)
    north.store.raw.bus.presence.beat()
    south.wait_for(lambda: n_seen(south) == named(south) == NAMED - 1, "all by name")
