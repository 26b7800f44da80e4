"""What was deleted is gone from every table, from the bytes of the file and its write-ahead log, from backups."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from desk import Desk
from fakes import ANN, BOB
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import Store

from chatservice.domain.events import Deleted, Edited, Moderated, Said
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise
from chatservice.logs import chores, writer

MOST_S = 60.0
"""Within so many seconds the words must be gone (docs/wire: "a minute later")."""

SECRETS = ("xylophonic", "Gänsefüßchen", "石榴树下的秘密", "zzyzx-3141592653")


def words_in(place: Path) -> list[str]:
    """Which secrets the files still hold, as bytes, and as characters of the index."""
    found = []
    for path in sorted(place.iterdir()):
        data = path.read_bytes()
        for secret in SECRETS:
            # The index holds words in small letters without accents, Chinese character by character.
            forms = {
                secret,
                secret.lower(),
                "gansefußchen" if secret.startswith("G") else secret,
                secret[:5].lower(),
            }
            found += [f"{form} in {path.name}" for form in forms if form.encode() in data]
    return found


def tables(path: Path) -> str:
    """All that a reader of the database can see, as one text."""
    with sqlite3.connect(path) as connection:
        dump = "\n".join(connection.iterdump())
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            dump += repr(connection.execute(f'SELECT * FROM "{name}"').fetchall())
    connection.close()
    return dump


def wait_until_gone(place: Path) -> None:
    """The words leave the files by themselves, while the log is open."""
    end = time.monotonic() + MOST_S
    while left := words_in(place):
        assert time.monotonic() < end, left
        time.sleep(0.1)


def check_gone(desk: Desk, place: Path) -> None:
    """Nothing is left, neither in the open database nor in a backup of it."""
    path = place / "chat.db"
    wait_until_gone(place)
    seen = tables(path)
    assert not [secret for secret in SECRETS if secret in seen]
    with tempfile.TemporaryDirectory() as elsewhere:
        with sqlite3.connect(path) as connection:
            connection.execute("VACUUM INTO ?", (str(Path(elsewhere, "backup.db")),))
        connection.close()
        assert words_in(Path(elsewhere)) == []
    for secret in SECRETS:
        assert desk.texts(secret) == desk.texts(secret[:3]) == []


def test_deleted_and_edited_words_are_nowhere(tmp_path: Path) -> None:
    """Of many messages, some said and some edited, the deleted ones leave no trace; the others stay."""
    desk = Desk(Store("sqlite", tmp_path))
    for again in (1, 2):  # the second time the index has been merged before
        refs = []
        for n in range(200):
            desk.append(Said(BOB, f"plain words number {n}"))
            if n % 10 == 0:
                secret = SECRETS[n // 10 % 4]
                refs.append(desk.put(Said(ANN, f"{n} it is {secret}", meta={"note": secret})).seq)
                desk.put(Edited(ANN, refs[-1], f"no, {secret} {n}", 0))
                desk.put(Edited(ANN, refs[-1], f"harmless {n}", 1))
        assert words_in(tmp_path) != []
        for ref in refs:
            desk.append(Deleted(ANN, ref))
        desk.store.settle()
        check_gone(desk, tmp_path)
        assert len(desk.texts("plain")) == 50 and desk.read().top == 280 * again
    desk.store.stop()
    assert words_in(tmp_path) == []


def test_a_reader_in_the_way(tmp_path: Path) -> None:
    """While somebody reads the old state the words cannot go, but talk goes on; they go when that is over."""
    desk = Desk(Store("sqlite", tmp_path))
    desk.put(Said(ANN, SECRETS[0]))
    reader = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM entry").fetchone() == (1,)
    desk.delete(1)
    slowest = 0.0
    end = time.monotonic() + 4.0
    while time.monotonic() < end:
        begun = time.monotonic()
        desk.say("talk goes on")
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.05)
    assert slowest < 2.0, f"a message took {slowest:.1f} s"
    assert words_in(tmp_path) != []
    reader.execute("COMMIT")
    reader.close()
    check_gone(desk, tmp_path)
    desk.store.stop()


def test_a_stop_right_after(tmp_path: Path) -> None:
    """If the process ends before its housekeeping is done, the next one does the rest."""
    desk = Desk(Store("sqlite", tmp_path))
    desk.put(Said(ANN, f"{SECRETS[0]} {SECRETS[2]}"))
    desk.append(Deleted(ANN, 1))
    desk.reopen()
    check_gone(desk, tmp_path)
    desk.store.stop()


@settings(deadline=None, database=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.sampled_from(("say", "edit", "delete")), st.integers(0, 30), st.text(max_size=40)),
        max_size=60,
    )
)
def test_any_history(doings: list[tuple[str, int, str]]) -> None:
    """Whatever was said, edited and deleted in whatever order: in the end the secrets are deleted and gone."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(writer, "CHORE_EVERY_S", 0.02):
        place = Path(name)
        desk = Desk(Store("sqlite", place))
        revisions: dict[int, int] = {}
        for kind, pick, text in [*doings, ("say", 0, "")]:
            secret = SECRETS[pick % 4]
            refs = sorted(revisions)
            if kind == "say" or not refs:
                revisions[desk.put(Said(ANN, f"{text} {secret}")).seq] = 0
            elif kind == "edit":
                ref = refs[pick % len(refs)]
                desk.put(Edited(ANN, ref, f"{secret}{text}", revisions[ref]))
                revisions[ref] += 1
            else:
                desk.delete(refs[pick % len(refs)])
                del revisions[refs[pick % len(refs)]]
        for ref in revisions:
            desk.append(Deleted(ANN, ref))
        desk.store.settle()
        check_gone(desk, place)
        desk.store.stop()


