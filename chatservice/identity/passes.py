"""Guest tokens: the same guest comes back as the same user, on any connection, after any restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from chatservice.domain.errors import Code, Refused
from chatservice.domain.ports import Identity
from chatservice.domain.rules import ROLES

PREFIX = "g_"
GOOD_FOR_S = 90 * 24 * 3600
KEY_BYTES = 32
OWNER_ID, OWNER_TOKEN, OWNER_PREFIX = "u_owner", "owner.token", "o_"


class SignedPasses:
    """See `Passes`. A token is `g_` and base64url of `user.role.expiry.signature`, HMAC-SHA-256 with our key.

    :param clock: seconds since 1970.
    :param owner_token: the one that proves the owner, if there is one; see `load_owner_token`.
    """

    def __init__(self, key: bytes, clock: Callable[[], float], owner_token: str | None = None) -> None:
        self._key = key
        self._clock = clock
        self._owner_token = owner_token

    def issue(self, identity: Identity) -> str:
        """See `Passes.issue`."""
        words = f"{identity.user_id}.{identity.role}.{int(self._clock()) + GOOD_FOR_S}"
        return PREFIX + _pack(f"{words}.{self._sign(words)}".encode())

    def read(self, token: str) -> Identity:
        """See `Passes.read`."""
        if self._owner_token is not None and hmac.compare_digest(token.encode(), self._owner_token.encode()):
            return Identity(OWNER_ID, "owner", guest=False)
        try:
            if not token.startswith(PREFIX):
                raise ValueError
            words, _, signature = _unpack(token.removeprefix(PREFIX)).decode().rpartition(".")
            user_id, role, expiry = words.rsplit(".", 2)
            # Compared in constant time: how long it takes must not tell how much of a guess was right.
            if not hmac.compare_digest(signature.encode(), self._sign(words).encode()) or role not in ROLES:
                raise ValueError
        except ValueError:
            raise Refused(Code.UNAUTHORIZED) from None
        if int(expiry) < self._clock():
            raise Refused(Code.TOKEN_EXPIRED)
        return Identity(user_id, role, guest=role == "guest")

    def _sign(self, words: str) -> str:
        return hmac.new(self._key, words.encode(), hashlib.sha256).hexdigest()


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
