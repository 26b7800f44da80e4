"""What back ends emit, as those in the rooms hear it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgpack
import pytest
from twisted.logger import globalLogPublisher

from chatservice.domain.bus import OURS
from chatservice.domain.limits import FRAME_BYTES
from chatservice.domain.names import TEXT_CODE_POINTS
from chatservice.redis.address import parse_address
from chatservice.redis.errors import Lost
from chatservice.transports.emitters import EMISSIONS, TELL_EVERY_S, Emitters, Source
from wire.house import House
from wire.people import LinePerson, SimplePerson, TextPerson
from wire.test_sockets import Caller

Done = Callable[[object], object]


class FakeWire:
    """A connection to Redis that confirms everything."""

    def __init__(
        self,
        up: Callable[[object], object],
        down: Callable[[object], object],
        heard: Callable[[bytes, bytes], object],
        **_: Any,
    ) -> None:
        self._up = up
        self.down = down
        self.heard = heard
        self.channels: list[bytes] = []
        self.patterns: list[bytes] = []
        self.is_running = False

    def start(self) -> None:
        self.is_running = True
        self._up(None)

    def stop(self) -> None:
        self.is_running = False
        self.down(Lost("we have hung up"))

    def subscribe(self, channels: Sequence[bytes], done: Done) -> None:
        self.channels += channels
        done(None)

    def subscribe_patterns(self, patterns: Sequence[bytes], done: Done) -> None:
        self.patterns += patterns
        done(None)


class BackEnd:
    """A back end that emits, and a house that listens to it."""

    def __init__(self, house: House, slice_peers: int = 500, **source: str) -> None:
        self.house = house
        self.source = Source(parse_address("redis://127.0.0.1"), **source)
        sockets = lambda: [house.sockets]  # noqa: E731
        self.emitters = Emitters(self.source, self._connect, house.around, sockets, OURS, "lobby", slice_peers)
        self.emitters.start()

    def _connect(self, address: object, **more: Any) -> FakeWire:
        self.wire = FakeWire(**more)
        return self.wire

    def publish(self, channel: bytes, payload: bytes) -> None:
        """Any bytes on a channel."""
        self.wire.heard(channel, payload)
        self.house.pump.run()

    def emit(self, *data: Any, **options: Any) -> None:
        """As Socket.IO's emitter does."""
        packet = {"type": 2, "data": list(data), "nsp": options.pop("nsp", "/")}
        self.publish(b"socket.io#/#", msgpack.packb(["emitter", packet, options]))

    def manage(self, event: str, *data: Any, **more: Any) -> None:
        """As python-socketio's manager does."""
        fields = {"method": "emit", "event": event, "data": list(data), "namespace": "/"}
        self.publish(b"socketio", json.dumps(fields | more).encode())

    @property
    def counted(self) -> dict[str, int]:
        """What became of it."""
        return dict(self.house.around.counted.emissions_heard)

    @property
    def said(self) -> dict[str, int]:
        """The same of those that became messages."""
        return dict(self.house.around.counted.emissions_said)


@pytest.fixture
def back(house: House) -> BackEnd:
    """See `BackEnd`."""
    return BackEnd(house)


def test_events_go_to_sockets_as_they_are(house: House, back: BackEnd) -> None:
    """Several arguments, of both kinds of emitters, to sockets of both versions that are in the room."""
    lobby, old, attic = Caller(house), Caller(house, 3), Caller(house, query="room=attic")
    text = TextPerson(house)
    for one in (lobby, old, attic):
        one.hear()
    text.heard()
    back.emit("score", 1, {"a": [None, "é"]}, rooms=["lobby"])
    back.manage("score", 2, room="lobby")
    told = [["score", 1, {"a": [None, "é"]}], ["score", 2]]
    assert lobby.hear() == old.hear() == told
    assert attic.hear() == [] and text.heard() == []
    assert back.counted == {"emitted": 2} and back.said == {} and house.troubles == []


