"""What the operator does while Redis's answers are lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Code, UnknownOutcome
from chatservice.domain.trust import Deed
from chatservice.identity.names import PrecisNames
from chatservice.identity.passwords import Passwords
from chatservice.identity.users import Users
from chatservice.logs.audit import as_line
from chatservice.operator import Operator, Rooms
from chatservice.redis.errors import Lost, NotConnected, RedisError
from nodes.chats import Node
from nodes.conftest import MakeNode

ANN = Account("u_ann", "Ann", "member", "hashed", 1, 0)
ORDER = {"command": "room topic", "room": "tea", "value": "leaves"}
ROLE = {"command": "user role", "name": "ann", "role": "mod"}


class Audited:
    """An operator at a node, and what is on record of it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.deeds: list[Deed] = []
        registry, log = Registry(PrecisNames()), node.store.raw
        registry.put(ANN)
        adding = log.add_account(ANN)
        node.wait_for(lambda: adding.done, "the account")
        users = Users(registry, log, Passwords(lambda call: call()), lambda: "u_new", lambda: 0.0)
        self._operator = Operator(users, Rooms(log), users, self, lambda: 0.0)

    def note(self, deed: Deed) -> None:
        self.deeds.append(deed)

    def run(self, fields: dict[str, str]) -> BaseException | None:
        """What the command was refused with."""
        done = self._operator.run(fields, 0)
        self.node.wait_for(lambda: done.done, "the answer")
        return done.error

    def lose(self, script: str, error: RedisError, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on that script runs, unless its words do not get there, and the answer is an error."""
        wire: Any = self.node.store.raw.wire
        run = wire.run

        def losing(name: str, keys: Any, values: Any, done: Any) -> None:
            if name != script:
                run(name, keys, values, done)
            elif isinstance(error, Lost):
                run(name, keys, values, lambda _: done(error))
            else:
                done(error)

        monkeypatch.setattr(wire, "run", losing)


@pytest.fixture
def audited(make_node: MakeNode) -> Audited:
    """With a room that somebody is in."""
    node = make_node()
    node.enter("bob", "tea").ask("message", room="tea", text="hi")
    return Audited(node)


@pytest.mark.parametrize(
    ("script", "fields", "noted"),
    [
        ("append", ORDER, {"room": "tea", "action": "topic", "value": "leaves"}),
        ("account", ROLE, {"action": "user role", "name": "ann", "value": "mod"}),
    ],
)
def test_the_answer_is_lost(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, script: str, fields: dict[str, str], noted: dict[str, str]
) -> None:
    """It is refused, and is on record as something of which nobody knows whether it was done."""
    audited.lose(script, Lost("the connection was lost"), monkeypatch)
    error = audited.run(fields)
    assert isinstance(error, UnknownOutcome) and error.code is Code.UNAVAILABLE
    (deed,) = audited.deeds
    line = json.loads(as_line(deed))
    assert line.pop("unix").endswith("(0)") and line.pop("time").startswith("1970")
    assert line == {"actor": "operator", **noted, "outcome": "unknown"}


@pytest.mark.parametrize(
    ("script", "error"),
    [("append", NotConnected("away")), ("read", Lost("the connection was lost"))],
    ids=["not sent", "only looked"],
)
def test_nothing_was_done(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, script: str, error: RedisError
) -> None:
    """What never got there, and what was lost while it only looked, is not on record."""
    audited.lose(script, error, monkeypatch)
    refused = audited.run(ORDER)
    assert getattr(refused, "code", None) is Code.UNAVAILABLE and audited.deeds == []


def test_the_answer_is_there(audited: Audited) -> None:
    """What was done says nothing of an outcome."""
    assert audited.run(ORDER) is None and audited.run(ROLE) is None
    assert [(deed.action, deed.outcome) for deed in audited.deeds] == [("topic", ""), ("user role", "")]
