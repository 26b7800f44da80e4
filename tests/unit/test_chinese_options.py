"""docs/configuration.zh.md: every option in Chinese, and the page is of this table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatservice.config import OPTIONS
from chatservice.config.chinese import GROUPS, HELP, OTHERWISE, UNITS, in_chinese
from chatservice.config.pages import chinese_page
from chatservice.config.table import GROUPS as ENGLISH_GROUPS
from chatservice.config.table import Option

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.zh.md"


def names(sentence: str) -> set[str]:
    """What in a sentence is a name and no word: addresses, paths, options, numbers, capitals."""
    sentence = re.sub(r"'s\b|(?<=[A-Z])s\b", "", sentence)  # Redis's, JWTs
    found = {word.strip(".:") for word in re.findall(r"[!-&*+./-:<-~-]+", sentence)}
    return {word for word in found if re.search(r"[^A-Za-z-]|[A-Z].*[A-Z]|--", word)}


def test_the_page_is_of_this_table() -> None:
    """docs/configuration.zh.md is what the table and its Chinese sentences make; `make pages` writes it."""
    assert PAGE.read_text("utf-8") == chinese_page()


def test_nothing_is_missing_and_nothing_left_over() -> None:
    """Each option, group, unit and default in words has its Chinese, and none is of an option that went."""
    assert list(HELP) == [option.name for option in OPTIONS]
    assert list(OTHERWISE) == [option.name for option in OPTIONS if option.otherwise]
    assert tuple(GROUPS) == ENGLISH_GROUPS
    assert set(UNITS) == {option.unit for option in OPTIONS}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_it_says_the_same(option: Option) -> None:
    """The Chinese sentence is Chinese, and has the addresses, options, numbers and names of the English one."""
    chinese = in_chinese(option)
    assert re.search("[\u4e00-\u9fff]", chinese.help) and chinese.help.endswith("。")
    assert names(chinese.help.replace(".zh.md", ".md")) == names(option.help)
    assert names(chinese.otherwise) == names(option.otherwise)
