"""The chat over Socket.IO without a network: who may come in, order, lag, limits, ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import FakePeer
from socketio.fakes import FakeWire
from socketio.fakes import Peer as Client

from chatservice.domain import commands as c
from chatservice.domain.conduct import handle
from chatservice.domain.errors import RESTART
from chatservice.domain.events import Truncated
from chatservice.domain.limits import MESSAGES
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity
from chatservice.identity.passes import SignedPasses
from chatservice.socketio import Handshake
from chatservice.transports.conversation import BACKLOG
from chatservice.transports.lag import LAG_BYTES
from chatservice.transports.surroundings import HELLO_S, STUCK_S
from wire.house import House


class Caller(Client):
    """A client of the chat; what it hears is decoded."""

    def __init__(
        self, house: House, version: int = 4, query: str = "", auth: dict[str, Any] | None = None
    ) -> None:
        self.house, self.clock, self.wire = house, house.clock, FakeWire()
        wanted = dict([query.split("=")] if query else [])
        self.session = house.sockets.server.house.new_session(version, base64=False, handshake=Handshake(wanted))
        self.session.open(self.wire)
        self.greeting = [packet for packet in self.hear() if not str(packet).startswith("0")]
        if version == 4:
            self.greeting += self.call("40" + json.dumps(auth or {}))

    def call(self, *packets: str | bytes) -> list[Any]:
        """Send packets; the events and acknowledgements that come back."""
        return self._read(self.send(*packets))

    def hear(self) -> list[Any]:
        """What has come."""
        return self._read(self.get())

    def _read(self, first: list[str | bytes]) -> list[Any]:
        packets = list(first)
        while True:
            self.house.pump.run()
            more = self.get()
            if not more:
                break
            packets += more
        return [read(packet) for packet in packets]

    def emit(self, name: str, argument: object = None, id: int | str = "") -> list[Any]:
        """Emit an event."""
        return self.call(f"42{id}{json.dumps([name, argument])}")


def read(packet: str | bytes) -> Any:
    """An event as a list, an acknowledgement as (id, answer), anything else as it is."""
    assert isinstance(packet, str)
    if packet.startswith("42"):
        return json.loads(packet[2:])
    if packet.startswith("43"):
        id, bracket, rest = packet[2:].partition("[")
        return int(id), json.loads(bracket + rest)[0]
    return packet


@pytest.fixture
def speaker(house: House) -> Session:
    """Somebody in the lobby who comes by no wire."""
    session = Session(house.hub, FakePeer(), "127.0.0.1:1")
    do(house, session, c.Join("lobby"))
    return session


def do(house: House, session: Session, *commands: Any) -> None:
    for command in commands:
        handle(session, command)
    house.pump.run()
    house.clock.advance(0)


@pytest.mark.parametrize("version", [3, 4])
def test_a_newcomer(house: House, version: int) -> None:
    """After the connect come the news, then the newcomer's own coming in; those who are there hear of it."""
    first = Caller(house, version)
    told = [packet for packet in first.greeting if isinstance(packet, list)]
    assert told == [["news", {"hello": "world"}], ["enter", "user1 comes in"]]
    assert first.greeting[0].startswith("40")
    Caller(house, version)
    assert first.hear() == [["enter", "user2 comes in"]]


def test_order_between_answers_and_events(house: House) -> None:
    """An acknowledgement comes after all that was said in the room before it, in the same turn too."""
    ann, bob = Caller(house), Caller(house)
    ann.hear()
    heard = bob.call('421["message","one"]', '422["message","two"]')
    acks = [item[0] for item in heard if isinstance(item, tuple)]
    said = [item[1] for item in heard if isinstance(item, list)]
    assert acks == [1, 2] and said == ["user2 says: one", "user2 says: two"]
    assert ann.hear() == [
        ["mes", "user2 says: one"],
        ["message", "one"],
        ["mes", "user2 says: two"],
        ["message", "two"],
    ]


