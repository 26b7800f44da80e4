"""A room over a log that answers when the test says so: nothing is lost and nothing is told twice."""

from __future__ import annotations

import pytest
from fakes import ANN, BOB, FakePeer, Recorder, ScriptedLog, Troubles, entry, page

from chatservice.domain import room as room_module
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.limits import RING
from chatservice.domain.promise import Promise, start
from chatservice.domain.room import Gone, Room, State


class Sink:
    """What the log commits goes straight into one room."""

    def __init__(self, room: Room) -> None:
        self.committed = room.committed


def make_room() -> tuple[Room, ScriptedLog, Troubles]:
    log, troubles = ScriptedLog(), Troubles()
    room = Room("lobby", log, troubles.append)
    log.start(Sink(room))
    return room, log, troubles


def live_room(seqs: range = range(1, 4)) -> tuple[Room, ScriptedLog, FakePeer, Troubles]:
    """A room that has read these numbers, and Ann in it."""
    room, log, troubles = make_room()
    room.live()
    log.show(page(seqs))
    ann = FakePeer()
    room.here.attach(ANN, ann)
    return room, log, ann, troubles


def test_one_read_for_all_who_wait() -> None:
    """A cold room is read once, however many come at the same time."""
    room, log, _ = make_room()
    waiting = [room.live() for _ in range(3)]
    assert [ask.kind for ask in log.asks] == ["read_back"]
    assert not any(promise.done for promise in waiting)
    log.show(page([1, 2, 3]))
    assert all(promise.done for promise in waiting)
    assert (room.state, room.top, room.epoch) == (State.LIVE, 3, "e1")
    assert room.live().done and log.asks == []


def test_what_is_committed_during_the_read_comes_after_it() -> None:
    """Entries that come while the room is read are told if the read has not seen them, and only then."""
    room, log, _ = make_room()
    shown = start(room.after(0))
    log.tell(entry(3), entry(4))  # 3 is in the page, 4 is not
    assert not shown.done
    log.show(page([1, 2, 3]))
    assert [e.seq for e in shown.result()] == [1, 2, 3, 4]
    assert room.top == 4


def test_a_live_room_tells_each_entry_once() -> None:
    """An entry is told when it is committed; one that was told already is not told again."""
    _, log, ann, _ = live_room()
    log.tell(entry(4), entry(4), entry(2), entry(5))
    assert ann.told() == ["4 Ann: 4", "5 Ann: 5"]


def test_a_gap_is_read_again() -> None:
    """When a number is missing, the room reads on from what it has; then everything is told in order."""
    room, log, ann, _ = live_room()
    log.tell(entry(6), entry(7))
    assert ann.told() == [] and room.state is State.SYNC
    ask = log.show(page([4, 5, 6]))
    assert (ask.kind, ask.seq) == ("read", 3)
    assert ann.told() == ["4 Ann: 4", "5 Ann: 5", "6 Ann: 6", "7 Ann: 7"]
    assert (room.state, room.top) == (State.LIVE, 7)


def test_a_long_gap_takes_several_pages() -> None:
    """A room that missed more than a page reads until it has the top."""
    _, log, ann, _ = live_room()
    log.tell(entry(10))
    log.show(page([4, 5, 6], top=10))
    log.show(page([7, 8, 9, 10]))
    assert [word.split()[0] for word in ann.told()] == ["4", "5", "6", "7", "8", "9", "10"]


def test_a_second_gap_during_the_first_read() -> None:
    """What shows a hole again after the read begins another one; who waits gets an answer after that one."""
    room, log, ann, _ = live_room()
    log.tell(entry(6))
    waiting = room.live()
    log.tell(entry(9))
    log.show(page([4, 5, 6]))
    assert not waiting.done and ann.told() == ["4 Ann: 4", "5 Ann: 5", "6 Ann: 6"]
    log.show(page([7, 8, 9]))
    assert waiting.done and ann.told() == ["7 Ann: 7", "8 Ann: 8", "9 Ann: 9"]


