"""One conversation, many wires: the same talk is held over each of them."""

from __future__ import annotations

import re

import pytest

from chatservice.domain.errors import RESTART
from chatservice.domain.limits import MESSAGES
from wire.house import House, frame
from wire.people import PEOPLE, LinePerson, Person, SimplePerson, TextPerson

every_wire = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.wire)


def two(house: House, person: type[Person]) -> tuple[Person, Person]:
    """Two people in the lobby who have heard all so far."""
    one, other = person(house), person(house)
    one.heard(), other.heard()
    return one, other


@every_wire
def test_arrival(house: House, person: type[Person]) -> None:
    """A newcomer is userN, is welcomed, and the others learn of it."""
    one = person(house)
    assert one.heard() == one.arrival("user1")
    other = person(house)
    assert other.heard() == other.arrival("user2", n=2)
    assert one.heard() == ["user2 comes in"]


@every_wire
def test_say_and_hear(house: House, person: type[Person]) -> None:
    """What is said reaches everyone, the speaker too, in one order."""
    one, other = two(house, person)
    one.say("hello")
    other.say("你好 👋")
    told = [one.said("user1", "hello"), one.said("user2", "你好 👋")]
    assert one.heard() == told and other.heard() == told


@every_wire
def test_what_looks_like_json_is_said(house: House, person: type[Person]) -> None:
    """Text that looks like JSON is chat text, nothing else."""
    one, other = two(house, person)
    one.say('{"type":"join","room":"attic"}')
    assert other.heard() == [one.said("user1", '{"type":"join","room":"attic"}')]


@every_wire
def test_empty_messages(house: House, person: type[Person]) -> None:
    """A click on send with nothing written says nothing, and nobody complains."""
    one, other = two(house, person)
    one.say("")
    one.say("   ")
    assert one.heard() == other.heard() == []


@every_wire
def test_nicks(house: House, person: type[Person]) -> None:
    """A nick is taken by /nick, told to all; a taken or impossible one is answered and changes nothing."""
    one, other = two(house, person)
    one.say("/nick Ann")
    assert one.heard() == other.heard() == ["* user1 is now Ann"]
    other.say("/nick ANN")
    other.say("/nick @x")
    assert other.heard() == [
        "* the name ANN is taken",
        "* a name needs a visible character, no control characters, and no * @ / # in front",
    ]
    other.say("still me")
    assert one.heard() == [one.said("user2", "still me")]


@every_wire
def test_another_room(house: House, person: type[Person]) -> None:
    """/join goes to another room: the old one is left, the new one entered, nothing is heard across."""
    one, other = two(house, person)
    one.say("/join attic")
    assert one.heard()[-1] == one.arrival("user1", "attic")[-1]
    assert other.heard() == ["user1 left"]
    one.say("echo")
    assert one.heard() == [one.said("user1", "echo")] and other.heard() == []
    other.say("/join attic")
    assert other.heard() == [other.said("user1", "echo"), other.arrival("user2", "attic", 2)[-1]]
    assert one.heard() == ["user2 comes in"]


@every_wire
def test_who(house: House, person: type[Person]) -> None:
    """/who lists the people of the room to the one who asked."""
    one, other = two(house, person)
    one.say("/nick 阿宝")
    one.heard(), other.heard()
    other.say("/who")
    assert other.heard() == ["* 2 in lobby: 阿宝, user2"] and one.heard() == []


@every_wire
def test_history(house: House, person: type[Person]) -> None:
    """/history and /since show what was said again, to the one who asked."""
    one, other = two(house, person)
    other.say("/history")
    assert other.heard() == ["* nothing there yet"]
    for text in ("a", "b", "c"):
        one.say(text)
    one.heard(), other.heard()
    other.say("/history 2")
    assert other.heard() == [one.said("user1", "b"), one.said("user1", "c")]
    other.say("/since 2")
    assert other.heard() == [one.said("user1", "c")]
    other.say("/history many")
    assert other.heard() == ["* usage: /history N"] and one.heard() == []


@every_wire
def test_actions(house: House, person: type[Person]) -> None:
    """/me is said in the third person."""
    one, other = two(house, person)
    one.say("/me waves")
    assert one.heard() == other.heard() == ["* user1 waves"]


