"""Many connections: no timer for each, and no message to each about each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import cast

import pytest
from twisted.internet import reactor
from twisted.internet.base import ReactorBase

from chatservice.domain.hub import COUNT_EVERY_S
from chatservice.domain.limits import MESSAGES
from chatservice.domain.presence import COMINGS, TELL_EACH
from wire.house import House
from wire.people import PEOPLE, LinePerson, Person, SimplePerson, TextPerson, WebSocketPerson

HELLO = '{"type":"hello","id":1,"rooms":{"lobby":{}}}'


@pytest.fixture
def large() -> House:
    """A house with ports for thousands."""
    house = House()
    house._ports = iter(range(5001, 65_000))
    return house


def test_no_timer_for_each_connection(large: House) -> None:
    """Five hundred connections of all dialects, asked for a sign of life or not, share one ticking call."""
    elsewhere = len(cast(ReactorBase, reactor).getDelayedCalls())  # where Autobahn's own timers would be
    people: list[Person] = []
    for _ in range(100):
        full = WebSocketPerson(large, "/v1")
        full.say(HELLO)
        people += [
            full,
            TextPerson(large),
            SimplePerson(large),
            LinePerson(large),
            WebSocketPerson(large, "/echo"),
        ]
    for seconds in (0, 5, 25, 1):
        large.wait(seconds)
        assert len(large.clock.getDelayedCalls()) == 1
        assert len(cast(ReactorBase, reactor).getDelayedCalls()) == elsewhere
    assert len(large.around.pings) + len(large.around.idle_lines) == len(people) == 500
    asked = [one for one in people if isinstance(one, WebSocketPerson) and (one.frames(), one.pings)[1]]
    assert len(asked) == 300  # chat.v1 is asked in words


def arrivals(person: SimplePerson) -> Counter[str]:
    """What a person was told, by type; its own welcome left out."""
    return Counter(message["type"] for message in person.messages() if not message.get("you"))


def told_of(person: WebSocketPerson) -> Counter[str]:
    """What a person on chat.v1 was told, by type."""
    return Counter(json.loads(text)["type"] for text in person.texts())


@pytest.mark.parametrize("there", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_storm_of_newcomers(large: House, there: int) -> None:
    """When as many come into a large room as are in it, nobody is told of each; a few counts are told to all."""
    members = [SimplePerson(large) for _ in range(there)]
    for one in members:
        one.messages()
    newcomers = [SimplePerson(large) for _ in range(there)]
    large.wait(COUNT_EVERY_S + 1)
    told = sum((arrivals(one) for one in (*members, *newcomers)), Counter())
    assert told["enter"] == told["leave"] == 0
    assert sum(told.values()) <= 2 * len(members + newcomers)
    talker, listener = members[0], newcomers[-1]
    talker.say("hello")
    assert [message["text"] for message in listener.messages()] == ["hello"]


def test_up_to_two_hundred_are_told_one_by_one(large: House) -> None:
    """A small room learns of everyone who comes, a large one of nobody by name."""
    first = SimplePerson(large)
    others = [SimplePerson(large) for _ in range(TELL_EACH + 20)]
    assert arrivals(first)["enter"] == TELL_EACH - 1
    for one in others:
        one.leave()
    assert arrivals(first)["leave"] == TELL_EACH


@pytest.mark.parametrize("kind", PEOPLE)
def test_a_flood_is_summed_up(kind: Callable[[House], Person]) -> None:
    """Who reads sentences is told of the first twenty who come at once, then of how many came and went, each
    second; where it is few, each by name. chat.v1, which keeps lists, learns of everyone."""
    large = House(messages=MESSAGES)
    first, full = kind(large), WebSocketPerson(large, "/v1")
    full.say(HELLO)
    first.heard(), full.texts()
    crowd = [TextPerson(large) for _ in range(50)]
    for one in crowd[:30]:
        one.leave()
    told = COMINGS.burst - 1
    assert first.heard() == [f"user{n} comes in" for n in range(3, 3 + told)]
    counted = told_of(full)
    assert (counted["enter"], counted["leave"]) == (50, 30)
    large.wait(1)
    assert first.heard() == [f"* {50 - told} people came, 30 left"]
    large.wait(2)
    assert first.heard() == []
    for one in crowd[30:45]:
        one.leave()
    names = [f"user{n} left" for n in range(33, 48)]
    assert first.heard() == names[:12]
    large.wait(1)
    assert first.heard() == names[12:]
    assert told_of(full)["leave"] == 15 and large.troubles == []


def test_the_count_is_told(large: House) -> None:
    """A large room hears on chat.v1 how many are there, at most every few seconds."""
    one = WebSocketPerson(large, "/v1")
    one.say(HELLO)
    [TextPerson(large) for _ in range(TELL_EACH + 50)]
    large.wait(COUNT_EVERY_S + 1)
    told = [json.loads(text) for text in one.texts()]
    assert [event["n"] for event in told if event["type"] == "count"][-1] == TELL_EACH + 51
