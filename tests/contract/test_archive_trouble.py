"""An archive when something goes wrong: bad rooms, slow searches, processes that are killed, lost rooms."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fakes import ANN, BOB, said
from postgres_server import shared_postgres
from test_archive import KINDS, ArchiveDesk, away

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated
from chatservice.domain.ports import Unread
from chatservice.domain.promise import Promise, start
from chatservice.logs.archive import Copy
from chatservice.logs.archive_copying import Copying
from chatservice.logs.archive_store import READERS
from chatservice.logs.codec import encode

DEADLINE_S = 5.0


def opened(kind: str, place: Path) -> Iterator[ArchiveDesk]:
    """A desk until the test is over."""
    desk = ArchiveDesk(kind, place)
    yield desk
    desk.store.stop()
    desk.archive.stop()


@pytest.fixture(params=KINDS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArchiveDesk]:
    """Each kind in turn."""
    yield from opened(request.param, tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[ArchiveDesk]:
    """For what is the same in both kinds."""
    yield from opened("sqlite", tmp_path)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[ArchiveDesk]:
    """For what only PostgreSQL has."""
    yield from opened("postgres", tmp_path)


def copying_of(desk: ArchiveDesk) -> Copying:
    """The archiver, between two rounds, with nothing to be done by itself any more."""
    copying: Copying = desk.ground.engine._copying
    copying.stop()
    desk.ground.pump.wait(lambda: copying._round is None or copying._round.done, "the end of the round")
    return copying


def copy_of(room: str, *numbers: int) -> Copy:
    """A room that the archive does not know, with these entries."""
    return Copy(room, None, "e", (), 1, "", [(n, b"1 e %d %s" % (n, encode(said(f"{n}")))) for n in numbers])


def waits(desk: ArchiveDesk, sql: str) -> Callable[[], bool]:
    """Whether such a statement waits for a lock."""
    asked = f"SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{sql}%'"
    return lambda: bool(shared_postgres().ask(asked, desk.url))


# --- rooms that cannot be stored, or are not there ---


def test_a_room_that_cannot_be_stored_is_left_out(desk: ArchiveDesk) -> None:
    """One room that the database does not take does not keep the others from being copied, and the archive is not
    away for it."""
    copying = copying_of(desk)
    copies = [copy_of("one", 1, 2), copy_of("bad", 1, 1), copy_of("two", 1)]
    assert set(desk.get(start(copying._store(copies)))) == {"one", "two"}
    assert copying._strangers == {"bad"} and desk.archive.numbers.away == ""


def test_two_workers_begin_a_room(postgres: ArchiveDesk) -> None:
    """Who comes second with a room that is new to the archive writes nothing, and does not give the room up."""
    copying = copying_of(postgres)
    with psycopg.connect(postgres.url) as other:
        columns = "(name, epoch, top, first, ts, forks, rules)"
        other.execute(f"INSERT INTO chatservice.room {columns} VALUES ('new', 'e', 0, 1, 0, '', '')")
        stored = start(copying._store([copy_of("new", 1)]))
        postgres.ground.pump.wait(waits(postgres, "INSERT INTO room"), "the second one")
        other.commit()
    assert postgres.get(stored) == {} and not copying._strangers and not postgres.archive.numbers.errors


def test_a_name_without_a_room(plain: ArchiveDesk) -> None:
    """A room of which only the name is left, among those to be copied, gets half a head neither here nor there."""
    plain.say("hello")
    plain.ground.settle()
    keys = plain.ground.engine._keys.room("gone")
    plain.ground.server.ask("SADD", keys.unarchived, "gone")
    plain.ground.settle()
    assert not plain.ground.server.ask("EXISTS", keys.head)
    assert plain.get(plain.archive.standings(["gone"])) == {}


def test_a_lost_room_expires_again(plain: ArchiveDesk) -> None:
    """A room that the archive puts back into an empty Redis is pruned there as before; others are not."""
    plain.put(Moderated(ANN, "expires", value="3600"))
    plain.talk(3)
    plain.talk(3, room="for ever")
    for key in list(plain.ground.keys()):
        plain.ground.server.ask("DEL", key)
    for room in ("lobby", "for ever"):
        assert plain.say("again", room=room).seq > 5
    assert plain.get(plain.ground.engine._asking.run("expiring", (), plain.ground.engine._keys.prefix, 256)) == [
        b"lobby"
    ]


def test_a_sweep_is_quick_and_keeps_its_lease(plain: ArchiveDesk) -> None:
    """Rooms are noted many at once; the lease is renewed, and without it the sweep is not taken for done."""
    for number in range(30):
        plain.say("hello", room=f"room{number}")
    plain.ground.settle()
    copying, keys = copying_of(plain), plain.ground.engine._keys
    asking: Any = copying._asking
    call, run, under_way, most, leases = asking.call, asking.run, 0, 0, 0

    def ended(_: object) -> None:
        nonlocal under_way
        under_way -= 1

    def counted(*words: Any) -> Promise[Any]:
        nonlocal under_way, most
        promise: Promise[Any] = call(*words)
        if words[0] == b"SADD":
            under_way += 1
            most = max(most, under_way)
            promise.then(ended)
        return promise

    def ran(name: str, *more: Any) -> Promise[Any]:
        nonlocal leases
        leases += name == "lease"
        promise: Promise[Any] = run(name, *more)
        return promise

    asking.call, asking.run = counted, ran
    for holder, is_ours in (("another", False), (copying._node, True)):
        copying._swept = False
        plain.ground.server.ask("DEL", keys.swept)
        plain.ground.server.ask("SET", keys.lease("archive"), holder)
        assert plain.get(start(copying._sweep())) is is_ours is copying._swept
        assert bool(plain.ground.server.ask("EXISTS", keys.swept)) is is_ours
    assert most > 10 and leases >= 2


def test_own_messages_are_not_unread(plain: ArchiveDesk) -> None:
    """However much somebody has said itself, what others said is counted up to the limit."""
    for number in range(12):
        plain.say(f"{number}", ANN if number % 4 else BOB)
    plain.talk(3)
    archived = plain.ground.engine._archived
    assert plain.get(start(archived.unread("lobby", ANN.id, 0, 13, 3))) == Unread(3, 0)
    assert plain.get(start(archived.unread("lobby", ANN.id, 1, 13, 3))) == Unread(2, 0)


# --- searching ---


@pytest.mark.parametrize("word", ["Μαΐου", "İstanbul", "ǰ"])
def test_letters_that_fold_into_two_are_found(desk: ArchiveDesk, word: str) -> None:
    """A word with a letter that is taken apart when it is folded is found as any other."""
    desk.say(f"in {word} 2026")
    assert desk.texts(word)
    desk.talk(3)
    assert desk.texts(word) == desk.texts(f"{word} 2026") == [f"in {word} 2026"]


def test_searches_hold_up_no_first_message(plain: ArchiveDesk) -> None:
    """However many slow searches there are, a room that nobody knows can begin."""
    gate = threading.Event()
    slow = [plain.archive._readers.ask(lambda _: gate.wait(DEADLINE_S)) for _ in range(READERS)]
    assert plain.say("first", room="new").seq == 1
    assert not any(search.done for search in slow)
    gate.set()
    assert [plain.get(search) for search in slow] == [True] * READERS


def test_any_read_says_that_it_is_back(postgres: ArchiveDesk) -> None:
    """After the database was away for whoever asked about a lost room, the next page is enough to see it is
    back."""
    copying_of(postgres)
    with away(postgres), pytest.raises(Refused):
        postgres.get(postgres.archive.standings(["lobby"]))
    assert postgres.archive.numbers.away
    postgres.archive._away.pop("writer", None)  # it says for itself when it is back
    assert postgres.get(postgres.archive.history("lobby", 0, 9, 9, back=False)) == (None, [])
    assert postgres.archive.numbers.away == ""


def test_it_is_seen_that_it_is_back(postgres: ArchiveDesk) -> None:
    """A worker that nobody asks for anything finds out by itself that the archive is back; and what it could not
    write does not stay its trouble when another worker has that to do."""
    postgres.talk(3)
    copying_of(postgres)
    archive = postgres.archive
    with away(postgres):
        for asked in (archive.standings(["lobby"]), archive.forget("lobby", 0)):
            with pytest.raises(Refused):
                postgres.get(asked)
        assert set(archive._away) == {"reader", "writer"} and archive.numbers.away
        errors = archive.numbers.errors
        postgres.ground.pump.wait(lambda: archive.numbers.errors > errors, "a look in vain")
    archive.release()
    assert archive.numbers.away
    postgres.ground.pump.wait(lambda: not archive.numbers.away, "its return")


def test_a_search_that_takes_too_long(postgres: ArchiveDesk) -> None:
    """It is refused, and the archive is not away for that."""

    def sleep(tables: Any) -> None:
        tables.run("SET LOCAL statement_timeout = 20")
        tables.run("SELECT pg_sleep(10)")

    with pytest.raises(Refused) as refused:
        postgres.get(postgres.archive._read(sleep))
    assert refused.value.code is Code.UNAVAILABLE
    assert (postgres.archive.numbers.away, postgres.archive.numbers.errors) == ("", 0)


# --- tidying up ---


def marks(desk: ArchiveDesk) -> int:
    """Whether there is something to be made unreadable."""
    return len(shared_postgres().ask("SELECT 1 FROM chatservice.chore", desk.url))


class Doing:
    """A connection on which something is done instead of the VACUUM."""

    def __init__(self, connection: Any, do: Callable[[], None]) -> None:
        self._connection: Any = connection
        self._do = do

    def execute(self, sql: str, *values: Any) -> Any:
        if sql.startswith("VACUUM"):
            self._do()
            return None
        return self._connection.execute(sql, *values)

    def die(self) -> None:
        """As if the process was killed."""
        self._connection.close()
        raise psycopg.OperationalError("killed")


def erase(desk: ArchiveDesk, seq: int) -> None:
    """Words are deleted, in the archive too."""
    desk.delete(seq)
    desk.ground.settle()


def test_who_is_killed_while_tidying(postgres: ArchiveDesk) -> None:
    """The next one tidies up what it has not."""
    postgres.talk(4)
    erase(postgres, 1)
    connection = Doing(postgres.database.writer(), lambda: connection.die())
    with pytest.raises(psycopg.OperationalError):
        postgres.database.tidy(connection)
    assert marks(postgres) == 1
    postgres.tidy()
    assert marks(postgres) == 0


def test_what_is_erased_meanwhile_is_not_forgotten(postgres: ArchiveDesk) -> None:
    """What is deleted while the archive is tidied up is left for the next time."""
    postgres.talk(4)
    erase(postgres, 1)
    with postgres.database.writer() as writer:
        postgres.database.tidy(Doing(writer, lambda: erase(postgres, 2)))
    assert marks(postgres) == 1
    postgres.tidy()
    assert marks(postgres) == 0


def test_stopping_waits_for_no_vacuum(postgres: ArchiveDesk) -> None:
    """A chat that is stopped while the archive is tidied up, which may take hours, ends at once; the work is left
    for the next one, and nobody is told of trouble."""
    postgres.talk(4)
    erase(postgres, 1)
    copying_of(postgres)
    with psycopg.connect(postgres.url) as other:
        other.execute("LOCK TABLE chatservice.message IN ACCESS EXCLUSIVE MODE")
        tidied = postgres.archive.tidy()
        postgres.ground.pump.wait(waits(postgres, "VACUUM"), "the VACUUM")
        stopping = threading.Thread(target=postgres.archive.stop)
        stopping.start()
        stopping.join(DEADLINE_S)
        was_stopped = not stopping.is_alive()
    stopping.join(DEADLINE_S)
    assert was_stopped and marks(postgres) == 1
    with pytest.raises(Refused):
        postgres.get(tidied)
    assert postgres.archive.numbers.errors == 0
