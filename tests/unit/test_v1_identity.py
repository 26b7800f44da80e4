"""chat.v1: accounts, their tokens, and what becomes of connections when those end."""

from __future__ import annotations

import pytest
from chat import Chat, Tab, code

from chatservice.domain.accounts import Account
from chatservice.domain.errors import BAD_TOKEN, TOKEN_EXPIRED
from chatservice.domain.proofs import WARNING_MS
from chatservice.domain.trust import Identity
from chatservice.identity.passes import GOOD_FOR_S

ANN = Account("u_a", "Ann", "member", "$", 1, 0)


def register(chat: Chat, account: Account = ANN) -> str:
    """There is that account; its token."""
    chat.store.pump.until(chat.hub.log.add_account(account))
    return chat.passes.issue_for(account)


class Site:
    """Proves whoever is named, until a moment, in rooms."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def read(self, token: str) -> Identity:
        return self.identity

    def owns(self, user_id: str) -> bool:
        return user_id == self.identity.user_id


def test_an_account_says_hello(chat: Chat) -> None:
    """It is called by its name and has its role; no guest's token is given."""
    tab = Tab(chat)
    reply = tab.ask("hello", token=register(chat), rooms={"lobby": None})
    assert reply["user"] == {"id": "u_a", "nick": "Ann", "guest": False, "role": "member"}
    assert "guest_token" not in reply and reply["rooms"]["lobby"]["you"]["role"] == "member"


def test_a_registered_name_is_kept(chat: Chat) -> None:
    """Nobody else gets it or one that looks like it, whether it is here or not, also after a restart."""
    token = register(chat)
    for _ in range(2):
        for nick in ("Ann", "ANN", "Ａnn", "Аnn"):
            reply = Tab(chat).ask("hello", nick=nick)
            assert code(reply) in ("nick_taken", "bad_request")
        bob = chat.enter("bob")
        assert code(bob.ask("nick", nick="ann")) == "nick_taken"
        assert Tab(chat).ask("hello", token=token)["user"]["nick"] == "Ann"
        chat.restart()


@pytest.mark.parametrize("nick", ["admin", "Admin", "adm1n", "root", "ＳＹＳＴＥＭ", "0wner"])
def test_reserved_words(chat: Chat, nick: str) -> None:
    """Guests cannot have a name by which they would be believed."""
    assert code(Tab(chat).ask("hello", nick=nick)) == "nick_taken"


def test_who_has_the_name_gives_it_away(chat: Chat) -> None:
    """A guest who is called like a new account, or nearly so, is `userN` again, and its rooms are told."""
    guest, witness = chat.enter("Ann", "lobby"), chat.enter("eve", "lobby")
    register(chat)
    (event,) = witness.told("nick")
    assert event["was"] == "Ann" and event["user"]["nick"].startswith("user")
    assert event in guest.told("nick")
    assert Tab(chat).ask("hello", token=chat.passes.issue_for(ANN))["user"]["nick"] == "Ann"


def test_a_role_changes_at_once(chat: Chat) -> None:
    """The living have their new rights without coming back."""
    token = register(chat)
    tab = Tab(chat)
    tab.ask("hello", token=token, rooms={"lobby": None})
    lock = {"room": "lobby", "action": "lock", "value": "on"}
    assert code(tab.ask("mod", **lock)) == "forbidden"
    chat.store.pump.until(chat.hub.log.change_account("u_a", role="mod"))
    assert code(tab.ask("mod", **lock)) == "ok"
    chat.store.pump.until(chat.hub.log.change_account("u_a", role="member"))
    assert code(tab.ask("mod", **lock)) == "forbidden"


def test_all_sessions_end(chat: Chat) -> None:
    """Signing out everywhere ends every connection with 4005; with the old token there is no way back, 4500."""
    token = register(chat)
    tabs = [Tab(chat), Tab(chat)]
    for tab in tabs:
        tab.ask("hello", token=token)
    secret = tabs[0].greeting["session"]
    bystander = chat.enter("bob")
    chat.store.pump.until(chat.hub.log.change_account("u_a", end_sessions=True))
    assert [tab.near.ended for tab in tabs] == [TOKEN_EXPIRED] * 2 and bystander.near.ended is None
    for members in ({"token": token}, {"token": token, "resume": secret}):
        back = Tab(chat)
        assert code(back.ask("hello", **members)) == "unauthorized" and back.near.ended is BAD_TOKEN