def test_to_all_and_not_to_some(house: House, back: BackEnd) -> None:
    """Without a room it is for all; whoever is in a room that is left out, or has an id that is, gets nothing;
    whoever is in two of the rooms gets it once."""
    ann, bob = Caller(house), Caller(house, query="room=attic")
    first, _ = house.sockets.peers
    for one in (ann, bob):
        one.hear()
    back.emit("all")
    back.emit("not", rooms=["lobby", "attic"], **{"except": ["attic"]})
    back.manage("skip", skip_sid=first.id)
    back.manage("id", room=[first.id, "lobby"])
    assert ann.hear() == [["all"], ["not"], ["id"]]
    assert bob.hear() == [["all"], ["skip"]]


@pytest.mark.parametrize("words", ["tea is ready", {"text": "tea is ready"}, {"content": "tea is ready"}])
@pytest.mark.parametrize("name", ["message", "chat message"])
def test_words_become_a_message(house: House, back: BackEnd, name: str, words: object) -> None:
    """What chats call a message is said in the room, for all dialects and for those who come later; sockets hear
    it once under each name that it has."""
    text, line, simple, socket = TextPerson(house), LinePerson(house), SimplePerson(house), Caller(house)
    for one in (text, line, simple):
        one.heard()
    socket.hear()
    back.emit(name, words, rooms=["lobby"])
    assert text.heard() == ["tea is ready"]
    assert line.heard() == ["emitterssay:tea is ready"]
    (message,) = simple.messages()
    assert message["data"] == "emitters says: tea is ready" and message["seq"] == 1
    own = [["chat message", words]] if name == "chat message" else []
    assert socket.hear() == [*own, ["mes", "emitters says: tea is ready"], ["message", "tea is ready"]]
    late = SimplePerson(house, last="5")
    assert "tea is ready" in [message.get("text") for message in late.messages()]
    assert back.counted == {"emitted": 1} and back.said == {"ok": 1}


def test_order(house: House, back: BackEnd) -> None:
    """What is said is said in the order in which it was emitted."""
    text = TextPerson(house)
    text.heard()
    for n in range(50):
        back.wire.heard(
            *((b"socketio", json.dumps({"method": "emit", "event": "message", "data": [str(n)]}).encode()))
        )
    house.pump.run()
    assert text.heard() == [str(n) for n in range(50)]


def test_words_for_no_room(house: House, back: BackEnd) -> None:
    """Words for everybody are said in the default room; those for a socket, or a room that is none, in no room."""
    socket, text = Caller(house), TextPerson(house)
    (id,) = [socket.id for socket in house.sockets.peers]
    socket.hear(), text.heard()
    back.emit("message", "to all")
    assert text.heard() == ["to all"]
    socket.hear()
    back.emit("message", "to one", rooms=[id])
    assert socket.hear() == [["message", "to one"]] and text.heard() == []
    back.emit("message", "to nobody", rooms=["nowhere"])
    back.emit("message", "to @me", rooms=["@me"])
    back.emit("message", "to a pair", rooms=["dm:u_1:u_2"])
    assert house.hub.rooms.keys() == {"lobby"}
    assert (back.counted["no_room"], back.said) == (3, {"ok": 1})


def test_what_is_no_message(house: House, back: BackEnd) -> None:
    """What may be lost, is not for all, is too long or no text is not kept: it goes to sockets as it is."""
    socket, text = Caller(house), TextPerson(house)
    socket.hear(), text.heard()
    long = "x" * (TEXT_CODE_POINTS + 1)
    back.emit("message", "v", rooms=["lobby"], flags={"volatile": True})
    back.emit("message", "e", rooms=["lobby"], **{"except": ["attic"]})
    back.emit("message", "two", "words", rooms=["lobby"])
    for said in (7, long, "  ", {"text": 7}, None):
        back.emit("message", said, rooms=["lobby"])
    told = socket.hear()
    assert [arguments for _, *arguments in told] == [
        ["v"], ["e"], ["two", "words"], [7], [long], ["  "], [{"text": 7}], [None],
    ]  # fmt: skip
    assert text.heard() == [] and back.said == {}


