"""chat.v1: who one is. Hello, tokens, resuming, nicks."""

from __future__ import annotations

import pytest
from chat import Chat, Tab, code

from chatservice.domain.errors import (
    BAD_PROTOCOL,
    BAD_TOKEN,
    BAD_VERSION,
    NOT_TEXT,
    TOKEN_EXPIRED,
    TOO_MANY,
    Code,
    Refused,
)
from chatservice.domain.limits import SESSIONS
from chatservice.domain.promise import rejected


def test_hello(chat: Chat) -> None:
    """A stranger becomes a guest with a nick, a token, a session to resume, and its rooms and stream joined."""
    tab = Tab(chat)
    reply = tab.ask("hello", v=1, nick="Ann", rooms={"lobby": None, "attic": {}}, caps=["members"])
    assert code(reply) == "ok" and reply["v"] == 1
    assert reply["user"] == {"id": tab.id, "nick": "Ann", "guest": True, "role": "guest"}
    assert (
        tab.id.startswith("u_") and reply["session"].startswith("sess_") and reply["guest_token"].startswith("g_")
    )
    assert reply["durability"] in ("disk", "process", "cache") and reply["time"] == chat.hub.now_ms
    assert reply["cid_ttl_s"] in (None, 600) and reply["limits"]["recover"] == 500
    assert reply["build"] == chat.hub.build != ""
    assert set(reply["rooms"]) == {"@me", "lobby", "attic"}
    lobby = reply["rooms"]["lobby"]
    assert (lobby["seq"], lobby["recovered"], lobby["was_recovering"], lobby["n"]) == (0, False, False, 1)
    assert lobby["members"] == [{"id": tab.id, "nick": "Ann"}]
    assert lobby["you"] == {"role": "guest", "can": ["write", "react"]}


def test_a_token_is_a_person(chat: Chat) -> None:
    """The same token is the same user, on another connection and after a restart; its cids still count."""
    tab = Tab(chat)
    token = tab.ask("hello", rooms={"lobby": None})["guest_token"]
    first = tab.ask("message", room="lobby", text="hi", cid="c1")
    twin = Tab(chat)
    twin.ask("hello", token=token)
    assert twin.id == tab.id and twin.greeting["user"]["nick"] == tab.greeting["user"]["nick"]
    chat.restart()
    again = Tab(chat)
    again.ask("hello", token=token, rooms={"lobby": None})
    assert again.id == tab.id
    retry = again.ask("message", room="lobby", text="hi", cid="c1")
    assert (retry["seq"], retry["dup"]) == (first["seq"], True)


def test_a_bad_token(chat: Chat) -> None:
    """A token that is not ours, was changed or is too old ends the connection, by another word each."""
    good = chat.token("u_ann", "owner")
    for token in ("nonsense", "", "g_", "g_€", good[:-3], good[:9] + "A" + good[10:], "x" + good):
        tab = Tab(chat)
        tab.send("hello", token=token)
        chat.settle()
        assert tab.near.ended is BAD_TOKEN, token
    chat.clock.now += 91 * 24 * 3600
    tab = Tab(chat)
    tab.send("hello", token=good)
    chat.settle()
    assert tab.near.ended is TOKEN_EXPIRED
    assert len(chat.hub.roster) == 0 and TOKEN_EXPIRED.reconnect and not BAD_TOKEN.reconnect


def test_a_taken_nick(chat: Chat) -> None:
    """Whoever asks for a taken or impossible nick may say hello again, and keeps nothing of the first try."""
    ann = chat.enter("ann")
    tab = Tab(chat)
    assert code(tab.ask("hello", nick="Ann")) == "nick_taken"
    assert code(tab.ask("hello", nick="\u202eann")) == "bad_request"
    assert len(chat.hub.roster) == 1
    assert code(tab.ask("hello", nick="bob")) == "ok"
    assert tab.greeting["user"]["nick"] == "bob" and tab.id != ann.id
    assert code(ann.ask("nick", nick="BOB")) == "nick_taken"