def test_names_and_places(house: House) -> None:
    """The query and `auth` may carry nick, room, language and history; `auth` wins."""
    ann = Caller(house, query="room=attic", auth={"nick": "Ann", "room": "tea", "lang": "zh-CN"})
    assert ["enter", "Ann 进来了"] in ann.greeting
    ann.emit("message", "hi")
    bob = Caller(house, auth={"room": "tea", "last": 5})
    assert bob.greeting[-2:] == [["mes", "Ann says: hi"], ["enter", "user2 comes in"]]
    assert set(house.hub.rooms) == {"tea"}


def test_tokens(house: House) -> None:
    """A token says who one is from the start; one that is not ours is a refused connect."""
    house.hub.passes = SignedPasses(b"k" * 32, lambda: 0.0)
    token = house.hub.passes.issue(Identity("u_owner", "owner", guest=False))
    owner = Caller(house, auth={"token": token, "nick": "Olga"})
    (person,) = [session.user for sessions in house.hub.sessions.values() for session in sessions]
    assert (person.user.id, person.role) == ("u_owner", "owner")
    answer = owner.emit("mod", {"room": "lobby", "action": "lock", "value": "on"}, 1)
    assert answer[-1][1]["type"] == "ok"
    refused = Caller(house, auth={"token": "g_forged"})
    assert refused.greeting[-1].startswith("44") and "unauthorized" in refused.greeting[-1]
    late = Caller(house, auth={"v": 1})
    (_, reply), *rest = late.emit("hello", {"token": "g_forged"}, 1)
    assert reply["code"] == "unauthorized" and rest[-1] == "41"
    house.wait(12)
    assert late.wire.closed and set(house.hub.sessions) == {"u_owner"}


def test_hello_is_due(house: House) -> None:
    """Who asks for version 1 and says no hello is sent away; who says it is told the tops now and then."""
    silent, polite = Caller(house, auth={"v": "1"}), Caller(house, auth={"v": "1"})
    assert polite.emit("hello", {"nick": "Ann", "rooms": {"tea": {}}}, 1)[0][1]["user"]["nick"] == "Ann"
    heard: list[Any] = []
    for _ in range(30):
        house.wait(1)
        for caller in (silent, polite):
            if not caller.wire.closed:
                got = caller.hear()
                if "2" in got:
                    caller.send("3")
                heard += [item for item in got if isinstance(item, list)]
    assert ["tops", {"@me": 0, "tea": 0}] in heard
    assert any(item[0] == "bye" and item[1]["code"] == "no_hello" for item in heard)
    assert len(house.around.hellos) == 0 and HELLO_S < 30


def test_hello_begins_anew(house: House, speaker: Session) -> None:
    """A taught socket that says hello leaves as who it was, and is told in objects from then on."""
    ann = Caller(house)
    before = len(house.hub.roster)
    ((id, reply),) = [
        item for item in ann.emit("hello", {"nick": "Ann", "rooms": {"lobby": {}}}, 7) if type(item) is tuple
    ]
    assert id == 7 and reply["user"]["nick"] == "Ann" and len(house.hub.roster) == before
    do(house, speaker, c.Say("hi", room="lobby"))
    (event,) = ann.hear()
    assert event[0] == "message" and event[1]["text"] == "hi" and event[1]["room"] == "lobby"


