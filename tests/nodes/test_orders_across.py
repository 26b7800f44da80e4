"""What moderators and owners do reaches people at other nodes, and nothing old comes back late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat import Tab, code
from redis_server import RedisServer

from chatservice.domain.accounts import Account
from nodes.chats import Hearer, Node
from nodes.conftest import MakeNode


def at(node: Node, user: str, address: str, *rooms: str, role: str = "guest", **members: Any) -> Tab:
    """Somebody who comes from that address."""
    tab = Tab(node)
    tab.near.session.address = address
    hello = {"token": node.token("u_" + user, role), "rooms": dict.fromkeys(rooms), "nick": user, **members}
    assert code(tab.ask("hello", **hello)) == "ok"
    return tab


def until(node: Node, ask: Callable[[], str], wanted: str, what: str) -> None:
    """What another node was told is so here in a moment."""
    node.wait_for(lambda: ask() == wanted, what)


def test_a_late_list_gives_no_old_role_back(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of accounts that was asked for before a role was changed, and comes after it was told, changes
    nothing."""
    first, second = make_node(), make_node()
    pump, log = first.store.pump, first.store.raw
    pump.until(log.add_account(Account("u_ann", "Ann")))
    registry = second.hub.registry
    second.wait_for(lambda: registry.find("u_ann"), "the account")
    wire, held = second.store.raw.wire, []
    call = wire.call

    def slow(words: Any, done: Any) -> None:
        call(words, (lambda answer: held.append((done, answer))) if words[0] == b"HGETALL" else done)

    monkeypatch.setattr(wire, "call", slow)
    second.store.raw._refresh_accounts_now()
    second.wait_for(lambda: held, "the list")
    pump.until(log.change_account("u_ann", role="mod"))
    second.wait_for(lambda: registry.find("u_ann").role == "mod", "the new role")  # type: ignore[union-attr]
    for done, answer in held:
        done(answer)
    for _ in range(5):
        pump.run_one(0.005)
    account = registry.find("u_ann")
    assert account is not None and account.role == "mod" and account.version == 2


def test_a_server_that_has_lost_a_change_is_right(make_node: MakeNode, server: RedisServer) -> None:
    """After a fail-over that lost the last change the role is what is kept, though its version is an older one."""
    node = make_node()
    pump, log = node.store.pump, node.store.raw
    pump.until(log.add_account(Account("u_ann", "Ann")))
    kept = server.ask("HGET", "cs:accounts", "u_ann")
    pump.until(log.change_account("u_ann", role="mod"))
    server.ask("HSET", "cs:accounts", "u_ann", kept)
    server.restart()
    node.wait_for(lambda: not node.is_up, "the loss")
    node.wait_for(lambda: node.hub.registry.find("u_ann").role == "member", "the old role")  # type: ignore[union-attr]


def test_a_ban_names_the_address_that_another_node_knows(make_node: MakeNode) -> None:
    """Who is banned at one node and connected to another is banned with the address it has there, or had when it
    left; all nodes keep that address out."""
    first, second = make_node(), make_node()
    boss = at(first, "boss", "192.0.2.1:1", "lobby", role="owner")
    eve = at(second, "eve", "198.51.100.9:5", "lobby")
    mal = at(second, "mal", "203.0.113.4:5", "lobby")
    mal.ask("part", room="lobby")
    mal.lose()
    second.wait(7)
    first.wait_for(lambda: first.hub.rooms["lobby"].here.n == 2, "those who are there")
    assert code(boss.ask("mod", room="lobby", action="ban", user="u_eve")) == "ok"
    assert code(boss.ask("mod", room="lobby", action="ban", user="u_mal", reason="and stay away")) == "ok"
    second.wait_for(lambda: eve.ended == "banned", "the ban")
    page = first.store.pump.until(first.store.raw.read("lobby", 0, 100))
    assert sorted(page.rules.networks.items()) == [("u_eve", ("198.51.100.9",)), ("u_mal", ("203.0.113.4",))]
    for node, address in ((first, "198.51.100.9:77"), (second, "203.0.113.4:77")):
        newcomer = at(node, "new" + node.store.raw.bus.node, address)
        assert code(newcomer.ask("join", room="lobby")) == "forbidden" and newcomer.ended == ""


