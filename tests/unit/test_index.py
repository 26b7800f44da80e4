"""The index of words may be behind, but whoever looks finds exactly what stands in the messages."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes import ANN
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.domain.events import Body, Deleted, Edited, Said
from chatservice.logs import messages
from chatservice.logs.chores import trim
from chatservice.logs.codec import encode
from chatservice.logs.index import MANY, Index
from chatservice.logs.migrations import steps
from chatservice.logs.search import indexed, question
from chatservice.logs.sqlite import open_database

WORDS = ("tea", "milk", "上海", "café")


class Shelf:
    """One room's messages in a database, and the index beside them."""

    def __init__(self, path: Path) -> None:
        self.connection = open_database(path)
        self.index = Index()
        self.seq = 0
        self.texts: dict[int, str] = {}
        self.connection.execute(
            "INSERT INTO room (id, name, epoch, top, ts, opened_by) VALUES (1, 'a', 'e', 0, 0, 'x')"
        )

    def append(self, body: Body) -> None:
        """As the writer does it, in a transaction of its own."""
        self.seq += 1
        self.connection.execute("BEGIN IMMEDIATE")
        kept = messages.keep(self.connection, 1, self.seq, self.seq, body, False)
        assert kept is not None
        self.connection.execute(
            "INSERT INTO entry (room, seq, epoch, ts, user_id, body, ref) VALUES (1, ?, 'e', ?, ?, ?, ?)",
            (self.seq, self.seq, ANN.id, encode(kept), getattr(kept, "ref", None)),
        )
        self.connection.execute("UPDATE room SET top = ? WHERE id = 1", (self.seq,))
        if isinstance(body, Said):
            self.index.added()
        self.index.keep_up(self.connection)
        self.connection.execute("COMMIT")

    def say(self, text: str) -> None:
        self.append(Said(ANN, text))
        self.texts[self.seq] = text

    def catch_up(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.index.catch_up(self.connection)
        self.connection.execute("COMMIT")

    def prune(self, before: int) -> None:
        trim(self.connection, 1, before)
        kept = {seq for (seq,) in self.connection.execute("SELECT seq FROM message")}
        self.texts = {seq: text for seq, text in self.texts.items() if seq in kept}

    def found(self, word: str) -> set[int]:
        rows = self.connection.execute(
            "SELECT seq FROM found JOIN message ON message.id = found.rowid WHERE found MATCH ?",
            (question(word, [1]),),
        )
        return {seq for (seq,) in rows}

    def rev(self, seq: int) -> int:
        return int(self.connection.execute("SELECT rev FROM message WHERE seq = ?", (seq,)).fetchone()[0])

    def indexed_rows(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM found").fetchone()[0])

    def expected(self, word: str) -> set[int]:
        return {seq for seq, text in self.texts.items() if word in text}


@contextmanager
def shelf() -> Iterator[Shelf]:
    with tempfile.TemporaryDirectory() as directory:
        one = Shelf(Path(directory) / "chat.db")
        yield one
        one.connection.close()


def test_a_message_alone_is_not_indexed_at_once() -> None:
    """One commit does not touch the index; the next look does."""
    with shelf() as one:
        one.index.waiting = 0
        one.say("tea")
        assert one.index.waiting == 1 and one.found("tea") == set()
        one.catch_up()
        assert one.index.waiting == 0 and one.found("tea") == {1}


def test_not_too_many_wait() -> None:
    """After so many messages the commit of the last one indexes them all."""
    with shelf() as one:
        one.index.waiting = 0
        for _ in range(MANY - 1):
            one.say("tea")
        assert one.found("tea") == set()
        one.say("tea")
        assert len(one.found("tea")) == MANY and one.index.waiting == 0


def test_what_waited_at_the_end_is_indexed_by_the_next_start() -> None:
    """A process that ends with messages waiting leaves them to the next one, which looks at its first chance."""
    with shelf() as one:
        one.index.waiting = 0
        one.say("tea")
        one.index = Index()
        assert one.index.waiting
        one.catch_up()
        assert one.found("tea") == {1}


def test_a_transaction_that_came_to_nothing() -> None:
    """Indexing that is rolled back is done again."""
    with shelf() as one:
        one.index.waiting = 0
        one.say("tea")
        one.connection.execute("BEGIN IMMEDIATE")
        one.index.catch_up(one.connection)
        one.connection.execute("ROLLBACK")
        one.index.forget()
        assert one.index.waiting
        one.say("milk")
        assert (one.found("tea"), one.found("milk")) == ({1}, {2})


def test_a_look_through_the_writers_queue() -> None:
    """Whoever looks in the writer's turn has all indexed that was committed before, and nothing is done twice."""
    with shelf() as one:
        one.index.waiting = 0
        one.say("tea")
        for _ in range(2):
            one.connection.execute("BEGIN IMMEDIATE")
            one.index.look(one.connection)
            one.connection.execute("COMMIT")
            assert one.found("tea") == {1} and one.indexed_rows() == 1


def test_an_id_that_is_given_again() -> None:
    """When the newest message is pruned, the next one gets its id, and is indexed all the same."""
    with shelf() as one:
        one.say("tea")
        one.catch_up()
        one.append(Said(ANN, "milk"))
        one.append(Deleted(ANN, 2))
        one.prune(10)
        assert one.connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
        one.say("tea")
        one.catch_up()
        assert one.found("tea") == one.expected("tea") == {4}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)),
        st.tuples(st.just("edit"), st.integers(1, 12), st.sampled_from(WORDS)),
        st.tuples(st.just("delete"), st.integers(1, 12)),
        st.tuples(st.just("prune"), st.integers(1, 12)),
        st.tuples(st.sampled_from(["look", "restart"])),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_any_order_of_things(steps: list[tuple[str, ...]]) -> None:
    """Whatever is said, edited, deleted and pruned before or after it was indexed, a look finds what stands there,
    and the index holds nothing of what does not."""
    with shelf() as one:
        one.index.waiting = 0
        for step, *rest in steps:
            if step == "say":
                one.say(rest[0])
            elif step in ("edit", "delete") and int(rest[0]) in one.texts:
                ref = int(rest[0])
                one.append(Edited(ANN, ref, rest[1], one.rev(ref)) if step == "edit" else Deleted(ANN, ref))
                if step == "edit":
                    one.texts[ref] = rest[1]
                else:
                    del one.texts[ref]
            elif step == "prune":
                one.prune(int(rest[0]))
            elif step == "restart":
                one.index = Index()
            elif step == "look":
                one.catch_up()
                assert {word: one.found(word) for word in WORDS} == {word: one.expected(word) for word in WORDS}
        one.catch_up()
        assert {word: one.found(word) for word in WORDS} == {word: one.expected(word) for word in WORDS}
        with_words = one.connection.execute("SELECT count(*) FROM message WHERE deleted = 0").fetchone()[0]
        assert one.indexed_rows() == with_words


def test_the_step_from_an_older_database(tmp_path: Path) -> None:
    """A database from before counts as indexed: that step of the schema reads nothing again."""
    before = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    before.create_function("chat_spaced", 2, indexed, deterministic=True)
    for number, sql in steps()[:2]:
        before.executescript(f"{sql}\nPRAGMA user_version = {number};")
    before.execute("INSERT INTO room (id, name, epoch, top, ts, opened_by) VALUES (1, 'a', 'e', 1, 1, 'x')")
    before.execute("INSERT INTO message (room, seq, ts, user_id, nick, text) VALUES (1, 1, 1, 'u', 'u', 'tea')")
    before.execute("INSERT INTO found (rowid, body) VALUES (1, ?)", (indexed(1, "tea"),))
    before.close()
    again = open_database(tmp_path / "chat.db")
    assert again.execute("SELECT upto FROM indexed").fetchone() == (1,)
    Index().catch_up(again)
    assert again.execute("SELECT count(*) FROM found WHERE found MATCH 'tea'").fetchone() == (1,)
    again.close()
