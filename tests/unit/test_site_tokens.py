"""Tokens of the site that embeds us, and everything that only looks like one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fakes import NOON, FakeClock
from hypothesis import given
from hypothesis import strategies as st

from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import is_user_id
from chatservice.domain.trust import Identity
from chatservice.identity.jwt import BYTES, LEEWAY_S, BadKey, SiteKey, SiteTokens, load_site_key, site_id
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses

SECRET = b"s" * 32
ED, OTHER_ED = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
PRIVATE = {"HS256": SECRET, "EdDSA": ED, "RS256": RSA}
PUBLIC = {"HS256": SECRET, "EdDSA": ED.public_key(), "RS256": RSA.public_key()}
LONGEST_S = 3600
CLAIMS: dict[str, Any] = {"sub": "42", "aud": "chat", "exp": int(NOON) + 600}


def tokens(*keys: SiteKey, clock: FakeClock | None = None) -> SiteTokens:
    return SiteTokens(keys, "chat", LONGEST_S, clock or FakeClock(), PrecisNames())


def key(algorithm: str, kid: str = "") -> SiteKey:
    return SiteKey(kid, algorithm, PUBLIC[algorithm])


def sign(algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not ...}
    return jwt.encode(said, PRIVATE[algorithm], algorithm, headers)


def pem(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def by_hand(header: Any, claims: Any, secret: bytes | None) -> str:
    """A token made without a library, which would not make such a one."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    signature = b"" if secret is None else hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def is_refused(site: SiteTokens, token: str) -> bool:
    """Whether it proves nothing; never another error."""
    try:
        site.read(token)
    except Refused as refusal:
        assert refusal.code in (Code.UNAUTHORIZED, Code.TOKEN_EXPIRED)
        return True
    return False


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_what_a_token_says(algorithm: str) -> None:
    """Who it is, what it is called, where it may be, what it may, and until when."""
    token = sign(algorithm, name="Ann", rooms=["tea", " milk "], role="mod")
    identity = tokens(key(algorithm)).read(token)
    until_ms = (int(NOON) + 600 + LEEWAY_S) * 1000
    assert identity == Identity(site_id("42"), "mod", False, "Ann", frozenset({"tea", "milk"}), until_ms)
    assert is_user_id(identity.user_id)
    least = tokens(key(algorithm)).read(sign(algorithm))
    assert (least.role, least.guest, least.nick, least.rooms) == ("member", False, None, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": ...},
        {"exp": None},
        {"exp": str(int(NOON) + 600)},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": -1},
        {"exp": int(NOON) + LONGEST_S + LEEWAY_S + 1},
        {"exp": int(NOON) - LEEWAY_S - 1},
        {"exp": 10**400},
        {"nbf": int(NOON) + 86400},
        {"nbf": "tomorrow"},
        {"iat": int(NOON) + LEEWAY_S + 60},
        {"aud": ...},
        {"aud": "shop"},
        {"aud": ["shop", "bank"]},
        {"aud": 7},
        {"sub": ...},
        {"sub": ""},
        {"sub": 42},
        {"sub": ["42"]},
        {"sub": "x" * 257},
        {"role": "king"},
        {"role": ["owner"]},
        {"role": None},
        {"rooms": "tea"},
        {"rooms": [7]},
        {"rooms": ["@me"]},
        {"rooms": ["dm:u_1:u_2"]},
        {"rooms": ["x"] * 129},
        {"name": "x" * 5000},
    ],
    ids=str,
)
def test_claims_that_prove_nothing(claims: dict[str, Any]) -> None:
    """A claim that is missing, wrong, or of another type is refused, though the signature is right."""
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not ...}
    assert is_refused(tokens(key("HS256")), by_hand({"alg": "HS256", "typ": "JWT"}, said, SECRET))


@pytest.mark.parametrize("aud", ["chat", ["shop", "chat"]])
def test_audiences(aud: Any) -> None:
    """We may be one of several."""
    assert tokens(key("HS256")).read(sign(aud=aud)).user_id == site_id("42")


@pytest.mark.parametrize("name", ["a\u202eb", "", "Юля Y", "@ann", 7, None, ["Ann"]])
def test_a_name_nobody_can_have(name: Any) -> None:
    """Such a name keeps nobody out: it is not used."""
    assert tokens(key("HS256")).read(sign(name=name)).nick is None


CONFUSIONS = {
    "none": by_hand({"alg": "none"}, CLAIMS, None),
    "None": by_hand({"alg": "None", "typ": "JWT"}, CLAIMS, None),
    "no alg": by_hand({"typ": "JWT"}, CLAIMS, SECRET),
    "alg in a list": by_hand({"alg": ["HS256"]}, CLAIMS, SECRET),
    "HS384 by the right secret": jwt.encode(CLAIMS, SECRET + b"x" * 16, "HS384"),
    "unsigned HS256": by_hand({"alg": "HS256"}, CLAIMS, None),
    "header no object": by_hand(["HS256"], CLAIMS, SECRET),
    "claims no object": by_hand({"alg": "HS256"}, [1], SECRET),
    "crit": by_hand({"alg": "HS256", "crit": ["exp"]}, CLAIMS, SECRET),
    "kid a path": by_hand({"alg": "HS256", "kid": "../../../dev/null"}, CLAIMS, b""),
    "kid SQL": by_hand({"alg": "HS256", "kid": "x' UNION SELECT 'k"}, CLAIMS, b"k"),
    "kid a number": by_hand({"alg": "HS256", "kid": 7}, CLAIMS, SECRET),
    "kid a list": by_hand({"alg": "HS256", "kid": ["a"]}, CLAIMS, SECRET),
    "another secret": by_hand({"alg": "HS256"}, CLAIMS, b"t" * 32),
    "jwk in the header": jwt.encode(
        CLAIMS, OTHER_ED, "EdDSA", {"jwk": json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(OTHER_ED.public_key()))}
    ),
    "another curve": jwt.encode(CLAIMS, ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "RSA key as secret": by_hand({"alg": "HS256"}, CLAIMS, pem(RSA.public_key())),
    "Ed25519 key as secret": by_hand({"alg": "HS256"}, CLAIMS, pem(ED.public_key())),
    "raw Ed25519 key as secret": by_hand(
        {"alg": "HS256"}, CLAIMS, ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ),
    "huge": sign(padding="x" * BYTES),
    "20 KB": sign(padding="x" * 20_000),
    "nested": "eyJ" + "W" * 4000 + ".e30.x",
    "no token": "x",
    "dots": "...",
    "empty": "",
    "not ASCII": "é.é.é",
}


