"""Retention: old entries are pruned in small steps, and whoever comes in the middle of it is told the truth."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from chat import Chat, code
from desk import Desk, seqs
from fakes import ANN, BOB, Ids, said
from stores import Store

from chatservice.domain.commands import Position
from chatservice.domain.events import Deleted, Moderated, Said
from chatservice.domain.recovery import resolve
from chatservice.logs import messages, writer
from chatservice.logs.chores import PRUNE_EVERY_S, STEP_ROWS, Chores, trim
from chatservice.logs.index import Index
from chatservice.logs.sqlite import open_database
from chatservice.logs.sqlite_heads import Heads

EXPIRES = Moderated(ANN, "expires", value="60")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A room whose first ten messages are old, and that lets messages expire after a minute."""
    desk = Desk(Store("sqlite", tmp_path))
    for n in range(10):
        desk.put(Said(BOB, f"old {n} 上海", mentions=(ANN.id,), cid=f"c{n}"))
        desk.react(n * 2 + 1, "👍")
    desk.clock.now += 100
    for n in range(5):
        desk.say(f"new {n}")
    desk.put(EXPIRES)
    return desk


def housekeeping(desk: Desk) -> None:
    """Do the chores as the writer does, while the log is closed."""
    desk.store.stop()
    connection = sqlite3.connect(desk.store.ground.path, isolation_level=None)  # type: ignore[attr-defined]
    chores, steps = Chores(desk.clock, Index()), 1
    while chores.step(connection):
        steps += 1
        assert steps < 1000
    connection.close()
    desk.store.start(desk.sink)


def test_what_is_too_old_goes(desk: Desk) -> None:
    """Old entries are in no page, no history, no search, no count any more; newer ones stay as they were."""
    housekeeping(desk)
    page = desk.read()
    assert (page.first, page.top, seqs(page)) == (21, 26, list(range(21, 27)))
    assert seqs(desk.read_back()) == list(range(21, 27)) and seqs(desk.history()) == list(range(21, 26))
    assert desk.history(before=21).messages == ()
    assert desk.texts("上海") == desk.texts("old") == [] and len(desk.texts("new")) == 5
    counted = desk.ask("unread", "lobby", "u_eve", 0)
    assert (counted.unread, desk.ask("unread", "lobby", ANN.id, 0).mentions) == (5, 0)
    assert desk.say("on").seq == 27 and desk.read_back(None, 1).first == 21
    desk.store.stop()


def test_positions_before_the_first(desk: Desk) -> None:
    """A position whose next entry is pruned is gone; the one just before the first still holds."""
    epoch = desk.read().epoch
    housekeeping(desk)
    page = desk.read()
    for seq, reason in ((5, "gone"), (19, "gone"), (20, ""), (23, ""), (26, "")):
        assert resolve(Position(epoch, seq), page).reason == reason
    desk.store.stop()


def test_the_newest_entry_stays(desk: Desk) -> None:
    """However old everything is, a room never forgets how far it has counted."""
    desk.clock.now += 10**6
    housekeeping(desk)
    page = desk.read()
    assert (page.first, page.top, seqs(page)) == (26, 26, [26])
    assert desk.history().messages == () and desk.say("again").seq == 27
    desk.store.stop()


def test_other_rooms_keep_all(desk: Desk) -> None:
    """Only rooms that let messages expire are pruned."""
    desk.put(said("old"), "attic")
    desk.clock.now += 10**6
    housekeeping(desk)
    assert desk.read(room="attic").first == 1 and desk.texts("old", "attic") == ["old"]
    desk.store.stop()


def test_no_longer(desk: Desk) -> None:
    """When the rule is lifted nothing more goes."""
    desk.put(Moderated(ANN, "expires", value="0"))
    desk.clock.now += 10**6
    housekeeping(desk)
    assert desk.read().first == 1
    desk.store.stop()


def test_small_steps(tmp_path: Path) -> None:
    """At most 500 entries go at once, so that messages wait for milliseconds; each step leaves a whole log."""
    desk = Desk(Store("sqlite", tmp_path))
    for n in range(1300):
        desk.append(said(f"old {n}"))
    desk.put(EXPIRES)
    desk.clock.now += 100
    desk.store.stop()
    connection = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    before_ts = int((desk.clock.now - 60) * 1000)
    firsts = []
    more = True
    while more:
        more = trim(connection, 1, before_ts)
        (first, top), numbers = (
            connection.execute("SELECT first, top FROM room").fetchone(),
            [seq for (seq,) in connection.execute("SELECT seq FROM entry ORDER BY seq")],
        )
        assert numbers == list(range(first, top + 1))
        for table in ("message", "reaction", "mention"):
            (lowest,) = connection.execute(f"SELECT coalesce(min(seq), {first}) FROM {table}").fetchone()
            assert lowest >= first
        firsts.append(first)
    connection.close()
    assert firsts == [501, 1001, 1301, 1301] and STEP_ROWS == 500
    desk.store.start(desk.sink)
    assert desk.texts("old") == []
    desk.store.stop()


