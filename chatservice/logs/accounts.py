"""Accounts and invitations in SQLite."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from chatservice.domain.accounts import Account
from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import nick_key


def load(connection: sqlite3.Connection) -> list[Account]:
    """Every account."""
    rows = connection.execute("SELECT id, name, role, password, generation, created FROM account")
    return [Account(*row) for row in rows]


def add(connection: sqlite3.Connection, account: Account) -> Account:
    """See `Accounts.add_account`."""
    # Keys are compared here and not kept in the table: with another version of Unicode they may be others.
    if any(clashes(known, account) for known in load(connection)):
        raise Refused(Code.NICK_TAKEN, params={"nick": account.name})
    connection.execute(
        "INSERT INTO account (id, name, role, password, generation, created) VALUES (?, ?, ?, ?, ?, ?)",
        (account.id, account.name, account.role, account.password, account.generation, account.created_ms),
    )
    return account


def change(
    connection: sqlite3.Connection,
    user_id: str,
    role: str | None,
    password: str | None,
    end_sessions: bool,
    if_password: str | None,
) -> Account:
    """See `Accounts.change_account`."""
    known = next((account for account in load(connection) if account.id == user_id), None)
    account = changed(known, role, password, end_sessions, if_password)
    connection.execute(
        "UPDATE account SET role = ?, password = ?, generation = ? WHERE id = ?",
        (account.role, account.password, account.generation, account.id),
    )
    return account


def use_invite(connection: sqlite3.Connection, id: str, uses: int, until_ms: int) -> bool:
    """See `People.use_invite`."""
    row = connection.execute("SELECT used FROM invite WHERE id = ?", (id,)).fetchone()
    if row is not None and row[0] >= uses:
        return False
    connection.execute(
        "INSERT INTO invite VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET used = used + 1", (id, until_ms)
    )
    return True


def forget_invites(connection: sqlite3.Connection, now_ms: int) -> None:
    """Drop the counts of those nobody can use any more."""
    connection.execute("DELETE FROM invite WHERE until <= ?", (now_ms,))


def clashes(known: Account, account: Account) -> bool:
    """Whether both cannot be."""
    return known.id == account.id or nick_key(known.name) == nick_key(account.name)


def changed(
    account: Account | None, role: str | None, password: str | None, end_sessions: bool, if_password: str | None
) -> Account:
    """The account as it is then.

    :raises Refused: `bad_request` if there is none, `conflict` if `if_password` is not what is kept.
    """
    if account is None:
        raise Refused(Code.BAD_REQUEST, "no_account")
    if if_password not in (None, account.password):
        raise Refused(Code.CONFLICT)
    return replace(
        account,
        role=account.role if role is None else role,
        password=account.password if password is None else password,
        generation=account.generation + end_sessions,
    )
