"""C60. From SQLite to an empty Redis: everything is as it was, and positions stay good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, seqs
from fakes import ANN, BOB, said
from postgres_server import shared_postgres
from redis_ground import ArchivedGround, RedisGround
from stores import Store

from chatservice.domain.accounts import Account
from chatservice.domain.commands import Position
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated
from chatservice.domain.ports import LogError
from chatservice.domain.recovery import resolve
from chatservice.logs.archive_postgres import PostgresEngine
from chatservice.logs.archive_sqlite import SQLiteEngine
from chatservice.logs.archive_store import Database
from chatservice.logs.moving import Moved, move

KEY = b"k" * 32
ENOUGH = 1000


class Moving:
    """An old chat, and where it goes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.old = Desk(Store("sqlite", place))
        self.target = RedisGround(place)
        self._ends: list[Callable[[], object]] = []

    def talk(self) -> None:
        """A little of everything."""
        desk = self.old
        desk.ask("add_account", Account("u_acc", "Acc", "user", "$argon2id$x", 3, 5))
        desk.put(Moderated(ANN, "topic", value="tea"))
        for n in range(20):
            desk.say(f"word {n}", cid=f"c{n}")
        desk.edit(2, "edited 重启")
        desk.react(3, "👍", BOB)
        desk.delete(4)
        desk.say("there", room="quiet")
        desk.say("psst", room="dm:u_ann:u_bob")
        desk.ask("raise_mark", ANN.id, "lobby", 7)
        desk.ask("keep_session", b"d" * 32, BOB, int((desk.clock() + 10**9) * 1000))

    def go(self, database: Database | None = None, keep: int = ENOUGH) -> Moved:
        """Move it; nobody has it open."""
        self.old.store.stop()
        path = self.place / "chat.db"
        return move(path, self.target.server.address, KEY, database, keep=keep, prefix=self.target.prefix)

    def arrive(self, database: Database | None = None) -> Desk:
        """A worker on the new place."""
        store = Store("redis", self.place)
        store.clock.now = self.old.clock.now
        store.ground = self.target
        if database is not None:
            store.ground = ArchivedGround(self.place, database=database)
            store.ground.prefix = self.target.prefix
        store.pump = store.ground.pump  # type: ignore[attr-defined]
        desk = Desk(store)
        self._ends.append(store.stop)
        archive = getattr(store.ground, "archive", None)
        if archive is not None:
            self._ends.append(archive.stop)
        return desk

    def close(self) -> None:
        for end in self._ends:
            end()


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Moving]:
    """One that has not begun."""
    moving = Moving(tmp_path)
    yield moving
    moving.close()


def databases(kind: str, place: Path) -> Database | None:
    if kind == "none":
        return None
    return (
        SQLiteEngine(place / "archive.db")
        if kind == "sqlite"
        else PostgresEngine(shared_postgres().new_database())
    )


@pytest.mark.parametrize(("kind", "keep"), [("none", ENOUGH), ("sqlite", 5), ("postgres", 5)])
def test_everything_is_there(moving: Moving, kind: str, keep: int) -> None:
    """Entries, messages as they stand, rules, search, marks, sessions, accounts, cids, also what Redis does not
    keep."""
    moving.talk()
    before, past, found = moving.old.read(), moving.old.history(BOB), moving.old.texts("word")
    database = databases(kind, moving.place)
    moved = moving.go(database, keep)
    assert (moved.rooms, moved.entries, moved.accounts, moved.left) == (3, 26, 1, 0)
    desk = moving.arrive(database)
    page = desk.read()
    assert page.entries == before.entries and (page.top, page.first) == (before.top, 1)
    assert page.rules == before.rules and page.rules.topic == "tea"
    assert desk.history(BOB).messages == past.messages
    assert desk.texts("word") == found and desk.texts("启") == ["edited 重启"]
    assert {name for name, _ in desk.ask("room_names", 10, None)} == {"lobby", "quiet"}
    assert desk.ask("marks", ANN.id) == {"lobby": 7}
    assert desk.ask("session", b"d" * 32, 1) == BOB
    assert [account.name for account in desk.sink.accounts] == ["Acc"]
    assert desk.ask("change_account", "u_acc", role="owner").role == "owner"
    assert desk.edit(2, "edited again", rev=1).seq == desk.react(3, "👍").seq - 1 == before.top + 1
    assert desk.message(3).reactions["👍"].n == 2 and desk.message(2).text == "edited again"
    assert seqs(desk.read(before.top)) == [before.top + 1, before.top + 2]


def test_positions_stay_good(moving: Moving) -> None:
    """A client of the old chat resumes on the new one as if nothing had happened."""
    moving.talk()
    before = moving.old.read()
    moving.old.reopen()
    again = moving.old.read()
    moving.go()
    page = moving.arrive().read()
    for epoch in (before.epoch, again.epoch):
        for seq in (3, before.top):
            assert resolve(Position(epoch, seq), page).recovered
        assert resolve(Position(epoch, before.top + 1), page).reason == "truncated"


def test_a_repeat_is_still_one(moving: Moving) -> None:
    """What was said just before the move and is said again after it is there once."""
    moving.talk()
    moving.old.clock.now = time.time()
    first = moving.old.put(said("said twice", cid="again"))
    moving.go()
    again = moving.arrive().put(said("said twice", cid="again"))
    assert (again.seq, again.duplicate) == (first.seq, True)


def test_what_does_not_fit_is_said(moving: Moving) -> None:
    """Without an archive only the newest go along, and how many do not is known."""
    moving.talk()
    moved = moving.go(keep=5)
    assert moved.left == 19
    desk = moving.arrive()
    assert seqs(desk.read()) == [20, 21, 22, 23, 24]
    with pytest.raises(Refused) as refused:
        desk.edit(2, "too old", rev=1)
    assert refused.value.code is Code.NO_MESSAGE


def test_only_into_an_empty_one(moving: Moving) -> None:
    """A Redis or an archive that has anything in it is refused and left as it is."""
    moving.talk()
    database = SQLiteEngine(moving.place / "archive.db")
    moving.go(database)
    for target in (moving.target, RedisGround(moving.place)):
        keys = sorted(target.keys())
        with pytest.raises(LogError, match="empty"):
            move(moving.place / "chat.db", target.server.address, KEY, database, keep=ENOUGH, prefix=target.prefix)
        assert sorted(target.keys()) == keys
