"""Signing in with name and password, changing the password, signing out everywhere."""

from __future__ import annotations

from typing import Protocol

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import nick_key
from chatservice.domain.ports import Accounts, Meter
from chatservice.domain.promise import Promise, start
from chatservice.domain.trust import Identity, Passes
from chatservice.identity.passwords import HASH_MS, Passwords, prepare
from chatservice.identity.tries import SharedTries, Tries

NAME_CODE_POINTS = 128


class AccountPasses(Passes, Protocol):
    """Passes that can prove an account."""

    def issue_for(self, account: Account) -> str:
        """A token for it."""


class PasswordSignIn:
    """See `SignIn`.

    :param tries: what was tried here; they cost nothing to ask.
    :param meter: counts them with those of other nodes; None where there are none.
    """

    def __init__(
        self,
        registry: Registry,
        accounts: Accounts,
        passwords: Passwords,
        passes: AccountPasses,
        tries: Tries,
        meter: Meter | None = None,
    ) -> None:
        self._registry = registry
        self._accounts = accounts
        self._passwords = passwords
        self._passes = passes
        self._tries = tries
        self._shared = None if meter is None else SharedTries(meter)

    def login(self, name: str, password: str, address: str) -> Promise[tuple[Identity, str]]:
        """See `SignIn.login`."""
        return start(self._login(name, password, address))

    async def _login(self, name: str, password: str, address: str) -> tuple[Identity, str]:
        account = await self._prove(self._registry.named(name[:NAME_CODE_POINTS]), name, password, address)
        if self._passwords.is_old(account.password):
            hashed = await self._passwords.hash(password)
            try:
                await self._accounts.change_account(account.id, password=hashed, if_password=account.password)
            except Refused as refusal:
                if refusal.code is not Code.CONFLICT:
                    raise
                # It has another one already. If it is not the same one kept anew, its token proves nothing.
        return self._signed_in(account)

    def change(self, user_id: str, old: str, new: str, address: str) -> Promise[tuple[Identity, str]]:
        """Another password, whoever knows the one before. All sessions end; the answer is a token for a new one.

        Rejected with `Refused`: as `login`, and `bad_request` for what can be no password.
        """
        return start(self._change(user_id, old, new, address))

    async def _change(self, user_id: str, old: str, new: str, address: str) -> tuple[Identity, str]:
        prepare(new)
        known = self._registry.find(user_id)
        account = await self._prove(known, "" if known is None else known.name, old, address)
        hashed = await self._passwords.hash(new)
        try:
            changed = await self._accounts.change_account(
                account.id, password=hashed, end_sessions=True, if_password=account.password
            )
        except Refused as refusal:
            if refusal.code is not Code.CONFLICT:
                raise
            self._signed_in(account)  # refuses if what was proved is not the password any more
            raise Refused(Code.BUSY, retry_ms=HASH_MS) from None  # it was only kept anew meanwhile
        return self._signed_in(changed)

    def end_sessions(self, user_id: str) -> Promise[Account]:
        """Sign the account out everywhere. Rejected with `Refused`: `bad_request` if there is none."""
        return self._accounts.change_account(user_id, end_sessions=True)

    async def _prove(self, account: Account | None, name: str, password: str, address: str) -> Account:
        # However an account's name is written, its tries are counted together.
        key = nick_key(account.name if account is not None else " ".join(name.split())[:NAME_CODE_POINTS])
        self._tries.take(key, address)
        if self._shared is not None:
            try:
                await self._shared.take(key, address)
            except Refused as refusal:
                if refusal.code is Code.UNAVAILABLE:  # nobody has looked at it
                    self._tries.forgive(key, address)
                raise
        try:
            is_right = await self._passwords.check(password, None if account is None else account.password)
        except Refused:  # too much waits: nobody has looked at it
            self._forgive(key, address)
            raise
        if not is_right:
            raise Refused(Code.UNAUTHORIZED, "bad_login")
        assert account is not None
        self._forgive(key, address)
        return account

    def _forgive(self, key: str, address: str) -> None:
        self._tries.forgive(key, address)
        if self._shared is not None:
            self._shared.forgive(key, address)

    def _signed_in(self, account: Account) -> tuple[Identity, str]:
        token = self._passes.issue_for(account)
        return self._passes.read(token), token
