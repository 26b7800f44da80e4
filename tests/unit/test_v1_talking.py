"""chat.v1: saying, editing, deleting, reacting; order, cids, limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat import Chat, Tab, code
from stores import GROUNDS, Store

from chatservice.domain.limits import MESSAGES
from chatservice.domain.rates import RATES, Kind


def test_a_message(chat: Chat) -> None:
    """The answer has number and time; all in the room are told, and only the sender's own sessions see the cid."""
    ann, twin, bob = chat.enter("ann", "lobby"), chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    for tab in (ann, twin):
        tab.told()
    meta = {"kind": "plan", "at": [1, 2.5, None]}
    reply = ann.ask("message", room="lobby", text="hi @bob\r\nthere\x00", cid="c1", reply=7, meta=meta)
    ts = chat.hub.now_ms
    assert reply == {"type": "ok", "id": 2, "room": "lobby", "seq": 1, "ts": ts, "dup": False}
    event = {
        "type": "message",
        "room": "lobby",
        "seq": 1,
        "ts": ts,
        "from": {"id": "u_ann", "nick": "ann"},
        "text": "hi @bob\nthere",
        "reply": 7,
        "mentions": ["u_bob"],
        "meta": meta,
    }
    assert bob.told() == [event]
    assert ann.told() == twin.told() == [event | {"cid": "c1"}]


def test_a_repeat(chat: Chat) -> None:
    """The same cid again is the first message, on any of the sender's connections, and nobody is told again."""
    ann, twin, bob = chat.enter("ann", "lobby"), chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    first = ann.ask("message", room="lobby", text="hi", cid="c1")
    for tab in (ann, twin):
        again = tab.ask("message", room="lobby", text="hi", cid="c1")
        assert again == first | {"id": again["id"], "dup": True}
    assert code(twin.ask("message", room="lobby", text="ho", cid="c1")) == "cid_conflict"
    assert bob.ask("message", room="lobby", text="ho", cid="c1")["dup"] is False
    assert bob.words() == ["hi", "ho"]


def test_what_cannot_be_said(chat: Chat) -> None:
    """Too much, nothing, elsewhere, or of the wrong type: refused, and the connection goes on."""
    ann = chat.enter("ann", "lobby")
    for members, why in (
        ({"text": "x" * 4001}, "too_large"),
        ({"text": " \n\x07", "cid": "c"}, "bad_request"),
        ({"text": "x", "room": "attic"}, "not_joined"),
        ({"text": "x", "room": "@me"}, "forbidden"),
        ({"text": 5}, "bad_request"),
        ({}, "bad_request"),
        ({"text": "x", "cid": "y" * 65}, "bad_request"),
        ({"text": "x", "cid": 5}, "bad_request"),
        ({"text": "x", "reply": -1}, "bad_request"),
        ({"text": "x", "reply": 2**53}, "bad_request"),
        ({"text": "x", "reply": True}, "bad_request"),
        ({"text": "x", "meta": [1]}, "bad_request"),
        ({"text": "x", "meta": {"a": "x" * 4096}}, "bad_request"),
    ):
        assert code(ann.ask("message", **{"room": "lobby", **members})) == why, members
    assert ann.ask("message", room="lobby", text="x" * 4000)["seq"] == 1