def test_a_slow_reader_is_told_what_it_missed(house: House, speaker: Session) -> None:
    """Above a megabyte entries are left out and named when it has caught up; nothing is lost in silence."""
    ann = Caller(house, auth={"v": 1})
    ann.emit("hello", {"nick": "Ann", "rooms": {"lobby": {}}}, 1)
    ann.session.pause(ann.wire)
    ann.wire.is_full = True
    for _ in range(400):
        do(house, speaker, c.Say("x" * 4000, room="lobby"))
    assert LAG_BYTES < ann.session.waiting_bytes < LAG_BYTES + 20_000
    ann.wire.is_full = False
    ann.session.resume(ann.wire)
    heard = ann.hear()
    seqs = [item[1]["seq"] for item in heard if item[0] == "message"]
    (lag,) = [item[1] for item in heard if item[0] == "lag"]
    assert seqs == list(range(1, lag["from"])) and (lag["to"], lag["room"]) == (400, "lobby")
    answer = ann.emit("events", {"room": "lobby", "after": lag["from"] - 1, "limit": 10}, 2)
    assert [event["seq"] for event in answer[-1][1]["events"]] == list(range(lag["from"], lag["from"] + 10))
    do(house, speaker, c.Say("live", room="lobby"))
    assert ann.hear()[-1][1]["seq"] == 401


def test_a_deaf_reader_is_ended(house: House, speaker: Session) -> None:
    """One that lags and takes nothing for half a minute is sent away; the others do not notice."""
    ann, bob = Caller(house), Caller(house)
    ann.session.pause(ann.wire)
    for _ in range(400):
        do(house, speaker, c.Say("x" * 4000, room="lobby"))
        bob.hear()
    waited = 0
    while not ann.wire.closed and waited < STUCK_S + 25:
        house.wait(1)
        waited += 1
        if "2" in bob.hear():
            bob.send("3")
    assert ann.wire.closed and not bob.wire.closed and len(house.around.stuck) == 0


def test_a_flood_is_answered_and_bounded(house: House) -> None:
    """Commands beyond those that may wait are answered `busy` at once."""
    ann = Caller(house)
    heard = ann.call(*[f'42{n}["message","x"]' for n in range(2 * BACKLOG)])
    acks = dict(item for item in heard if isinstance(item, tuple))
    assert len(acks) == 2 * BACKLOG
    done = [n for n, answer in acks.items() if answer.get("type") == "ok"]
    busy = [n for n, answer in acks.items() if "error" in answer]
    assert done == list(range(BACKLOG)) and {acks[n]["error"]["code"] for n in busy} == {"busy"}


def test_hello_in_a_flood(house: House) -> None:
    """Who floods and then says hello is somebody new with nothing under way; the old commands are answered."""
    ann = Caller(house)
    hello = '42999["hello",{"nick":"Ann","rooms":{"lobby":null}}]'
    heard = ann.call(*[f'42{n}["message","x"]' for n in range(70)], hello, '421000["rooms",{}]')
    acks = dict(item for item in heard if isinstance(item, tuple))
    assert len(acks) == 72 and acks[999]["user"]["nick"] == "Ann" and acks[1000]["type"] == "ok"


@pytest.mark.parametrize(
    "packet",
    [
        '421["message","/nick"]',
        '421["message",{"room":"lobby","text":7}]',
        '451-1["message",{"content":{"_placeholder":true,"num":0}}]',
        '421["edit",{}]',
    ],
)
def test_every_acknowledgement_comes(house: House, packet: str) -> None:
    """Whatever was asked with an acknowledgement gets one, and nothing of it is kept."""
    ann = Caller(house)
    heard = ann.call(packet, *([b"bytes"] if packet.startswith("45") else []))
    ((id, answer),) = [item for item in heard if isinstance(item, tuple)]
    assert id == 1 and "error" in answer
    (peer,) = house.sockets.peers.values()
    assert peer._acknowledge == {}


def test_bytes_where_json_is_due(house: House) -> None:
    """Bytes in `meta` are refused as anything else that is no JSON, without an error of ours."""
    ann = Caller(house, auth={"v": 1})
    ann.emit("hello", {"nick": "Ann", "rooms": {"lobby": None}}, 1)
    packet = '451-2["message",{"room":"lobby","text":"x","meta":{"a":{"_placeholder":true,"num":0}}}]'
    heard = ann.call(packet, b"abc")
    ((id, answer),) = [item for item in heard if isinstance(item, tuple)]
    assert id == 2 and answer["code"] == "bad_request" and house.troubles == []