def test_nothing_else_is_obeyed(house: House, back: BackEnd) -> None:
    """Orders, pickles, other namespaces, what is too long or malformed: counted, and told to nobody."""
    socket = Caller(house)
    socket.hear()
    back.publish(b"socket.io-request#/#", b'{"type":4,"opts":{"rooms":["lobby"]},"close":true}')
    back.manage("e", method="disconnect", sid="x")
    back.publish(b"socketio", pickle.dumps({"method": "emit", "event": "e", "data": 1}))
    back.publish(b"socket.io#/#", b"\xc1")
    back.publish(b"socketio", b"{")
    back.emit("e", nsp="/admin")
    back.emit("x" * FRAME_BYTES)
    assert socket.hear() == []
    assert back.counted == {
        "order": 2, "pickle": 1, "malformed": 2, "namespace": 1, "too_large": 1,
    }  # fmt: skip
    assert house.troubles == []


def test_too_fast(house: House, back: BackEnd) -> None:
    """Above the rate it is left out and counted; later it goes on."""
    socket = Caller(house)
    socket.hear()
    for _ in range(EMISSIONS.burst + 10):
        back.emit("e", rooms=["lobby"])
    assert back.counted == {"emitted": EMISSIONS.burst, "too_fast": 10}
    house.wait(1)
    back.emit("f", rooms=["lobby"])
    assert socket.hear()[-1] == ["f"]


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """What the log was told."""
    events: list[dict[str, Any]] = []
    observer: Any = events.append
    globalLogPublisher.addObserver(observer)
    yield events
    globalLogPublisher.removeObserver(observer)


def test_one_line_a_minute(house: House, back: BackEnd, logged: list[dict[str, Any]]) -> None:
    """However much is left out, the log has one line a minute, with how much and why."""
    for seconds in (0, 1, TELL_EVERY_S):
        house.wait(seconds)
        for _ in range(5):
            back.publish(b"socketio", b"{")
    lines = [event["words"] for event in logged if event.get("event") == "emitters_left_out"]
    assert lines == ["malformed: 1", "malformed: 10"]


def test_a_stop_is_no_trouble(house: House, back: BackEnd, logged: list[dict[str, Any]]) -> None:
    """The log says once that the source is away, and nothing when we hang up ourselves."""

    def lines() -> list[str]:
        return [event["why"] for event in logged if event.get("event") == "emitters_down"]

    for _ in range(3):
        back.wire.down(Lost("it is gone"))
    assert lines() == ["it is gone"]
    back.wire.start()
    back.emitters.stop()
    assert lines() == ["it is gone"]


def test_words_for_a_socket_of_another_worker(house: House, back: BackEnd) -> None:
    """Words for what looks like the id of a socket are nobody's mistake, neither counted nor logged; but if there
    is a room of that name they are said there."""
    back.emit("message", "to one of yours", rooms=["n8Jx0aZ-_2QwErTy4711"])
    assert back.counted == {"emitted": 1}
    text = TextPerson(house, room="General-Announce2026")
    text.heard()
    back.emit("message", "to a room", rooms=["General-Announce2026"])
    assert text.heard() == ["to a room"] and back.counted == {"emitted": 2} and back.said == {"ok": 1}


def test_many_are_told_in_slices(house: House) -> None:
    """Emissions to many go out in slices, each in its order, and whoever leaves meanwhile is no trouble."""
    back = BackEnd(house, slice_peers=2)
    callers = [Caller(house) for _ in range(5)]
    for one in callers:
        one.hear()
    for n in range(3):
        payload = json.dumps({"method": "emit", "event": "e", "data": [n], "room": "lobby"}).encode()
        back.wire.heard(b"socketio", payload)
    callers[0].session.close("transport close")
    house.pump.run()
    for one in callers[1:]:
        assert [packet for packet in one.hear() if packet[0] == "e"] == [["e", 0], ["e", 1], ["e", 2]]
    assert house.troubles == []


def test_where_it_listens(house: House) -> None:
    """The channels of a key with what has a meaning in patterns, and the name it speaks by, which is its own."""
    back = BackEnd(house, key="a*[b]", channel="mine", nick="Deploy")
    assert back.wire.channels == [b"mine", b"a*[b]-request#/#"]
    assert back.wire.patterns == [b"a\\*\\[b\\]#/#*"]
    simple = SimplePerson(house, nick="Deploy")
    assert all("Deploy" not in message["data"] or "notice" in message for message in simple.messages())
    back.publish(b"mine", b'{"method":"emit","event":"message","data":["hi"]}')
    assert simple.messages()[-1]["data"] == "Deploy says: hi"
    back.emitters.stop()
    assert not back.wire.is_running
