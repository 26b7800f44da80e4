"""What an archive must do behind Redis, on SQLite and on PostgreSQL. Redis itself keeps next to nothing here; the
whole contract of a log holds as well (tests/contract, engine `archived`)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, seqs
from fakes import ANN, BOB, said
from postgres_server import shared_postgres
from redis_ground import ArchivedGround, hand_driven
from stores import Store

from chatservice.domain.commands import Position
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated, Said
from chatservice.domain.ports import LogError
from chatservice.domain.recovery import resolve
from chatservice.logs.archive import Copy
from chatservice.logs.archive_postgres import PostgresEngine
from chatservice.logs.archive_sqlite import SQLiteEngine
from chatservice.logs.archive_store import DatabaseArchive

KINDS = ("sqlite", "postgres")


class ArchiveDesk(Desk):
    """A desk on a Redis with an archive."""

    def __init__(self, kind: str, place: Path) -> None:
        self.kind = kind
        self.path = place / "archive.db"
        self.url = shared_postgres().new_database() if kind == "postgres" else ""
        self.database: Any = PostgresEngine(self.url) if self.url else SQLiteEngine(self.path)
        store = Store("archived", place)
        store.ground = self.ground = ArchivedGround(place, database=self.database)
        store.pump = self.ground.pump
        super().__init__(store)

    @property
    def archive(self) -> DatabaseArchive:
        assert self.ground.archive is not None
        return self.ground.archive

    def talk(self, n: int, word: str = "word", room: str = "lobby") -> None:
        """So much is said and copied that Redis has next to nothing of it."""
        for number in range(n):
            self.say(f"{word} {number}", room=room)
        self.ground.settle()
        self.say("last", room=room)
        self.say("of all", room=room)
        self.ground.settle()
        assert self.in_redis(room) <= 4

    def in_redis(self, room: str = "lobby") -> int:
        """How many entries Redis itself has."""
        (key,) = [key for key in list(self.ground.keys()) if key.endswith(b":l:" + room.encode())] or [b""]
        return int(self.ground.server.ask("LLEN", key)) if key else 0

    def everywhere(self) -> bytes:
        """All bytes that the archive shows to whoever has its file or a login."""
        if self.kind == "sqlite":
            return b"".join(path.read_bytes() for path in self.path.parent.glob("archive.db*"))
        tables = ("room", "entry", "message")
        shown = [shared_postgres().ask(f"SELECT * FROM chatservice.{table}", self.url) for table in tables]
        return repr(shown).encode()

    def tidy(self) -> None:
        """What is done every few seconds."""
        while self.get(self.archive.tidy()):
            pass


@pytest.fixture(params=KINDS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArchiveDesk]:
    """Each kind in turn."""
    desk = ArchiveDesk(request.param, tmp_path)
    yield desk
    desk.store.stop()
    desk.archive.stop()


def test_pages_across_both(desk: ArchiveDesk) -> None:
    """Pages of the log and of messages, both ways and from anywhere, are the same wherever the seam lies."""
    desk.talk(20)
    assert seqs(desk.read(0)) == list(range(1, 23)) and desk.read(0).first == 1
    for since in (0, 5, 17, 18, 19, 20, 21, 22):
        assert seqs(desk.read(since, 4)) == list(range(since + 1, min(since + 4, 22) + 1))
        assert seqs(desk.history(limit=4, after=since)) == list(range(since + 1, min(since + 4, 22) + 1))
        assert desk.history(limit=4, after=since).more == (since + 4 < 22)
    for before in (1, 2, 6, 18, 19, 20, 21, 22, 23, None):
        newest = list(range(1, (before or 23)))
        assert seqs(desk.read_back(before, 5)) == newest[-5:]
        page = desk.history(limit=5, before=before)
        assert (seqs(page), page.more) == (newest[-5:], len(newest) > 5)


def test_an_old_position_is_good(desk: ArchiveDesk) -> None:
    """A client that stands before all that Redis has goes on, as long as the archive has what it missed."""
    desk.talk(20)
    page = desk.read(0, 0)
    assert resolve(Position(page.epoch, 3), page).recovered


TEXTS = {
    "重启服务器": ("重", "启服", "服务器", "重启服务器"),
    "我们重新启动了": ("重新", "新启动"),
    "Restart the server, 数据库错误!": ("restart", "serv", "数据库错误", "the server", "错误"),
    "哈" * 300 + "笑死": ("哈笑", "笑死"),
    "x" * 900 + " long": ("x" * 900, "long"),
}
QUERIES = (
    *dict.fromkeys(word for words in TEXTS.values() for word in words),
    "启重",
    "server restart",
    "务",
    "笑哈",
    "est",
)


def test_words_are_found_exactly(desk: ArchiveDesk) -> None:
    """What is found in the archive is what Redis itself finds: Chinese of one, two and n characters, the
    beginning of the last Latin word, and nothing else; newest first, page by page, no message twice."""
    for text in TEXTS:
        desk.say(text)
    there = {query: desk.texts(query) for query in QUERIES}
    for text, words in TEXTS.items():
        assert all(text in there[word] for word in words)
    assert there["启重"] == there["笑哈"] == there["est"] == []
    desk.talk(6)
    assert {query: desk.texts(query) for query in QUERIES} == there
    desk.say("重 again")
    first = desk.search("重", limit=2)
    second = desk.search("重", before=first.next, limit=2)
    assert [hit.message.seq for hit in (*first.hits, *second.hits)] == [14, 2, 1] and second.next is None


def test_rooms_are_searched_apart(desk: ArchiveDesk) -> None:
    """Only the rooms that were asked for are looked through, the archive's part as well."""
    desk.talk(3, "secret", "one")
    desk.talk(3, "secret", "two")
    assert {hit.room for hit in desk.search("secret", "one").hits} == {"one"}
    assert [hit.room for hit in desk.search("secret", "one", "two").hits] == ["two"] * 3 + ["one"] * 3


