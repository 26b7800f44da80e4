"""Tokens of the site that embeds us: JWT (RFC 7519), checked as RFC 8725 advises.

Which algorithm a key is for stands in our configuration and nowhere else; `kid` only looks a key up in our table.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chatservice.domain.errors import Code, Refused
from chatservice.domain.limits import ROOMS
from chatservice.domain.names import clean_room
from chatservice.domain.rules import ROLES
from chatservice.domain.trust import Identity, Names

ALGORITHMS = ("HS256", "RS256", "EdDSA")
LEEWAY_S = 30
BYTES = 4096
SUBJECT = 256
HS256_BYTES = 32  # RFC 7518 section 3.2: at least as long as the hash
RSA_BITS = 2048  # RFC 7518 section 3.3


class BadKey(ValueError):
    """A key cannot be used; its text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class SiteKey:
    """One key of the site.

    :ivar kid: by what a token names it; empty for the one that tokens without `kid` mean.
    """

    kid: str
    algorithm: str
    key: Any


class SiteTokens:
    """See `passes.SiteTokens`.

    :param keys: several, while one replaces another.
    :param audience: what `aud` must be or hold.
    :param longest_s: from now to `exp` at most.
    :param clock: seconds since 1970.
    """

    def __init__(
        self, keys: tuple[SiteKey, ...], audience: str, longest_s: int, clock: Callable[[], float], names: Names
    ) -> None:
        self._keys: Mapping[str, SiteKey] = {key.kid: key for key in keys}
        self._audience = audience
        self._longest_s = longest_s
        self._clock = clock
        self._names = names

    def read(self, token: str) -> Identity:
        """See `Passes.read`."""
        try:
            if len(token) > BYTES or not token.isascii():
                raise ValueError
            key = self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self._audience,
                options={
                    "require": ["exp", "aud", "sub"],
                    # Times are ours to judge, by our clock.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            return self._identity(claims)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):  # which of them is nobody's affair
            raise Refused(Code.UNAUTHORIZED) from None

    def owns(self, user_id: str) -> bool:
        """See `passes.SiteTokens.owns`."""
        return is_site_id(user_id)

    def _key(self, header: Mapping[str, Any]) -> SiteKey:
        kid = header.get("kid", "")
        # One key needs no name; a name that is none of ours means nothing, whatever it looks like.
        only = next(iter(self._keys.values())) if len(self._keys) == 1 else None
        key = self._keys.get(kid) if isinstance(kid, str) else None
        key = only if key is None and not kid else key
        if key is None or header.get("crit") is not None:
            raise ValueError
        return key

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        now = self._clock()
        expires, subject = claims["exp"], claims["sub"]
        for moment in (expires, claims.get("nbf", 0), claims.get("iat", 0)):
            if type(moment) not in (int, float) or not 0 <= moment < 2**53:
                raise ValueError
        if expires + LEEWAY_S <= now:
            raise Refused(Code.TOKEN_EXPIRED)
        begins = max(claims.get("nbf", 0), claims.get("iat", 0))
        if expires > now + self._longest_s + LEEWAY_S or begins > now + LEEWAY_S:
            raise ValueError
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT:
            raise ValueError
        role = claims.get("role", "member")
        if role not in ROLES:
            raise ValueError
        return Identity(
            site_id(subject),
            role,
            guest=False,
            nick=self._nick(claims.get("name")),
            rooms=_rooms(claims.get("rooms")),
            until_ms=int((expires + LEEWAY_S) * 1000),
        )

    def _nick(self, name: object) -> str | None:
        """A name nobody can have is no reason to keep somebody out: it is `userN` then."""
        if not isinstance(name, str):
            return None
        try:
            return self._names.clean(name)
        except Refused:
            return None


def site_id(subject: str) -> str:
    """The user id of a `sub`. The same for ever, and nobody else's: it is longer than any id we make."""
    digest = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).digest()[:24]
    return "u_site_" + base64.urlsafe_b64encode(digest).decode()


def is_site_id(user_id: str) -> bool:
    """Whether `site_id` could have made it."""
    return user_id.startswith("u_site_") and len(user_id) == len("u_site_") + 32


def _rooms(rooms: object) -> frozenset[str] | None:
    if rooms is None:
        return None
    if not isinstance(rooms, list) or len(rooms) > ROOMS or not all(isinstance(room, str) for room in rooms):
        raise ValueError
    try:
        return frozenset(map(clean_room, rooms))
    except Refused:
        raise ValueError from None


def load_site_key(said: str) -> SiteKey:
    """The key that `[KID=]ALGORITHM:FILE` names.

    :raises BadKey: if there is none, or none of that algorithm.
    """
    name, _, path = said.partition(":")
    kid, _, algorithm = name.rpartition("=")
    if algorithm not in ALGORITHMS or not path:
        raise BadKey(f"{said!r}: say it like 2026=EdDSA:FILE; there is {', '.join(ALGORITHMS)}")
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise BadKey(f"cannot read {path}: {error.strerror}") from error
    return SiteKey(kid, algorithm, _secret(path, data) if algorithm == "HS256" else _public(path, data, algorithm))


def _secret(path: str, data: bytes) -> bytes:
    data = data.removesuffix(b"\n")
    if b"-----BEGIN" in data:
        raise BadKey(f"{path} is a key in PEM; HS256 takes a secret that nobody else knows")
    if len(data) < HS256_BYTES:
        raise BadKey(f"{path} has {len(data)} bytes; HS256 takes {HS256_BYTES} or more")
    return data


def _public(path: str, data: bytes, algorithm: str) -> RSAPublicKey | Ed25519PublicKey:
    try:
        key = load_pem_public_key(data)
    except ValueError as error:
        raise BadKey(f"{path} holds no public key in PEM") from error
    if algorithm == "RS256" and isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS:
        return key
    if algorithm == "EdDSA" and isinstance(key, Ed25519PublicKey):
        return key
    raise BadKey(f"{path} holds no key for {algorithm} (RSA takes {RSA_BITS} bits or more)")