# --- what comes in the middle of it ---


def chatter(n: int) -> str:
    """A text of words that no other has, so that the index grows."""
    return " ".join(str((n + 1) * prime) for prime in (7919, 104729, 1299709, 15485863, 179424673, 2038074743))


class Housekeeper:
    """A desk whose writer does its chores when the test says so, step by step."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(writer, "CHORE_EVERY_S", 3600.0)
        self.place = place
        self.desk = Desk(Store("sqlite", place))

    def step(self) -> bool:
        """One step, in the writer's thread between two transactions. True if there is more to do."""
        log = self.desk.store.engine

        def step(connection: sqlite3.Connection) -> bool:
            connection.execute("COMMIT")  # the writer's own; a chore makes its own
            more = log._chores.step(connection)
            connection.execute("BEGIN IMMEDIATE")
            return more

        more: bool = self.desk.get(log._do(step))
        return more

    def finish(self) -> int:
        """All steps there are; how many."""
        steps = 1
        while self.step():
            steps += 1
            assert steps < 1000, "it never ends"
        return steps

    def pending(self) -> list[str]:
        """What is noted for after a crash."""
        return [str(name) for (name,) in self._rows("SELECT name FROM chore")]

    def _rows(self, question: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.place / "chat.db") as connection:
            rows = connection.execute(question).fetchall()
        connection.close()
        return rows


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Housekeeper]:
    keeper = Housekeeper(tmp_path, monkeypatch)
    yield keeper
    keeper.desk.store.stop()


def test_expired_words(keeper: Housekeeper) -> None:
    """What has expired leaves the files like what was deleted: tables, index and write-ahead log."""
    desk = keeper.desk
    for n in range(20):
        ref = desk.put(Said(ANN, f"{SECRETS[n % 4]} {n}", meta={"note": SECRETS[n % 4]})).seq
        desk.put(Edited(ANN, ref, f"{SECRETS[n % 3]} edited", 0))
    desk.put(Moderated(ANN, "expires", value="60"))
    desk.clock.now += chores.PRUNE_EVERY_S + 100
    desk.say("something new")
    assert len(words_in(keeper.place)) > 4
    keeper.finish()
    assert words_in(keeper.place) == [] and keeper.pending() == []
    assert desk.texts("new") == ["something new"] and desk.read().first == 42


@pytest.mark.parametrize("pages", [1, 64])
def test_a_deletion_while_the_index_is_merged(
    keeper: Housekeeper, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    """What is deleted in the middle of the work, after any of its steps, is gone at its end as well."""
    monkeypatch.setattr(chores, "STEP_PAGES", pages)
    desk, at = keeper.desk, 0
    for n in range(300):
        desk.append(Said(BOB, chatter(n)))
    refs = [desk.put(Said(ANN, f"{SECRETS[n % 4]} {n}")).seq for n in range(12)]
    desk.delete(refs.pop())
    more = True
    while refs or more:
        more = keeper.step()
        at += 1
        if refs:
            desk.delete(refs.pop())
        assert at < 2000, "it never ends"
    keeper.finish()
    assert words_in(keeper.place) == [] and keeper.pending() == []


def test_an_end_in_the_middle_of_the_work(keeper: Housekeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process ends after any step of it, the next process does all that is left."""
    monkeypatch.setattr(chores, "STEP_PAGES", 1)
    desk = keeper.desk
    for round in range(4):
        for n in range(1000):
            desk.append(Said(BOB, chatter(n)))
        desk.delete(desk.put(Said(ANN, SECRETS[round])).seq)
        for _ in range(round + 1):
            assert keeper.step()
        assert keeper.pending() == ["purging"]
        desk.reopen()
        assert keeper.pending() == ["purging"]
        keeper.finish()
        assert words_in(keeper.place) == [] and keeper.pending() == []


def test_talk_that_never_stops(keeper: Housekeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though more is said, deleted and indexed between any two steps, an end comes to the work on what was deleted
    before."""
    monkeypatch.setattr(chores, "STEP_PAGES", 2)
    desk = keeper.desk
    for n in range(2000):
        desk.append(Said(BOB, chatter(n)))
    desk.delete(desk.put(Said(ANN, " ".join(SECRETS))).seq)
    steps = 0
    while words_in(keeper.place):
        for _ in range(6):  # each a segment of its own
            desk.say(f"talk goes on {steps}")
        desk.delete(desk.say("never mind").seq)
        keeper.step()
        steps += 1
        assert steps < 200, "it never ends"
    assert steps > 1  # the index was big enough for more than one


def test_chores_while_nobody_rests(tmp_path: Path) -> None:
    """Erased words are gone in time though the writer never has a moment without messages."""
    desk = Desk(Store("sqlite", tmp_path))
    for n in range(4000):
        desk.append(Said(BOB, chatter(n)))
    desk.delete(desk.put(Said(ANN, " ".join(SECRETS))).seq)
    waiting: deque[Promise[Appended]] = deque()
    end = time.monotonic() + MOST_S
    while words_in(tmp_path):
        assert time.monotonic() < end, words_in(tmp_path)
        while len(waiting) < 200:  # always some on their way
            waiting.append(desk.append(Said(BOB, f"talk goes on {len(waiting)}")))
        desk.get(waiting.popleft())
    desk.store.stop()
