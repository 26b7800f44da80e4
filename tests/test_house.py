"""The house stays in order."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
# Not ours: the build puts them there.
BUILT = {CHECKOUT / "chatservice" / "static" / "app", CHECKOUT / "chatservice" / "socketio" / "clients"}
SOURCES = [
    path
    for path in (CHECKOUT / "chatservice").rglob("*")
    if path.suffix in (".py", ".js", ".css") and not BUILT & set(path.parents)
]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_halls() -> None:
    """No file has more than 500 lines, and half of them have fewer than 150."""
    counts = {str(path.relative_to(CHECKOUT)): lines(path) for path in SOURCES}
    assert max(counts.values()) <= 500, max(counts, key=lambda name: counts[name])
    assert statistics.median(counts.values()) <= 150


def test_twisted_stays_visible() -> None:
    """The plugin's directories are no packages: an __init__.py there would hide Twisted itself."""
    assert list((CHECKOUT / "twisted").rglob("__init__.py")) == []


def test_architecture_stays_short() -> None:
    """ARCHITECTURE.md can be read in one go."""
    assert lines(CHECKOUT / "ARCHITECTURE.md") <= 150


def test_the_page_builds_no_html_from_text() -> None:
    """No script of ours writes HTML strings into the page."""
    unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    scripts = [path for path in SOURCES if path.suffix == ".js"]
    assert scripts
    assert [path.name for path in scripts if unsafe.search(path.read_text("utf-8"))] == []


def test_documents_name_what_exists() -> None:
    """Every file that ARCHITECTURE's table names is there."""
    text = (CHECKOUT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:domain|transports|dialects|logs|static|wires|socketio)/[^|]*?) +\|", text, re.M)
    assert rows
    for row in rows:
        first, *others = row.split(", ")
        for name in (
            first,
            *(other if "/" in other else first.rsplit("/", 1)[0] + "/" + other for other in others),
        ):
            assert (CHECKOUT / "chatservice" / name).exists(), name
