"""What every engine's log must do: numbers, order, cids, epochs. See `chatservice.domain.ports.Log`."""

from __future__ import annotations

import pytest
from desk import Desk, Sink, seqs
from fakes import ANN, BOB, said

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Deleted, Edited, Entry, Moderated, Opened, Reacted, Said, User
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise
from chatservice.domain.rules import Rules
from chatservice.logs.heads import FORKS_KEPT


def test_numbers_are_gapless(desk: Desk) -> None:
    """Several senders at once: 1 … n without a gap, each sender's own order kept, told in that order."""
    senders = [User(f"u_{n}", f"n{n}") for n in range(5)]
    promises = [desk.append(said(f"{n}", sender)) for n in range(20) for sender in senders]
    answers = [desk.get(promise) for promise in promises]
    assert [answer.seq for answer in answers] == list(range(1, 101))
    assert [entry.seq for entry in desk.sink.entries] == list(range(1, 101))
    for sender in senders:
        assert [e.body.text for e in desk.sink.entries if e.body.user == sender] == [str(n) for n in range(20)]
    assert not any(answer.duplicate for answer in answers)


BODIES = [
    Said(ANN, "hi", cid="c1"),
    Said(BOB, "waves", action=True, reply=1, mentions=(ANN.id, "u_gone"), meta={"a": [1, {"b": None}], "张": 0.5}),
    Edited(ANN, 1, "ho", 0, cid="c2"),
    Reacted(BOB, 1, "👍🏽", True, cid="c3"),
    Reacted(BOB, 1, "👍🏽", False),
    Moderated(ANN, "mute", BOB, until=1_800_000_000_000, reason="noise", cid="c4"),
    Moderated(ANN, "slow", value="30"),
    Opened(ANN, "dm:u_ann:u_bob", BOB, cid="c5"),
    Deleted(BOB, 2, "a slip", cid="c6"),
]


def test_what_is_told_is_what_is_kept(desk: Desk) -> None:
    """Every kind of entry: what was told, answered and read later, also after a restart, is the same."""
    answers = [desk.put(body) for body in BODIES]
    told = desk.sink.entries
    assert [(entry.seq, entry.epoch, entry.ts) for entry in told] == [(a.seq, a.epoch, a.ts) for a in answers]
    assert [type(entry.body) for entry in told] == [type(body) for body in BODIES]
    assert told[0] == Entry("lobby", 1, answers[0].epoch, answers[0].ts, Said(ANN, "hi", cid="c1"))
    assert told[2].body == Edited(ANN, 1, "ho", 1, cid="c2") and told[3].body == Reacted(
        BOB, 1, "👍🏽", True, 1, "c3"
    )
    assert [entry.body for entry in told[5:]] == BODIES[5:]
    for _ in range(2):
        kept = desk.read().entries
        assert kept[0] == told[0] and kept[2:] == tuple(told[2:])
        assert kept[1].body == Said(BOB, "", action=True, reply=1, erased=True)
        desk.reopen()


def test_told_before_answered(desk: Desk) -> None:
    """When the sender has its answer, the room has been told already."""
    promise = desk.append(said("hi"))
    seen: list[int] = []
    promise.then(lambda _: seen.extend(entry.seq for entry in desk.sink.entries))
    desk.get(promise)
    assert seen == [1]


def test_committed_never_re_enters(desk: Desk) -> None:
    """`append` returns first; whoever appends while being told is no trouble either."""
    first = desk.append(said("a"))
    assert not first.done and desk.sink.entries == []
    again: list[Promise[Appended]] = []

    class Parrot(Sink):
        def committed(self, entry: Entry) -> None:
            super().committed(entry)
            if len(self.entries) < 5:
                again.append(desk.append(said(entry.body.text + "!")))

    desk.reopen(Parrot())
    desk.say("b")
    desk.store.settle()
    assert all(promise.done for promise in again)
    assert [entry.body.text for entry in desk.sink.entries] == ["b", "b!", "b!!", "b!!!", "b!!!!"]


