"""docs/operations.md has every event of the log: its name, how bad it is, and its fields."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
LEVELS = ("debug", "info", "warn", "error")


class Logged(NamedTuple):
    """What the log may be told of one event, wherever that is said."""

    levels: frozenset[str]
    fields: frozenset[str]


def constant(node: ast.expr | None) -> str | None:
    """The string that stands there, if one does."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def loggers(tree: ast.Module) -> set[str]:
    """The names under which a module has a log."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "Logger"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def calls(path: Path) -> Iterator[tuple[str | None, str | None, set[str], int]]:
    """Of each call of a log in that file: level, event, fields, and the line it is in."""
    tree = ast.parse(path.read_text("utf-8"))
    names = loggers(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = node.func
        fields = {keyword.arg for keyword in node.keywords if keyword.arg}
        if isinstance(called.value, ast.Name) and called.value.id in names:
            event = next((keyword.value for keyword in node.keywords if keyword.arg == "event"), None)
            level = {"failure": "error"}.get(called.attr, called.attr)  # as it is written: logbook.JSONLines
            yield level, constant(event), fields - {"event", "failure"}, node.lineno
        elif called.attr == "note" and len(node.args) == 3 and constant(node.args[0]) in LEVELS:  # the parent's
            yield constant(node.args[0]), constant(node.args[1]), fields, node.lineno


def logged() -> dict[str, Logged]:
    """All events, as the source has them."""
    levels, fields = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for path in sorted((CHECKOUT / "chatservice").rglob("*.py")):
        for level, event, more, line in calls(path):
            assert event and re.fullmatch("[a-z]+(_[a-z]+)*", event), f"{path}:{line} names no event"
            assert level in LEVELS, f"{path}:{line}"
            levels[event].add(level)
            fields[event] |= more
    return {event: Logged(frozenset(levels[event]), frozenset(fields[event])) for event in levels}


def described() -> dict[str, Logged]:
    """All events, as the page has them."""
    page = (CHECKOUT / "docs" / "operations.md").read_text("utf-8")
    table = page.partition("## Log\n")[2].partition("\n## ")[0]
    rows = [re.split(r"\s*\|\s*", line.strip().strip("|").strip()) for line in table.splitlines() if "| " in line]
    found = {}
    for names, levels, fields, means in rows[1:]:
        assert means
        for event in re.findall(r"`([a-z_]+)`", names):
            assert event not in found, f"{event} is there twice"
            found[event] = Logged(frozenset(levels.split(", ")), frozenset(re.findall(r"`([a-z_]+)`", fields)))
    return found


def test_the_table_has_every_event() -> None:
    """What the log may say and what the page tells of it are the same: names, levels, fields."""
    assert len(logged()) > 30
    assert described() == logged()
