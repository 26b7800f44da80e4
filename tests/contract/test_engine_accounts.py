"""Accounts and invitations, on every engine."""

from __future__ import annotations

import pytest
from desk import Desk
from fakes import NOON

from chatservice.domain.accounts import Account
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated, User

ANN = Account("u_1", "Ann", "owner", "$argon2id$1", 1, 7)
BOB = Account("u_2", "Bob Lee", "member", "$argon2id$2", 1, 8)
NOON_MS = int(NOON * 1000)


def test_accounts_are_kept(desk: Desk) -> None:
    """The sink is told of each new account, and of all of them whenever the engine is opened again."""
    assert (desk.ask("add_account", ANN), desk.ask("add_account", BOB)) == (ANN, BOB)
    assert desk.sink.accounts == [ANN, BOB]
    desk.reopen()
    assert sorted(desk.sink.accounts, key=lambda account: account.id) == [ANN, BOB]


@pytest.mark.parametrize("account", [Account("u_9", "ann"), Account("u_9", "ＡＮＮ"), Account("u_1", "Anna")])
def test_an_account_has_its_name_for_itself(desk: Desk, account: Account) -> None:
    """There is one account of a name, in whatever case and width, and one of an id; a refusal is not told."""
    desk.ask("add_account", ANN)
    with pytest.raises(Refused) as refused:
        desk.ask("add_account", account)
    assert refused.value.code is Code.NICK_TAKEN and desk.sink.accounts == [ANN]


def test_two_at_once(desk: Desk) -> None:
    """Of two that want the same name in one moment one gets it."""
    promises = [desk.store.engine.add_account(Account(f"u_{n}", "Ann")) for n in (1, 2)]
    desk.store.settle()
    assert [promise.error is None for promise in promises] == [True, False]
    assert [account.id for account in desk.sink.accounts] == ["u_1"]


def test_accounts_change(desk: Desk) -> None:
    """Role, password and generation change one by one; what is not named stays."""
    desk.ask("add_account", ANN)
    assert desk.ask("change_account", "u_1", role="mod").role == "mod"
    assert desk.ask("change_account", "u_1", password="$argon2id$3").password == "$argon2id$3"
    changed = desk.ask("change_account", "u_1", end_sessions=True)
    assert changed == Account("u_1", "Ann", "mod", "$argon2id$3", 2, 7)
    assert desk.sink.accounts[-1] == changed and len(desk.sink.accounts) == 4
    desk.reopen()
    assert desk.sink.accounts == [changed]


def test_a_password_is_compared_and_set(desk: Desk) -> None:
    """With `if_password` nothing changes, and nothing is told, unless that is what is kept."""
    desk.ask("add_account", ANN)
    with pytest.raises(Refused) as refused:
        desk.ask("change_account", "u_1", password="$argon2id$4", end_sessions=True, if_password="$argon2id$0")
    assert refused.value.code is Code.CONFLICT and desk.sink.accounts == [ANN]
    promises = [
        desk.store.engine.change_account("u_1", password=f"$argon2id${n}", if_password=ANN.password)
        for n in (5, 6)
    ]
    desk.store.settle()
    assert [promise.error is None for promise in promises] == [True, False]
    assert desk.sink.accounts[-1].password == "$argon2id$5"


def test_who_has_no_account(desk: Desk) -> None:
    """Nothing is changed and nothing told where there is no account."""
    with pytest.raises(Refused) as refused:
        desk.ask("change_account", "u_1", role="owner")
    assert refused.value.about == "no_account" and desk.sink.accounts == []


def test_a_closed_engine_takes_no_account(desk: Desk) -> None:
    """After its end it says that it is not available."""
    desk.store.stop()
    with pytest.raises(Refused) as refused:
        desk.ask("add_account", ANN)
    assert refused.value.code is Code.UNAVAILABLE
    desk.store.start(desk.sink)


def test_the_hash_is_in_no_words() -> None:
    """What stands in a log about an account does not hold its password's hash."""
    assert "argon2" not in repr(ANN)


def test_invitations_are_counted(desk: Desk) -> None:
    """An invitation lets in as many as it may and no more, also after a restart; each for itself."""
    until = NOON_MS + 1000
    assert [desk.ask("use_invite", "i1", 2, until) for _ in range(2)] == [True, True]
    desk.reopen()
    assert not desk.ask("use_invite", "i1", 2, until) and desk.ask("use_invite", "i2", 1, until)
    promises = [desk.store.engine.use_invite("i3", 3, until) for _ in range(5)]
    assert [desk.get(promise) for promise in promises] == [True, True, True, False, False]


def test_private_rooms_are_found_by_their_members(desk: Desk) -> None:
    """A private room is in the list of those who have a role in it, until it is not private any more."""
    owner, member = User("u_o", "o"), User("u_m", "m")
    desk.say("hi", room="den")
    desk.put(Moderated(owner, "private", value="on"), "den")
    desk.put(Moderated(owner, "role", member, "member"), "den")
    desk.reopen()
    assert desk.ask("room_names", 9, "u_m") == (("den", 3),)
    assert desk.ask("room_names", 9, "u_x") == desk.ask("room_names", 9, '"') == ()
    desk.put(Moderated(owner, "private", value="off"), "den")
    assert desk.ask("room_names", 9, "u_x") == (("den", 4),)