def test_old_messages_are_changed(desk: ArchiveDesk) -> None:
    """What only the archive has can be edited, reacted to and deleted, at once seen by everybody, by the same
    rules."""
    desk.talk(10)
    desk.edit(1, "edited once")
    assert desk.message(1).text == "edited once" and desk.message(1).rev == 1
    with pytest.raises(Refused) as refused:
        desk.edit(1, "edited too late", rev=0)
    assert refused.value.code is Code.CONFLICT
    desk.edit(1, "edited twice", rev=1)
    desk.react(2, "👍", BOB)
    desk.react(2, "👍", ANN)
    desk.react(2, "👍", BOB, on=False)
    with pytest.raises(Refused) as refused:
        desk.delete(3, BOB)
    assert refused.value.code is Code.FORBIDDEN
    desk.delete(3, BOB, as_moderator=True)
    for _ in range(2):
        assert desk.message(1).text == "edited twice" and desk.message(1).rev == 2
        assert desk.message(2).reactions["👍"].n == 1
        assert desk.message(3).deleted and desk.message(3).text == ""
        assert desk.texts("once") == []
        desk.ground.settle()  # new words of an old message are found as soon as they were copied
        assert desk.texts("twice") == ["edited twice"]
        desk.talk(10, "other")
    with pytest.raises(Refused) as refused:
        desk.react(3, "👍")
    assert refused.value.code is Code.NO_MESSAGE


def test_deleted_words_are_nowhere(desk: ArchiveDesk) -> None:
    """What is deleted is gone from the archive's pages, log, index, file and journal."""
    desk.say("swordfish one")
    desk.say("swordfish two")
    desk.edit(2, "swordfish three")
    desk.talk(10)
    assert b"swordfish" in desk.everywhere()
    for seq in (1, 2):
        desk.delete(seq)
    assert not any("swordfish" in getattr(entry.body, "text", "") for entry in desk.read(0).entries)
    assert desk.texts("swordfish") == []
    desk.ground.settle()
    desk.tidy()
    assert b"swordfish" not in desk.everywhere()
    assert seqs(desk.read(0)) == list(range(1, 18))


def test_a_lost_tail_is_void(desk: ArchiveDesk) -> None:
    """Redis loses its newest entries, which the archive had already: their numbers stand for others then, and
    nothing of what they said or did is left."""
    desk.say("one")
    desk.say("two")
    desk.react(1, "👍", BOB)
    desk.talk(6)
    backup = desk.ground.copy()
    lost = [desk.say("lost forever").seq, desk.edit(2, "lost edit").seq, desk.react(1, "🎉").seq]
    desk.talk(4, "lost")
    desk.store.stop()
    desk.ground.restore(backup)
    desk.store.start(desk.sink)
    page = desk.read(0)
    assert page.top == lost[0] - 1
    assert [desk.say(f"new {n}").seq for n in range(8)] == list(range(lost[0], lost[0] + 8))
    desk.talk(4, "newer")
    assert seqs(desk.read(0)) == list(range(1, lost[0] + 14))
    assert desk.texts("lost") == [] and b"lost" not in repr(desk.read(0).entries).encode()
    assert desk.message(2).text == "two" and desk.message(2).rev == 0
    assert list(desk.message(1).reactions) == ["👍"]
    assert len(desk.texts("new")) == 12


