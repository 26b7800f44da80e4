"""Whoever comes from another worker may know more than the one that it comes to."""

from __future__ import annotations

import pytest
from chat import code
from redis_server import RedisServer

from nodes.conftest import MakeNode


def test_to_one_that_has_heard_less(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A position ahead of what a worker has heard up to now is not taken for one of a lost log: it reads first."""
    first, second = make_node(), make_node()
    ann, eve = first.enter("ann", "lobby"), second.enter("eve", "lobby")
    monkeypatch.setattr(second.store.raw.bus, "heard", lambda channel, message: None)
    second.store.raw.wire._heard = second.store.raw.bus.heard
    for number in range(1, 4):
        assert ann.ask("message", room="lobby", text=f"{number}")["seq"] == number
    assert second.hub.rooms["lobby"].top == 0 and eve.ended == ""
    epoch = ann.ask("join", room="lobby")["epoch"]
    joined = second.enter("bob").ask("join", room="lobby", since={"epoch": epoch, "seq": 2})
    assert joined["recovered"] and [event["text"] for event in joined["events"]] == ["3"]


def test_to_one_that_is_not_back_yet(make_node: MakeNode, server: RedisServer) -> None:
    """After a restart of Redis the epoch is another one: a worker that has not come back to it does not know that,
    and must not say that the position is lost."""
    first, second = make_node(), make_node()
    ann, eve, bob = first.enter("ann", "lobby"), second.enter("eve", "lobby"), second.enter("bob")
    assert ann.ask("message", room="lobby", text="1")["seq"] == 1
    second.wait_for(lambda: second.hub.rooms["lobby"].top == 1, "the message")
    second.store.raw.wire._chance = lambda: 1.0
    second.store.raw.wire._tries = 9  # its next try is 2 s later
    server.restart()
    first.wait_for(lambda: first.is_up, "the first one's connection")
    first.wait_for(lambda: code(ann.ask("message", room="lobby", text="2", cid="2")) == "ok", "the second message")
    position = {"epoch": ann.ask("join", room="lobby")["epoch"], "seq": 2}
    assert not second.is_up and second.hub.rooms["lobby"].top == 1 and eve.ended == ""
    joined = bob.ask("join", room="lobby", since=position)
    assert joined["recovered"] and joined["events"] == [] and joined["seq"] == 2
