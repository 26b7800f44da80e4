"""The one thread that writes: group commit, and failures that hit the guilty only."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import PATIENCE_S, Pump

from chatservice.domain.errors import Code, Refused
from chatservice.logs.writer import BATCH, WAITING, Job, Writer


class Desk:
    """A writer on a database with one table, and a gate that holds its thread."""

    def __init__(self, path: Path) -> None:
        self.pump = Pump()
        self.commits: list[int] = []  # rows at each commit
        self.rollbacks = 0
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE word (it TEXT NOT NULL UNIQUE)")
        self.path = path
        self.writer = Writer(
            connection,
            call_from_thread=self.pump,
            before_commit=self._before_commit,
            rolled_back=self._rolled_back,
            chore=lambda _: False,
        )
        self.gate, self.at_gate = threading.Event(), threading.Event()

    def _before_commit(self, connection: sqlite3.Connection) -> None:
        self.commits.append(connection.execute("SELECT count(*) FROM word").fetchone()[0])

    def _rolled_back(self) -> None:
        self.rollbacks += 1

    def hold(self) -> None:
        """Keep the writer busy until `gate` is set."""

        def wait(_: sqlite3.Connection) -> None:
            self.at_gate.set()
            assert self.gate.wait(PATIENCE_S)

        self.writer.submit(Job(wait))
        assert self.at_gate.wait(PATIENCE_S)

    def words(self) -> list[str]:
        """What another connection sees."""
        with sqlite3.connect(self.path) as other:
            return [word for (word,) in other.execute("SELECT it FROM word ORDER BY rowid")]


def write(word: str | None) -> Callable[[sqlite3.Connection], str]:
    """A job's work; None breaks the table's rule."""

    def run(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO word VALUES (?)", (word,))
        return f"wrote {word}"

    return run


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "words.db")
    yield desk
    desk.gate.set()
    desk.writer.close()


def test_what_waits_is_one_transaction(desk: Desk) -> None:
    """Everything that came while the disk was busy is written by one commit, in order, and then answered."""
    desk.hold()
    promises = [desk.writer.submit(Job(write(str(n)))) for n in range(100)]
    assert not any(promise.done for promise in promises)
    desk.gate.set()
    assert desk.pump.until(promises[-1]) == "wrote 99"
    assert all(promise.done for promise in promises)
    assert desk.commits == [0, 100]
    assert desk.words() == [str(n) for n in range(100)]


def test_a_transaction_has_a_bound(desk: Desk) -> None:
    """Above 512 jobs there are several commits, so that nobody waits for all."""
    desk.hold()
    promises = [desk.writer.submit(Job(write(str(n)))) for n in range(BATCH + 10)]
    desk.gate.set()
    desk.pump.until(promises[-1])
    assert desk.commits == [0, BATCH, BATCH + 10]


def test_told_comes_before_the_answer_in_order(desk: Desk) -> None:
    """Results are told in the order of the jobs, each before its own promise is answered, all in our thread."""
    heard: list[str] = []
    ours = threading.current_thread()

    def note(word: Any) -> None:
        assert threading.current_thread() is ours
        heard.append(word)

    desk.hold()
    promises = []
    for word in ("a", "b"):
        promise = desk.writer.submit(Job(write(word), note))
        promise.then(lambda p: note("answered " + p.result()))
        promises.append(promise)
    desk.gate.set()
    desk.pump.until(promises[-1])
    assert heard == ["wrote a", "answered wrote a", "wrote b", "answered wrote b"]


def test_a_failing_job_fails_alone(desk: Desk) -> None:
    """One job that breaks undoes the transaction; the others are done again one by one, and only it is told."""
    desk.hold()
    told: list[str] = []
    jobs = [desk.writer.submit(Job(write(word), told.append)) for word in ("a", "b", None, "a", "c")]
    desk.gate.set()
    assert desk.pump.until(jobs[-1]) == "wrote c"
    assert [isinstance(job.error, sqlite3.IntegrityError) for job in jobs] == [False, False, True, True, False]
    assert desk.words() == ["a", "b", "c"] and told == ["wrote a", "wrote b", "wrote c"]
    assert desk.rollbacks == 3  # the batch, and each of the guilty


def test_a_refusal_is_an_answer(desk: Desk) -> None:
    """A job that refuses has changed nothing and undoes nothing of the others."""

    def refuse(_: sqlite3.Connection) -> None:
        raise Refused(Code.CID_CONFLICT)

    desk.hold()
    before, refused = desk.writer.submit(Job(write("a"))), desk.writer.submit(Job(refuse))
    after = desk.writer.submit(Job(write("b")))
    desk.gate.set()
    desk.pump.until(after)
    assert before.result() == "wrote a"
    assert isinstance(refused.error, Refused) and refused.error.code is Code.CID_CONFLICT
    assert desk.rollbacks == 0 and desk.commits == [0, 2]


def test_trouble_with_the_disk_may_pass(desk: Desk) -> None:
    """A full or locked disk is answered with busy; the next job finds a writer that works."""

    def full(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(Refused) as refused:
        desk.pump.until(desk.writer.submit(Job(full)))
    assert refused.value.code is Code.BUSY and refused.value.temporary
    assert desk.pump.until(desk.writer.submit(Job(write("a")))) == "wrote a"


def test_too_much_waits(desk: Desk) -> None:
    """Above 5000 waiting jobs a new one is refused at once with busy; those that wait are done."""
    desk.hold()
    promises = [desk.writer.submit(Job(lambda _: None)) for _ in range(WAITING)]
    refused = desk.writer.submit(Job(write("too much")))
    assert isinstance(refused.error, Refused) and refused.error.code is Code.BUSY
    desk.gate.set()
    desk.pump.until(promises[-1])
    assert all(promise.error is None for promise in promises) and desk.words() == []


def test_close_finishes_what_waits(desk: Desk) -> None:
    """Close writes all that was handed over, then refuses; to close again is no error."""
    desk.hold()
    promises = [desk.writer.submit(Job(write(str(n)))) for n in range(10)]
    desk.gate.set()
    desk.writer.close()
    desk.writer.close()
    assert desk.words() == [str(n) for n in range(10)]
    desk.pump.run()
    assert all(promise.done for promise in promises)
    late = desk.writer.submit(Job(write("late")))
    assert isinstance(late.error, Refused) and late.error.code is Code.UNAVAILABLE
