"""chat.v1: direct conversations and one's own stream, `@me`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from chat import Chat, Frame, Tab, code

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import rejected

ROOM = "dm:u_ann:u_bob"


def opened(tab: Tab) -> list[Frame]:
    return tab.told("dm")


def test_the_first_message_shows_in_both_streams(chat: Chat) -> None:
    """Each end learns once, on all its devices, that a conversation has begun and with whom."""
    ann, bob, twin = chat.enter("ann"), chat.enter("bob"), chat.enter("bob")
    reply = ann.ask("message", room="@u_bob", text="hi")
    assert (reply["room"], reply["seq"]) == (ROOM, 1)
    head = {"type": "dm", "room": "@me", "seq": 1, "ts": chat.hub.now_ms, "dm": ROOM}
    assert opened(ann) == [head | {"with": {"id": "u_bob", "nick": "bob"}}]
    for tab in (bob, twin):
        assert opened(tab) == [head | {"with": {"id": "u_ann", "nick": "ann"}}]
    bob.ask("message", room="@u_ann", text="ho")
    ann.ask("message", room=ROOM, text="hu")
    assert opened(ann) == opened(bob) == opened(twin) == []
    assert [m["text"] for m in twin.ask("history", room=ROOM)["messages"]] == ["hi", "ho", "hu"]


def test_whoever_was_away_finds_it(chat: Chat) -> None:
    """A conversation that began while one was away stands in one's stream, after a restart too."""
    chat.enter("ann").ask("message", room="@u_bob", text="hi")
    chat.restart()
    bob = Tab(chat)
    me = bob.ask("hello", token=chat.token("u_bob"))["rooms"]["@me"]
    assert me["seq"] == 1
    (event,) = bob.ask("events", room="@me", after=0)["events"]
    assert (event["type"], event["room"], event["dm"]) == ("dm", "@me", ROOM)
    assert bob.ask("history", room=event["dm"])["messages"][0]["text"] == "hi"
    joined = bob.ask("join", room=ROOM, last=10)
    assert joined["n"] == 1 and joined["unread"] == 1 and joined["state"][0]["text"] == "hi"


USED = ("read_back", "read", "marks", "unread", "keep_session", "session", "durability", "cid_ttl_s", "paces")


