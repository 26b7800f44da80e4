"""`--durability replica`: what is answered has a second copy; what has none yet is said to be in doubt."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from chat import Tab, code
from redis_server import COPIED, Pair, RedisServer

from chatservice.domain.errors import Code, Refused
from chatservice.domain.ports import LogError
from chatservice.logs.redis_confirming import Confirming, Unconfirmed
from nodes.chats import Hearer, Node


class Copied:
    """A chat on a primary, its replica, and Ann who is there."""

    def __init__(self, stack: ExitStack) -> None:
        self.pair = stack.enter_context(Pair())
        self.node = Node(self.pair.now, "n", durability="replica")
        stack.callback(self.node.stop)
        self.ann = self.node.enter("ann", "lobby")

    def say(self, text: str) -> str:
        """Its answer; the text is the cid too."""
        return code(self.ann.ask("message", room="lobby", text=text, cid=text))

    def say_until_kept(self, text: str) -> None:
        """Again and again with the same cid: a busy machine may need more than the 100 ms a replica has."""
        self.node.wait_for(lambda: self.say(text) == "ok", "the copy")

    def texts(self) -> list[str]:
        """What is in the log."""
        return [event["text"] for event in self.ann.ask("events", room="lobby", after=0)["events"]]


@pytest.fixture
def copied() -> Iterator[Copied]:
    """See `Copied`."""
    with ExitStack() as stack:
        yield Copied(stack)


@pytest.mark.parametrize("settings", [(), (*COPIED[:3], "0"), (*COPIED[:3], "600")])
def test_a_server_that_waits_for_nobody(settings: tuple[str, ...]) -> None:
    """A server that takes messages though no replica follows is refused, with what to set."""
    with RedisServer(*settings) as server, pytest.raises(LogError, match="min-replicas-to-write 1"):
        Node(server, "n", durability="replica")


def test_what_is_answered_has_a_copy(copied: Copied) -> None:
    """Hello says it, and at the moment of its answer each message is at the replica."""
    assert copied.ann.greeting["durability"] == "replica"
    for number in range(20):
        copied.say_until_kept(f"m{number}")
        (entry,) = copied.pair.other.ask("LRANGE", "cs:{247}:l:lobby", -1, -1)
        assert f'"m{number}"'.encode() in entry


def test_a_replica_that_hangs(copied: Copied) -> None:
    """While no replica confirms, senders are told that it is in doubt, by the first try and by each other one with
    the same cid; afterwards the same cid finds it, once. So with edits, which have no cid."""
    copied.say_until_kept("before")
    copied.pair.other.signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert copied.say("in doubt") == copied.say("in doubt") == "unavailable"
        edit = copied.ann.ask("edit", room="lobby", ref=1, text="after", rev=0)
        assert code(edit) == "unavailable" and edit["retry_ms"] > 0
        assert time.monotonic() - begin < 2.0
    finally:
        copied.pair.other.signal(signal.SIGCONT)
    copied.pair.wait()
    copied.say_until_kept("in doubt")
    assert copied.texts() == ["before", "in doubt", "after"] and copied.node.is_up


def test_a_replica_that_is_gone(copied: Copied) -> None:
    """Without a replica the server refuses (NOREPLICAS), nothing is kept, and it ends when there is one again."""
    copied.say_until_kept("before")
    copied.pair.other.kill9()
    copied.node.wait_for(lambda: b"connected_slaves:0" in copied.pair.now.ask("INFO"), "its end")
    assert copied.say("refused") == "unavailable" and copied.texts() == ["before"]
    copied.pair.other.start()
    copied.pair.follow()
    copied.say_until_kept("after")
    assert copied.texts() == ["before", "after"]


def test_many_share_one_wait(copied: Copied) -> None:
    """Messages of one turn wait together: one command more for all of them."""

    def waits() -> int:
        calls = re.search(rb"cmdstat_wait:calls=(\d+)", copied.pair.now.ask("INFO", "commandstats"))
        return int(calls[1]) if calls is not None else 0

    before = waits()
    asked = [copied.ann.send("message", room="lobby", text=f"m{number}") for number in range(100)]
    assert {code(copied.ann.answer(number)) for number in asked} <= {"ok", "unavailable"}
    assert 1 <= waits() - before <= 20


def test_others_may_see_it_first(copied: Copied) -> None:
    """What is in doubt for its sender was told to the room: only the answer waits."""
    bob: Tab = copied.node.enter("bob", "lobby")
    hears = Hearer(bob)
    copied.pair.other.signal(signal.SIGSTOP)
    try:
        assert copied.say("seen") == "unavailable" and hears.texts() == ["seen"]
    finally:
        copied.pair.other.signal(signal.SIGCONT)


def test_one_that_breaks_keeps_no_other_waiting() -> None:
    """An answer that is not taken as it should be does not keep the others of its turn from theirs."""
    calls: list[object] = []
    given: list[object] = []
    soon: list[object] = []
    confirming = Confirming(lambda words, done: calls.append(done), soon.append)

    def breaks(answer: object) -> None:
        raise ValueError(answer)

    first, second, third = (confirming.hold(done) for done in (breaks, given.append, given.append))
    assert len(soon) == 1
    soon[0]()  # type: ignore[operator]
    third(error := Refused(Code.BUSY))
    assert given == [error]
    first(b"1")
    second(b"2")
    with pytest.raises(ValueError, match="1"):
        calls[0](1)  # type: ignore[operator]
    assert given == [error, b"2"]
    confirming.hold(given.append)(b"3")
    soon[1]()  # type: ignore[operator]
    calls[1](0)  # type: ignore[operator]
    assert isinstance(given[-1], Unconfirmed)