def test_another_epoch_is_read_again() -> None:
    """The right number under another epoch may be another message: the room reads before it tells."""
    room, log, ann, _ = live_room()
    log.tell(entry(4, epoch="e2"))
    assert ann.told() == []
    log.show(page([4], epoch="e2", forks=(("e1", 3),)))
    assert ann.told() == ["epoch e2", "4 Ann: 4"] and room.epoch == "e2"
    log.tell(entry(5, epoch="e2"))
    assert ann.told() == ["5 Ann: 5"]


def test_a_room_that_cannot_be_read() -> None:
    """Who waits for a room that cannot be read is told so, and the next newcomer tries again."""
    room, log, troubles = make_room()
    first, second = room.live(), room.live()
    error = OSError("disk")
    log.fail(error)
    assert first.error is error and second.error is error and troubles == [error]
    third = room.live()
    log.show(page([1, 2]))
    assert third.done and third.error is None and room.top == 2


def test_members_lose_nothing_when_a_gap_cannot_be_read() -> None:
    """A failed read after a gap is tried again with the next entry, and the members get all that they missed."""
    room, log, ann, troubles = live_room()
    log.tell(entry(5))
    log.fail(OSError("disk"))
    assert len(troubles) == 1 and ann.told() == []
    log.tell(entry(6))
    log.show(page([4, 5, 6]))
    assert ann.told() == ["4 Ann: 4", "5 Ann: 5", "6 Ann: 6"] and room.state is State.LIVE


def test_a_newcomer_wakes_a_room_that_lost_its_place() -> None:
    """A newcomer makes a room read again that could not; the others get what they missed then."""
    room, log, ann, _ = live_room()
    log.tell(entry(5))
    log.fail(OSError("disk"))
    shown = start(room.after(3))
    log.show(page([4, 5]))
    assert [e.seq for e in shown.result()] == [4, 5]
    assert ann.told() == ["4 Ann: 4", "5 Ann: 5"]


def test_more_than_can_be_kept_during_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """When more comes during a read than is worth keeping, the room reads again and still tells all."""
    monkeypatch.setattr(room_module, "EARLY_LIMIT", 3)
    room, log, ann, _ = live_room()
    log.tell(*(entry(seq) for seq in range(5, 10)))
    log.show(page([4, 5]))
    log.show(page(range(6, 10)))
    assert [word.split()[0] for word in ann.told()] == ["4", "5", "6", "7", "8", "9"]
    assert room.state is State.LIVE and log.asks == []


def test_within_the_ring() -> None:
    """A newcomer who missed no more than the ring holds gets it at once, and the log is not asked."""
    room, log, _, _ = live_room(range(1, 11))
    assert [e.seq for e in start(room.after(7)).result()] == [8, 9, 10]
    assert [e.seq for e in start(room.after(0)).result()] == list(range(1, 11))
    assert start(room.after(10)).result() == []
    assert log.asks == []


def test_what_was_pruned() -> None:
    """What is not kept any more is not made up for: who needs it is told that it is gone; the rest is shown."""
    room, log, _ = make_room()
    room.live()
    log.show(page([8, 9], first=8))
    assert [e.seq for e in start(room.after(7)).result()] == [8, 9] and log.asks == []
    shown = start(room.after(2))
    log.show(page([8, 9], first=8))
    assert isinstance(shown.error, Gone)


def test_further_back_than_the_ring() -> None:
    """What the ring has not, the log is asked for; the two are joined without a seam."""
    top = RING + 100
    room, log, _ = make_room()
    room.live()
    log.show(page(range(101, top + 1)))
    shown = start(room.after(50))
    assert not shown.done
    ask = log.show(page(range(51, 51 + RING), top=top))
    assert (ask.kind, ask.seq) == ("read", 50)
    assert [e.seq for e in shown.result()] == list(range(51, top + 1))


def test_a_page_that_ends_where_the_ring_begins() -> None:
    """Nothing is missing and nothing doubled where a page and the ring touch."""
    room, log, _ = make_room()
    room.live()
    log.show(page(range(301, 301 + RING)))
    shown = start(room.after(300 - RING))
    log.show(page(range(301 - RING, 301), top=300 + RING))
    assert [e.seq for e in shown.result()] == list(range(301 - RING, 301 + RING))


