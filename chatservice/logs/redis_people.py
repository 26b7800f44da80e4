"""What Redis keeps about people: read marks, sessions, invitations, accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import orjson

from chatservice.domain.accounts import Account
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.ports import LogSink
from chatservice.domain.promise import Promise, start
from chatservice.logs.accounts import changed, clashes
from chatservice.logs.redis_asking import Asking, State
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_signals import encode_user, read_user
from chatservice.redis.handshake import pairs

SLACK_MS = 60_000
"""Clocks differ. What has expired is not believed any more, so it may lie a little longer."""

TRIES = 20


class People:
    """The questions of `People` and `Accounts`."""

    _asking: Asking
    _keys: Keys
    _clock: Callable[[], float]
    _sink: LogSink | None
    _accounts: dict[str, Account]
    _accounts_of = ""  # the identity of the server whose versions these are

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        """See `People.raise_mark`."""
        return self._asking.run("raise", (self._keys.marks(user_id),), room, seq)

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        """See `People.marks`."""
        return start(self._marks(user_id))

    async def _marks(self, user_id: str) -> dict[str, int]:
        words = await self._asking.call(b"HGETALL", self._keys.marks(user_id))
        return {room.decode(): int(seq) for room, seq in pairs(words)}

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        """See `People.keep_session`."""
        return start(self._keep_session(digest, user, until_ms))

    async def _keep_session(self, digest: bytes, user: User, until_ms: int) -> None:
        words = b"%d %s" % (until_ms, encode_user(user))
        await self._asking.call(b"SET", self._keys.session(digest), words, b"PX", self._left_ms(until_ms))

    def _left_ms(self, until_ms: int) -> int:
        return max(0, until_ms - int(self._clock() * 1000)) + SLACK_MS

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        """See `People.session`."""
        return start(self._session(digest, now_ms))

    async def _session(self, digest: bytes, now_ms: int) -> User | None:
        stored = await self._asking.call(b"GET", self._keys.session(digest))
        until_ms, _, user = (stored or b"0").partition(b" ")
        return read_user(user) if int(until_ms) > now_ms else None

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        """See `People.use_invite`."""
        return start(self._use_invite(id, uses, until_ms))

    async def _use_invite(self, id: str, uses: int, until_ms: int) -> bool:
        return bool(await self._asking.run("invite", (self._keys.invite(id),), uses, self._left_ms(until_ms)))

    # --- accounts ---

    def add_account(self, account: Account) -> Promise[Account]:
        """See `Accounts.add_account`."""

        def add(known: dict[str, Account]) -> Account:
            if any(clashes(other, account) for other in known.values()):
                raise Refused(Code.NICK_TAKEN, params={"nick": account.name})
            return account

        return start(self._keep_account(add))

    def change_account(
        self,
        user_id: str,
        *,
        role: str | None = None,
        password: str | None = None,
        end_sessions: bool = False,
        if_password: str | None = None,
    ) -> Promise[Account]:
        """See `Accounts.change_account`."""

        def change(known: dict[str, Account]) -> Account:
            return changed(known.get(user_id), role, password, end_sessions, if_password)

        return start(self._keep_account(change))

    async def _keep_account(self, change: Callable[[dict[str, Account]], Account]) -> Account:
        keys = (self._keys.accounts, self._keys.accounts_version)
        for _ in range(TRIES):
            if self._asking.state is State.STOPPED:
                raise Refused(Code.UNAVAILABLE)
            version = await self._asking.call(b"GET", keys[1]) or b"0"
            known = await self._load_accounts()
            account = change(known)
            before = known.get(account.id)
            account = replace(account, version=1 if before is None else before.version + 1)
            words = encode_account(account)
            values = (version, account.id, words, self._keys.everybody)
            if await self._asking.run("account", keys, *values, writes=True):
                self._register(account)
                await self._asking.confirm()
                return account
        raise Refused(Code.BUSY, retry_ms=1000)

    async def _load_accounts(self) -> dict[str, Account]:
        return read_accounts(await self._asking.call(b"HGETALL", self._keys.accounts))

    async def _refresh_accounts(self) -> None:
        """What was told while nobody heard it."""
        if self._accounts_of != self._asking.identity:  # another server, or one that has lost some: it is right
            self._accounts_of = self._asking.identity
            self._accounts = {id: replace(account, version=-1) for id, account in self._accounts.items()}
        for account in (await self._load_accounts()).values():
            self._register(account)

    def _account_told(self, words: bytes) -> None:
        self._register(Account(**orjson.loads(words)))

    def _register(self, account: Account) -> None:
        """Tell the hub, unless it knows: what is changed here is heard again on the channel, and a list that was
        asked for before a change may come after it."""
        known = self._accounts.get(account.id)
        if known is not None and (known.generation > account.generation or known.version > account.version):
            return
        self._accounts[account.id] = account
        if known == account:
            return
        if self._sink is not None:
            self._sink.registered(account)


def encode_account(account: Account) -> bytes:
    """An account as JSON."""
    return orjson.dumps(asdict(account))


def read_accounts(words: list[bytes]) -> dict[str, Account]:
    """All accounts, as HGETALL has them."""
    return {id.decode(): Account(**orjson.loads(account)) for id, account in pairs(words)}
