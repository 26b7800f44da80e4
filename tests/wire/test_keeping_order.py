"""Keeping order by typing: the same commands, and the same ends, on every dialect that is typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import Ear
from fakes import FakeTransport

from chatservice.domain.commands import Join
from chatservice.domain.conduct import handle
from chatservice.domain.events import Moderated, User
from chatservice.domain.session import Session
from chatservice.domain.trust import Deed
from chatservice.socketio import Handshake
from chatservice.transports.networks import Networks
from wire.house import House, read_answer
from wire.people import PEOPLE, Person, SimplePerson, TextPerson, WebSocketPerson
from wire.test_sockets import Caller


class SocketCaller(Caller):
    """A `Caller` from the house's present address."""

    def __init__(self, house: House, auth: dict[str, Any] | None = None) -> None:
        made = house.sockets.server.house.new_session
        address = house.from_address

        def new_session(version: int, *, base64: bool, handshake: Handshake) -> Any:
            return made(version, base64=base64, handshake=Handshake(handshake.query, address=address))

        house.sockets.server.house.new_session = new_session  # type: ignore[method-assign, assignment]
        try:
            super().__init__(house, auth=auth)
        finally:
            house.sockets.server.house.new_session = made  # type: ignore[method-assign]


class TaughtPerson(Person):
    """Someone with a lesson's Socket.IO page."""

    wire = "taught"

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.caller = SocketCaller(house)
        self._heard: list[Any] = self.caller.greeting
        self.ended = ""

    def say(self, text: str) -> None:
        self._heard += self.caller.emit("message", text)

    def heard(self) -> list[str]:
        packets, self._heard = self._heard + self.caller.hear(), []
        return [words for packet in packets if (words := self._words(packet))]

    def _words(self, packet: Any) -> str:
        if not isinstance(packet, list):
            self.ended = self.ended or (packet if str(packet).startswith("41") else "")
            return ""
        name, argument = packet
        if name == "chat_error":
            return f"* {argument['message']}"
        return argument if name in ("mes", "enter", "leave", "notice") else ""

    def said(self, nick: str, text: str) -> str:
        return f"{nick} says: {text}"

    def farewell(self) -> str | None:
        words = self.heard()
        return words[-1].removeprefix("* ") if self.ended else None


class Notes(list[Deed]):
    """An audit log in memory."""

    note = list.append


EVERY = pytest.mark.parametrize("person", [*PEOPLE, TaughtPerson], ids=lambda person: person.wire)

OTHERS = "198.51.100.7"


def promote(house: House, nick: str, role: str = "mod") -> None:
    """An owner gives a role in the lobby."""
    found = house.hub.roster.named(nick)
    assert found is not None
    house.hub.log.append("lobby", Moderated(User("u_o", "Olga"), "role", found.user, role))
    house.pump.run()


@pytest.fixture
def notes(house: House) -> Notes:
    """What is put on record."""
    house.hub.audit = notes = Notes()
    return notes


def two(house: House, person: type[Person]) -> tuple[Person, Person]:
    """A moderator `Mod`, and `Eve` from elsewhere."""
    mod = person(house)
    mod.say("/nick Mod")
    house.from_address = OTHERS
    eve = person(house)
    eve.say("/nick Eve")
    promote(house, "Mod")
    mod.heard(), eve.heard()
    return mod, eve


@EVERY
def test_help(house: House, person: type[Person]) -> None:
    """Who may keep order is told how, nobody else is."""
    mod, eve = two(house, person)
    mod.say("/help")
    eve.say("/help")
    assert [words for words in mod.heard() if "/kick NICK" in words and "/ban NICK 1h" in words]
    assert len(eve.heard()) == 1


@EVERY
@pytest.mark.parametrize(
    "typed",
    [
        "/kick Mod",
        "/kick Nobody",
        "/ban Mod 1h",
        "/unban Mod",
        "/mute Mod",
        "/unmute Mod",
        "/slow 10",
        "/lock",
        "/topic x",
        "/bans",
        "/delete Mod",
        "/delete 2",
    ],
)
def test_who_may_not(house: House, person: type[Person], notes: Notes, typed: str) -> None:
    """Others are refused, hear nothing about who is there, and nothing is put on record."""
    mod, eve = two(house, person)
    mod.say("mine")  # entry 2, after the role
    mod.heard(), eve.heard()
    eve.say(typed)
    expected = "that message is not yours" if typed == "/delete 2" else "you may not do that"
    assert eve.heard() == [f"* {expected}"] and mod.heard() == [] and notes == []