def test_an_emptied_redis_goes_on(desk: ArchiveDesk) -> None:
    """Redis comes back with nothing: numbers go on where the archive ends, orders hold, old positions are judged,
    and a room that nobody ever used begins at 1."""
    desk.put(Moderated(ANN, "private", value="on"))
    desk.put(Moderated(ANN, "ban", BOB))
    desk.talk(10)
    before = desk.read(0)
    desk.ground.server.ask(
        "EVAL",
        "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end",
        0,
        f"{desk.ground.prefix}:*",
    )
    assert [name for name, _ in desk.ask("room_names", 10, None)] == ["lobby"]
    page = desk.read(0)
    assert page.epoch != before.epoch and page.forks[-1] == (before.epoch, 14)
    assert (page.top, page.first) == (14, 1) and page.rules == before.rules and page.rules.private
    assert page.entries == before.entries
    assert resolve(Position(before.epoch, 14), page).recovered
    assert resolve(Position(before.epoch, 15), page).reason == "truncated"
    assert [desk.say("again").seq, desk.say("and again").seq] == [15, 16]
    assert desk.say("hello", room="new").seq == 1
    desk.talk(5)
    assert seqs(desk.read(0)) == list(range(1, 24)) and len(desk.texts("word")) == 15


def test_nothing_is_trimmed_before_it_is_copied(desk: ArchiveDesk) -> None:
    """While the archive cannot be written Redis grows; nobody notices; and when it can, all is copied and
    trimmed."""
    desk.talk(3)
    with away(desk):
        for number in range(30):
            desk.say(f"meanwhile {number}")
        desk.ground.pump.wait(
            lambda: desk.archive.numbers.away and desk.archive.numbers.lag_entries, "the trouble"
        )
        assert desk.in_redis() >= 30 and desk.archive.numbers.errors
        assert seqs(desk.history(limit=10)) == list(range(26, 36))
    desk.talk(3)
    desk.ground.pump.wait(lambda: not desk.archive.numbers.lag_entries, "the next round")
    assert not desk.archive.numbers.away
    assert seqs(desk.read(0)) == list(range(1, 41)) and len(desk.texts("meanwhile")) == 30


class away:
    """The archive cannot be written for a while."""

    def __init__(self, desk: ArchiveDesk) -> None:
        self._desk = desk
        self._lock = -1

    def __enter__(self) -> None:
        desk = self._desk
        if desk.kind == "postgres":
            shared_postgres().stop()
            return
        desk.archive.release()
        desk.ground.pump.wait(self._taken, "the lock")

    def _taken(self) -> bool:
        self._lock = os.open(f"{self._desk.path}-writer", os.O_RDWR)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._desk.archive.release()
            return False
        return True

    def __exit__(self, *_: object) -> None:
        if self._desk.kind == "postgres":
            shared_postgres().start()
        else:
            os.close(self._lock)


def test_no_room_begins_while_nobody_knows(tmp_path: Path) -> None:
    """Redis is empty and the archive cannot be asked: rooms are shown as empty, and nothing begins to count at 1;
    when it is back they go on."""
    desk = ArchiveDesk("postgres", tmp_path)
    desk.talk(4)
    for key in list(desk.ground.keys()):
        desk.ground.server.ask("DEL", key)
    with away(desk):
        assert desk.read(0).top == 0 and desk.history().messages == ()
        with pytest.raises(Refused) as refused:
            desk.say("too early")
        assert refused.value.code is Code.UNAVAILABLE
    assert desk.say("now").seq == 7
    assert seqs(desk.read(0)) == [1, 2, 3, 4, 5, 6, 7]
    desk.store.stop()
    desk.archive.stop()


