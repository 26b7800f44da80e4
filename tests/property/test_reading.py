"""Read marks of several devices, and searching mixed Chinese and English, over any history."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from chat import Chat, Tab, code
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GROUNDS, Store

# --- read marks ---

SAID = 12
MARKS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 2), st.integers(0, SAID + 3)),  # a device, and how far it has read
        st.just("turn"),
        st.just("restart"),
    ),
    max_size=30,
)


class Reader:
    """One device, and every mark it was told."""

    def __init__(self, chat: Chat) -> None:
        self.tab = chat.enter("ann", "lobby")
        self.marks = [self.tab.ask("join", room="lobby")["read"]]
        self._asked: list[int] = []

    def read(self, seq: int) -> None:
        self._asked.append(self.tab.send("read", room="lobby", seq=seq))

    def look(self) -> None:
        """What it was answered, and what it was told on its own stream, which never goes back."""
        told = [event["seq"] for event in self.tab.told("read")]
        assert told == sorted(told)
        self.marks += told
        for id in self._asked:
            self.marks.append(self.tab.answer(id)["seq"])
        self._asked.clear()


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=40)
@given(MARKS)
def test_marks_never_go_back(kind: str, steps: list[tuple[int, int] | str]) -> None:
    """Whatever three devices report, in whatever order, at once or with restarts in between: the mark is the
    highest of all and never above the top, and every device knows it in the end."""
    with tempfile.TemporaryDirectory() as place:
        chat = Chat(Store(kind, Path(place)))
        bob = chat.enter("bob", "lobby")
        for n in range(SAID):
            assert code(bob.ask("message", room="lobby", text=f"{n}")) == "ok"
        devices = [Reader(chat) for _ in range(3)]
        highest = 0
        for step in steps:
            if step == "turn":
                chat.store.pump.run_one_if_any()
            elif step == "restart":
                chat.settle()
                for device in devices:
                    device.look()
                chat.restart()
                devices = [Reader(chat) for _ in range(3)]
                assert [device.marks for device in devices] == [[highest]] * 3
            else:
                which, seq = step  # type: ignore[misc]
                devices[int(which)].read(int(seq))
                highest = max(highest, min(int(seq), SAID))
        chat.settle()
        for device in devices:
            device.look()
            assert max(device.marks) == highest
        joined = devices[0].tab.ask("join", room="lobby")
        assert (joined["read"], joined["unread"]) == (highest, SAID - highest)
        chat.stop()
        assert chat.troubles == []


# --- search ---

PIECES = ("上海", "海上", "我在", "工作", "上", "海", "Shanghai", "fox", "foxes", "chat", "v2")
SEPARATORS = ("", " ", "，", "-")
ROOMS = ("lobby", "attic", "cellar")

TEXT = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SEPARATORS)), min_size=1, max_size=6).map(
    lambda pairs: "".join(piece + separator for piece, separator in pairs)
)
QUERY = st.one_of(
    st.sampled_from(PIECES),
    st.tuples(st.sampled_from(PIECES), st.sampled_from(PIECES)).map("".join),
    st.tuples(st.sampled_from(PIECES), st.sampled_from(PIECES)).map(" ".join),
    st.sampled_from(("海工", "在上", "作上", "Shang", "fo", "上海Shang", "FOX")),
)
DOING = st.tuples(
    st.sampled_from(("say", "say", "say", "edit", "delete")), st.integers(0, 2), st.integers(0, 9), TEXT
)


def words(text: str) -> list[str]:
    """Each Chinese character is a word; letters and digits that stand together are one."""
    return re.findall(r"[\u4e00-\u9fff]|[a-z0-9]+", text.lower())


def holds(text: str, query: str) -> bool:
    """Whether all parts of the query stand in the text, each as a run of words; the last may be unfinished."""
    has = words(text)
    parts = query.split()
    for part in parts:
        run = words(part)
        unfinished = part is parts[-1] and run[-1].isascii()
        for at in range(len(has) - len(run) + 1):
            here = has[at : at + len(run)]
            if here == run or (unfinished and here[:-1] == run[:-1] and here[-1].startswith(run[-1])):
                break
        else:
            return False
    return True


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=40)
@given(
    st.lists(DOING, min_size=1, max_size=25), st.lists(QUERY, min_size=1, max_size=6), st.sets(st.integers(0, 2))
)
def test_search_finds_what_is_there(
    kind: str, doings: list[tuple[str, int, int, str]], queries: list[str], member_of: set[int]
) -> None:
    """Whatever is said, edited and deleted: a search finds all messages that hold the words now, newest first, and
    only those of rooms the asker is in."""
    with tempfile.TemporaryDirectory() as place:
        chat = Chat(Store(kind, Path(place)))
        ann = chat.enter("ann", *ROOMS)
        said: list[tuple[str, int]] = []  # room and number, in the order of saying
        now: dict[tuple[str, int], tuple[str, int]] = {}  # text and revision
        for what, where, pick, text in doings:
            standing = [one for one in said if one in now]
            if what == "say" or not standing:
                reply = ann.ask("message", room=ROOMS[where], text=text)
                said.append((ROOMS[where], reply["seq"]))
                now[said[-1]] = (text, 0)
                continue
            room, ref = one = standing[pick % len(standing)]
            if what == "edit":
                assert code(ann.ask("edit", room=room, ref=ref, text=text, rev=now[one][1])) == "ok"
                now[one] = (text, now[one][1] + 1)
            else:
                assert code(ann.ask("delete", room=room, ref=ref)) == "ok"
                del now[one]
        mine = [ROOMS[n] for n in sorted(member_of)]
        bob = chat.enter("bob", *mine)
        for query in queries:
            for tab, rooms in ((ann, ROOMS), (bob, tuple(mine))):
                _check(tab, query, rooms, [one for one in reversed(said) if one in now], now)
        chat.stop()


def _check(
    tab: Tab,
    query: str,
    rooms: tuple[str, ...],
    newest_first: list[tuple[str, int]],
    now: dict[tuple[str, int], tuple[str, int]],
) -> None:
    wanted = [one for one in newest_first if one[0] in rooms and holds(now[one][0], query)]
    hits = tab.ask("search", q=query)["hits"]
    assert [(hit["room"], hit["seq"]) for hit in hits] == wanted, query
    assert [hit["text"] for hit in hits] == [now[one][0] for one in wanted]
    for room in ROOMS:
        reply = tab.ask("search", q=query, room=room)
        if room not in rooms:
            assert code(reply) == "not_joined"
        else:
            assert [hit["seq"] for hit in reply["hits"]] == [seq for name, seq in wanted if name == room]