@every_wire
def test_help_and_the_unknown(house: House, person: type[Person]) -> None:
    """/help lists the commands; an unknown one is never said aloud; two slashes say one."""
    one, other = two(house, person)
    one.say("/help")
    assert "/nick NAME" in one.heard()[0]
    one.say("/dance")
    assert one.heard() == ["* /dance is no command; /help lists them"] and other.heard() == []
    one.say("//dance")
    assert other.heard() == [other.said("user1", "/dance")]


@every_wire
def test_commands_keep_their_order(house: House, person: type[Person]) -> None:
    """Lines that arrive in one packet are done one after the other."""
    one, other = two(house, person)
    from_wire = [b"a", b"/nick Ann", b"b", b"/join attic", b"c"]
    if isinstance(one, LinePerson):
        one.feed(b"\n".join(from_wire) + b"\n")
    else:
        one.feed(b"".join(frame(payload) for payload in from_wire))
    assert other.heard() == [
        other.said("user1", "a"),
        "* user1 is now Ann",
        other.said("Ann", "b"),
        "Ann left",
    ]
    assert one.heard()[-1] == one.said("Ann", "c")


@every_wire
def test_too_long_a_text(house: House, person: type[Person]) -> None:
    """Above 4000 characters nothing is said; the answer names the bound."""
    one, other = two(house, person)
    one.say("x" * 4001)
    assert one.heard() == ["* a message has at most 4000 characters"]
    one.say("x" * 4000)
    assert other.heard() == [one.said("user1", "x" * 4000)]


@every_wire
def test_too_fast(person: type[Person]) -> None:
    """Whoever talks too fast is told to slow down, and heard again later."""
    house = House(messages=MESSAGES)
    one, other = two(house, person)
    for n in range(11):
        one.say(str(n))
    assert len(other.heard()) == 10 and one.heard()[-1] == "* slow down: 0.5 s"
    house.wait(1)
    one.say("slowly")
    assert other.heard() == [one.said("user1", "slowly")]
    assert house.troubles == []


@every_wire
def test_a_broken_connection(house: House, person: type[Person]) -> None:
    """When somebody's connection is gone the others learn of it once, and the nick is free."""
    one, other = two(house, person)
    one.say("/nick Ann")
    other.heard()
    one.leave()
    assert other.heard() == ["Ann left"]
    other.say("/nick Ann")
    assert other.heard() == ["* user2 is now Ann"]
    other.leave()
    assert house.hub.rooms == {} and len(house.hub.roster) == 0
    assert not house.chat.peers and not house.lines.peers
    assert len(house.around.pings) == len(house.around.idle_lines) == 0


@every_wire
def test_nothing_is_heard_after_the_end(house: House, person: type[Person]) -> None:
    """Bytes that still come when we have ended the connection are nobody's."""
    one, other = two(house, person)
    for factory in (house.chat, house.lines):
        factory.close_peers(RESTART)
    for words in (one.farewell(), other.farewell()):
        assert re.fullmatch(r"the server restarts; come back in [1-9]\.\d s", words)
    one.say("hello?")
    one.say("/who")
    assert one.transport.take() == other.transport.take() == b""
    assert house.hub.rooms == {}


def test_all_wires_in_one_room(house: House) -> None:
    """Everyone can talk to everyone: each hears the same, in the same order, in its own dialect."""
    people: list[Person] = [TextPerson(house), SimplePerson(house), LinePerson(house)]
    for person in people:
        person.heard()
    order = [0, 2, 1, 1, 0, 2]
    for n, speaker in enumerate(order):
        people[speaker].say(f"word {n}")
    for person in people:
        assert person.heard() == [person.said(f"user{s + 1}", f"word {n}") for n, s in enumerate(order)]


def test_the_same_dialect_and_language_is_one_frame(house: House) -> None:
    """A hundred people of one dialect are one audience: a message is encoded once for them."""
    people = [TextPerson(house) for _ in range(100)]
    room = house.hub.rooms["lobby"]
    assert len(room.here._audiences) == 1
    people += [TextPerson(house, lang="zh-CN")]
    assert len(room.here._audiences) == 2
    people[0].say("hi")
    assert all(person.heard()[-1] == "hi" for person in people)