def test_ones_own_sessions_share_the_nick(chat: Chat) -> None:
    """Another device of the same user takes the same nick without a quarrel, and a rename is for both."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    twin = Tab(chat)
    assert code(twin.ask("hello", token=chat.token("u_ann"), nick="ann", rooms={"lobby": None})) == "ok"
    ann.told()
    assert code(twin.ask("nick", nick="Anna")) == "ok"
    for tab in (ann, twin, bob):
        (event,) = [event for event in tab.told("nick") if event["room"] == "lobby"]
        assert event == {"type": "nick", "room": "lobby", "user": {"id": "u_ann", "nick": "Anna"}, "was": "ann"}
    ann.ask("message", room="lobby", text="hi")
    assert bob.told("message")[0]["from"] == {"id": "u_ann", "nick": "Anna"}


def test_hello_comes_first_and_once(chat: Chat) -> None:
    """Before hello nothing but hello is done; after it, it is refused."""
    tab = Tab(chat)
    for command in (
        {"type": "message", "room": "lobby", "text": "x"},
        {"type": "join", "room": "a"},
        {"type": "rooms"},
    ):
        assert code(tab.ask(**command)) == "unauthorized"
    assert code(tab.ask("pong", t=1)) == "ok"
    assert code(tab.ask("fly")) == "unknown_type"
    assert code(tab.ask("hello")) == "ok"
    assert code(tab.ask("hello")) == "bad_request"
    assert len(chat.hub.roster) == 1 and chat.hub.roster.find(tab.id).conns == 1  # type: ignore[union-attr]


def test_two_hellos_at_once(chat: Chat) -> None:
    """Of two hellos that are sent together the first counts."""
    tab = Tab(chat)
    first, second = tab.send("hello", nick="Ann"), tab.send("hello", nick="Bob")
    assert code(tab.answer(first)) == "ok" and code(tab.answer(second)) == "bad_request"
    assert [person.user.nick for person in chat.hub.roster._by_id.values()] == ["Ann"]


def test_a_connection_that_is_lost_in_the_middle_of_hello(chat: Chat) -> None:
    """Whoever goes before hello is answered leaves nobody behind."""
    session = chat.enter("ann").greeting["session"]
    for hello in ({"nick": "Eve"}, {"resume": session}, {"token": chat.token("u_dan"), "rooms": {"lobby": None}}):
        tab = Tab(chat)
        tab.send("hello", **hello)
        tab.lose()
        chat.settle()
    chat.wait(10)
    assert list(chat.hub.roster._by_id) == ["u_ann"] and chat.hub.roster.find("u_ann").conns == 1  # type: ignore[union-attr]
    assert set(chat.hub.sessions) == {"u_ann"} and list(chat.hub.rooms) == ["@u_ann"]


def test_a_log_that_cannot_keep_the_session(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk one comes in and reads all the same; only the secret will prove nothing. A log that has ended
    lets nobody in."""
    log, tab = chat.hub.log, Tab(chat)
    monkeypatch.setattr(log, "keep_session", lambda *_: rejected(Refused(Code.BUSY)))
    greeting = tab.ask("hello", nick="Ann", rooms={"lobby": None})
    assert code(greeting) == "ok" and greeting["rooms"]["lobby"]["n"] == 1
    monkeypatch.undo()
    late = Tab(chat)
    late.ask("hello", resume=greeting["session"])
    assert late.id != tab.id
    monkeypatch.setattr(log, "keep_session", lambda *_: rejected(Refused(Code.UNAVAILABLE)))
    assert code(Tab(chat).ask("hello")) == "unavailable"


# --- resuming ---


def test_resuming(chat: Chat) -> None:
    """A lost session that comes back keeps its user, nick and place: nobody hears of a leave or an enter."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    ann.told()
    bob.lose()
    chat.wait(4)
    back = Tab(chat)
    reply = back.ask("hello", resume=bob.greeting["session"], rooms={"lobby": None})
    assert reply["user"]["id"] == "u_bob" and reply["user"]["nick"] == "bob"
    assert reply["session"] != bob.greeting["session"] and reply["rooms"]["lobby"]["n"] == 2
    chat.wait(20)
    assert ann.told() == []
    back.lose()
    chat.wait(6)
    assert [event["type"] for event in ann.told()] == ["leave"]


def test_resuming_after_a_restart(chat: Chat) -> None:
    """The secret is good for two minutes after the loss, in another process as well, and brings the nick back."""
    bob = chat.enter("bob", "lobby")
    secret = bob.greeting["session"]
    chat.restart()
    chat.clock.now += 119
    back = Tab(chat)
    assert back.ask("hello", resume=secret)["user"] == {
        "id": "u_bob",
        "nick": "bob",
        "guest": True,
        "role": "guest",
    }


def test_resuming_too_late(chat: Chat) -> None:
    """After two minutes the secret proves nothing: one is somebody new, unless a token says who."""
    bob = chat.enter("bob", "lobby")
    secret = bob.greeting["session"]
    bob.lose()
    chat.wait(121)
    stranger, known = Tab(chat), Tab(chat)
    assert code(stranger.ask("hello", resume=secret)) == "ok" and stranger.id != "u_bob"
    known.ask("hello", resume=secret, token=chat.token("u_bob"))
    assert known.id == "u_bob"
    for nonsense in ("sess_", "", "x" * 256):
        assert code(Tab(chat).ask("hello", resume=nonsense)) == "ok"


def test_resuming_checks_the_token_again(chat: Chat) -> None:
    """A resumed session has the role its token gives it now; a token of somebody else wins over the secret."""
    bob = chat.enter("bob", "lobby")
    secret = bob.greeting["session"]
    back = Tab(chat)
    back.ask("hello", resume=secret, token=chat.token("u_bob", "mod"))
    assert (back.id, back.greeting["user"]["role"]) == ("u_bob", "mod")
    other = Tab(chat)
    other.ask("hello", resume=secret, token=chat.token("u_eve"))
    assert other.id == "u_eve"
    bad = Tab(chat)
    bad.send("hello", resume=secret, token="g_bad")
    chat.settle()
    assert bad.near.ended is BAD_TOKEN


# --- what hello carries ---


def test_as_many_rooms_as_the_limit_says(chat: Chat) -> None:
    """A hello may name all the rooms one may be in; one's own stream is not counted among them."""
    tab = Tab(chat)
    reply = tab.ask("hello", rooms={f"r{n}": None for n in range(128)})
    assert len(reply["rooms"]) == 129 and reply["limits"]["rooms"] == 128
    assert all("epoch" in room for room in reply["rooms"].values())
    assert code(tab.ask("join", room="one more")) == "limit"
    assert code(tab.ask("join", room="r5")) == "ok"
    assert code(tab.ask("part", room="r5")) == "ok"
    assert code(tab.ask("join", room="one more")) == "ok"
    assert code(Tab(chat).ask("hello", rooms={f"r{n}": None for n in range(129)})) == "limit"