def test_a_retried_first_message_opens_once(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the first message is tried again, each stream tells of it once, even after a crash."""
    append = chat.hub.log.append

    def closing(room: str, *args: Any, **kwargs: Any) -> Any:  # the process ends when the message itself is kept
        return rejected(Refused(Code.UNAVAILABLE)) if room.startswith("@") else append(room, *args, **kwargs)

    monkeypatch.setattr(chat.hub, "log", SimpleNamespace(**{name: getattr(chat.hub.log, name) for name in USED}))
    chat.hub.log.append = closing
    assert code(chat.enter("ann").ask("message", room="@u_bob", text="hi", cid="c1")) == "ok"
    chat.restart()
    ann = chat.enter("ann")
    for _ in range(3):
        assert ann.ask("message", room="@u_bob", text="hi", cid="c1")["seq"] == 1
    for user in ("ann", "bob"):
        stream = chat.enter(user).ask("events", room="@me", after=0)["events"]
        assert [(event["type"], event["dm"]) for event in stream] == [("dm", ROOM)]


def test_a_third_person(chat: Chat) -> None:
    """Nobody else joins, reads, writes, searches or finds a direct conversation, nor another's stream."""
    ann, eve = chat.enter("ann"), chat.enter("eve")
    ann.ask("message", room="@u_bob", text="secret plan")
    for room in (ROOM, "@u_ann"):
        wanted = "forbidden" if room == ROOM else "ok"  # @u_ann is Eve's own conversation with Ann
        assert code(eve.ask("join", room=room)) == wanted
        for kind, members in (
            ("history", {}),
            ("events", {"after": 0}),
            ("message", {"text": "x"}),
            ("react", {"ref": 1, "emoji": "👍"}),
            ("read", {"seq": 1}),
            ("members", {}),
            ("typing", {}),
            ("search", {"q": "secret"}),
        ):
            reply = eve.ask(kind, room=room, **members)
            assert "secret" not in str(reply)
            if room == ROOM:
                assert code(reply) == "forbidden", kind
    assert eve.ask("search", q="secret")["hits"] == []
    assert eve.ask("rooms")["rooms"] == [] or ROOM not in str(eve.ask("rooms"))
    assert ann.ask("search", q="secret")["hits"][0]["room"] == ROOM


@pytest.mark.parametrize(
    "room",
    [
        "@u_ann",
        "dm:u_ann:u_ann",
        "dm:u_bob:u_ann",
        "dm:u_ann",
        "dm:",
        "@",
        "@bob",
        "@u_",
        "@u_b:c",
        "@u_b c",
        "@u_" + "x" * 100,
        "@u_ä",
        "dm:u_ann:u_b:u_c",
        "@me2",
    ],
)
def test_what_is_no_conversation(chat: Chat, room: str) -> None:
    """With oneself, with what is nobody's id, or by a name in the wrong order there is none."""
    ann = chat.enter("ann")
    assert code(ann.ask("message", room=room, text="x")) in ("no_room", "not_joined")
    assert code(ann.ask("join", room=room)) == "no_room"
    assert list(ann.near.session.rooms) == ["@u_ann"]


def test_commands_at_once_into_a_new_conversation(chat: Chat) -> None:
    """Messages that are sent together into a conversation one is not in yet keep their order."""
    for n in range(20):
        ann = chat.enter("ann")
        ids = [ann.send("message", room=f"@u_{n}", text=str(k)) for k in range(4)]
        ids.append(ann.send("react", room=f"@u_{n}", ref=4, emoji="👍"))
        assert [ann.answer(id)["seq"] for id in ids] == [1, 2, 3, 4, 5]
        assert ann.words() == ["0", "1", "2", "3"]
        ann.lose()


def test_both_ends_hear_each_other(chat: Chat) -> None:
    """In a conversation everything works as in a room: edits, reactions, typing, read marks. Who has left it is
    still reached by what is said, but by nothing else."""
    ann, bob = chat.enter("ann"), chat.enter("bob", "@u_ann")
    ann.ask("message", room="@u_bob", text="hi")
    ann.ask("edit", room="@u_bob", ref=1, text="ho", rev=0)
    ann.ask("typing", room=ROOM)
    told = [(event["type"], event["room"]) for event in bob.told() if event["room"] != "@me"]
    assert told == [("enter", ROOM), ("message", ROOM), ("edit", ROOM), ("typing", ROOM)]
    assert bob.ask("read", room="@u_ann", seq=2)["room"] == ROOM
    assert code(bob.ask("part", room="@u_ann")) == "ok"
    bob.told()
    seq = ann.ask("message", room=ROOM, text="still there?")["seq"]
    ann.ask("edit", room=ROOM, ref=seq, text="still?", rev=0)
    assert [(event["type"], event["text"]) for event in bob.told()] == [("message", "still there?")]


def test_a_device_that_comes_later(chat: Chat) -> None:
    """Who comes back, or has another device, is reached by what is said then, and finds the conversation with its
    unread messages among the rooms."""
    ann, bob = chat.enter("ann"), chat.enter("bob")
    ann.ask("message", room="@u_bob", text="one")
    bob.lose()
    ann.ask("message", room="@u_bob", text="two")
    chat.wait(10)
    bob, phone = chat.enter("bob"), chat.enter("bob")
    (room,) = [room for room in bob.ask("rooms")["rooms"] if room["room"] == ROOM]
    assert room == {"room": ROOM, "seq": 2, "unread": 2, "mentions": 0, "joined": False}
    ann.ask("message", room="@u_bob", text="three")
    assert (bob.words(), phone.words()) == (["three"], ["three"])
    assert ROOM not in [room["room"] for room in chat.enter("eve").ask("rooms")["rooms"]]


def test_ones_own_stream(chat: Chat) -> None:
    """`@me` is joined by itself, is nobody else's, and nothing is said there."""
    ann, bob = chat.enter("ann"), chat.enter("bob")
    assert ann.greeting["rooms"]["@me"]["room"] == "@me"
    for kind, members in (("message", {"text": "x"}), ("typing", {}), ("part", {})):
        assert code(ann.ask(kind, room="@me", **members)) == "forbidden"
    assert ann.ask("read", room="@me", seq=0)["room"] == "@me"
    assert ann.ask("history", room="@me")["messages"] == [] == bob.told()
