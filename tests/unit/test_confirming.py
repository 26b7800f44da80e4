"""`--durability replica`: which WAIT an answer waits for, where it is not the one of its own turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes import Ids
from redis_ground import hand_driven

from chatservice.domain.promise import Promise
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_beginning import SEED, Beginnings
from chatservice.redis.address import parse_address
from chatservice.redis.errors import Refusal
from chatservice.redis.scripts import Script
from chatservice.redis.wire import Wire

HEAD = b"cs:{0}:m:lobby"
KEPT = [b"ok", b"1", b"e", b"1"]


class Line:
    """A connection whose answers are given by hand, in the order of the questions."""

    is_open = True

    def __init__(self) -> None:
        self.sent: list[tuple[Any, Callable[[Any], None]]] = []

    def send(self, words: Any, done: Callable[[Any], None]) -> None:
        self.sent.append((words[0], done))

    def answer(self, command: bytes, answer: Any) -> None:
        """The oldest question, which is this command, has its answer."""
        words, done = self.sent.pop(0)
        assert words == command
        done(answer)


class Seeding:
    """An archive that is asked about a room."""

    def __init__(self) -> None:
        self.asked: Promise[None] = Promise()

    def seed(self, head: bytes, *, only_looks: bool) -> Promise[None]:
        return self.asked


class Writer:
    """Something that is written, up to the last answer of its server."""

    def __init__(self) -> None:
        self.line, self.soon, self.given = Line(), [], []  # type: ignore[var-annotated]
        nothing = lambda *_: None  # noqa: E731
        asking = self.asking = Asking(Ids("n"), nothing, nothing, fence=False, call_soon=self.soon.append)
        scripts = {"append": Script("append", b"return 1", "digest")}
        wire = Wire(
            hand_driven(), parse_address("redis://a"), scripts=scripts, probe=b"p", up=nothing, down=nothing,
            heard=nothing,
        )  # fmt: skip
        wire.server, wire._commands = object(), self.line  # type: ignore[assignment]
        asking.wire = wire

    def write(self) -> None:
        """In a turn of its own."""
        self.asking.write("append", [HEAD], [], self.given.append)
        self.turn()

    def turn(self) -> None:
        """The end of a turn."""
        soon, self.soon[:] = self.soon[:], []
        for call in soon:
            call()


@pytest.fixture
def writer() -> Writer:
    """See `Writer`."""
    return Writer()


@pytest.mark.parametrize(("copies", "is_kept"), [(1, True), (0, False)])
def test_a_room_that_the_archive_may_know(writer: Writer, copies: int, is_kept: bool) -> None:
    """The first message of a room is answered when a replica has that message, not when it has what was asked
    before the archive; so it is if no replica has said anything about the latter."""
    seeding = Seeding()
    writer.asking.beginnings = Beginnings(seeding)
    writer.write()
    writer.line.answer(b"EVALSHA", SEED)
    writer.line.answer(b"WAIT", copies)
    assert writer.given == []
    seeding.asked.resolve(None)
    writer.line.answer(b"EVALSHA", KEPT)
    writer.turn()
    assert writer.given == []
    writer.line.answer(b"WAIT", copies)
    assert (writer.given == [KEPT]) is is_kept and len(writer.given) == 1 and writer.line.sent == []


def test_a_script_that_was_forgotten(writer: Writer) -> None:
    """A server that has forgotten its scripts is sent the whole one, and it is that whose copy is waited for."""
    writer.write()
    writer.line.answer(b"EVALSHA", Refusal("NOSCRIPT No matching script"))
    writer.line.answer(b"WAIT", 1)
    assert writer.given == []
    writer.line.answer(b"EVAL", KEPT)
    writer.turn()
    assert writer.given == []
    writer.line.answer(b"WAIT", 1)
    assert writer.given == [KEPT]


def test_one_that_is_refused_late(writer: Writer) -> None:
    """What is refused needs no copy, however late that is known."""
    writer.write()
    writer.line.answer(b"EVALSHA", Refusal("NOSCRIPT No matching script"))
    writer.line.answer(b"WAIT", 1)
    writer.line.answer(b"EVAL", error := Refusal("OOM it is full"))
    writer.turn()
    assert writer.given == [error] and writer.line.sent == []
