"""Nicks, numbers and sessions are everybody's, not each node's own."""

from __future__ import annotations

import pytest
from chat import Tab, code
from redis_server import RedisServer

from chatservice.domain import naming
from chatservice.domain.limits import SESSIONS
from chatservice.logs import redis_guestbook
from nodes.chats import Hearer, Node
from nodes.conftest import MakeNode


def hello(node: Node, user: str = "", **members: object) -> tuple[Tab, str]:
    """Somebody says hello; how that ended."""
    tab = Tab(node)
    token = {"token": node.token("u_" + user)} if user else {}
    return tab, code(tab.ask("hello", **token, **members))


def nick(tab: Tab) -> str:
    """What somebody was called at its hello."""
    return str(tab.greeting["user"]["nick"])


def test_a_nick_is_one_persons_over_all_nodes(make_node: MakeNode) -> None:
    """A nick that somebody has on another node is taken, and so is what looks like it, at hello and later."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", nick="Annabel"), second.enter("bob")
    for wish in ("Annabel", "annabel", "ANNABEL", "Аnnabel".replace("А", "A"), "AnnabeI"):
        assert hello(second, "eve", nick=wish)[1] == "nick_taken", wish
        assert code(bob.ask("nick", nick=wish)) == "nick_taken", wish
    assert code(ann.ask("nick", nick="Annabel")) == "ok"
    assert code(ann.ask("nick", nick="Belle")) == "ok"
    assert code(bob.ask("nick", nick="Annabel")) == "ok"
    assert code(ann.ask("nick", nick="Annabel")) == "nick_taken"


def test_two_who_want_it_at_once(make_node: MakeNode) -> None:
    """Of two who ask for one nick on two nodes in the same moment one gets it."""
    first, second = make_node(), make_node()
    tabs = [Tab(first), Tab(second)]
    asked = [tab.send("hello", nick="Same", token=tab.chat.token(f"u_{n}")) for n, tab in enumerate(tabs)]
    assert sorted(code(tab.answer(number)) for tab, number in zip(tabs, asked, strict=True)) == [
        "nick_taken",
        "ok",
    ]


def test_the_same_person_has_it_everywhere(make_node: MakeNode) -> None:
    """Who comes by another node too is called there as here at once, and another nick is another one on both."""
    first, second = make_node(), make_node()
    ann = first.enter("ann", "lobby", nick="Ann Lee")
    bob = Hearer(second.enter("bob", "lobby"))
    twin, verdict = hello(second, "ann", rooms={"lobby": None})
    assert verdict == "ok" and nick(twin) == "Ann Lee"
    heard = Hearer(twin)
    assert code(ann.ask("nick", nick="Ann Lou")) == "ok"
    second.wait_for(lambda: heard.kinds("nick"), "the new name")
    assert heard.kinds("nick")[0]["user"]["nick"] == "Ann Lou"
    second.wait_for(lambda: bob.kinds("nick"), "the new name for others")
    assert len(bob.kinds("nick")) == 1 and bob.kinds("enter", "leave") == []
    assert code(hello(first, "eve", nick="Ann Lee")[0].ask("nick", nick="ann lou")) == "nick_taken"


def test_a_hop_takes_the_nick_along(make_node: MakeNode) -> None:
    """Who loses one node and comes back by another is called the same at once, while the first still keeps its
    place; when that gives it up, the nick stays."""
    first, second = make_node(), make_node()
    ann = first.enter("ann", "lobby", nick="Hopper")
    session, token = ann.greeting["session"], first.token("u_ann")
    ann.lose()
    again = Tab(second)
    assert code(again.ask("hello", token=token, resume=session, nick="Hopper", rooms={"lobby": None})) == "ok"
    assert nick(again) == "Hopper"
    first.wait(6)
    assert first.hub.roster.find("u_ann") is None
    assert hello(first, "eve", nick="Hopper")[1] == "nick_taken"
    again.lose()
    second.wait(6)
    second.wait_for(lambda: hello(first, "eve", nick="Hopper")[1] == "ok", "the free nick")


def test_the_last_one_goes_while_another_is_refused(make_node: MakeNode, server: RedisServer) -> None:
    """A person's only connection ends while another one of it is on its way in, and that one is refused: nobody is
    left, and the nick is free."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", nick="Annabel"), second.enter("bob", nick="Bob")
    late = Tab(first)
    asked = late.send("hello", token=first.token("u_ann"), nick="bob")
    ann.lose()
    first.clock.now += 6
    first.hub.tick()
    assert first.hub.roster.find("u_ann") is None
    assert code(late.answer(asked)) == "nick_taken"
    second.wait_for(lambda: not server.ask("EXISTS", "cs:u:u_ann"), "the end of its place")
    assert code(bob.ask("nick", nick="Annabel")) == "ok" and first.store.raw.bus.guestbook._guests == {}


def test_numbers_are_given_once(make_node: MakeNode) -> None:
    """No `userN` is given twice, however many come by whichever node; one that was not given cannot be chosen."""
    first, second = make_node(), make_node()
    tabs = [
        hello(node, f"{n}{who}")[0]
        for n in range(redis_guestbook.BLOCK)
        for who, node in ((1, first), (2, second))
    ]
    names = [nick(tab) for tab in tabs]
    assert len(set(names)) == len(names) and all(name.startswith("user") for name in names)
    assert max(int(name[4:]) for name in names) < redis_guestbook.FAR
    assert hello(second, "eve", nick="user999999")[1] == "nick_taken"
    mine = names[0]
    assert hello(second, "eve", nick=mine.replace("user", "USER"))[1] == "nick_taken"
    assert hello(second, "eve", nick=mine.replace("1", "l"))[1] == "nick_taken" or "1" not in mine


