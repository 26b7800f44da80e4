"""Each Chinese page of docs/ says what its English sister says: neither is forgotten when the other changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pytest

from chatservice.config.table import LOG_LEVELS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
IN_BOTH = {"quickstart.md"}
"""Says everything twice on one page, as docs/tutorial does."""
PAGES = sorted(page.name.replace(".zh.", ".") for page in DOCS.glob("*.zh.md"))
CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass
class Section:
    """What stands below one heading."""

    level: int
    heading: str
    text: str = ""
    blocks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """How GitHub calls the heading in a link."""
        return re.sub(r"[^\w\- ]", "", self.heading.lower()).replace(" ", "-")

    @property
    def rows(self) -> list[str]:
        """The lines of its tables."""
        return [line for line in self.text.splitlines() if line.startswith("|")]


def sections(name: str) -> list[Section]:
    """The page by its headings; what stands between fences is no text."""
    found = [Section(0, "")]
    fence: str | None = None
    for line in (DOCS / name).read_text("utf-8").splitlines():
        if line.startswith("```"):
            if fence is None:
                found[-1].blocks.append((line[3:], ""))
            fence = line if fence is None else None
        elif fence is not None:
            kind, block = found[-1].blocks[-1]
            found[-1].blocks[-1] = (kind, f"{block}{line}\n")
        elif heading := re.fullmatch(r"(#+) (.+)", line):
            found.append(Section(len(heading[1]), heading[2]))
        else:
            found[-1].text += line + "\n"
    assert fence is None, f"{name}: a fence is not closed"
    return found


def pairs(name: str) -> Iterator[tuple[Section, Section]]:
    """The English sections beside the Chinese ones."""
    english, chinese = sections(name), sections(sister(name))
    for one, other in zip_longest(english, chinese):
        assert one and other and one.level == other.level, (
            f"{one and one.heading} is not {other and other.heading}"
        )
        yield one, other


def sister(name: str) -> str:
    """What the page is called in Chinese, if there is one, else its own name."""
    chinese = name.removesuffix(".md") + ".zh.md"
    return chinese if (DOCS / chinese).is_file() else name


def code(text: str) -> set[str]:
    """What stands between backticks, however the lines are broken."""
    return {" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text)}


def figures(text: str) -> set[str]:
    """The numbers in digits, `10 000` being one; those of links do not count."""
    text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "", re.sub(r"\]\([^)]*\)", "", text))
    return set(re.findall(r"\d+(?:\.\d+)?", text))


def links(text: str) -> list[tuple[str, str]]:
    """Files and headings that are linked to; those of other hosts are left out."""
    return re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text)


def commanded(block: str) -> str:
    """A block without the words of its comments."""
    return re.sub(r"(^|\s+)# .*$", " #", block, flags=re.M)


def test_no_page_without_its_sister() -> None:
    """Whoever reads Chinese finds every page of docs/, and nothing is left of a page that went."""
    english = {page.name for page in DOCS.glob("*.md") if not page.name.endswith(".zh.md")}
    assert english - IN_BOTH == set(PAGES)
    assert len(PAGES) > 5


@pytest.mark.parametrize("name", PAGES)
def test_the_same_sections(name: str) -> None:
    """Headings stand in the same order on the same levels, with as many rows of tables and lists below each."""
    for english, chinese in pairs(name):
        for start in ("|", "- ", "1. "):
            counts = [
                sum(line.startswith(start) for line in section.text.splitlines()) for section in (english, chinese)
            ]
            assert counts[0] == counts[1], f"{english.heading}: {counts} lines begin with {start!r}"
        assert CHINESE.search(chinese.heading) or chinese.heading == english.heading


@pytest.mark.parametrize("name", PAGES)
def test_the_same_blocks(name: str) -> None:
    """Commands, programs and their output are the same but for comments; formulas in their numbers and signs."""
    for english, chinese in pairs(name):
        assert [kind for kind, _ in english.blocks] == [kind for kind, _ in chinese.blocks], english.heading
        for (kind, one), (_, other) in zip(english.blocks, chinese.blocks, strict=True):
            if kind == "formula":
                assert re.findall(r"[\d.]+|[×÷+=]", one) == re.findall(r"[\d.]+|[×÷+=]", other)
            else:
                assert commanded(one) == commanded(other)


@pytest.mark.parametrize("name", PAGES)
def test_the_same_names(name: str) -> None:
    """Each section names the same options, commands, events and paths, and so does each row of a table."""
    for english, chinese in pairs(name):
        assert code(english.text) == code(chinese.text), english.heading
        for one, other in zip(english.rows, chinese.rows, strict=True):
            assert code(one) == code(other)
            assert len(cells(one)) == len(cells(other)), other
            levels = [[cell for cell in cells(row) if cell.strip() in LOG_LEVELS] for row in (one, other)]
            assert levels[0] == levels[1], other


@pytest.mark.parametrize("name", PAGES)
def test_the_same_figures(name: str) -> None:
    """Every number of the English page stands in the same section and row of the Chinese one.

    There may be more: Chinese writes in digits what English writes in words.
    """
    for english, chinese in pairs(name):
        assert figures(english.text) - figures(chinese.text) == set(), english.heading
        for one, other in zip(english.rows, chinese.rows, strict=True):
            assert figures(one) - figures(other) == set(), other


@pytest.mark.parametrize("name", PAGES)
def test_the_same_links(name: str) -> None:
    """A section leads to the same places, to their Chinese pages where there are, and the two to each other."""
    own = f"]({sister(name)})"
    assert own in (DOCS / name).read_text("utf-8").partition("\n## ")[0]
    for english, chinese in pairs(name):
        wanted = sorted(translated(name, *link) for link in links(english.text))
        assert sorted(links(chinese.text)) == wanted, english.heading


def translated(name: str, path: str, heading: str) -> tuple[str, str]:
    """Where a link of an English page leads on the Chinese one."""
    if path == sister(name):
        return name, ""
    target = sister(path) if path else sister(name)
    if heading and target.endswith(".zh.md"):
        number = [section.slug for section in sections(path or name)].index(heading)
        heading = sections(target)[number].slug
    return (target if path else ""), heading


@pytest.mark.parametrize("name", [*PAGES, *map(sister, PAGES)])
def test_every_link_leads_somewhere(name: str) -> None:
    """What a page links to is a file of ours, and a heading in it if it says one."""
    for path, heading in links((DOCS / name).read_text("utf-8")):
        target = DOCS / (path or name)
        assert target.is_file(), path
        if heading:
            place = target.resolve().relative_to(DOCS)
            assert heading in [section.slug for section in sections(str(place))], f"{path}#{heading}"


@pytest.mark.parametrize("name", PAGES)
def test_each_in_its_language(name: str) -> None:
    """The English page has no Chinese but the word that leads to the other, which has no English sentence left."""
    assert CHINESE.findall((DOCS / name).read_text("utf-8").replace("[中文]", "")) == []
    for section in sections(sister(name)):
        words = re.sub(r"`[^`]*`|\]\([^)]*\)", "·", section.text)
        assert re.findall(r"(?:\b[A-Za-z]{2,}[ ,]+){4,}", words) == []
        if section.level:
            assert CHINESE.search(section.text) or section.blocks, section.heading


def test_the_readme_leads_to_both() -> None:
    """Where README names a page that there is in Chinese, it names that too."""
    named = {path.removeprefix("docs/") for path, _ in links((CHECKOUT / "README.md").read_text("utf-8"))}
    assert {sister(name) for name in PAGES if name in named} - named == set()
    assert len(named & set(PAGES)) > 4


def cells(row: str) -> list[str]:
    """What a row of a table has between its bars."""
    return re.split(r"(?<!\\)\|", row)
