"""docs/deploy.md and its Chinese sister name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatservice.commands import COMMANDS
from chatservice.doctor.remedies import Fault

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("deploy.md", "deploy.zh.md")


@pytest.mark.parametrize("name", PAGES)
def test_every_fault_is_explained(name: str) -> None:
    """The table of what the doctor finds has all of it, and nothing else."""
    table = (DOCS / name).read_text().partition("chatservice doctor")[2].partition("## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([a-z-]+)`", "".join(cells)))
    assert named == {fault.value.name for fault in Fault} - {"broken"}


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_are_ours(name: str) -> None:
    """Each `chatservice WORD` on the page is a command, each unit and file of deploy/ is there."""
    text = (DOCS / name).read_text()
    words = set(re.findall(r"^(?:sudo )?chatservice ([a-z-]+)", text, re.M))
    assert words and words <= set(COMMANDS)
    units = set(re.findall(r"\b(chat(?:-lines)?\.(?:service|socket))\b", text))
    assert units and all((DOCS.parent / "deploy" / unit).is_file() for unit in units)
    assert all((DOCS.parent / path).exists() for path in re.findall(r"\bdeploy/[A-Za-z-]+(?:\.[a-z]+)?", text))
