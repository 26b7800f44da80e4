"""Every sentence, in both languages, and every word of the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from chatservice.dialects.phrases import _PHRASES, LANGUAGES, choose_language, in_words, list_nicks, names, say
from chatservice.domain.errors import Code, Span
from chatservice.domain.rules import ACTIONS

PACKAGE = Path(__file__).parents[2] / "chatservice"


def placeholders(template: str) -> set[tuple[str | None, str | None]]:
    """Names and formats of what goes into a template."""
    return {(name, spec) for _, name, spec, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("about", sorted(names()))
def test_both_languages_say_the_same(about: str) -> None:
    """A sentence has the same blanks in both languages, and is not empty in either."""
    en, zh = _PHRASES[about]
    assert en.strip() and zh.strip()
    assert placeholders(en) == placeholders(zh)
    assert all(name and name.isidentifier() for name, _ in placeholders(en))


SWITCHED_OFF = ("mod_lock_off", "mod_private_off")


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every piece of the program, and where it stands."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}", node


def words(expression: ast.expr) -> set[str]:
    """The words an expression may be: a literal, a member of `Code`, one of two, or a kind of moderation."""
    match expression:
        case ast.Constant(value=str(word)):
            return {word}
        case ast.Attribute(value=ast.Name(id="Code"), attr=name):
            return {str(Code[name])}
        case ast.IfExp(body=one, orelse=other):
            return words(one) | words(other)
        case ast.BinOp(left=ast.Constant(value="mod_")):
            return {"mod_" + action for action in ACTIONS}
        case ast.JoinedStr(values=[ast.Constant(value="mod_"), *_]):  # and what ends such an order
            return {"mod_" + action for action in ACTIONS} | {"mod_slow_0", "mod_expires_0", *SWITCHED_OFF}
        case ast.BinOp(left=one):
            return words(one)
    return set()


def abouts(node: ast.AST) -> set[str]:
    """The phrases a piece of the program asks for."""
    match node:
        case ast.Assign(targets=[ast.Name(id="about")], value=value):
            return words(value)
        case ast.Assign(targets=[ast.Name(id="_OUR_WORDS")], value=ast.Dict(values=values)):
            return set().union(*map(words, values))
        case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called), args=[first, *rest]):
            match called, rest:
                case "Refused", [about, *_]:
                    return words(about)
                case "Refused" | "Noticed" | "Told" | "Disconnect" | "notice", _:
                    return words(first)
                case "say", [about, *_]:
                    return words(about)
    return set()


@cache
def used() -> set[tuple[str, str]]:
    """Every phrase the program asks for by name: a refusal's or notice's cause, a disconnect's name."""
    return {(about, where) for where, node in nodes() for about in abouts(node)}


def test_every_phrase_that_is_used_exists() -> None:
    """Nobody is ever told the bare name of a phrase that was not written."""
    assert len(used()) > 20  # the scan finds something
    assert [(about, where) for about, where in sorted(used()) if about not in names()] == []


def test_every_phrase_that_exists_is_used() -> None:
    """No sentence is kept that nobody says."""
    assert names() - {about for about, _ in used()} == set()


@pytest.mark.parametrize(
    ("s", "en", "zh"),
    [
        (0, "1 s", "1 秒"),
        (59, "59 s", "59 秒"),
        (60, "1 min", "1 分钟"),
        (3661, "1 h 1 min", "1 小时 1 分钟"),
        (2 * 86400 + 300, "2 d", "2 天"),
        (8 * 86400 + 7200, "8 d 2 h", "8 天 2 小时"),
    ],
)
def test_spans(s: int, en: str, zh: str) -> None:
    """A time is said by its biggest unit and the next one."""
    assert (in_words("en", Span(s)), in_words("zh-CN", Span(s))) == (en, zh)


def test_what_peers_write_is_never_a_template() -> None:
    """Braces in a nick or a text are shown as they are."""
    assert say("en", "says", {"nick": "{n}", "text": "{0} {text}"}) == "{n} says: {0} {text}"


def test_a_phrase_nobody_wrote_shows_its_name() -> None:
    """A missing phrase is ugly and no error."""
    assert say("en", "nonsense") == say("zh-CN", "nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("wish", "lang"),
    [
        (None, "en"),
        ("", "en"),
        ("en", "en"),
        ("en-GB", "en"),
        ("zh", "zh-CN"),
        ("zh-CN", "zh-CN"),
        ("zh_TW", "zh-CN"),
        ("ZH-Hans-CN", "zh-CN"),
        ("de", "en"),
        ("xzh", "en"),
    ],
)
def test_languages(wish: str | None, lang: str) -> None:
    """Any tag that begins with a language we have will do; another one is the listener's default."""
    assert choose_language(wish, "en") == lang
    assert choose_language(wish, "zh-CN") == (lang if wish and wish[:2] in ("en", "zh", "ZH") else "zh-CN")


def test_lists_of_nicks() -> None:
    """Names are joined as the language does it, and what is too many is counted."""
    assert list_nicks("en", ["a", "b"], 2) == "a, b"
    assert list_nicks("zh-CN", ["a", "b"], 2) == "a、b"
    assert list_nicks("en", ["a", "b", "c"], 3, most=2) == "a, b, and 1 more"


PAGES = ("lite", "wire", "admin")


def page_words(page: str) -> dict[str, dict[str, str]]:
    """The catalogues of a page without a build, read from its script."""
    script = (PACKAGE / "static" / f"{page}-words.js").read_text("utf-8")
    table = script[script.index("WORDS = {") : script.index("\n};")]
    found: dict[str, dict[str, str]] = {}
    for language, body in re.findall(r'^  "?([\w-]+)"?: \{\n(.*?)^  \}', table, re.M | re.S):
        pairs = re.findall(r'(\w+): "((?:[^"\\]|\\.)*)"', body)
        assert len(pairs) == len(dict(pairs)), f"a word stands twice in {language}"
        assert re.sub(r'(\w+): "((?:[^"\\]|\\.)*)",?', "", body).strip() == ""  # nothing was passed over
        found[language] = dict(pairs)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_page_speaks_both_languages(page: str) -> None:
    """The page has every word in both languages, with the same blanks."""
    words = page_words(page)
    assert set(words) == set(LANGUAGES)
    en, zh = words["en"], words["zh-CN"]
    assert set(en) == set(zh) and len(en) > 10
    assert all(en.values()) and all(zh.values())
    for key in en:
        assert sorted(re.findall(r"\{(\w+)\}", en[key])) == sorted(re.findall(r"\{(\w+)\}", zh[key])), key


@pytest.mark.parametrize("page", PAGES)
def test_the_page_asks_for_words_that_exist(page: str) -> None:
    """Every word the page's scripts and its HTML ask for is in the catalogue."""
    known = set(page_words(page)["en"])
    asked: set[str] = set()
    for path in (PACKAGE / "static").glob(f"{page}*"):
        if path.suffix in (".js", ".html"):
            source = path.read_text("utf-8")
            asked |= set(re.findall(r'\bsay\([\w.]+,\s*"(\w+)"', source))
            asked |= set(re.findall(r'\bword\("(\w+)"', source))
            asked |= set(re.findall(r'data-words(?:-placeholder)?="(\w+)"', source))
    assert len(asked) > 10 and asked <= known
