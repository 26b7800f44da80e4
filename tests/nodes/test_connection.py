"""Commands and answers on a fake transport and a hand-driven clock."""

from __future__ import annotations

from typing import Any

from fakes import FakeTransport
from twisted.internet.task import Clock

from chatservice.redis.connection import Connection
from chatservice.redis.errors import Lost, NotConnected, Refusal


class Line:
    """A connection and what happens on it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.answers: list[Any] = []
        self.ends: list[str] = []
        self.connection = Connection(self.clock, lambda: None, self.ends.append)
        self.transport = FakeTransport()
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)

    def send(self, *words: str | bytes | int) -> None:
        self.connection.send(words, self.answers.append)

    def hear(self, data: bytes) -> None:
        self.connection.dataReceived(data)


def test_answers_come_in_order() -> None:
    """Many commands may be on the way; each gets its own answer, however the bytes are cut."""
    line = Line()
    line.send("SET", "a", b"\x00\xff\r\n", 5)
    line.send("GET", "a")
    line.send("LRANGE", "l", 0, -1)
    assert line.transport.take().startswith(b"*4\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\x00\xff\r\n\r\n$1\r\n5\r\n*2")
    for byte in b"+OK\r\n$4\r\n\x00\xff\r\n\r\n*2\r\n$-1\r\n:7\r\n":
        line.hear(bytes([byte]))
    assert line.answers == [b"OK", b"\x00\xff\r\n", [None, 7]] and line.connection.in_flight == 0


def test_a_refusal_is_an_answer() -> None:
    """An error of one command is its answer, and the next command has its own."""
    line = Line()
    line.send("INCR", "a")
    line.send("PING")
    line.hear(b"-WRONGTYPE no number\r\n+PONG\r\n")
    assert isinstance(line.answers[0], Refusal) and line.answers[0].code == "WRONGTYPE"
    assert line.answers[1] == b"PONG" and line.ends == []


def test_a_late_answer_ends_the_connection() -> None:
    """Whoever gives up on one answer gives up the connection: the answer, when it comes, must not be taken for
    that of another command."""
    line = Line()
    line.send("GET", "slow")
    line.clock.advance(2.0)
    line.send("GET", "next")
    line.clock.advance(0.9)
    assert line.answers == []
    line.clock.advance(0.2)
    assert [type(answer) for answer in line.answers] == [Lost, Lost] and line.transport.aborted
    assert line.ends == ["no answer within 3 s"] and not line.clock.getDelayedCalls()
    line.hear(b"$4\r\nslow\r\n")
    line.send("GET", "later")
    assert len(line.answers) == 3 and isinstance(line.answers[2], NotConnected)


def test_an_answer_in_time_winds_the_clock_up() -> None:
    """The deadline is each command's own, though there is one timer."""
    line = Line()
    for _ in range(10):
        line.send("PING")
        line.clock.advance(2.0)
        line.hear(b"+PONG\r\n")
    line.clock.advance(10.0)
    assert line.answers == [b"PONG"] * 10 and line.ends == []


def test_a_lost_connection_fails_all() -> None:
    """What was under way may have been done, and is told so; what is sent later certainly was not."""
    line = Line()
    line.send("SET", "a", 1)
    line.send("SET", "b", 1)
    line.transport.lose()
    assert [type(answer) for answer in line.answers] == [Lost, Lost] and len(line.ends) == 1


def test_a_server_that_is_none_any_more() -> None:
    """A server that became a replica, or reads its data, is left: everything under way would fail as well."""
    for words in (b"-READONLY You can't write against a read only replica.", b"-LOADING Redis is loading"):
        line = Line()
        line.send("SET", "a", 1)
        line.send("SET", "b", 1)
        line.hear(words + b"\r\n")
        assert isinstance(line.answers[0], Refusal) and isinstance(line.answers[1], Lost)
        assert line.transport.aborted and len(line.ends) == 1


def test_what_is_no_answer() -> None:
    """Bytes that are not Redis, and answers that nobody asked for, end the connection."""
    for asked, words in ((1, b"HTTP/1.1 400 Bad Request\r\n"), (0, b"+OK\r\n")):
        line = Line()
        for _ in range(asked):
            line.send("PING")
        line.hear(words)
        assert line.transport.aborted and len(line.ends) == 1