def test_edit_delete_react(chat: Chat) -> None:
    """Each is an entry of its own with a number; what it tells is what the wire says."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    ann.ask("message", room="lobby", text="hi")
    bob.told()
    assert ann.ask("edit", room="lobby", ref=1, text="ho", rev=0)["seq"] == 2
    assert code(ann.ask("edit", room="lobby", ref=1, text="hu", rev=0)) == "conflict"
    assert code(bob.ask("edit", room="lobby", ref=1, text="hu", rev=1)) == "forbidden"
    assert bob.ask("react", room="lobby", ref=1, emoji="👍")["seq"] == 3
    assert "seq" not in bob.ask("react", room="lobby", ref=1, emoji="👍", on=True)
    assert bob.ask("react", room="lobby", ref=1, emoji="👍", on=False)["seq"] == 4
    assert code(bob.ask("delete", room="lobby", ref=1)) == "forbidden"
    assert ann.ask("delete", room="lobby", ref=1, reason="a\nslip")["seq"] == 5
    assert code(ann.ask("react", room="lobby", ref=1, emoji="👍")) == "no_message"
    head = {"room": "lobby", "ts": chat.hub.now_ms, "ref": 1}
    assert bob.told() == [
        {"type": "edit", "seq": 2, **head, "by": "u_ann", "text": "ho", "rev": 1},
        {"type": "react", "seq": 3, **head, "emoji": "👍", "by": "u_bob", "on": True, "n": 1},
        {"type": "react", "seq": 4, **head, "emoji": "👍", "by": "u_bob", "on": False, "n": 0},
        {"type": "delete", "seq": 5, **head, "by": "u_ann", "reason": "a slip"},
    ]
    replay = bob.ask("events", room="lobby", after=0)["events"]
    assert replay[0] == {
        "type": "message",
        "room": "lobby",
        "seq": 1,
        "ts": head["ts"],
        "from": ann_(),
        "deleted": True,
    }
    assert replay[1] == {"type": "edit", "seq": 2, **head, "by": "u_ann", "deleted": True, "rev": 1}
    (message,) = bob.ask("history", room="lobby")["messages"]
    assert message == {"seq": 1, "ts": head["ts"], "from": ann_(), "deleted": True, "rev": 1, "edited": True}


def ann_() -> dict[str, str]:
    return {"id": "u_ann", "nick": "ann"}


@pytest.mark.parametrize("emoji", ["", "a b", "<b>", "\u202e", "\n", "x" * 65, "👍" * 17])
def test_no_emoji(chat: Chat, emoji: str) -> None:
    """Markup, white space, what is invisible and what is too long is no reaction."""
    ann = chat.enter("ann", "lobby")
    ann.ask("message", room="lobby", text="hi")
    assert code(ann.ask("react", room="lobby", ref=1, emoji=emoji)) == "bad_request"


def test_commands_that_overlap_keep_their_order(chat: Chat) -> None:
    """A hundred commands sent at once are done in the order in which they were sent, each answered once."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    ids = []
    for n in range(0, 100, 4):
        ids.append(ann.send("message", room="lobby", text=str(n)))
        ids.append(ann.send("edit", room="lobby", ref=n + 1, text=f"{n}!", rev=0))
        ids.append(ann.send("react", room="lobby", ref=n + 1, emoji="👍"))
        ids.append(ann.send("delete", room="lobby", ref=n + 1))
        if n % 20 == 0:
            ids.append(ann.send("history", room="lobby", limit=1))
    replies = [ann.answer(id) for id in ids]
    assert [code(reply) for reply in replies] == ["ok"] * 105
    assert [reply["seq"] for reply in replies if "seq" in reply] == list(range(1, 101))
    assert [event["seq"] for event in bob.told()] == list(range(1, 101))
    pages = [reply["messages"] for reply in replies if "messages" in reply]
    assert [page[0]["seq"] for page in pages] == [1, 21, 41, 61, 81]
    assert all(page[0].get("deleted") for page in pages)


def test_a_slow_command_holds_up_the_next(chat: Chat) -> None:
    """Joining and speaking, speaking and reading may be sent together: each sees what came before it."""
    ann = chat.enter("ann")
    ids = [
        ann.send("join", room="attic"),
        ann.send("message", room="attic", text="1"),
        ann.send("message", room="attic", text="2"),
        ann.send("history", room="attic"),
        ann.send("part", room="attic"),
        ann.send("message", room="attic", text="3"),
    ]
    replies = [ann.answer(id) for id in ids]
    assert [code(reply) for reply in replies] == ["ok"] * 5 + ["not_joined"]
    assert [message["text"] for message in replies[3]["messages"]] == ["1", "2"]


def test_too_many_commands_at_once(chat: Chat) -> None:
    """With 64 commands under way we stop reading from that peer, and go on when there is room."""
    ann = chat.enter("ann", "lobby")
    for n in range(64):
        assert not ann.near.paused
        ann.send("message", room="lobby", text=str(n))
    assert ann.near.paused
    chat.settle()
    assert not ann.near.paused and len(ann.words()) == 64


