"""Our own tokens: the same guest or account comes back as the same user, on any connection, after any restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Code, Refused
from chatservice.domain.rules import ROLES
from chatservice.domain.trust import Identity, Invitation

PREFIX, ACCOUNT_PREFIX, INVITATION_PREFIX = "g_", "a_", "i_"
GOOD_FOR_S = 90 * 24 * 3600
KEY_BYTES = 32
OWNER_ID, OWNER_TOKEN, OWNER_PREFIX = "u_owner", "owner.token", "o_"


class SiteTokens(Protocol):
    """Tokens another site has signed."""

    def read(self, token: str) -> Identity:
        """See `Passes.read`."""

    def owns(self, user_id: str) -> bool:
        """Whether it is the id of somebody such a token has named."""


class SignedPasses:
    """See `Passes`. Tokens are a prefix and base64url of words that end in an HMAC-SHA-256 with our key: a guest's
    `user.role.expiry`, an account's `user.generation.expiry`, an invitation's `id.until.uses.user.room`.

    :param clock: seconds since 1970.
    :param owner_token: the one that proves the owner, if there is one; see `load_owner_token`.
    :param registry: the accounts.
    :param site: reads the tokens of the site that embeds us.
    """

    def __init__(
        self,
        key: bytes,
        clock: Callable[[], float],
        owner_token: str | None = None,
        *,
        registry: Registry | None = None,
        site: SiteTokens | None = None,
    ) -> None:
        self._key = key
        self._clock = clock
        self._owner_token = owner_token
        self._registry = registry
        self._site = site

    def issue(self, identity: Identity) -> str:
        """See `Passes.issue`."""
        return self._make(PREFIX, identity.user_id, identity.role)

    def issue_for(self, account: Account) -> str:
        """A token for an account, good for 90 days or until all its sessions are ended."""
        return self._make(ACCOUNT_PREFIX, account.id, str(account.generation))

    def read(self, token: str) -> Identity:
        """See `Passes.read`."""
        if self._owner_token is not None and hmac.compare_digest(token.encode(), self._owner_token.encode()):
            return Identity(OWNER_ID, "owner", guest=False)
        if token.startswith(ACCOUNT_PREFIX):
            user_id, generation, until_ms = self._read(ACCOUNT_PREFIX, token)
            account = self._registry.find(user_id) if self._registry is not None else None
            if account is None or str(account.generation) != generation:
                raise Refused(Code.UNAUTHORIZED, "sessions_ended")
            return Identity(account.id, account.role, guest=False, nick=account.name, until_ms=until_ms)
        if token.startswith(PREFIX) or self._site is None:
            user_id, role, _ = self._read(PREFIX, token)
            if role not in ROLES:
                raise Refused(Code.UNAUTHORIZED)
            return Identity(user_id, role, guest=role == "guest")
        return self._site.read(token)

    def invite(self, invitation: Invitation) -> str:
        """See `Passes.invite`."""
        it = invitation
        return self._seal(INVITATION_PREFIX, f"{it.id}.{it.until_ms}.{it.uses}.{it.by}.{it.room}")

    def read_invitation(self, token: str) -> Invitation | None:
        """See `Passes.read_invitation`."""
        try:
            id, until_ms, uses, by, room = self._open(INVITATION_PREFIX, token).split(".", 4)
        except Refused:
            return None
        return Invitation(id, room, by, int(until_ms), int(uses)) if int(until_ms) > self._clock() * 1000 else None

    def is_guest(self, user_id: str) -> bool:
        """See `Passes.is_guest`."""
        if user_id == OWNER_ID or (self._site is not None and self._site.owns(user_id)):
            return False
        return self._registry is None or self._registry.find(user_id) is None

    def stranger(self, whence: str) -> str:
        """See `Passes.stranger`."""
        day = int(self._clock() // DAY_S)
        digest = hmac.new(self._key, f"stranger {day} {whence}".encode(), hashlib.sha256).digest()
        return "u_" + _pack(digest[:12])

    def _make(self, prefix: str, user_id: str, word: str) -> str:
        return self._seal(prefix, f"{user_id}.{word}.{int(self._clock()) + GOOD_FOR_S}")

    def _read(self, prefix: str, token: str) -> tuple[str, str, int]:
        """The user, the word with it, and until when it is good, in milliseconds since 1970."""
        user_id, word, expiry = self._open(prefix, token).rsplit(".", 2)
        if int(expiry) < self._clock():
            raise Refused(Code.TOKEN_EXPIRED)
        return user_id, word, int(expiry) * 1000

    def _seal(self, prefix: str, words: str) -> str:
        return prefix + _pack(f"{words}.{self._sign(prefix, words)}".encode())

    def _open(self, prefix: str, token: str) -> str:
        """The words we have signed."""
        try:
            if not token.startswith(prefix):
                raise ValueError
            words, _, signature = _unpack(token.removeprefix(prefix)).decode().rpartition(".")
            # Compared in constant time: how long it takes must not tell how much of a guess was right.
            if not hmac.compare_digest(signature.encode(), self._sign(prefix, words).encode()):
                raise ValueError
        except ValueError:
            raise Refused(Code.UNAUTHORIZED) from None
        return words

    def _sign(self, prefix: str, words: str) -> str:
        # A guest's is signed without its prefix: those given away before there were others are still good. No
        # account's words are a guest's: a generation is no role.
        purpose = "" if prefix == PREFIX else prefix
        return hmac.new(self._key, (purpose + words).encode(), hashlib.sha256).hexdigest()


DAY_S = 86_400.0


def load_key(path: Path) -> bytes:
    """The key in `path`, made at the first start, readable by its owner alone.

    :raises OSError: if it can be neither read nor made.
    :raises ValueError: if it is no key: to replace it would make strangers of all guests.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if key:
        if len(key) != KEY_BYTES:
            raise ValueError(f"it has {len(key)} bytes, not {KEY_BYTES}")
        return key
    key = secrets.token_bytes(KEY_BYTES)
    _write_secret(path, key)
    return key


def load_owner_token(path: Path) -> str:
    """The owner's token in `path`, made at the first start, readable by the process's own user alone.

    Whoever may read the data directory may do everything anyway. Without the file the next start makes another.

    :raises OSError: if it can be neither read nor made.
    :raises ValueError: if it is too short to be one.
    """
    try:
        token = path.read_text().strip()
    except FileNotFoundError:
        token = OWNER_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        _write_secret(path, token.encode() + b"\n")
    if len(token) < KEY_BYTES:
        raise ValueError("it is too short")
    return token


def _write_secret(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _pack(words: bytes) -> str:
    return base64.urlsafe_b64encode(words).rstrip(b"=").decode()


def _unpack(packed: str) -> bytes:
    return base64.b64decode(packed.encode() + b"=" * (-len(packed) % 4), altchars=b"-_", validate=True)