@EVERY
def test_muting(house: House, person: type[Person], notes: Notes) -> None:
    """For a while, with a reason; then until it is lifted."""
    mod, eve = two(house, person)
    mod.say("/mute eve 1m too <b>loud</b>")
    told = "* Mod muted Eve (for 1 min, too <b>loud</b>)"
    assert (mod.heard(), eve.heard()) == ([told], [told])
    eve.say("a")
    assert eve.heard() == ["* you are muted here; 1 min left"] and mod.heard() == []
    house.clock.rightNow += 61  # no ticks: nobody is asked whether they are there
    eve.say("b")
    assert mod.heard() == [mod.said("Eve", "b")]
    mod.say("/mute Eve")
    eve.say("c")
    mod.say("/unmute Eve")
    eve.say("d")
    assert mod.heard() == ["* Mod muted Eve", "* Mod lets Eve speak again", mod.said("Eve", "d")]
    assert [(deed.action, deed.reason) for deed in notes] == [
        ("mute", "too <b>loud</b>"),
        ("mute", ""),
        ("unmute", ""),
    ]


@EVERY
def test_kicking(house: House, person: type[Person], notes: Notes) -> None:
    """Who is thrown out is told so, is gone, and may come back."""
    mod, eve = two(house, person)
    mod.say("/kick Eve spam")
    assert mod.heard() == ["* Mod threw Eve out (spam)", "Eve left"]
    assert eve.farewell() == "you were thrown out"
    again = person(house)
    assert mod.heard() == ["user3 comes in"] and "user3" in "".join(again.heard())
    assert [(deed.action, deed.addresses) for deed in notes] == [("kick", ())]


@EVERY
def test_banning(house: House, person: type[Person], notes: Notes) -> None:
    """Who is banned is gone and stays out, under another name too, by whatever dialect; for a while, or until it
    is lifted by the name it had."""
    mod, eve = two(house, person)
    mod.say('/ban "Eve" 1h 刷屏')
    assert mod.heard() == ["* Mod banned Eve (for 1 h, 刷屏)", "Eve left"]
    assert eve.farewell() == "you are banned here"
    for way in (*PEOPLE, TaughtPerson):
        assert way(house).heard()[-1] == "* you are banned here", way.wire
    mod.say("/bans")
    assert mod.heard() == ["* 1 banned from lobby: Eve (1h)"]
    house.from_address = "192.0.2.1"
    assert "banned" not in person(house).heard()[-1]
    house.from_address = OTHERS
    mod.heard()
    mod.say("/unban eve")
    assert mod.heard() == ["* Mod lifted the ban on Eve"]
    mod.say("/bans")
    assert mod.heard() == ["* nobody is banned from lobby"]
    assert "banned" not in person(house).heard()[-1]
    mod.heard()
    (ban, unban) = notes
    assert (ban.addresses, ban.reason, ban.until - ban.ts) == ((OTHERS,), "刷屏", 3_600_000)
    assert ban.target == unban.target and unban.action == "unban"


@EVERY
def test_a_ban_that_is_over(house: House, person: type[Person]) -> None:
    """When its time has come it holds no more, for person and address alike."""
    mod, _ = two(house, person)
    mod.say("/ban Eve 1m")
    house.clock.rightNow += 59
    assert person(house).heard()[-1] == "* you are banned here"
    house.clock.rightNow += 2
    assert "banned" not in person(house).heard()[-1]


@EVERY
def test_who_has_left_already(house: House, person: type[Person], notes: Notes) -> None:
    """To come, shout and go is no way around: the name and the address are remembered."""
    mod, eve = two(house, person)
    eve.say("spam")
    if isinstance(eve, TaughtPerson):
        eve.caller.session.close("transport close")
        house.pump.run()
    else:
        eve.leave()
    mod.heard()
    mod.say("/ban Eve")
    assert mod.heard() == ["* Mod banned Eve"] and notes[-1].addresses == (OTHERS,)
    assert person(house).heard()[-1] == "* you are banned here"


