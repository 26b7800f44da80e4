"""chat.v1: rights that change while somebody is connected, or is about to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from chat import Chat, Tab, code

from chatservice.domain.accounts import Account
from chatservice.domain.errors import BAD_TOKEN, KICKED, TOKEN_EXPIRED, TOO_MANY
from chatservice.domain.limits import SESSIONS
from chatservice.domain.promise import Promise
from chatservice.domain.trust import Identity

MIA = Account("u_m", "Mia", "mod", "$", 1, 0)


class Site:
    """Proves whoever is named, in rooms."""

    def __init__(self, rooms: set[str]) -> None:
        self.rooms = rooms

    def read(self, token: str) -> Identity:
        return Identity("u_s", "member", False, "Sue", frozenset(self.rooms), 2**50)

    def owns(self, user_id: str) -> bool:
        return user_id == "u_s"


def register(chat: Chat) -> str:
    chat.store.pump.until(chat.hub.log.add_account(MIA))
    return chat.passes.issue_for(MIA)


def meanwhile(chat: Chat, question: str, deed: Callable[[], object]) -> None:
    """When the log is next asked that, `deed` is done before the answer comes."""
    ask: Any = getattr(chat.hub.log, question)

    def slowly(*args: Any, **more: Any) -> Promise[Any]:
        setattr(chat.hub.log, question, ask)
        answer: Promise[Any] = Promise()

        def answered(done: Promise[Any]) -> None:
            deed()
            answer.resolve(done.result())

        ask(*args, **more).then(answered)
        return answer

    setattr(chat.hub.log, question, slowly)


def private_room(chat: Chat) -> Tab:
    owner = chat.enter("owner", "den", "lobby", role="owner")
    assert code(owner.ask("mod", room="den", action="private", value="on")) == "ok"
    return owner


def test_all_sessions_end_in_the_middle_of_hello(chat: Chat) -> None:
    """Whoever is on the way in when all its sessions are ended does not come in."""
    token = register(chat)
    meanwhile(chat, "keep_session", lambda: chat.hub.registered(replace(MIA, generation=2)))
    tab = Tab(chat)
    assert code(tab.ask("hello", token=token, rooms={"lobby": None})) == "unauthorized"
    assert tab.near.ended is BAD_TOKEN
    assert "u_m" not in chat.hub.sessions and chat.hub.roster.find("u_m") is None


def test_a_role_ends_in_the_middle_of_hello(chat: Chat) -> None:
    """Nor does a moderator come into a private room who is none any more."""
    private_room(chat)
    token = register(chat)
    meanwhile(chat, "keep_session", lambda: chat.hub.registered(replace(MIA, role="member")))
    reply = Tab(chat).ask("hello", token=token, rooms={"den": None})
    assert reply["user"]["role"] == "member" and reply["rooms"]["den"]["error"]["code"] == "forbidden"


def test_another_comes_and_goes_in_the_middle_of_hello(chat: Chat) -> None:
    """Whoever comes in is one of the living, though its other connection has left the room empty meanwhile."""
    token = register(chat)

    def come_and_go() -> None:
        other = chat.hub.arrive(chat.passes.read(token))
        assert other is chat.hub.roster.find("u_m")
        chat.hub.roster.depart(other)

    meanwhile(chat, "keep_session", come_and_go)
    tab = Tab(chat)
    assert tab.ask("hello", token=token)["user"]["nick"] == "Mia"
    assert chat.hub.roster.find("u_m") is tab.near.session.person is chat.hub.roster.named("Mia")


def test_many_hellos_at_once(chat: Chat) -> None:
    """The bound of sessions holds for those that began before it was reached."""
    token = register(chat)
    tabs = [Tab(chat) for _ in range(SESSIONS + 3)]
    asked = [tab.send("hello", token=token) for tab in tabs]
    answers = [code(tab.answer(id)) for tab, id in zip(tabs, asked, strict=True)]
    assert answers.count("ok") == len(chat.hub.sessions["u_m"]) == SESSIONS
    assert [tab.near.ended for tab in tabs].count(TOO_MANY) == 3


def test_a_moderator_no_more(chat: Chat) -> None:
    """Who may be in a private room only as a moderator leaves it with all its connections when it is none."""
    owner = private_room(chat)
    token = register(chat)
    tabs = [Tab(chat), Tab(chat)]
    for tab, rooms in zip(tabs, (("den",), ("den", "lobby")), strict=True):
        assert "error" not in tab.ask("hello", token=token, rooms=dict.fromkeys(rooms))["rooms"]["den"]
    chat.store.pump.until(chat.hub.log.change_account("u_m", role="member"))
    owner.ask("message", room="den", text="secret")
    owner.ask("message", room="lobby", text="tea?")
    assert [tab.near.ended for tab in tabs] == [KICKED, None]
    assert tabs[1].words() == ["tea?"] and code(tabs[1].ask("history", room="den")) == "not_joined"


def test_a_token_for_fewer_rooms(chat: Chat) -> None:
    """It holds for all connections of its bearer, by whichever it came: hello or auth. The one that brought it is
    not ended, though it is nowhere now."""
    site = chat.passes._site = Site({"den", "tea"})  # type: ignore[assignment]
    first, second = Tab(chat), Tab(chat)
    for tab in (first, second):
        tab.ask("hello", token="eyJ", rooms={"den": None, "tea": None})
    site.rooms = {"tea"}
    Tab(chat).ask("hello", token="eyJ")
    for tab in (first, second):
        assert code(tab.ask("history", room="den")) == "not_joined"
        assert code(tab.ask("history", room="tea")) == "ok"
    site.rooms = {"elsewhere"}
    assert code(first.ask("auth", token="eyJ")) == "ok"
    assert (first.near.ended, second.near.ended) == (None, KICKED)
    assert code(first.ask("history", room="tea")) == "not_joined"


class Broken(Exception):
    """What a fault of ours raises."""


def fail(*_: object) -> None:
    raise Broken


@pytest.mark.parametrize("deed", ["end", "kick", "private", "demote"])
def test_a_fault_with_one_saves_no_other(chat: Chat, deed: str) -> None:
    """When one of several connections cannot be ended the others are, and the fault is reported."""
    owner = chat.enter("owner", "den", role="owner")
    token = register(chat)
    if deed == "demote":
        owner.ask("mod", room="den", action="private", value="on")
    if deed == "private":
        chat.store.pump.until(chat.hub.log.change_account("u_m", role="member"))
    tabs = [Tab(chat) for _ in range(3)]
    for tab in tabs:
        tab.ask("hello", token=token, rooms={"den": None})
    tabs[0].near.close = fail  # type: ignore[method-assign]
    match deed:
        case "end":
            chat.store.pump.until(chat.hub.log.change_account("u_m", end_sessions=True))
        case "kick":
            owner.ask("mod", room="den", action="kick", user="u_m")
        case "private":
            owner.ask("mod", room="den", action="private", value="on")
        case "demote":
            chat.store.pump.until(chat.hub.log.change_account("u_m", role="member"))
    chat.settle()
    ends = TOKEN_EXPIRED if deed == "end" else KICKED
    assert [tab.near.ended for tab in tabs] == [None, ends, ends]
    assert [type(trouble) for trouble in chat.troubles] == [Broken]
    chat.troubles.clear()
