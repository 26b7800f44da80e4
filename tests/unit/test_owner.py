"""The owner's token in the data directory."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chatservice.domain.errors import Refused
from chatservice.identity.passes import OWNER_ID, SignedPasses, load_owner_token


def test_the_owner_token(tmp_path: Path) -> None:
    """The file, which nobody else can read, proves the owner, over restarts, until it is removed."""
    path = tmp_path / "owner.token"
    token = load_owner_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text().strip() == token
    assert load_owner_token(path) == token
    identity = SignedPasses(b"k" * 32, lambda: 10.0**12, token).read(token)
    assert (identity.user_id, identity.role, identity.guest) == (OWNER_ID, "owner", False)
    path.unlink()
    other = load_owner_token(path)
    for passes in (SignedPasses(b"k" * 32, lambda: 0.0, other), SignedPasses(b"k" * 32, lambda: 0.0)):
        with pytest.raises(Refused):
            passes.read(token)


def test_no_token(tmp_path: Path) -> None:
    """An empty file opens nothing."""
    path = tmp_path / "owner.token"
    path.write_text("\n")
    with pytest.raises(ValueError):
        load_owner_token(path)