@EVERY
def test_the_lock(house: House, person: type[Person]) -> None:
    """In a locked room moderators write and others only read."""
    mod, eve = two(house, person)
    ann = person(house)
    ann.say("/nick Ann")
    promote(house, "Ann", "member")
    mod.heard(), ann.heard(), eve.heard()
    mod.say("/lock")
    assert eve.heard() == ["* Mod locked the room: only moderators write"]
    ann.say("a")
    mod.say("b")
    eve.say("c")
    refused = "* only moderators may write here now"
    assert eve.heard() == [eve.said("Mod", "b"), refused]
    mod.say("/lock off")
    eve.say("d")
    assert mod.heard()[-1] == mod.said("Eve", "d")


@EVERY
def test_slow_mode(house: House, person: type[Person]) -> None:
    """Others wait between messages, moderators do not."""
    mod, eve = two(house, person)
    mod.say("/slow 30s")
    eve.say("a")
    eve.say("b")
    assert eve.heard()[-2:] == [eve.said("Eve", "a"), "* slow down: 30.0 s"]
    mod.say("c")
    mod.say("d")
    mod.say("/slow off")
    eve.say("e")
    assert mod.heard()[-1] == mod.said("Eve", "e")


@EVERY
def test_deleting(house: House, person: type[Person], notes: Notes) -> None:
    """One takes back one's own newest message; a moderator anybody's, by nick or by number."""
    mod, eve = two(house, person)
    for text in ("one", "two", "three"):  # entries 2 to 4
        eve.say(text)
    mod.heard(), eve.heard()
    eve.say("/delete")
    mod.say("/delete Eve")
    mod.say("/delete 2")
    mod.say("/delete Eve")
    mod.say("/delete 99")
    mod.say("mine")
    mod.say("/delete")
    eve.say("/delete")
    assert [(deed.action, deed.ref) for deed in notes] == [("delete", 3), ("delete", 2)]
    assert {deed.target for deed in notes} == {house.hub.roster.named("Eve").user.id}  # type: ignore[union-attr]
    assert eve.heard()[-1] == "* there is no such message any more"
    assert len([words for words in mod.heard() if "no such message" in words]) == 2
    past = house.hub.log.history("lobby", "", 10)
    house.pump.run()
    assert [message.deleted for message in past.result().messages] == [True] * 4


@EVERY
def test_the_topic(house: House, person: type[Person]) -> None:
    """Anybody may ask what a room is about; a moderator says it."""
    mod, eve = two(house, person)
    eve.say("/topic")
    mod.say("/topic 茶 & tea")
    eve.say("/topic")
    assert eve.heard() == ["* no topic is set", "* Mod set the topic: 茶 & tea", "* the topic: 茶 & tea"]


@EVERY
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/kick Nobody at all", "* nobody here is called Nobody at all"),
        ("/unban Nobody", "* nobody here is called Nobody"),
        ("/mute Eve 10", "* usage: /mute NICK 10m, 1h, 7d"),
        ("/kick Olga", "* nobody here is called Olga"),
        ("/mute Mod2", "* you may not do that"),
        ("/ban", "* usage: /ban NICK 1h"),
        ("/unban Eve", "* that would change nothing for Eve"),
        ("/unmute Eve", "* that would change nothing for Eve"),
        ("/kick u_nobody", "* that would change nothing for u_nobody"),
        ("/dance Eve", "* /dance is no command; /help lists them"),
    ],
)
def test_what_cannot_be_done(house: House, person: type[Person], notes: Notes, typed: str, told: str) -> None:
    """A name nobody has, a time without its unit, another moderator: refused, with the reason."""
    mod, _ = two(house, person)
    other = person(house)
    other.say("/nick Mod2")
    promote(house, "Mod2")
    mod.heard()
    mod.say(typed)
    assert mod.heard() == [told] and notes == []


