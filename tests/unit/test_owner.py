"""The owner's token in the data directory."""

from __future__ import annotations

import stat
from pathlib import Path

from chatservice.identity.passes import GOOD_FOR_S, OWNER_ID, SignedPasses, write_owner_token


def test_the_owner_token(tmp_path: Path) -> None:
    """The file holds a token of the owner that only the process's own user can read, good anew at each start."""
    now = [1000.0]
    passes, path = SignedPasses(b"k" * 32, lambda: now[0]), tmp_path / "owner.token"
    path.write_text("old and readable by all")
    path.chmod(0o644)
    for _ in range(2):
        write_owner_token(path, passes)
        identity = passes.read(path.read_text().strip())
        assert (identity.user_id, identity.role, identity.guest) == (OWNER_ID, "owner", False)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        now[0] += GOOD_FOR_S - 1