@pytest.mark.parametrize("way", ["one turn", "cut"])
def test_a_lag_is_always_told(house: House, speaker: Session, way: str) -> None:
    """A lag that began and ended in one turn is told as well, one whose entries did not survive is forgotten;
    whoever has taken all is not ended for it."""
    ann = Caller(house, auth={"v": 1})
    ann.emit("hello", {"nick": "Ann", "rooms": {"lobby": {}}}, 1)
    ann.session.pause(ann.wire)
    ann.wire.is_full = True
    for _ in range(400):
        handle(speaker, c.Say("x" * 4000, room="lobby"))
        house.pump.run()
    if way == "cut":
        house.hub.rooms["lobby"].fan_out(Truncated("lobby", None, "e9", 0))
    ann.wire.is_full = False
    ann.session.resume(ann.wire)
    heard = ann.hear()
    do(house, speaker, c.Say("later", room="lobby"))
    heard += ann.hear()
    kinds = [item[0] for item in heard if isinstance(item, list)]
    if way == "one turn":
        assert kinds.index("lag") < len(kinds) - 1 and heard[-1][1]["text"] == "later"
    else:
        assert "lag" not in kinds and "truncate" in kinds
    assert len(house.around.stuck) == 0


def test_the_rate_limit() -> None:
    """The allowance is the same as everywhere."""
    house = House(messages=MESSAGES)
    ann = Caller(house)
    heard = ann.call(*[f'42{n}["message","x"]' for n in range(15)])
    codes = [item[1]["error"]["code"] for item in heard if isinstance(item, tuple) and "error" in item[1]]
    assert codes == ["rate_limited"] * 5
    assert house.around.hub.counts["rate_limited_message"] == 5


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_who_is_thrown_out(house: House, speaker: Session, action: str) -> None:
    """Whoever is thrown out is told, and disconnected so that it does not come back by itself."""
    speaker.user.role = "mod"
    ann = Caller(house, auth={"nick": "Ann"})
    target = next(person.user.id for person in (house.hub.roster.named("Ann"),) if person is not None)
    do(house, speaker, c.Moderate("lobby", action, target))
    heard = ann.hear()
    assert heard[-1] == "41" and house.hub.roster.named("Ann") is None


def test_a_restart_is_told(house: House) -> None:
    """When the service ends, full clients are told `bye`; all are cut off, which makes them come back."""
    taught, full = Caller(house), Caller(house, auth={"v": 1})
    full.emit("hello", {"nick": "Ann"}, 1)
    house.sockets.close_peers(RESTART)
    assert any(item[0] == "bye" and item[1]["reconnect"] for item in full.hear() if isinstance(item, list))
    taught.hear()
    assert taught.wire.closed and full.wire.closed
    house.pump.run()
    assert house.hub.sessions == {}


def test_leaving(house: House, speaker: Session) -> None:
    """A socket that goes, in whatever way, leaves the room and nothing behind."""
    for go in ("41", "1", None):
        ann = Caller(house)
        if go is None:
            ann.lose()
        else:
            ann.session.wire_received(ann.wire, (go[0], go[1:]))
        house.pump.run()
        assert len(house.hub.sessions) == 1 and len(house.around.tops) == 0
        ann.session.close()


def test_origins(house: House) -> None:
    """The same origins may connect as to the WebSocket, by polling and by WebSocket."""
    for origin, status in (("http://localhost:9", 200), ("https://evil.example", 403), ("null", 200)):
        transport = house.connect(house.door)
        head = (
            f"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: {origin}\r\n\r\n"
        )
        house.feed(transport, head.encode())
        house.clock.advance(0)
        assert transport.take().split()[1] == str(status).encode(), origin


def test_a_long_post(house: House) -> None:
    """A body above the limit is refused before it is read, and its session ends."""
    transport = house.connect(house.door)
    head = "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"
    house.feed(transport, head.encode())
    assert transport.take().startswith(b"HTTP/1.1 413 ")