def test_reading_forward(desk: Desk) -> None:
    """Since, limit, nothing, beyond the top, and the tops alone."""
    for n in range(1, 8):
        desk.say(str(n))
    assert seqs(desk.read()) == [1, 2, 3, 4, 5, 6, 7]
    assert seqs(desk.read(3)) == [4, 5, 6, 7]
    assert seqs(desk.read(3, 2)) == [4, 5]
    assert seqs(desk.read(-5, 2)) == [1, 2]
    for page in (desk.read(7), desk.read(1000), desk.read(0, 0)):
        assert (page.entries, page.top, page.first) == ((), 7, 1)
    assert desk.read(0, 2).top == 7


def test_reading_backward(desk: Desk) -> None:
    """The last ones below a number come oldest first; from beyond the top they are the newest."""
    for n in range(1, 8):
        desk.say(str(n))
    assert (
        seqs(desk.read_back(None, 3)) == seqs(desk.read_back(1000, 3)) == seqs(desk.read_back(8, 3)) == [5, 6, 7]
    )
    assert seqs(desk.read_back(5, 3)) == [2, 3, 4]
    assert seqs(desk.read_back(3, 10)) == [1, 2]
    for page in (desk.read_back(1, 3), desk.read_back(0, 3), desk.read_back(-1, 3), desk.read_back(None, 0)):
        assert (page.entries, page.top) == ((), 7)


def test_paging_back_meets_each_once(desk: Desk) -> None:
    """Page by page from the newest to the first: every number exactly once, whatever the page size."""
    for n in range(23):
        desk.say(str(n))
    for limit in (1, 4, 23, 50):
        met: list[int] = []
        before: int | None = None
        while page := seqs(desk.read_back(before, limit)):
            met = page + met
            before = page[0]
        assert met == list(range(1, 24))


def test_an_empty_room(desk: Desk) -> None:
    """A room in which nothing was said is at 0, under an epoch that its first entry will have."""
    page = desk.read()
    assert (page.top, page.entries, page.forks, page.first) == (0, (), (), 1)
    assert desk.read_back().epoch == page.epoch != ""
    assert desk.say("first").epoch == page.epoch


ROOMS = [
    "a",
    "A",
    "a ",
    "aa",
    "á",
    "a%",
    "a_",
    "a:b",
    "a{}",
    "上海",
    "张" * 66,
    "x" * 200,
    "'; DROP TABLE room; --",
]


def test_rooms_are_apart(desk: Desk) -> None:
    """Each room counts for itself, up to 200 bytes of any name, and no name runs into another."""
    for n, room in enumerate(ROOMS, 1):
        for _ in range(n):
            desk.say(room, room=room)
    desk.reopen()
    for n, room in enumerate(ROOMS, 1):
        page = desk.read(room=room)
        assert page.top == n and {(entry.room, entry.body.text) for entry in page.entries} == {(room, room)}


TEXTS = [
    "",
    " ",
    "a\x7fb",
    "\n\r\t",
    "é",
    "上海",
    "𝒳👍🏽",
    "\U0010fffd",
    "\uffff",
    "\"{}\\'",
    "x" * 65_536,
    "张" * 65_536,
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:8]))
def test_every_text(desk: Desk, text: str) -> None:
    """Characters of every plane, and 64 Ki of them, come back as they went in, also after a restart."""
    desk.say(text)
    desk.edit(1, text + "!")
    assert desk.read().entries[0].body.text == text
    desk.reopen()
    assert desk.read_back().entries[0].body == said(text)
    assert desk.read_back().entries[1].body == Edited(ANN, 1, text + "!", 1)
    assert desk.message(1).text == text + "!"


def test_a_page_knows_the_rules(desk: Desk) -> None:
    """What moderators decided is on every page as of its top, after a restart too."""
    assert desk.read().rules == Rules()
    desk.put(Moderated(ANN, "role", BOB, value="mod"))
    desk.put(Moderated(BOB, "ban", User("u_eve", "Eve"), until=7, networks=("192.0.2.7",)))
    desk.put(Moderated(BOB, "mute", User("u_dan", "Dan")))
    desk.put(Moderated(BOB, "lock", value="on"))
    desk.put(Moderated(ANN, "slow", value="5"))
    nicks, networks = {"u_eve": "Eve", "u_dan": "Dan"}, {"u_eve": ("192.0.2.7",)}
    wanted = Rules(
        {BOB.id: "mod"}, {"u_dan": 0}, {"u_eve": 7}, slow_s=5, locked=True, networks=networks, nicks=nicks
    )
    assert desk.read(5).rules == desk.read_back(3).rules == wanted
    desk.reopen()
    assert desk.read(0, 0).rules == wanted
    desk.put(Moderated(BOB, "unmute", User("u_dan", "Dan")))
    desk.put(Moderated(ANN, "role", BOB, value="guest"))
    del nicks["u_dan"]
    assert desk.read().rules == Rules({}, {}, {"u_eve": 7}, slow_s=5, locked=True, networks=networks, nicks=nicks)
    desk.put(Moderated(BOB, "unban", User("u_eve", "Eve")))
    assert desk.read().rules == Rules(slow_s=5, locked=True)