def test_a_room_one_may_not_enter(chat: Chat) -> None:
    """A hello with such a room succeeds in all others and says of that one why not."""
    tab = Tab(chat)
    rooms = tab.ask("hello", nick="ann", rooms={"lobby": None, "@nobody": None, "dm:u_a:u_b": None})["rooms"]
    assert rooms["lobby"]["n"] == 1
    assert rooms["dm:u_a:u_b"]["error"]["code"] == "forbidden" and "error" in rooms["@nobody"]
    assert set(tab.near.session.rooms) == {"lobby", "@" + tab.id}


@pytest.mark.parametrize(
    ("payload", "why"), [(b'{"type":"hello","v":2}', BAD_VERSION), (b'{"type":"hello","v":0}', BAD_VERSION)]
)
def test_another_version(chat: Chat, payload: bytes, why: object) -> None:
    """A client of another version is told to stay away."""
    tab = Tab(chat)
    tab.send_bytes(payload)
    assert tab.near.ended is why


def test_what_is_no_command(chat: Chat) -> None:
    """Twice what is no JSON object is answered; the third time, and a binary frame, ends it."""
    tab = chat.enter("ann")
    for payload in (b"hi", b"[1]"):
        tab.send_bytes(payload)
        assert code(tab.answer(None)) == "bad_json"
    tab.send_bytes(b"[" * 100_000)
    assert tab.near.ended is BAD_PROTOCOL and BAD_PROTOCOL.own_code == 4501
    binary = chat.enter("bob")
    assert binary.near.conversation is not None
    binary.near.conversation.receive(b"{}", True)
    assert binary.near.ended is NOT_TEXT and NOT_TEXT.own_code == 4501


def test_ids(chat: Chat) -> None:
    """An id is a number or a short string and comes back as it was; a command without one is not answered."""
    tab = chat.enter("ann", "lobby")
    for id in (b"0", b"-5", b"9007199254740991", b'""', b'"a"', '"张"'.encode()):
        tab.send_bytes(b'{"type":"pong","id":' + id + b"}")
        (reply,) = tab.take()
        assert reply["type"] == "ok"
    for id in (b"1.5", b"true", b"[]", b"{}", b"9007199254740992", b'"' + b"x" * 65 + b'"'):
        tab.send_bytes(b'{"type":"pong","id":' + id + b"}")
        (reply,) = tab.take()
        assert (reply["code"], "id" in reply) == ("bad_request", False)
    for silent in (
        b'{"type":"message","room":"lobby","text":"hi"}',
        b'{"type":"pong","id":null}',
        b'{"type":"fly"}',
    ):
        tab.send_bytes(silent)
    assert [frame["type"] for frame in tab.told()] == ["message"]


def test_a_hundred_sessions(chat: Chat) -> None:
    """One user may have a hundred sessions; one more is told to stay away (4504), and there is room again when one
    ends."""
    tabs = [chat.enter("ann") for _ in range(SESSIONS)]
    tab = Tab(chat)
    assert code(tab.ask("hello", token=chat.token("u_ann"))) == "limit" and tab.near.ended is TOO_MANY
    assert TOO_MANY.own_code == 4504 and not TOO_MANY.reconnect
    tabs[0].lose()
    assert code(Tab(chat).ask("hello", token=chat.token("u_ann"))) == "ok"
