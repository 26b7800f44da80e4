"""What is kept about people: unread messages, read marks, sessions to resume."""

from __future__ import annotations

from desk import Desk
from fakes import ANN, BOB, NOON, said

from chatservice.domain.events import Moderated, Said, User
from chatservice.domain.ports import Unread
from chatservice.logs.people import COUNT_LIMIT

NOON_MS = int(NOON * 1000)


def unread(desk: Desk, user: User, after: int, room: str = "lobby") -> tuple[int, int]:
    count: Unread = desk.ask("unread", room, user.id, after)
    return count.unread, count.mentions


def test_unread(desk: Desk) -> None:
    """Others' messages above a number count, and those that name the asker; one's own and what is no message do
    not."""
    desk.say("1", ANN)
    desk.put(Said(ANN, "2 @Bob", mentions=(BOB.id, "u_eve")))
    desk.say("3", BOB)
    desk.react(1, "👍", BOB)
    desk.put(Moderated(ANN, "lock", value="on"))
    desk.put(Said(ANN, "6 @Bob", mentions=(BOB.id,)))
    assert [unread(desk, BOB, after) for after in (0, 1, 2, 5, 6, 99)] == [
        (3, 2),
        (2, 2),
        (1, 1),
        (1, 1),
        (0, 0),
        (0, 0),
    ]
    assert unread(desk, ANN, 0) == (1, 0)
    assert unread(desk, User("u_eve", "Eve"), 0) == (4, 1)
    assert unread(desk, BOB, 0, "attic") == (0, 0)
    desk.delete(2)
    desk.reopen()
    assert unread(desk, BOB, 0) == (2, 1)


def test_unread_while_old_ones_go_elsewhere(desk: Desk) -> None:
    """Whatever a log does meanwhile with what is old, no message is left out of the count or counted twice."""
    for n in range(1, 120):
        desk.say(str(n), BOB)
        assert unread(desk, ANN, 0) == (n, 0)


def test_unread_is_counted_up_to_a_bound(desk: Desk) -> None:
    """Above 1000 nobody counts any further."""
    promises = [desk.append(Said(ANN, "x", mentions=(BOB.id,))) for _ in range(COUNT_LIMIT + 5)]
    desk.get(promises[-1])
    assert unread(desk, BOB, 0) == (COUNT_LIMIT, COUNT_LIMIT)
    assert unread(desk, BOB, 6) == (COUNT_LIMIT - 1, COUNT_LIMIT - 1)


def test_marks_never_go_back(desk: Desk) -> None:
    """The highest number holds, whatever comes later, also after a restart; each person and room for itself."""
    raised = [desk.ask("raise_mark", ANN.id, "lobby", seq) for seq in (3, 7, 5, 0, 7, 8)]
    assert raised == [3, 7, 7, 7, 7, 8]
    assert desk.ask("raise_mark", ANN.id, "attic", 2) == 2
    assert desk.ask("raise_mark", BOB.id, "lobby", 1) == 1
    desk.reopen()
    assert desk.ask("raise_mark", ANN.id, "lobby", 4) == 8
    assert desk.ask("marks", ANN.id) == {"lobby": 8, "attic": 2}
    assert desk.ask("marks", BOB.id) == {"lobby": 1}
    assert desk.ask("marks", "u_eve") == {}


def test_marks_raised_at_once(desk: Desk) -> None:
    """Two devices that raise a mark at the same time end at the higher one."""
    promises = [desk.store.engine.raise_mark(ANN.id, "lobby", seq) for seq in (5, 9, 2, 9, 1)]
    assert [desk.get(promise) for promise in promises] == [5, 9, 9, 9, 9]
    assert desk.ask("marks", ANN.id) == {"lobby": 9}


def test_sessions(desk: Desk) -> None:
    """A session is found by its digest until its time is over, also after a restart; the last word counts."""
    one, two = b"\x00" * 32, bytes(range(32))
    desk.ask("keep_session", one, ANN, NOON_MS + 1000)
    desk.ask("keep_session", two, BOB, NOON_MS + 1000)
    desk.ask("keep_session", two, User(BOB.id, "Bobby"), NOON_MS + 500)
    desk.reopen()
    assert desk.ask("session", one, NOON_MS + 999) == ANN
    assert desk.ask("session", one, NOON_MS + 1000) is None
    assert desk.ask("session", two, NOON_MS) == User(BOB.id, "Bobby")
    assert desk.ask("session", two, NOON_MS + 500) is None
    assert desk.ask("session", b"\xff" * 32, NOON_MS) is None


def test_a_session_can_be_kept_longer(desk: Desk) -> None:
    """A session that was nearly over may be given more time."""
    desk.ask("keep_session", b"d", ANN, NOON_MS + 10)
    desk.ask("keep_session", b"d", ANN, NOON_MS + 5000)
    assert desk.ask("session", b"d", NOON_MS + 4999) == ANN


def test_room_names_are_by_last_use(desk: Desk) -> None:
    """The most recently used room comes first."""
    for room in ("a", "b", "c", "a"):
        desk.clock.now += 1
        desk.put(said("hi"), room)
    assert desk.ask("room_names", 10, "u_eve") == (("a", 2), ("c", 1), ("b", 1))
    desk.reopen()
    assert desk.ask("room_names", 2, "u_eve") == (("a", 2), ("c", 1))
