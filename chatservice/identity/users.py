"""What the operator may do with accounts: add, give another password or role, list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Code, Refused
from chatservice.domain.ports import Accounts
from chatservice.domain.promise import Promise, resolved, start
from chatservice.domain.roster import NOBODY
from chatservice.identity.passwords import Passwords, prepare

ROLES = ("member", "mod", "owner")

Fields = Mapping[str, Any]


class Users:
    """The commands of `chatservice user`, whoever runs them.

    :param new_id: makes user ids.
    :param clock: seconds since 1970.
    """

    def __init__(
        self,
        registry: Registry,
        accounts: Accounts,
        passwords: Passwords,
        new_id: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._accounts = accounts
        self._passwords = passwords
        self._new_id = new_id
        self._clock = clock
        self._coming: set[str] = set()  # looks of names that are being added
        self._commands: Mapping[str, Callable[[Fields], Promise[Fields]]] = {
            "user add": lambda f: start(self._add(_word(f, "name"), _word(f, "password"), f.get("role"))),
            "user passwd": lambda f: start(self._passwd(_word(f, "name"), _word(f, "password"))),
            "user role": lambda f: start(self._role(_word(f, "name"), _word(f, "role"))),
            "user list": lambda f: resolved({"users": [_shown(account) for account in self._registry.all()]}),
        }

    def run(self, fields: Fields) -> Promise[Fields]:
        """Do the command that `fields["command"]` names.

        Rejected with `Refused`: `unknown_type`, `bad_request`, `nick_taken`, `busy`, `unavailable`.
        """
        try:
            command = self._commands.get(str(fields.get("command")))
            if command is None:
                raise Refused(Code.UNKNOWN_TYPE, "unknown_type", params={"name": str(fields.get("command"))[:32]})
            return command(fields)
        except Refused as refusal:
            return start(_refuse(refusal))

    async def _add(self, wish: str, password: str, role: object) -> Fields:
        name, role = self._registry.names.clean(wish), _role(role or "member")
        prepare(password)
        looks = self._registry.names.looks(name)
        if any(self._registry.whose(look) not in (None, NOBODY) for look in looks) or looks & self._coming:
            raise Refused(Code.NICK_TAKEN, params={"nick": name})
        self._coming |= looks
        try:
            hashed = await self._passwords.hash(password)
            account = Account(self._new_id(), name, role, hashed, 1, int(self._clock() * 1000))
            return {"user": _shown(await self._accounts.add_account(account))}
        finally:
            self._coming -= looks

    async def _passwd(self, name: str, password: str) -> Fields:
        account = self._named(name)
        hashed = await self._passwords.hash(password)
        changed = await self._accounts.change_account(account.id, password=hashed, end_sessions=True)
        return {"user": _shown(changed)}

    async def _role(self, name: str, role: str) -> Fields:
        account = self._named(name)
        return {"user": _shown(await self._accounts.change_account(account.id, role=_role(role)))}

    def _named(self, name: str) -> Account:
        account = self._registry.named(name)
        if account is None:
            raise Refused(Code.BAD_REQUEST, "no_account")
        return account


async def _refuse(refusal: Refused) -> Fields:
    raise refusal


def _word(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise Refused(Code.BAD_REQUEST, "bad_field", params={"field": name})
    return value


def _role(role: object) -> str:
    if role not in ROLES:
        raise Refused(Code.BAD_REQUEST, "bad_role")
    return str(role)


def _shown(account: Account) -> Fields:
    return {"id": account.id, "name": account.name, "role": account.role, "created_ms": account.created_ms}