def test_a_number_that_was_chosen_is_passed_over(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is to get a number that somebody has by another node gets the next one, and never sees the first."""
    first, second = make_node(), make_node()
    ann = first.enter("ann")
    number = second.hub.guestbook._numbers[0]  # type: ignore[union-attr]
    assert code(ann.ask("nick", nick=f"user{number}")) == "ok"
    tab, verdict = hello(second, "zoe")
    assert verdict == "ok" and nick(tab) == f"user{number + 1}" and naming.NUMBERS_TRIED > 1


def test_a_dead_nodes_nicks_are_free_after_its_lease(
    make_node: MakeNode, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C41. What a node held that has died is free when its lease is over, and nothing of it is left after that is
    found out."""
    first, second = make_node(), make_node()
    first.enter("ann", nick="Mortal")
    raw = first.store.raw
    raw._beating.cancel()
    raw._beating = None
    assert hello(second, "eve", nick="Mortal")[1] == "nick_taken"
    server.ask("ZADD", "cs:w", 1, raw.bus.node)  # its lease is over
    assert hello(second, "eve", nick="Mortal")[1] == "ok"
    second.store.raw.bus.guestbook.reap()
    second.wait_for(lambda: not server.ask("EXISTS", f"cs:uw:{raw.bus.node}"), "the reaper")
    assert raw.bus.node.encode() not in server.ask("SMEMBERS", "cs:holders")
    assert server.ask("HGET", "cs:u:u_ann", f"w:{raw.bus.node}") is None


def test_while_redis_is_away(make_node: MakeNode, server: RedisServer) -> None:
    """Newcomers are told that it is temporary, those who are there keep their nicks; when it is back empty, each
    node says again who is called what, and nobody else gets it."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", "lobby", nick="Ann Lee"), second.enter("bob", "lobby", nick="Bob Lee")
    server.kill9()
    server.lose_data()
    first.wait_for(lambda: not first.is_up and not second.is_up, "the loss")
    assert hello(first, "eve", nick="Eve")[1] == "unavailable"
    assert code(bob.ask("nick", nick="Rob")) == "unavailable"
    server.start()
    first.wait_for(lambda: first.is_up and second.is_up, "the connection")
    assert hello(second, "eve", nick="Ann Lee")[1] == "nick_taken"
    assert hello(first, "eve", nick="bob lee")[1] == "nick_taken"
    assert code(ann.ask("nick", nick="Ann Lou")) == "ok" and ann.ended == bob.ended == ""
    names = {nick(hello(node, f"{n}{who}")[0]) for n in range(3) for who, node in ((1, first), (2, second))}
    assert len(names) == 6


def test_one_who_was_overtaken_is_a_number_again(make_node: MakeNode, server: RedisServer) -> None:
    """A node that comes back late finds a nick of its own given away: its person is `userN` from then on, and the
    room is told."""
    first, second = make_node(), make_node()
    ann, hears = first.enter("ann", "lobby", nick="Ann Lee"), Hearer(first.enter("bob", "lobby"))
    book = first.store.raw.bus.guestbook
    for key in server.ask("KEYS", "cs:u:*"):
        server.ask("DEL", key)
    server.ask("DEL", "cs:nicks")
    eve, verdict = hello(second, "eve", nick="Ann Lee")
    assert verdict == "ok"
    book.assert_all()
    first.wait_for(lambda: hears.kinds("nick"), "the other nick")
    assert hears.kinds("nick")[0]["user"]["nick"].startswith("user")
    assert nick(eve) == "Ann Lee" and ann.ended == ""


def test_so_many_sessions_over_all_nodes(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than anybody may have is sent away, whichever nodes the others are at; one that ends makes room."""
    monkeypatch.setattr(redis_guestbook, "SESSIONS", 4)
    assert SESSIONS > 4
    first, second = make_node(), make_node()
    tabs = [hello(node, "ann", nick="Ann")[0] for node in (first, second, first, second)]
    late, verdict = hello(first, "ann")
    assert verdict == "limit" and late.ended == "too_many"
    tabs[1].lose()
    second.wait_for(lambda: hello(first, "ann")[1] == "ok", "a free place")


def test_accounts_keep_their_names(make_node: MakeNode) -> None:
    """Somebody who is called like a new account has to give the name away, by whichever nodes it is here."""
    from chatservice.domain.accounts import Account

    first, second = make_node(), make_node()
    ann = first.enter("ann", "lobby", nick="Bernard")
    twin, _ = hello(second, "ann", rooms={"lobby": None})
    hears = [Hearer(ann), Hearer(twin)]
    first.store.pump.until(first.store.raw.add_account(Account("u_bernard", "Bernard")))
    first.wait_for(lambda: all(one.kinds("nick") for one in hears), "the other nick")

    def names() -> set[str]:
        return {node.hub.roster.find("u_ann").user.nick for node in (first, second)}  # type: ignore[union-attr]

    first.wait_for(lambda: len(names()) == 1, "one nick for both")
    assert names().pop().startswith("user")
    assert hello(second, "eve", nick="bernard")[1] == "nick_taken"