def test_who_stands_higher_elsewhere(make_node: MakeNode) -> None:
    """A moderator who has come by another node, by a token and without an account, is as safe from other
    moderators as at one's own node."""
    first, second = make_node(), make_node()
    mod, peer = first.enter("mod", "lobby", role="mod"), second.enter("peer", "lobby", role="mod")
    guest = second.enter("guest", "lobby")
    first.wait_for(lambda: first.hub.rooms["lobby"].here.n == 3, "those who are there")
    for action in ("kick", "mute", "ban"):
        assert code(mod.ask("mod", room="lobby", action=action, user=peer.id)) == "forbidden", action
    assert code(mod.ask("mod", room="lobby", action="mute", user=guest.id)) == "ok"
    until(second, lambda: code(guest.ask("message", room="lobby", text="psst")), "muted", "the mute")


def test_roles_locks_and_privacy_reach_all(make_node: MakeNode) -> None:
    """A role that is given, a lock, a topic, privacy and an unmute hold at every node; who loses the right to be
    in the room is out of it wherever it is connected."""
    first, second = make_node(), make_node()
    boss = first.enter("boss", "lobby", role="owner")
    bob, eve = second.enter("bob", "lobby"), second.enter("eve", "lobby", "attic")
    first.wait_for(lambda: first.hub.rooms["lobby"].here.n == 3, "those who are there")

    def order(action: str, **more: Any) -> None:
        assert code(boss.ask("mod", room="lobby", action=action, **more)) == "ok", action

    def says(tab: Tab) -> str:
        return code(tab.ask("message", room="lobby", text="x"))

    order("role", user=bob.id, value="mod")
    until(second, lambda: code(bob.ask("mod", room="lobby", action="topic", value="tea")), "ok", "the role")
    first.wait_for(lambda: first.hub.rooms["lobby"].rules.topic == "tea", "the topic")
    order("mute", user=eve.id)
    until(second, lambda: says(eve), "muted", "the mute")
    order("unmute", user=eve.id)
    until(second, lambda: says(eve), "ok", "the unmute")
    order("lock", value="on")
    second.wait_for(lambda: second.hub.rooms["lobby"].rules.locked, "the lock")
    assert says(eve) != "ok" and says(bob) == "ok"
    heard = Hearer(eve)
    order("private", value="on")
    until(second, lambda: says(eve), "not_joined", "the end of it")
    assert eve.ended == "" and heard.tab is eve and says(bob) == "ok"
    assert code(eve.ask("join", room="lobby")) == "forbidden"


def test_who_is_here_and_mentions(make_node: MakeNode) -> None:
    """`who` lists those at all nodes, a kick by name finds them, and a message calls somebody by name who is at
    another node."""
    first, second = make_node(), make_node()
    mod = first.enter("mod", "lobby", role="mod")
    ann, eve = second.enter("ann", "lobby"), second.enter("eve", "lobby")
    first.wait_for(lambda: first.hub.rooms["lobby"].here.n == 3, "those who are there")
    members = mod.ask("members", room="lobby")["members"]
    assert {member["nick"] for member in members} == {"mod", "ann", "eve"}
    heard = Hearer(ann)
    assert code(mod.ask("message", room="lobby", text="hey @Ann, look")) == "ok"
    second.wait_for(lambda: heard.kinds("message"), "the message")
    assert heard.kinds("message")[0]["mentions"] == [ann.id]
    assert code(mod.ask("mod", room="lobby", action="kick", user=eve.id)) == "ok"
    second.wait_for(lambda: eve.ended == "kicked", "the kick")
    first.wait_for(lambda: first.hub.rooms["lobby"].here.n == 2, "those who are left")
