"""Whoever comes from another worker may know more than the one that it comes to."""

from __future__ import annotations

import pytest

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
