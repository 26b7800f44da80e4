"""chat.v1: what is too fast, and that coming back never is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat import Chat, Tab, code
from fakes import said
from stores import Store

from chatservice.domain.errors import FLOOD
from chatservice.domain.limits import MESSAGES, ROOMS
from chatservice.domain.rates import RATES, Kind


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Chat]:
    """A chat with the limits of every day."""
    chat = Chat(Store("memory", tmp_path), messages=MESSAGES)
    yield chat
    chat.stop()
    assert chat.troubles == []


COMMANDS = [
    pytest.param(Kind.WRITE, "react", {"ref": 1, "emoji": "x"}, id="react"),
    pytest.param(Kind.WRITE, "edit", {"ref": 1, "text": "x", "rev": 0}, id="edit"),
    pytest.param(Kind.WRITE, "delete", {"ref": 1}, id="delete"),
    pytest.param(Kind.RESYNC, "join", {}, id="join"),
    pytest.param(Kind.RESYNC, "history", {}, id="history"),
    pytest.param(Kind.RESYNC, "events", {"after": 0}, id="events"),
    pytest.param(Kind.RESYNC, "members", {}, id="members"),
    pytest.param(Kind.RESYNC, "rooms", {}, id="rooms"),
    pytest.param(Kind.SEARCH, "search", {"q": "x"}, id="search"),
    pytest.param(Kind.READ, "read", {"seq": 1}, id="read"),
    pytest.param(Kind.PRESENCE, "status", {"status": "away"}, id="status"),
    pytest.param(Kind.MOD, "mod", {"action": "lock", "value": "on"}, id="mod"),
    pytest.param(Kind.OTHER, "dance", {}, id="unknown"),
]


@pytest.mark.parametrize(("kind", "type", "members"), COMMANDS)
def test_each_command(limited: Chat, kind: Kind, type: str, members: dict[str, object]) -> None:
    """So many at once, then a refusal that names the limit and the time; whoever waits so long is served. Another
    device is no way around it, another person is not concerned, and talking goes on."""
    ann, bob = limited.enter("ann", "lobby"), limited.enter("bob", "lobby")
    twin = limited.enter("ann", "lobby")
    limited.clock.now += 60
    for n in range(RATES[kind].burst):
        assert code((ann, twin)[n % 2].ask(type, room="lobby", **members)) != "rate_limited"
    refused = twin.ask(type, room="lobby", **members)
    assert (refused["code"], refused["limit"], refused["temporary"]) == ("rate_limited", kind, True)
    assert code(bob.ask(type, room="lobby", **members)) != "rate_limited"
    assert code(ann.ask("message", room="lobby", text="x")) == "ok"
    limited.clock.now += refused["retry_ms"] / 1000
    assert code(ann.ask(type, room="lobby", **members)) != "rate_limited"
    assert code(ann.ask(type, room="lobby", **members)) == "rate_limited"
    assert limited.hub.counts[f"rate_limited_{kind}"] == 2


def test_comings_and_goings(limited: Chat) -> None:
    """Join and part in a row are slowed down together, with the rest that is looked up."""
    ann, most = limited.enter("ann", "lobby"), RATES[Kind.RESYNC].burst
    limited.enter("bob", "attic")
    answers = [ann.ask(("join", "part")[n % 2], room="attic") for n in range(most)]
    refused = [answer for answer in answers if code(answer) == "rate_limited"]
    assert len(refused) == 2 and refused[-1]["limit"] == "resync"  # hello cost two


def test_nicks(limited: Chat) -> None:
    """New names are slowed down; to say the name one has, as some clients do with every message, is free."""
    ann = limited.enter("ann", "lobby")
    for _ in range(100):
        assert code(ann.ask("nick", nick="ann")) == "ok"
    codes = [code(ann.ask("nick", nick=f"ann{n}")) for n in range(RATES[Kind.PRESENCE].burst + 1)]
    assert codes.count("ok") == RATES[Kind.PRESENCE].burst and codes[-1] == "rate_limited"


def test_typing(limited: Chat) -> None:
    """Whoever types in too many rooms too often is not told off; the others are just not told."""
    rooms = [f"room{n}" for n in range(RATES[Kind.TYPING].burst + 5)]
    ann, bob = limited.enter("ann", *rooms), limited.enter("bob", *rooms)
    ann.told(), bob.told()
    answers = [code(ann.ask("typing", room=room, on=True)) for room in rooms]
    assert set(answers) == {"ok"}
    assert len(bob.told("typing")) == RATES[Kind.TYPING].burst
    for _ in range(1000):
        ann.ask("typing", room="lobby", on=True)
    assert not ann.ended and code(ann.ask("search", q="x")) == "ok"


def test_coming_back_with_a_hundred_rooms(limited: Chat) -> None:
    """Three devices of one person come back at once, each into a hundred rooms, by hello or by joins, twice: they
    are let in, whether anything was ever said in those rooms or not."""
    rooms = [f"room{n}" for n in range(100)]
    for name in rooms[:50]:
        limited.hub.log.append(name, said("x"))
    limited.settle()
    for _ in range(2):
        tabs = [Tab(limited) for _ in range(3)]
        for tab in tabs[:2]:
            answer = tab.ask("hello", token=limited.token("u_ann"), rooms=dict.fromkeys(rooms))
            assert all("error" not in room for room in answer["rooms"].values())
        tabs[2].ask("hello", token=limited.token("u_ann"))
        assert {code(tabs[2].ask("join", room=room)) for room in rooms} == {"ok"}
        for tab in tabs:
            tab.lose()
        limited.wait(20)


def test_a_flood_of_hellos(limited: Chat) -> None:
    """Hello costs as many joins as it holds: one person's connections with many rooms each are slowed down, told
    for how long, and then let in."""
    rooms = dict.fromkeys(f"room{n}" for n in range(ROOMS))
    answers = []
    for _ in range(5):
        tab = Tab(limited)
        answers.append(tab.ask("hello", token=limited.token("u_ann"), rooms=rooms))
    assert [code(answer) for answer in answers] == ["ok"] * 3 + ["rate_limited"] * 2
    limited.clock.now += answers[-1]["retry_ms"] / 1000
    assert code(tab.ask("hello", token=limited.token("u_ann"), rooms=rooms)) == "ok"
    assert len(limited.hub.roster) == 1


def test_a_flood_of_hellos_leaves_nobody_behind(limited: Chat) -> None:
    """Whoever is refused at the door is not among the living."""
    rooms = dict.fromkeys(f"room{n}" for n in range(ROOMS))
    for _ in range(4):
        tab = Tab(limited)
        answer = tab.ask("hello", token=limited.token("u_ann"), rooms=rooms)
        tab.lose()
        limited.hub.tick()
        limited.clock.now += 0.1
    limited.clock.now += 5
    limited.hub.tick()
    assert code(answer) == "rate_limited" and len(limited.hub.roster) == 0


def test_new_rooms(limited: Chat) -> None:
    """Rooms that come to be by a join are counted apart: a name costs nothing, and there are endlessly many."""
    ann, most = limited.enter("ann"), RATES[Kind.ROOM].burst
    codes = []
    for n in range(most + 5):
        answer = ann.ask("join", room=f"room{n}")
        codes.append(code(answer))
        ann.ask("part", room=f"room{n}")
    assert codes.count("ok") == most and answer["limit"] == "room"
    limited.hub.log.append("old", said("x"))
    limited.settle()
    assert code(ann.ask("join", room="old")) == "ok"
    assert len(limited.hub.rooms) <= 2


def test_deafness_is_of_every_kind(limited: Chat) -> None:
    """A hundred refusals of whatever kind end a connection that goes on; its person may come back."""
    ann = limited.enter("ann", "lobby")
    for _ in range(400):
        if not ann.ended:
            ann.send("search", room="lobby", q="x")
    limited.settle()
    assert ann.near.ended is FLOOD and limited.hub.counts["flooders_ended"] == 1
    assert code(limited.enter("ann", "lobby").ask("message", room="lobby", text="x")) == "ok"


def test_no_limits(chat: Chat) -> None:
    """Where limits are lifted, all of them are."""
    ann = chat.enter("ann", "lobby")
    for kind, type, members in (case.values for case in COMMANDS):
        for _ in range(RATES[kind].burst + 2):
            assert code(ann.ask(type, room="lobby", **members)) != "rate_limited"
