"""UI-19: a language whose words are longer: none of the page's is cut off, and all are of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize

from e2e.browsing import Browsing
from e2e.package import Package
from e2e.page.fitting import cut
from e2e.page.test_fitting import SHOWS, again, furnish, visit
from e2e.server import Server

# Every sentence is two fifths longer (as German is), by its own beginning, and can be told by its brackets.
LONGER = """import plain from "./plain.js";
const longer = (text) => {
  const words = text.replace(/\\{\\w+\\}/g, "");
  return `⟦${text} ${words.slice(0, Math.ceil(words.length * 0.4))}⟧`;
};
const all = (entries) => Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, each(entry)]));
const each = (entry) => (typeof entry === "string" ? longer(entry) : all(entry));
const { comma, ...others } = plain;
export default { comma, ...all(others) };
"""

# What people or the service wrote: names, messages, times, numbers, keys, commands and the languages' own names.
NOT_OURS = """.text, bdi, time, kbd, code, .seal, .house, .emoji, .grid, .place .name, h1, .hash, .snippet, .quote,
  .suggestions li, .keys dt, option, .badge, .serif.big, .choices li, .reactions, .head p[title], strong,
  button[lang], .count span, .actions button.emoji"""

UNMARKED = """(notOurs) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!/\\p{L}/u.test(data) || /[⟦⟧]/.test(data)) continue;
    if (!parentElement.closest(`noscript, ${notOurs}`)) found.push(data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const words = element.getAttribute(name);
      const isOurs = !element.matches("time, .grid button, .head p");
      if (/\\p{L}/u.test(words) && !words.includes("⟦") && isOurs) found.push(`${name}: ${words}`);
    }
  return found;
}"""


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose page speaks it, with something of everything in a room."""
    package = Package(tmp_path_factory.mktemp("longer"))
    words = package.web / "app" / "words"
    (words / "en.js").rename(words / "plain.js")
    (words / "en.js").write_text(LONGER, "utf-8")
    package.rebuild()
    with package.server(package.home / "server") as server, furnish(server):
        yield server


def unmarked(page: Page) -> list[str]:
    """What is shown and is neither from the catalogue nor from people."""
    found: list[str] = page.evaluate(UNMARKED, NOT_OURS)
    return found


@pytest.mark.parametrize(
    "viewport",
    [{"width": 360, "height": 740}, pytest.param({"width": 1440, "height": 900}, marks=pytest.mark.slow)],
    ids=["360", "1440"],
)
def test_longer_words(longer: Server, browsing: Browsing, viewport: ViewportSize) -> None:
    """In every state of the page each word of the catalogue can be read whole, and there are no others."""
    visitor = visit(longer, browsing, own="⟦", viewport=viewport)
    wrongs = {}
    for show in SHOWS:
        show(visitor)
        wrongs[show.__name__] = [*cut(visitor.page, "⟦"), *unmarked(visitor.page)]
        again(visitor)
    assert {name: found for name, found in wrongs.items() if found} == {}
