"""Subscriptions that are confirmed, each by its own."""

from __future__ import annotations

from typing import Any

from fakes import FakeTransport
from twisted.internet.task import Clock

from chatservice.redis.errors import Lost, NotConnected
from chatservice.redis.subscriber import BATCH, Subscriber


class Ear:
    """A subscriber and what it was told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.heard: list[tuple[bytes, bytes]] = []
        self.done: dict[str, Any] = {}
        self.ends: list[str] = []
        self.subscriber = Subscriber(
            self.clock, lambda: None, self.ends.append, lambda channel, words: self.heard.append((channel, words))
        )
        self.transport = FakeTransport()
        self.transport.protocol = self.subscriber
        self.subscriber.makeConnection(self.transport)

    def subscribe(self, name: str, *channels: bytes) -> None:
        self.subscriber.subscribe(channels, lambda answer: self.done.update({name: answer}))

    def confirm(self, *channels: bytes, kind: bytes = b"subscribe") -> None:
        for channel in channels:
            self.subscriber.dataReceived(
                b"*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1\r\n" % (len(kind), kind, len(channel), channel)
            )

    def publish(self, channel: bytes, words: bytes) -> None:
        self.subscriber.dataReceived(
            b"*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(channel), channel, len(words), words)
        )


def test_each_call_has_its_own_confirmation() -> None:
    """Of two overlapping calls the second one is not taken for confirmed by the channels of the first."""
    ear = Ear()
    ear.subscribe("first", b"a", b"b", b"c")
    ear.subscribe("second", b"d")
    ear.confirm(b"a", b"b")
    assert ear.done == {}
    ear.publish(b"a", b"early")
    ear.confirm(b"c")
    assert ear.done == {"first": None} and ear.heard == [(b"a", b"early")]
    ear.confirm(b"d")
    assert ear.done == {"first": None, "second": None}


def test_patterns() -> None:
    """What comes by a pattern is told with the channel it came on; the same name as channel and as pattern are two
    subscriptions."""
    ear = Ear()
    ear.subscribe("channel", b"a*")
    ear.subscriber.subscribe_patterns([b"a*"], lambda answer: ear.done.update(pattern=answer))
    assert ear.transport.take().endswith(b"*2\r\n$10\r\nPSUBSCRIBE\r\n$2\r\na*\r\n")
    ear.confirm(b"a*", kind=b"psubscribe")
    assert ear.done == {"pattern": None}
    ear.confirm(b"a*")
    assert ear.done == {"pattern": None, "channel": None}
    ear.subscriber.dataReceived(b"*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$3\r\nabc\r\n$2\r\nhi\r\n")
    assert ear.heard == [(b"abc", b"hi")] and ear.ends == []


def test_one_channel_in_two_calls() -> None:
    """A channel that is named twice is confirmed twice."""
    ear = Ear()
    ear.subscribe("first", b"a")
    ear.subscribe("second", b"b", b"a")
    ear.confirm(b"a")
    assert ear.done == {"first": None}
    ear.confirm(b"b")
    assert "second" not in ear.done
    ear.confirm(b"a")
    assert "second" in ear.done


def test_off_and_on_again() -> None:
    """The end of one subscription is not the beginning of the next."""
    ear = Ear()
    ear.subscribe("first", b"a")
    ear.subscriber.unsubscribe([b"a"])
    ear.subscribe("again", b"a")
    ear.confirm(b"a")
    ear.confirm(b"a", kind=b"unsubscribe")
    assert ear.done == {"first": None}
    ear.confirm(b"a")
    assert "again" in ear.done


def test_many_channels_go_in_batches() -> None:
    """A thousand channels do not stop the server: they are named in several commands, and are done when all
    are."""
    ear = Ear()
    channels = [b"c%d" % n for n in range(2 * BATCH + 1)]
    ear.subscribe("all", *channels)
    assert ear.transport.take().count(b"$9\r\nSUBSCRIBE") == 3
    ear.confirm(*channels[:-1])
    assert ear.done == {}
    ear.confirm(channels[-1])
    assert ear.done == {"all": None}


def test_nothing_to_subscribe() -> None:
    """No channels are confirmed at once, and no command goes out."""
    ear = Ear()
    ear.subscribe("none")
    assert ear.done == {"none": None} and ear.transport.take() == b""


def test_a_confirmation_that_does_not_come() -> None:
    """A subscription without an answer ends the connection, and whoever waits is told."""
    ear = Ear()
    ear.subscribe("a", b"a")
    ear.clock.advance(2.0)
    ear.subscribe("b", b"b")
    ear.confirm(b"a")
    ear.clock.advance(2.0)
    assert ear.done == {"a": None} and ear.ends == []
    ear.clock.advance(1.1)
    assert isinstance(ear.done["b"], Lost) and ear.transport.aborted and len(ear.ends) == 1
    ear.subscribe("c", b"c")
    assert isinstance(ear.done["c"], NotConnected) and not ear.clock.getDelayedCalls()
