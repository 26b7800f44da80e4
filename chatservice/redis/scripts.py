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
    `-- begins with: NAME, NAME`, the sources of those are put before it, each once; each may begin with others.
    What others begin with is no script of its own."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.lua"))}
    before = {name: _before(source) for name, source in sources.items()}
    parts = {part for names in before.values() for part in names}

    def put(name: str, into: dict[str, None]) -> dict[str, None]:
        for part in before[name]:
            put(part, into)
        into[name] = None
        return into

    return {
        name: _script(name, "".join(sources[part] for part in put(name, {})).encode())
        for name in sources
        if name not in parts
    }


def _before(source: str) -> tuple[str, ...]:
    said = _BEGINS_WITH.search(source)
    return () if said is None else tuple(said[1].split(", "))


def _script(name: str, source: bytes) -> Script:
    # It is a name, not a signature: Redis chose SHA-1.
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