def test_what_waits_when_the_connection_is_lost(chat: Chat) -> None:
    """What was under way is done or not done, but nothing after it and nothing out of order."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    for n in range(5):
        ann.send("message", room="lobby", text=str(n))
    ann.send("history", room="lobby")
    ann.send("message", room="lobby", text="behind the history")
    ann.lose()
    chat.settle()
    assert bob.words() == ["0", "1", "2", "3", "4"]


# --- limits ---


@pytest.fixture(params=sorted(GROUNDS))
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Chat:
    """A chat with the limits of every day."""
    chat = Chat(Store(request.param, tmp_path), messages=MESSAGES)
    request.addfinalizer(chat.stop)
    return chat


def burst(tab: Tab, kind: str, count: int, **members: object) -> list[str]:
    return [code(tab.ask(kind, room="lobby", **members)) for _ in range(count)]


def test_a_flood_of_messages(limited: Chat) -> None:
    """Ten at once, then two a second; a refusal says for how long, and what is asked after that is done."""
    ann, bob = limited.enter("ann", "lobby"), limited.enter("bob", "lobby")
    assert burst(ann, "message", 11, text="x") == ["ok"] * 10 + ["rate_limited"]
    refused = ann.ask("message", room="lobby", text="x")
    assert refused["temporary"] is True and refused["limit"] == "message" and 0 < refused["retry_ms"] <= 501
    assert code(bob.ask("message", room="lobby", text="x")) == "ok"
    limited.clock.now += refused["retry_ms"] / 1000
    assert burst(ann, "message", 2, text="x") == ["ok", "rate_limited"]
    limited.clock.now += 60
    assert burst(ann, "message", 11, text="x") == ["ok"] * 10 + ["rate_limited"]


def test_a_flood_of_edits_and_reactions(limited: Chat) -> None:
    """Whatever becomes an entry for everybody counts: edits, deletions and reactions share a limit."""
    ann, most = limited.enter("ann", "lobby"), RATES[Kind.WRITE].burst
    ann.ask("message", room="lobby", text="x")
    kinds = [("react", {"ref": 1, "emoji": "👍", "on": n % 2 == 0}) for n in range(most + 2)]
    assert [code(ann.ask(kind, room="lobby", **members)) for kind, members in kinds].count("ok") == most
    assert ann.ask("delete", room="lobby", ref=1)["limit"] == "write"
    assert code(ann.ask("message", room="lobby", text="y")) == "ok"
    limited.clock.now += 60
    edits = [code(ann.ask("edit", room="lobby", ref=1, text=str(n), rev=n)) for n in range(most + 2)]
    assert edits.count("ok") == most and edits.count("rate_limited") == 2


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@bob", ["u_bob"]),
        ("hi @bob, hello", ["u_bob"]),
        ("@bobby", []),
        ("mail bob@bob.example", []),
        ("你好@林晓雯看一下", ["u_lin"]),
        ("@林晓雯：@bob？", ["u_lin", "u_bob"]),
        ("@林晓", []),
        ("@ann", []),
        ("@nobody", []),
        ("@João Pereira, and @bob\ttoo", ["u_joao", "u_bob"]),
        ("hi @joão pereira how are you? All is well here, and longer than any nick", ["u_joao"]),
        ("@João", []),
    ],
)
def test_who_is_mentioned(chat: Chat, text: str, called: list[str]) -> None:
    """A text calls the living whose nick stands after an `@`, also between Chinese characters, which have no
    spaces around them; never oneself, and never in a mail address or by the beginning of a longer Latin word."""
    ann = chat.enter("ann", "lobby")
    chat.enter("bob", "lobby")
    chat.enter("lin", "lobby", nick="林晓雯")
    chat.enter("joao", "lobby", nick="João Pereira")
    ann.told()
    ann.ask("message", room="lobby", text=text)
    (event,) = ann.told("message")
    assert event.get("mentions", []) == called