@EVERY
def test_names_with_spaces_and_of_other_scripts(house: House, person: type[Person]) -> None:
    """A nick of several words, or in Chinese, is found as it stands, before a time and a reason."""
    mod, eve = two(house, person)
    for nick in ("Eve van Dam", "林晓雯"):
        eve.say("/nick " + nick)
        mod.heard()
        mod.say(f"/mute {nick} 10分钟 好 了")
        assert mod.heard() == [f"* Mod muted {nick} (for 10 min, 好 了)"]
        mod.say(f"/unmute @{nick}")
        mod.heard()
    assert eve.heard()


# --- bans by address, on the ways in that are not typed ---


def hello(house: House, **members: Any) -> tuple[WebSocketPerson, dict[str, Any]]:
    """A newcomer on chat.v1 in the lobby, and what it was answered."""
    person = WebSocketPerson(house, "/v1")
    person.say(json.dumps({"type": "hello", "id": 1, "rooms": {"lobby": {}, "attic": {}}, **members}))
    return person, json.loads(person.texts()[-1])


def post(house: House, method: str = "POST", what: str = "messages") -> int:
    """The status of an HTTP request by somebody without a name."""
    transport: FakeTransport = house.connect(house.door)
    head = f"{method} /api/rooms/lobby/{what} HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 2\r\n\r\n"
    house.feed(transport, head.encode() + b"hi")
    return read_answer(transport.take()).status


@pytest.mark.parametrize(
    ("first", "then", "held"),
    [
        ("198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("127.0.0.1", "127.0.0.1", False),
    ],
)
def test_the_ways_in(house: House, first: str, then: str, held: bool) -> None:
    """A banned address holds at hello, at join and over HTTP; IPv6 by the /64; this computer's own never does."""
    mod, _ = two(house, TextPerson)
    house.from_address = first
    zed = SimplePerson(house)
    zed.say("/nick Zed")
    mod.say("/ban Zed")
    house.from_address = then
    person, answer = hello(house)
    lobby = answer["rooms"]["lobby"]
    assert answer["rooms"]["attic"]["n"] == 1
    person.say(json.dumps({"type": "join", "id": 2, "room": "lobby"}))
    joined = json.loads(person.texts()[-1])
    v1 = SocketCaller(house, auth={"v": 1})
    (ack,) = (item for item in v1.emit("hello", {"rooms": {"lobby": {}}}, id=1) if isinstance(item, tuple))
    again = ack[1]["rooms"]["lobby"]
    codes = [room.get("error", room).get("code") for room in (lobby, joined, again)]
    assert codes == (["forbidden"] * 3 if held else [None] * 3)
    statuses = [post(house), post(house, "GET", "events"), post(house, "GET", "export")]
    assert statuses == ([403] * 3 if held else [201, 200, 200])


def test_a_proxy_that_does_not_say_whom_it_brings() -> None:
    """Who came through it may be banned by name only: behind its address is everybody."""
    house = House(trusted=Networks.read(["10.0.0.1"]), loopback=False)
    assert house.hub.network_of("10.0.0.1:5123") == ""
    assert house.hub.network_of("10.0.0.2:5123") == "10.0.0.2"


def test_who_has_a_role_is_known_by_name(house: House) -> None:
    """A ban by address holds for strangers: a member behind the same router comes in."""
    mod, _ = two(house, TextPerson)
    mod.say("/ban Eve")
    ear = Ear()
    ann = Session(house.hub, ear, f"{OTHERS}:1")
    ann.user.role = "member"
    assert handle(ann, Join("lobby")).result().room == "lobby"


def test_nobody_is_told_an_address(house: House) -> None:
    """What is kept of the banned one's address is in no event, history, replay or export."""
    full, _ = hello(house)
    mod, _ = two(house, SimplePerson)
    mod.say("/ban Eve")
    full.say(json.dumps({"type": "events", "id": 2, "room": "lobby", "after": 0}))
    told = "".join(full.texts()) + str(mod.heard())
    assert '"ban"' in told and OTHERS not in told
    house.from_address = "127.0.0.1"
    transport = house.connect(house.door)
    house.feed(transport, b"GET /api/rooms/lobby/export HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
    exported = transport.take()
    assert b'"ban"' in exported and OTHERS.encode() not in exported