def test_a_new_room_keeps_the_order(desk: ArchiveDesk) -> None:
    """What is said at once in a room that nobody knows is there in the order in which it was said, though the
    archive is asked first; also when Redis is emptied in the middle of it."""
    desk.talk(3)
    for room in ("fresh", "lobby"):
        for key in list(desk.ground.keys()):
            desk.ground.server.ask("DEL", key)
        before = desk.read(room=room).top
        promises = []
        for number in range(60):
            promises.append(desk.append(said(f"{number}"), room))
            if number % 3 == 0:
                desk.ground.pump.run()
        answers = [desk.get(promise).seq for promise in promises]
        assert answers == list(range(before + 1, before + 61))


def test_who_was_stopped_changes_nothing(desk: ArchiveDesk) -> None:
    """A copier that goes on after another has taken its place writes nothing: it expects the archive elsewhere."""
    desk.talk(3)
    (standing,) = desk.get(desk.archive.standings(["lobby"])).values()
    late = Copy("lobby", Position(standing.epoch, 2), standing.epoch, (), 1, "", [(3, b"1 e 1 {}")])
    assert desk.get(desk.archive.store([late])) == {}
    assert desk.get(desk.archive.store([Copy("lobby", None, "e", (), 1, "", [])])) == {}
    assert seqs(desk.read(0)) == [1, 2, 3, 4, 5]


def test_what_expires(desk: ArchiveDesk) -> None:
    """What is older than a room keeps it goes from the archive as well, and those who have it open are told."""
    desk.store.engine.bus.follow("lobby")  # type: ignore[attr-defined]
    desk.put(Moderated(ANN, "expires", value="3600"))
    desk.talk(6, "old")
    desk.clock.now += 7200
    desk.talk(3, "young")
    desk.store.engine._engine._copying._chores_at = -1e9  # type: ignore[attr-defined] # it is time
    desk.ground.pump.wait(lambda: desk.sink.firsts, "the telling")
    assert desk.sink.firsts[-1] == ("lobby", 10)
    assert desk.texts("old") == [] and len(desk.texts("young")) == 3
    page = desk.read(0)
    assert (page.first, seqs(page)) == (10, [10, 11, 12, 13, 14])
    desk.tidy()
    assert b"old" not in desk.everywhere()


def test_rooms_from_before(desk: ArchiveDesk) -> None:
    """A chat that gets an archive later has in it what Redis still had then, also of rooms where nobody talks."""
    desk.store.stop()
    desk.ground.server.ask("DEL", f"{desk.ground.prefix}:archive")
    plain = Store("redis", Path())
    plain.ground.prefix = desk.ground.prefix  # type: ignore[attr-defined]
    before = Desk(plain)
    for number in range(5):
        before.say(f"quiet {number}", room="quiet")
    plain.stop()
    desk.store.start(desk.sink)
    desk.say("hello")
    desk.ground.settle()
    assert set(desk.get(desk.archive.standings(["quiet", "lobby"]))) == {"quiet", "lobby"}


def test_one_archive_for_all(desk: ArchiveDesk, tmp_path: Path) -> None:
    """A worker with another archive, or with none, would throw away what is not copied: it is refused."""
    desk.talk(3)
    for database in (SQLiteEngine(tmp_path / "other.db"), None):
        ground = ArchivedGround(tmp_path, database=database)
        ground.prefix = desk.ground.prefix
        archive = (
            None
            if database is None
            else DatabaseArchive(database, hand_driven().callFromThread, hand_driven().callLater)
        )
        engine = super(ArchivedGround, ground).open(ground.pump, desk.clock, desk.store.ids, True, archive=archive)
        with pytest.raises(LogError, match="--archive"):
            engine.start(desk.sink)
        if archive is not None:
            archive.stop()


def test_numbers_are_counted(desk: ArchiveDesk) -> None:
    """What was copied is counted, and nothing waits then."""
    desk.talk(5)
    numbers = desk.archive.numbers
    desk.ground.pump.wait(lambda: not numbers.lag_entries, "the next round")
    assert (numbers.copied, numbers.lag_entries, numbers.errors, numbers.away) == (7, 0, 0, "")


def test_every_kind_of_text(desk: ArchiveDesk) -> None:
    """Controls, planes of Unicode and SQL stay what they are."""
    texts = ["'; DROP TABLE room; --", "a\x00b", "\\x41 %s ?", "𠀀 👩‍👩‍👧", "tab\tnew\nline"]
    for text in texts:
        desk.put(said(text))
    desk.talk(5)
    assert [entry.body.text for entry in desk.read(0, 5).entries if isinstance(entry.body, Said)] == texts
    assert desk.texts("drop table room") == [texts[0]] and desk.texts("𠀀") == [texts[3]]