def test_a_session_is_no_token(chat: Chat) -> None:
    """Who resumes an account's session without its token is a stranger; a guest's it may resume."""
    tab = Tab(chat)
    tab.ask("hello", token=register(chat))
    guest = Tab(chat)
    guest_id = guest.ask("hello")["user"]["id"]
    for one in (tab, guest):
        one.near.lose()
    stranger, back = Tab(chat), Tab(chat)
    reply = stranger.ask("hello", resume=tab.greeting["session"])
    assert reply["user"]["id"] != "u_a" and reply["user"]["guest"] and reply["user"]["role"] == "guest"
    assert back.ask("hello", resume=guest.greeting["session"])["user"]["id"] == guest_id


def test_a_token_ends_while_connected(chat: Chat) -> None:
    """A minute before its end one is told; at the end the connection ends with 4005, unless it was renewed."""
    token = register(chat)
    stays, goes = Tab(chat), Tab(chat)
    for tab in (stays, goes):
        tab.ask("hello", token=token)
    until = (int(chat.clock.now) + GOOD_FOR_S) * 1000
    chat.clock.now += GOOD_FOR_S - WARNING_MS / 1000 - 1
    chat.wait(0.5)
    assert stays.told("expiring") == []
    chat.wait(2)
    assert stays.told("expiring") == goes.told("expiring") == [{"type": "expiring", "at": until}]
    assert code(stays.ask("auth", token=chat.passes.issue_for(ANN))) == "ok"
    chat.wait(60)
    assert (stays.near.ended, goes.near.ended) == (None, TOKEN_EXPIRED)
    assert stays.told("expiring") == [] and len(chat.hub.proofs) == 1
    stays.near.lose()
    assert len(chat.hub.proofs) == 0


def test_renewing_with_what_is_no_proof(chat: Chat) -> None:
    """Somebody else's token is refused; one that proves nothing ends the connection, as in hello."""
    tab = Tab(chat)
    tab.ask("hello", token=register(chat))
    assert code(tab.ask("auth", token=chat.token("u_bob"))) == "forbidden" and tab.near.ended is None
    assert code(tab.ask("auth", token="a_forged")) == "unauthorized" and tab.near.ended is BAD_TOKEN


def test_a_token_for_some_rooms(chat: Chat) -> None:
    """Its bearer is in those rooms and no others, be they private or not; a renewed one may name fewer."""
    owner = chat.enter("owner", "den", "tea", "lobby", role="owner")
    owner.ask("mod", room="den", action="private", value="on")
    site = Site(Identity("u_s", "member", False, "Sue", frozenset({"den", "tea"}), 2**50))
    chat.passes._site = site  # type: ignore[assignment]
    tab = Tab(chat)
    reply = tab.ask("hello", token="eyJ", rooms=dict.fromkeys(("den", "tea", "lobby")))
    assert reply["user"]["nick"] == "Sue" and "error" not in reply["rooms"]["den"]
    assert reply["rooms"]["lobby"]["error"]["code"] == "forbidden"
    assert {seen["room"] for seen in tab.ask("rooms")["rooms"]} <= {"den", "tea"}
    assert code(tab.ask("join", room="@u_owner")) == "ok"
    site.identity = Identity("u_s", "member", False, "Sue", frozenset({"tea"}), 2**50)
    assert code(tab.ask("auth", token="eyJ")) == "ok"
    assert code(tab.ask("history", room="den")) == "not_joined" and code(tab.ask("history", room="tea")) == "ok"


def test_without_guests(chat: Chat) -> None:
    """Where guests are not let in, a token that proves somebody is needed; a guest's does not."""
    token, guest = register(chat), Tab(chat).ask("hello")["guest_token"]
    chat.hub.guests = False
    for members in ({}, {"token": guest}, {"nick": "Bob"}):
        tab = Tab(chat)
        assert code(tab.ask("hello", **members)) == "unauthorized" and tab.near.ended is BAD_TOKEN
    assert code(Tab(chat).ask("hello", token=token)) == "ok"
