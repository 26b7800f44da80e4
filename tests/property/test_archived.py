"""Redis with an archive against the log in memory: whatever was said, changed, lost and emptied, both show the
same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fakes import ANN, BOB
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from postgres_server import shared_postgres
from redis_ground import ArchivedGround
from stores import Store

from chatservice.domain.errors import Code, Refused
from chatservice.logs.archive_postgres import PostgresEngine
from chatservice.logs.archive_sqlite import SQLiteEngine

WORDS = ("red", "green", "重启", "服务器", "red 服务")
USERS = (ANN, BOB)

STEP = st.tuples(
    st.sampled_from(
        ("say",) * 6
        + ("edit", "edit", "react", "react", "delete", "settle", "settle", "backup", "lose", "reopen", "empty")
    ),
    st.integers(0, 30),
    st.integers(0, 30),
)
Step = tuple[str, int, int]


class Pair:
    """The log in memory, and Redis with an archive."""

    def __init__(self, kind: str, place: Path) -> None:
        self.model = Desk(Store("memory", place))
        database: Any
        database = (
            SQLiteEngine(place / "a.db") if kind == "sqlite" else PostgresEngine(shared_postgres().new_database())
        )
        store = Store("archived", place)
        store.ground = self.ground = ArchivedGround(place, database=database)
        store.pump = self.ground.pump
        self.real = Desk(store)
        self._backups: tuple[object, object] | None = None
        self._tops = 0

    def close(self) -> None:
        for desk in (self.model, self.real):
            desk.store.stop()
        assert self.ground.archive is not None
        self.ground.archive.stop()

    def both(self, do: Callable[[Desk], object]) -> None:
        """Do the same to both; both answer the same, or refuse it alike."""
        answers = []
        for desk in (self.model, self.real):
            try:
                answers.append(getattr(self.patient(partial(do, desk)), "seq", None))
            except Refused as refused:
                answers.append(refused.code)
        assert answers[0] == answers[1]

    def do(self, step: Step) -> None:
        name, a, b = step
        user, ref = USERS[b % 2], a + 1
        match name:
            case "say":
                self.both(lambda desk: desk.say(f"{WORDS[a % len(WORDS)]} {b}", user))
            case "edit":
                self.both(lambda desk: desk.edit(ref, f"{WORDS[b % len(WORDS)]} edited", b % 3, USERS[b % 2]))
            case "react":
                self.both(lambda desk: desk.react(ref, "👍🎉"[b % 2], USERS[b // 2 % 2], on=b % 5 > 0))
            case "delete" if self._backups is None:  # a deletion that was lost is done all the same in the archive
                self.both(lambda desk: desk.delete(ref, user))
            case "settle":
                self.ground.settle()
            case "backup" if self.real.read(0, 0).top:  # a room that a backup lacks is put back by the archive
                self._backups = (self.model.store.ground.copy(), self.ground.copy())
            case "lose" if self._backups is not None:
                for desk, backup in zip((self.model, self.real), self._backups, strict=True):
                    desk.store.stop()
                    desk.store.ground.restore(backup)
                    desk.store.start(desk.sink)
                self._backups = None
            case "reopen":
                self.model.reopen()
                self.real.reopen()
            case "empty":
                self.ground.settle()
                for key in list(self.ground.keys()):
                    self.ground.server.ask("DEL", key)
                self._backups = None
                self.model.reopen()

    def patient(self, look: Callable[[], Any]) -> Any:
        """What it answers, as soon as the archive has taken back what Redis has lost."""
        found: list[Any] = []

        def is_there() -> bool:
            try:
                found.append(look())
            except Refused as refused:
                if refused.code is not Code.UNAVAILABLE:
                    raise
            return bool(found)

        self.ground.pump.wait(is_there, "the archive")
        return found[0]

    def compare(self) -> None:
        for since, limit in ((0, 1000), (3, 5), (10, 3)):
            pages = [desk.read(since, limit) for desk in (self.model, self.real)]
            shown = [[(entry.seq, entry.body) for entry in page.entries] for page in pages]
            assert shown[0] == shown[1]
            assert (pages[0].top, pages[0].first) == (pages[1].top, pages[1].first)
        for sides in ({}, {"before": 6}, {"after": 4}):
            pasts = [self.patient(partial(desk.history, BOB, 7, **sides)) for desk in (self.model, self.real)]
            assert [message_of(past) for past in pasts[:1]] == [message_of(past) for past in pasts[1:]]
        for word in ("red", "重", "服务器", "edited"):
            found = [
                [(hit.message.seq, hit.message.text) for hit in self.patient(partial(desk.search, word)).hits]
                for desk in (self.model, self.real)
            ]
            assert found[0] == found[1]


def message_of(past: Any) -> object:
    """All but the times, which are the clock's."""
    return past.more, [
        (m.seq, m.user, m.text, m.rev, m.deleted, m.reply, m.mentions, dict(m.reactions)) for m in past.messages
    ]


def play(kind: str, steps: Sequence[Step]) -> None:
    """One history."""
    with tempfile.TemporaryDirectory() as place:
        pair = Pair(kind, Path(place))
        try:
            for step in steps:
                pair.do(step)
            pair.compare()
            pair.ground.settle()
            pair.compare()
        finally:
            pair.close()


SAY: list[Step] = [("say", n, n) for n in range(8)]
HISTORY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@example(
    [
        *SAY,
        ("settle", 0, 0),
        *SAY,
        ("backup", 0, 0),
        ("edit", 0, 0),
        ("react", 1, 1),
        *SAY,
        ("settle", 0, 0),
        ("lose", 0, 0),
        *SAY,
    ]
)
@example(
    [
        *SAY,
        ("empty", 0, 0),
        ("edit", 0, 0),
        ("react", 1, 1),
        ("delete", 2, 0),
        *SAY,
        ("settle", 0, 0),
        ("empty", 0, 0),
        *SAY,
    ]
)
@example([("say", 0, 0), ("settle", 0, 0), ("say", 1, 0), ("delete", 0, 0), ("say", 2, 0), ("say", 3, 0)])
@given(st.lists(STEP, min_size=10, max_size=40))
@settings(HISTORY, max_examples=15)
def test_sqlite(steps: list[Step]) -> None:
    """On SQLite."""
    play("sqlite", steps)


@given(st.lists(STEP, min_size=10, max_size=40))
@settings(HISTORY, max_examples=3)
def test_postgres(steps: list[Step]) -> None:
    """On PostgreSQL."""
    play("postgres", steps)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_many(kind: str) -> None:
    """The same, many more and longer."""

    @given(st.lists(STEP, min_size=20, max_size=120))
    @settings(HISTORY, max_examples=60)
    def many(steps: list[Step]) -> None:
        play(kind, steps)

    many()
