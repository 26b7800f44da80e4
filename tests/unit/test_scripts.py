"""Lua scripts are put together of files, and nothing in ours is written twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from chatservice.logs import redis_log
from chatservice.redis.scripts import load_scripts

LUA = Path(redis_log.__file__).with_name("lua")
LONG = 50
"""A line of code that has so many characters says something of its own."""


def test_each_part_once(tmp_path: Path) -> None:
    """What several parts of a script begin with stands in it once, before all of them, and is no script itself."""
    parts = {
        "ground": "local n = 1\n",
        "left": "-- begins with: ground\nn = n * 2\n",
        "right": "-- begins with: ground\nn = n * 3\n",
        "top": "-- begins with: left, right\nreturn n\n",
        "alone": "return 0\n",
    }
    for name, source in parts.items():
        (tmp_path / f"{name}.lua").write_text(source)
    scripts = load_scripts(tmp_path)
    assert list(scripts) == ["alone", "top"]
    assert scripts["top"].source.decode() == "".join(parts[name] for name in ("ground", "left", "right", "top"))


def test_a_part_that_is_missing(tmp_path: Path) -> None:
    """A script that begins with what there is not is found out when it is read."""
    (tmp_path / "one.lua").write_text("-- begins with: nothing\nreturn 1\n")
    with pytest.raises(KeyError):
        load_scripts(tmp_path)


def test_nothing_is_written_twice() -> None:
    """No helper and no long line of code is in two of our files: what two need is a part that both begin with."""
    helpers, lines = Counter[str](), Counter[str]()
    for path in LUA.glob("*.lua"):
        code = [line.partition("--")[0].strip() for line in path.read_text().splitlines()]
        helpers.update(set(re.findall(r"local function (\w+)", "\n".join(code))))
        lines.update({line for line in code if len(line) >= LONG})
    assert len(helpers) > 10 and len(lines) > 50
    assert [name for name, n in (helpers + lines).items() if n > 1] == []