def test_what_is_said_while_older_pages_are_read() -> None:
    """A newcomer from far behind gets what is said during its reads once, at the end."""
    room, log, _ = make_room()
    room.live()
    log.show(page(range(301, 301 + RING)))
    shown = start(room.after(0))
    for since in (0, RING):
        log.tell(entry(room.top + 1), entry(room.top + 2))
        log.show(page(range(since + 1, since + 1 + RING), top=room.top))
    assert [e.seq for e in shown.result()] == list(range(1, 301 + RING + 4))


def test_a_log_that_has_lost_what_the_room_knows_of() -> None:
    """If the log shows nothing where something must be, the newcomer is refused and may try again."""
    room, log, _ = make_room()
    room.live()
    log.show(page(range(301, 301 + RING)))
    shown = start(room.after(0))
    log.show(page([], top=300 + RING))
    assert isinstance(shown.error, Refused) and shown.error.code is Code.UNAVAILABLE


def test_enter_and_leave_are_a_users_first_and_last_connection() -> None:
    """Two connections of one user are one person in the room: it enters once and leaves once."""
    room, _, ann, _ = live_room()
    phone, laptop = FakePeer(), FakePeer()
    room.here.attach(BOB, phone)
    room.here.attach(BOB, laptop)
    assert ann.told() == ["+Bob 2"] and room.here.n == 2
    assert (phone.told(), laptop.told()) == ([], [])  # nobody is told of their own arrival here
    room.here.detach(BOB.id, phone)
    assert ann.told() == [] and room.here.n == 2
    room.here.detach(BOB.id, laptop)
    assert ann.told() == ["-Bob 1"] and room.here.n == 1
    assert (phone.told(), laptop.told()) == ([], [])


def test_whoever_left_is_told_nothing() -> None:
    """After its detach a peer hears nothing of the room; the others go on."""
    room, log, ann, _ = live_room()
    bob = FakePeer()
    room.here.attach(BOB, bob)
    room.here.detach(ANN.id, ann)
    log.tell(entry(4))
    assert ann.told() == ["+Bob 2"]
    assert bob.told() == ["-Ann 1", "4 Ann: 4"]


def test_users_are_listed_in_the_order_of_arrival() -> None:
    """A rename keeps a person's place in the list, and all of the room hear of it."""
    room, _, ann, _ = live_room()
    room.here.attach(BOB, FakePeer())
    room.here.rename(User(ANN.id, "Anna"), "Ann")
    assert [user.nick for user in room.here.users] == ["Anna", "Bob"]
    assert ann.told()[-1] == "Ann>Anna"


def test_a_frame_is_made_once_for_an_audience() -> None:
    """Peers of one format get the very same bytes; another format is another audience."""
    room, log, _, _ = live_room()
    one, other = Recorder(), Recorder()
    for number in range(4):
        room.here.attach(User(f"u_{number}", f"n{number}"), FakePeer(one if number % 2 else other))
    one.events.clear()
    other.events.clear()
    log.tell(entry(4))
    assert (len(one.events), len(other.events)) == (1, 1)


def test_join_buffer_holds_under_any_timing() -> None:
    """Whenever the read's answer comes among the commits, the newcomer has every number exactly once."""
    for answered_after in range(8):
        for read_saw in range(answered_after + 1):
            room, log, _ = make_room()
            peer = FakePeer()
            joined: Promise[None] = start(_join(room, peer))
            for seq in range(1, 8):
                if seq - 1 == answered_after:
                    log.show(page(range(1, read_saw + 1)))
                log.tell(entry(seq))
            if answered_after == 7:
                log.show(page(range(1, read_saw + 1)))
            while log.asks:  # the read saw less than was committed before it began: a hole to be read
                log.show(page(range((log.asks[0].seq or 0) + 1, 8)))
            assert joined.done
            assert [word.split()[0] for word in peer.told()] == list("1234567"), (answered_after, read_saw)


async def _join(room: Room, peer: FakePeer) -> None:
    for known in await room.after(0):
        peer.deliver(known)
    room.here.attach(BOB, peer)
