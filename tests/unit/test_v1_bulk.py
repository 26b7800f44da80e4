"""chat.v1: however long messages are, no answer is much bigger than `limits.answer`, and none is lost by that."""

from __future__ import annotations

import orjson
import pytest
from chat import Chat, Frame, Tab

from chatservice.domain.limits import ANSWER_BYTES, HELLO_BYTES
from chatservice.domain.names import TEXT_CODE_POINTS

LONG = "𝕏" * TEXT_CODE_POINTS  # four bytes each
SLACK = 40_000  # one message too many, and the frame around them


@pytest.fixture
def full(chat: Chat) -> Chat:
    """A lobby with 150 of the longest messages: 2.4 MB."""
    ann = chat.enter("ann", "lobby")
    for n in range(150):
        ann.send("message", room="lobby", text=f"{n + 1:03} needle {LONG[:-11]}")
        if n % 20 == 0:
            chat.settle()
    chat.settle()
    ann.lose()
    return chat


def size(frame: Frame) -> int:
    return len(orjson.dumps(frame))


def numbers(items: list[Frame]) -> list[int]:
    return [item["seq"] for item in items]


def page_through(tab: Tab, command: str, items: str, mark: str, pick: int, **members: object) -> list[list[int]]:
    """All pages, asked for by the number at one end of the page before."""
    pages, at = [], None
    while True:
        answer = tab.ask(command, limit=500, **{mark: at}, **members)
        assert size(answer) < ANSWER_BYTES + SLACK
        pages.append(numbers(answer[items]))
        if not answer.get("more", False) and "next" not in answer:
            return pages
        at = answer["next"] if "next" in answer else pages[-1][pick]


def test_pages_of_history(full: Chat) -> None:
    """Going back and going forward meets every message once, in more pages than the count would need."""
    bob = full.enter("bob", "lobby")
    back = page_through(bob, "history", "messages", "before", 0, room="lobby")
    assert len(back) > 2 and [n for page in reversed(back) for n in page] == list(range(1, 151))
    bob.ask("history", room="lobby", after=0, limit=1)
    pages, at = [], 0
    while True:
        answer = bob.ask("history", room="lobby", after=at, limit=200)
        assert size(answer) < ANSWER_BYTES + SLACK
        pages += numbers(answer["messages"])
        at = pages[-1]
        if not answer["more"]:
            break
    assert pages == list(range(1, 151))


def test_a_page_around(full: Chat) -> None:
    """The message that was asked for is in the page, between its neighbours."""
    answer = full.enter("bob", "lobby").ask("history", room="lobby", around=75, limit=200)
    seqs = numbers(answer["messages"])
    assert 75 in seqs and seqs == list(range(seqs[0], seqs[-1] + 1)) and 1 < seqs[0] < 75 < seqs[-1] < 150
    assert answer["more"] and size(answer) < ANSWER_BYTES + SLACK


def test_the_raw_log(full: Chat) -> None:
    """`events` goes on where the answer ended."""
    bob, at, seen = full.enter("bob", "lobby"), 0, []
    while True:
        answer = bob.ask("events", room="lobby", after=at, limit=500)
        assert size(answer) < ANSWER_BYTES + SLACK
        seen += numbers(answer["events"])
        at = seen[-1]
        if not answer["more"]:
            break
    assert seen == list(range(1, 151))


def test_hits(full: Chat) -> None:
    """A search goes on with `next` where the bytes ended, and finds each message once."""
    bob = full.enter("bob", "lobby")
    pages = page_through(bob, "search", "hits", "before", -1, q="needle")
    assert len(pages) > 2 and sorted(n for page in pages for n in page) == list(range(1, 151))


def test_a_heavy_gap(full: Chat) -> None:
    """A gap that is too heavy is `too_many` though it has few entries; a lighter one is recovered whole."""
    bob = full.enter("bob")
    epoch = bob.ask("join", room="lobby", last=1)["epoch"]
    bob.ask("part", room="lobby")
    lighter = bob.ask("join", room="lobby", since={"epoch": epoch, "seq": 100})
    assert lighter["recovered"] and numbers(lighter["events"]) == list(range(101, 151))
    bob.ask("part", room="lobby")
    heavy = bob.ask("join", room="lobby", since={"epoch": epoch, "seq": 1}, last=200)
    assert (heavy["recovered"], heavy["reason"], heavy["events"]) == (False, "too_many", [])
    seqs = numbers(heavy["state"])
    assert seqs == list(range(seqs[0], 151)) and size(heavy) < ANSWER_BYTES + SLACK


def test_many_heavy_rooms(full: Chat) -> None:
    """The rooms of one hello share what it may hold; each of them says truly what it gave."""
    ann = full.enter("ann")
    heads = {}
    for n in range(4):
        heads[f"r{n}"] = {"epoch": ann.ask("join", room=f"r{n}")["epoch"], "seq": 0}
        for _ in range(50):
            ann.send("message", room=f"r{n}", text=LONG)
        full.settle()
    ann.lose()
    greeting = Tab(full).ask("hello", nick="bob", rooms=heads)
    assert size(greeting) < HELLO_BYTES + SLACK * 4
    told = [greeting["rooms"][name] for name in heads]
    assert [room["recovered"] for room in told] == [True, True, False, False]
    assert all(numbers(room["events"]) == list(range(1, 51)) for room in told[:2])
    assert all(room["reason"] == "too_many" and room["state"][-1]["seq"] == 50 for room in told[2:])
