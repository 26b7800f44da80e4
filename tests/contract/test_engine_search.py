"""Searching: whole words, beginnings, and Chinese inside a sentence."""

from __future__ import annotations

import pytest
from desk import Desk
from fakes import ANN, BOB

SAID = [
    "我在上海工作",
    "上海很大，海上有船",
    "I like Shanghai (上海) a lot",
    "The QUICK brown fox",
    "quickly, said the foxes",
    "ich wohne in München",
    "version 2.10 of chat_service",
    "한국어와 日本語テスト",
    "re-do it; don't stop",
    "fox and 上海 fox",
]


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A room in which all of that was said."""
    for text in SAID:
        desk.say(text)
    return desk


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("上海", [9, 2, 1, 0]),
        ("海上", [1]),
        ("海", [9, 2, 1, 0]),
        ("在上海工", [0]),
        ("上海 工作", [0]),
        ("工作 上海", [0]),
        ("上大", []),
        ("上海 fox", [9]),
        ("Shanghai 上海", [2]),
        ("shanghai上海", [2]),
        ("工作上海", []),
        ("quick", [4, 3]),
        ("quick ", [4, 3]),
        ("QuIcK", [4, 3]),
        ("fo", [9, 4, 3]),
        ("brown fo", [3]),
        ("fo brown", []),
        ("fox. the", [3]),
        ("fox the", [3]),
        ("foxes the", [4]),
        ("the quick", [4, 3]),
        ("uick", []),
        ("münchen", [5]),
        ("2.10", [6]),
        ("2.1", [6]),
        ("10 2", [6]),
        ("chat_service", [6]),
        ("日本", [7]),
        ("テスト", [7]),
        ("국어", [7]),
        ("re-do", [8]),
        ("don't", [8]),
        ("nothing of this", []),
        ("", []),
        ("   ", []),
        ("?!", []),
        ("👍", []),
        ("_", []),
        ('"', []),
        ('fox "', [9, 3]),
        ("fox*", [9, 3]),
        ("body:fox", []),
        ("fox OR brown", []),
        ("fox NOT brown", []),
        ("NEAR(fox brown)", []),
        ("^fox", [9, 4, 3]),
        ("(fox", [9, 4, 3]),
        ("'; DROP TABLE message; --", []),
    ],
)
def test_what_is_found(told: Desk, query: str, found: list[int]) -> None:
    """All words must be there, in any order; only the very last one may be unfinished; nothing is an operator."""
    assert told.texts(query) == [SAID[n] for n in found]


def test_searching_all_of_unicode(desk: Desk) -> None:
    """Any query is answered, whatever its characters."""
    desk.say("plain")
    for query in (
        "\x00",
        "a\x00b",
        "\U0010ffff",
        "\u200b",
        "़ि",
        "ก็",
        "ß",
        "ﷺ",
        "\ud7a3",
        "x" * 200,
        "上" * 200,
        "a " * 100,
    ):
        assert desk.texts(query) == []


def test_rooms_are_searched_apart(desk: Desk) -> None:
    """Only the rooms that are named are searched; nothing a person types names another."""
    desk.say("fox in the lobby")
    desk.say("fox in the attic", room="attic")
    desk.say("fox in the cellar 1 2 \ue0001 \ue0002", room="cellar")
    assert desk.texts("fox", "attic") == ["fox in the attic"]
    assert desk.texts("fox", "lobby", "attic") == ["fox in the attic", "fox in the lobby"]
    assert desk.texts("fox", "attic", "attic", "nowhere") == ["fox in the attic"]
    assert desk.texts("fox", "nowhere") == [] and desk.search("fox").hits[0].room == "lobby"
    assert desk.texts("\ue0002", "lobby") == desk.texts("\ue0001 fox", "lobby", "attic") == []
    assert desk.texts("1 fox", "lobby", "attic") == []
    assert desk.ask("search", "fox", (), None, 10).hits == ()


def test_paging_by_next(desk: Desk) -> None:
    """Page by page every hit once, newest first over all rooms, though more is said meanwhile."""
    texts = []
    for n in range(11):
        desk.clock.now += n % 2
        desk.say(f"fox {n}", room="attic" if n % 3 else "lobby")
        desk.say(f"hen {n}")
        texts.append(f"fox {n}")
    for limit in (1, 2, 5, 10, 11, 40):
        met: list[str] = []
        later: list[str] = []
        before: int | None = None
        while True:
            found = desk.search("fox", "lobby", "attic", before=before, limit=limit)
            met += [hit.message.text for hit in found.hits]
            assert len(found.hits) <= limit and len(met) <= len(texts)
            before = found.next
            if before is None:
                break
            later.append(f"later fox {len(texts) + len(later)}")
            desk.say(later[-1], room="attic")
        assert met == texts[::-1], limit
        texts += later


def test_an_edited_text(desk: Desk) -> None:
    """An edited message is found by its new words and no more by its old ones, after a restart too."""
    desk.say("the old 苹果", BOB)
    desk.edit(1, "the new 香蕉", user=BOB)
    desk.edit(1, "the newest 香蕉", 1, user=BOB)
    for _ in range(2):
        assert desk.texts("newest") == desk.texts("香蕉") == desk.texts("the") == ["the newest 香蕉"]
        assert desk.texts("old") == desk.texts("苹果") == []
        hit = desk.search("newest").hits[0]
        assert (hit.room, hit.message.seq, hit.message.rev, hit.message.user) == ("lobby", 1, 2, BOB)
        desk.reopen()


def test_a_deleted_text(desk: Desk) -> None:
    """A deleted message is found by no word it ever had."""
    desk.say("the old 苹果")
    desk.edit(1, "the new 香蕉")
    desk.say("the other")
    desk.delete(1)
    assert [desk.texts(word) for word in ("old", "new", "苹果", "香蕉")] == [[], [], [], []]
    assert desk.texts("the") == ["the other"]


def test_words_of_the_same_person_elsewhere(desk: Desk) -> None:
    """Two messages with the same words are two hits, and one can go without the other."""
    desk.say("same words", ANN)
    desk.say("same words", BOB)
    assert len(desk.search("same words").hits) == 2
    desk.delete(1)
    assert [hit.message.seq for hit in desk.search("same words").hits] == [2]
