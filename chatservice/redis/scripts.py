"""Lua scripts from files: called by their digest, loaded again where a server has forgotten them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BEGINS_WITH = re.compile(r"^-- begins with: ([a-z_]+(?:, [a-z_]+)*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One script and the digest by which servers know it."""

    name: str
    source: bytes
    digest: str


def load_scripts(directory: Path) -> Mapping[str, Script]:
    """Every `*.lua` in `directory` by its name. Redis has no way to include a file: where one has a line
    `-- begins with: NAME, NAME`, the sources of those are put before it; each may begin with others."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.lua"))}

    def whole(name: str) -> str:
        first = _BEGINS_WITH.search(sources[name])
        before = () if first is None else first[1].split(", ")
        return "".join(map(whole, before)) + sources[name]

    return {name: _script(name, whole(name).encode()) for name in sources}


def _script(name: str, source: bytes) -> Script:
    # It is a name, not a signature: Redis chose SHA-1.
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
