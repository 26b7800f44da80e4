"""The pictures that README shows."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_they_are_there_and_light() -> None:
    """README shows two, says in words what is on them, and none is above 150 KB."""
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    shown = re.findall(r'<img src="(docs/pictures/[\w-]+\.png)" width="\d+%" alt="([^"]{20,})">', readme)
    assert len(shown) == 2
    assert {path for path, _ in shown} == {
        f"docs/pictures/{file.name}" for file in (CHECKOUT / "docs/pictures").iterdir()
    }
    for path, _ in shown:
        content = (CHECKOUT / path).read_bytes()
        assert content.startswith(b"\x89PNG") and len(content) <= 150 * 1024
