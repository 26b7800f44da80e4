"""The same (user, room, cid) is stored once, whatever the order of tries, and whatever became of it in between."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fakes import ANN, BOB, said
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GROUNDS, Store

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Deleted, Edited
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise

ROOMS, USERS = ("lobby", "attic"), (ANN, BOB)

SAY = st.tuples(
    st.just("say"),
    st.sampled_from(ROOMS),
    st.integers(0, 1),
    st.sampled_from((None, "c1", "c2", "c3")),
    st.sampled_from(("one", "one", "two")),
)
STEP = st.one_of(
    SAY,
    SAY,
    SAY,
    st.tuples(st.sampled_from(("edit", "delete")), st.integers(0, 9)),
    st.just(("answer",)),
    st.tuples(st.just("reopen"), st.booleans()),
)
Key = tuple[str, str, str]


class World:
    """An engine, and what each cid must stand for.

    :ivar first: the number a cid has, and the text it had when it was said.
    """

    def __init__(self, kind: str, place: Path) -> None:
        self.desk = Desk(Store(kind, place))
        self.first: dict[Key, tuple[int, str]] = {}
        self.said: list[tuple[str, int, int]] = []  # room, number, who
        self.revisions: dict[tuple[str, int], int] = {}
        self.gone: set[tuple[str, int]] = set()
        self.waiting: list[tuple[Promise[Appended], str, int, str | None, str]] = []

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("say", room, who, cid, text):
                promise = self.desk.append(said(text, USERS[who], cid), room)
                self.waiting.append((promise, room, who, cid, text))
            case ("answer",):
                self.answer()
            case ("reopen", is_answered_first):
                if is_answered_first:
                    self.answer()
                self.desk.reopen()
                self.answer()
            case (what, pick):
                self.answer()
                standing = [one for one in self.said if one[:2] not in self.gone]
                if standing:
                    room, seq, who = standing[pick % len(standing)]
                    rev = self.revisions.get((room, seq), 0)
                    if what == "edit":
                        self.desk.put(Edited(USERS[who], seq, "edited", rev), room)
                        self.revisions[room, seq] = rev + 1
                    else:
                        self.desk.put(Deleted(USERS[who], seq), room)
                        self.gone.add((room, seq))

    def answer(self) -> None:
        """All tries have their answers, in the order in which they were made."""
        waiting, self.waiting = self.waiting, []
        for promise, room, who, cid, text in waiting:
            key = None if cid is None else (room, USERS[who].id, cid)
            first = None if key is None else self.first.get(key)
            try:
                answer = self.desk.get(promise)
            except Refused as refusal:
                assert refusal.code is Code.CID_CONFLICT
                assert first is not None and first[1] != text and (room, first[0]) not in self.gone
                continue
            if first is not None:
                assert (answer.seq, answer.duplicate) == (first[0], True)
                assert first[1] == text or (room, first[0]) in self.gone
                continue
            assert not answer.duplicate
            self.said.append((room, answer.seq, who))
            if key is not None:
                self.first[key] = answer.seq, text

    def check(self) -> None:
        """The log has each cid once, under the number that was answered, and nothing that nobody said."""
        self.answer()
        for room in ROOMS:
            entries = self.desk.read(room=room).entries
            assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
            cids = [(one.body.user.id, one.body.cid, one.seq) for one in entries if one.body.cid is not None]
            wanted = [(user, cid, seq) for (where, user, cid), (seq, _) in self.first.items() if where == room]
            assert cids == sorted(wanted, key=lambda one: one[2])
            messages = [one.seq for one in self.desk.history(room=room).messages]
            assert messages == sorted(seq for where, seq, _ in self.said if where == room)


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=60)
@given(st.lists(STEP, max_size=40))
def test_stored_once(kind: str, steps: list[tuple[Any, ...]]) -> None:
    """A repeat gets the first number, another text is refused, and neither edits, deletions nor restarts change
    that."""
    with tempfile.TemporaryDirectory() as place:
        world = World(kind, Path(place))
        try:
            for step in steps:
                world.do(step)
            world.check()
            world.desk.reopen()
            world.check()
        finally:
            world.desk.store.stop()