def test_time_does_not_run_backwards(desk: Desk) -> None:
    """Numbers and times rise together, though the clock is set back, and across a restart."""
    times = [desk.say("a").ts]
    for step in (10.0, -3600.0, 0.0, 5.0):
        desk.clock.now += step
        times.append(desk.say("b").ts)
    desk.reopen()
    times.append(desk.say("c").ts)
    assert times == sorted(times)
    desk.clock.now += 7200.0
    assert desk.say("d").ts == int(desk.clock.now * 1000) > times[-1]


def test_each_opening_is_an_epoch(desk: Desk) -> None:
    """A log that is opened anew numbers on under a new epoch and remembers where the old one ended."""
    epochs = [desk.say("a").epoch, desk.say("b").epoch]
    assert epochs[0] == epochs[1]
    desk.reopen()
    page = desk.read()
    assert page.epoch not in epochs and page.forks == ((epochs[0], 2),)
    answer = desk.say("c")
    assert (answer.seq, answer.epoch) == (3, page.epoch)
    assert [entry.epoch for entry in desk.read().entries] == [*epochs, page.epoch]
    desk.reopen()
    assert desk.say("d").seq == 4  # an append alone forks as well
    assert desk.read().forks == ((epochs[0], 2), (page.epoch, 3))


def test_sixteen_forks_are_kept(desk: Desk) -> None:
    """Of many openings the last sixteen are remembered, oldest first."""
    epochs = [desk.say("0").epoch]
    for n in range(1, FORKS_KEPT + 5):
        desk.reopen()
        epochs.append(desk.say(str(n)).epoch)
    page = desk.read()
    assert len(set(epochs)) == FORKS_KEPT + 5 and page.epoch == epochs[-1]
    wanted = [(epoch, n) for n, epoch in enumerate(epochs[:-1], 1)][-FORKS_KEPT:]
    assert list(page.forks) == wanted and len(wanted) == FORKS_KEPT == 16
    assert seqs(page) == list(range(1, FORKS_KEPT + 6))


def test_a_copy_that_is_put_back(desk: Desk) -> None:
    """After a backup is restored the lost numbers come again, but under an epoch that tells them apart."""
    before = [desk.say(text) for text in ("a", "b")]
    backup = desk.store.ground.copy()
    lost = desk.say("lost", cid="c1")
    desk.store.stop()
    desk.store.ground.restore(backup)
    desk.store.start(desk.sink)
    page = desk.read()
    assert page.top == 2 and page.forks == ((before[0].epoch, 2),) and page.epoch != lost.epoch
    again = desk.say("lost", cid="c1")
    assert (again.seq, again.duplicate) == (lost.seq, False) and again.epoch == page.epoch


def test_stop_writes_what_waits(desk: Desk) -> None:
    """What was handed over before the stop is kept and answered."""
    promises = [desk.append(said(str(n))) for n in range(10)]
    sink = desk.sink
    desk.reopen()
    assert [promise.result().seq for promise in promises] == list(range(1, 11))
    assert len(sink.entries) == 10 and desk.read().top == 10


def test_after_stop_append_is_refused(desk: Desk) -> None:
    """A closed log says so by a refusal, also when it was closed twice."""
    desk.say("hi")
    desk.store.stop()
    desk.store.stop()
    with pytest.raises(Refused) as refused:
        desk.say("too late")
    assert refused.value.code is Code.UNAVAILABLE
    desk.reopen()
    assert desk.read().top == 1