@pytest.mark.parametrize("keys", [("HS256",), ("RS256",), ("EdDSA",), ("HS256", "RS256", "EdDSA")], ids="+".join)
@pytest.mark.parametrize("token", CONFUSIONS.values(), ids=CONFUSIONS)
def test_confusions(token: str, keys: tuple[str, ...]) -> None:
    """Which algorithm a key is for is never the token's to say."""
    assert is_refused(tokens(*(key(name, f"k{n}" if n else "") for n, name in enumerate(keys))), token)


def test_keys_are_rotated() -> None:
    """While two keys are believed the token says which one; each is for its own algorithm only."""
    both = tokens(SiteKey("old", "HS256", SECRET), SiteKey("new", "EdDSA", ED.public_key()))
    assert both.read(sign("HS256", {"kid": "old"})) == both.read(sign("EdDSA", {"kid": "new"}))
    for algorithm, kid in (("HS256", "new"), ("EdDSA", "old"), ("RS256", "new"), ("HS256", "third")):
        assert is_refused(both, sign(algorithm, {"kid": kid}))
    assert is_refused(both, sign("HS256")), "without a name none is meant"
    gone = tokens(SiteKey("new", "EdDSA", ED.public_key()))
    assert is_refused(gone, sign("HS256", {"kid": "old"})) and not is_refused(gone, sign("EdDSA"))


def test_the_clock_may_be_a_little_wrong() -> None:
    """Half a minute is forgiven on either side; then a token is expired, which is another answer than refused."""
    clock = FakeClock()
    site, token = tokens(key("HS256"), clock=clock), sign(nbf=int(NOON) + LEEWAY_S)
    assert site.read(token)
    clock.now = NOON + 600 + LEEWAY_S - 1
    assert site.read(token)
    clock.now += 1
    with pytest.raises(Refused) as refused:
        site.read(token)
    assert refused.value.code is Code.TOKEN_EXPIRED


@given(st.text(max_size=300), st.text(max_size=300))
def test_ids(one: str, other: str) -> None:
    """A `sub` is always the same user, another one another user, and the id can be part of a room's name."""
    assert is_user_id(site_id(one)) and site_id(one) == site_id(one)
    assert (site_id(one) == site_id(other)) is (one == other)


@given(st.binary(max_size=200))
def test_noise(noise: bytes) -> None:
    """Whatever comes is refused and breaks nothing."""
    site = tokens(key("HS256"), key("EdDSA", "k"))
    for token in (
        noise.decode("latin-1"),
        base64.urlsafe_b64encode(noise).decode() + ".e30.x",
        f"eyJ.{noise!r}.x",
    ):
        assert is_refused(site, token)


def test_our_own_tokens_stay_ours() -> None:
    """With a site's keys our own tokens are as good as before; a site's are not, without them."""
    site = tokens(key("HS256"))
    passes = SignedPasses(b"k" * 32, FakeClock(), "o_" + "x" * 40, site=site)
    assert passes.read(passes.issue(Identity("u_1"))).user_id == "u_1"
    assert passes.read("o_" + "x" * 40).role == "owner"
    assert passes.read(sign()).user_id == site_id("42")
    assert not passes.is_guest(site_id("42")) and passes.is_guest("u_1")
    with pytest.raises(Refused):
        SignedPasses(b"k" * 32, FakeClock()).read(sign())


def test_loading_keys(tmp_path: Path) -> None:
    """A file is taken for the algorithm that was said, and for nothing else."""
    small = rsa.generate_private_key(65537, 1024).public_key()
    kept = {
        "secret": SECRET + b"\n",
        "short": b"s" * 31,
        "ed": pem(ED.public_key()),
        "rsa": pem(RSA.public_key()),
        "small": pem(small),
        "private": ED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, data in kept.items():
        (tmp_path / name).write_bytes(data)
    assert load_site_key(f"a=HS256:{tmp_path}/secret") == SiteKey("a", "HS256", SECRET)
    assert load_site_key(f"2026-x=EdDSA:{tmp_path}/ed").kid == "2026-x"
    assert load_site_key(f"RS256:{tmp_path}/rsa").kid == ""
    for said in ("HS256:short", "HS256:ed", "HS256:rsa", "EdDSA:rsa", "RS256:ed", "RS256:small", "EdDSA:secret"):
        algorithm, name = said.split(":")
        with pytest.raises(BadKey):
            load_site_key(f"{algorithm}:{tmp_path}/{name}")
    with pytest.raises(BadKey):
        load_site_key(f"EdDSA:{tmp_path}/private")