def test_the_writer_does_it_by_itself(tmp_path: Path) -> None:
    """In a running service the pruning happens between messages, without anybody asking."""
    desk = Desk(Store("sqlite", tmp_path))
    desk.put(EXPIRES)
    for n in range(1200):
        desk.append(said(f"old {n}"))
    desk.say("the last old one")
    desk.clock.now += PRUNE_EVERY_S + 100
    end = time.monotonic() + 20.0
    while desk.read(0, 0).first != 1202:  # and the sink is told of it, step by step
        assert time.monotonic() < end, "nothing was pruned"
        time.sleep(0.02)  # a moment in which nothing waits for the writer
    assert desk.read().top == 1202 and seqs(desk.read()) == [1202]
    desk.store.settle()
    assert desk.sink.firsts == [("lobby", 501), ("lobby", 1001), ("lobby", 1202)]
    desk.store.stop()


# --- seen from the room ---


def expiring(tmp_path: Path, count: int) -> Chat:
    """A room with many old entries whose rule begins to hold now, and an owner in it."""
    chat = Chat(Store("sqlite", tmp_path))
    owner = chat.enter("owner", "lobby", role="owner")
    ids = [owner.send("message", room="lobby", text=f"old {n}") for n in range(count)]
    assert code(owner.answer(ids[-1])) == "ok"
    assert code(owner.ask("mod", room="lobby", action="expires", value="60")) == "ok"
    return chat


def do_chore(chat: Chat) -> bool:
    """One step of the writer's housekeeping, in its thread, between two messages. True if there is more to do."""
    log = chat.store.engine

    def step(connection: sqlite3.Connection) -> bool:
        connection.execute("COMMIT")  # the writer's transaction; a chore makes its own
        more = log._chores.step(connection)
        connection.execute("BEGIN IMMEDIATE")
        return more

    more: bool = chat.store.pump.until(log._do(step))
    chat.settle()
    return more


def test_a_join_in_the_middle_of_pruning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two steps a position either holds with all that follows it, or is gone and the last messages come;
    expired words are shown to nobody."""
    monkeypatch.setattr(writer, "CHORE_EVERY_S", 3600.0)  # only when the test says so
    chat = expiring(tmp_path, 1100)
    chat.clock.now += 100
    owner = chat.enter("owner", "lobby", role="owner")
    for n in range(3):
        owner.ask("message", room="lobby", text=f"new {n}")
    epoch = owner.ask("join", room="lobby")["epoch"]
    first, more = 1, True
    while more:
        for seq in (first - 1, first, 700, 1000, 1090, 1101, 1104):
            joined = chat.enter("bob").ask(
                "join", room="lobby", since={"epoch": epoch, "seq": max(1, seq)}, last=2
            )
            seq = max(1, seq)
            if joined["recovered"]:
                assert [event["seq"] for event in joined["events"]] == list(
                    range(seq + 1, 1105)
                ) and seq + 1 >= first
            else:
                assert joined["reason"] == ("gone" if seq + 1 < first else "too_many") and joined["events"] == []
                assert [message["text"] for message in joined["state"]] == ["new 1", "new 2"]
        more = do_chore(chat)
        first = chat.store.pump.until(chat.store.engine.read("lobby", 0, 0)).first
    assert first == 1102
    chat.stop()
    assert chat.troubles == []


@pytest.mark.parametrize("steps", range(1, 9))
def test_erased_in_the_middle_of_a_purge(tmp_path: Path, steps: int) -> None:
    """What is erased while the index is being merged is not forgotten when that merge is done."""
    desk = Desk(Store("sqlite", tmp_path))
    for n in range(400):
        desk.append(Said(ANN, f"plain words number {n} and {n * n}"))
    first, second = desk.say("xylophonic"), desk.say("zzyzxian")
    desk.delete(first.seq)
    desk.store.stop()
    path = tmp_path / "chat.db"
    connection = open_database(path, "process")
    chores = Chores(desk.clock, Index())
    for _ in range(steps):
        chores.step(connection)
    heads = Heads(Ids("second"))
    connection.execute("BEGIN IMMEDIATE")
    opened = heads.open(connection, "lobby")
    messages.keep(connection, heads.persist(connection, "lobby", opened), 404, 1, Deleted(ANN, second.seq), False)
    connection.execute("COMMIT")
    while chores.step(connection):
        pass
    connection.close()
    held = path.read_bytes()
    assert b"plain" in held and b"xylop" not in held and b"zzyzx" not in held
