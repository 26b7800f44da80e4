"""What every log must do. Each test runs on each of them; see `chatservice.domain.ports.Log`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import ANN, BOB, FakeClock, Ids, Pump, said

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Entry, Said, User
from chatservice.domain.ports import Appended, Log, Page
from chatservice.domain.promise import Promise
from chatservice.logs.heads import FORKS_KEPT
from chatservice.logs.memory import Memory, MemoryLog
from chatservice.logs.sqlite import SQLiteLog


class Sink:
    """Notes what was committed, and whether that was ever told from inside `append`."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.is_appending = False

    def committed(self, entry: Entry) -> None:
        assert not self.is_appending, "committed was called from inside append"
        self.entries.append(entry)


class Store:
    """A place that logs are opened on, one after the other."""

    def __init__(self, make: Callable[[Store], Log]) -> None:
        self.pump, self.clock, self.ids = Pump(), FakeClock(), Ids("e")
        self._make = make
        self.log: Log = make(self)
        self.sink = Sink()
        self.log.start(self.sink)

    def reopen(self, sink: Sink | None = None) -> None:
        """The process ends in order and another one begins."""
        self.log.stop()
        self.pump.run()
        self.log, self.sink = self._make(self), sink or Sink()
        self.log.start(self.sink)

    def append(
        self, text: str, user: User = ANN, cid: str | None = None, room: str = "lobby"
    ) -> Promise[Appended]:
        self.sink.is_appending = True
        promise = self.log.append(room, said(text, user, cid))
        self.sink.is_appending = False
        return promise

    def say(self, text: str, user: User = ANN, cid: str | None = None, room: str = "lobby") -> Appended:
        return self.pump.until(self.append(text, user, cid, room))

    def read(self, since: int = 0, limit: int = 1000, room: str = "lobby") -> Page:
        return self.pump.until(self.log.read(room, since, limit))

    def read_back(self, before: int | None = None, limit: int = 1000, room: str = "lobby") -> Page:
        return self.pump.until(self.log.read_back(room, before, limit))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of log in turn; a new row here is a new log that keeps the same promises."""
    kept = Memory()

    def memory(store: Store) -> Log:
        return MemoryLog(call_soon=store.pump, clock=store.clock, randomness=store.ids, memory=kept)

    def sqlite(store: Store) -> Log:
        path = tmp_path / "chat.db"
        return SQLiteLog(path, call_from_thread=store.pump, clock=store.clock, randomness=store.ids)

    store = Store({"memory": memory, "sqlite": sqlite}[request.param])
    yield store
    store.log.stop()


def seqs(page: Page) -> list[int]:
    return [entry.seq for entry in page.entries]


def test_numbers_are_gapless(store: Store) -> None:
    """Several senders at once: 1 … n without a gap, each sender's own order kept, told in that order."""
    senders = [User(f"u_{n}", f"n{n}") for n in range(5)]
    promises = [store.append(f"{n}", sender) for n in range(20) for sender in senders]
    answers = [store.pump.until(promise) for promise in promises]
    assert [answer.seq for answer in answers] == list(range(1, 101))
    assert [entry.seq for entry in store.sink.entries] == list(range(1, 101))
    for sender in senders:
        assert [e.body.text for e in store.sink.entries if e.body.user == sender] == [str(n) for n in range(20)]
    assert not any(answer.duplicate for answer in answers)


def test_what_is_told_is_what_is_kept(store: Store) -> None:
    """The entry that was told, the answer and what is read later are the same."""
    answer = store.say("hi", BOB, "c1")
    (told,) = store.sink.entries
    assert told == Entry("lobby", 1, answer.epoch, answer.ts, Said(BOB, "hi", cid="c1"))
    assert store.read().entries == (told,)
    assert store.pump.until(store.log.append("lobby", Said(BOB, "waves", action=True))).seq == 2
    assert store.read(1).entries[0].body == Said(BOB, "waves", action=True)


def test_told_before_answered(store: Store) -> None:
    """When the sender has its answer, the room has been told already."""
    promise = store.append("hi")
    seen: list[int] = []
    promise.then(lambda _: seen.extend(entry.seq for entry in store.sink.entries))
    store.pump.until(promise)
    assert seen == [1]


def test_committed_never_re_enters(store: Store) -> None:
    """`append` returns first; whoever appends while being told is no trouble either."""
    first = store.append("a")
    assert not first.done and store.sink.entries == []
    again: list[Promise[Appended]] = []

    class Parrot(Sink):
        def committed(self, entry: Entry) -> None:
            super().committed(entry)
            if len(self.entries) < 5:
                again.append(store.append(entry.body.text + "!"))

    store.reopen(Parrot())
    store.say("b")
    while len(again) < 4 or not again[-1].done:
        store.pump.until(again[-1])
    assert [entry.body.text for entry in store.sink.entries] == ["b", "b!", "b!!", "b!!!", "b!!!!"]


def test_reading_forward(store: Store) -> None:
    """Since, limit, nothing, beyond the top, and the tops alone."""
    for n in range(1, 8):
        store.say(str(n))
    assert seqs(store.read()) == [1, 2, 3, 4, 5, 6, 7]
    assert seqs(store.read(3)) == [4, 5, 6, 7]
    assert seqs(store.read(3, 2)) == [4, 5]
    assert seqs(store.read(-5, 2)) == [1, 2]
    for page in (store.read(7), store.read(1000), store.read(0, 0)):
        assert (page.entries, page.top, page.first) == ((), 7, 1)
    assert store.read(0, 2).top == 7


def test_reading_backward(store: Store) -> None:
    """The last ones below a number come oldest first; from beyond the top they are the newest."""
    for n in range(1, 8):
        store.say(str(n))
    assert seqs(store.read_back(None, 3)) == [5, 6, 7]
    assert seqs(store.read_back(5, 3)) == [2, 3, 4]
    assert seqs(store.read_back(3, 10)) == [1, 2]
    assert seqs(store.read_back(1000, 3)) == [5, 6, 7]
    assert seqs(store.read_back(8, 3)) == [5, 6, 7]
    for page in (store.read_back(1, 3), store.read_back(0, 3), store.read_back(-1, 3), store.read_back(None, 0)):
        assert (page.entries, page.top) == ((), 7)


def test_paging_back_meets_each_once(store: Store) -> None:
    """Page by page from the newest to the first: every number exactly once, whatever the page size."""
    for n in range(23):
        store.say(str(n))
    for limit in (1, 4, 23, 50):
        met: list[int] = []
        before: int | None = None
        while page := seqs(store.read_back(before, limit)):
            met = page + met
            before = page[0]
        assert met == list(range(1, 24))


def test_an_empty_room(store: Store) -> None:
    """A room in which nothing was said is at 0, under an epoch that its first entry will have."""
    page = store.read()
    assert (page.top, page.entries, page.forks, page.first) == (0, (), (), 1)
    assert store.read_back().epoch == page.epoch != ""
    assert store.say("first").epoch == page.epoch


def test_rooms_are_apart(store: Store) -> None:
    """Each room counts for itself, and no name runs into another."""
    rooms = [
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
        "張" * 66,
        "x" * 200,
        "'; DROP TABLE room; --",
    ]
    for n, room in enumerate(rooms, 1):
        for _ in range(n):
            store.say(room, room=room)
    store.reopen()
    for n, room in enumerate(rooms, 1):
        page = store.read(room=room)
        assert page.top == n and {entry.body.text for entry in page.entries} == {room}
        assert {entry.room for entry in page.entries} == {room}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "a\x00b",
        "\n\r\t",
        "é",
        "上海",
        "𝒳👍🏽",
        "\U0010fffd",
        "\uffff",
        "\"{}\\'",
        "x" * 65_536,
        "张" * 65_536,
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_every_text(store: Store, text: str) -> None:
    """Every character of every plane, NUL, and 64 Ki of them come back as they went in, also after a restart."""
    store.say(text)
    assert store.read().entries[0].body.text == text
    store.reopen()
    assert store.read_back().entries[0].body == said(text)


def test_a_repeated_cid_is_one_message(store: Store) -> None:
    """The same (room, user, cid) is stored once; the repeat gets the first number and is told to nobody."""
    first = store.say("hi", cid="c1")
    store.say("between")
    again = store.say("hi", cid="c1")
    assert (again.seq, again.epoch, again.ts, again.duplicate) == (first.seq, first.epoch, first.ts, True)
    assert len(store.sink.entries) == 2
    store.reopen()
    later = store.say("hi", User(ANN.id, "Another nick"), cid="c1")
    assert (later.seq, later.epoch, later.duplicate) == (first.seq, first.epoch, True)
    assert store.read().top == 2 and store.sink.entries == []


def test_a_cid_within_one_batch(store: Store) -> None:
    """Two tries that reach the log together are still one message."""
    answers = [store.pump.until(p) for p in [store.append("hi", cid="c1"), store.append("hi", cid="c1")]]
    assert [(answer.seq, answer.duplicate) for answer in answers] == [(1, False), (1, True)]


def test_a_cid_is_one_users_in_one_room(store: Store) -> None:
    """Another user or another room may use the same cid; no cid at all is never a repeat."""
    store.say("hi", cid="c1")
    assert not store.say("hi", BOB, cid="c1").duplicate
    assert not store.say("hi", cid="c1", room="attic").duplicate
    assert not store.say("hi").duplicate and not store.say("hi").duplicate


def test_a_cid_that_said_something_else(store: Store) -> None:
    """Another text under a used cid is refused, after a restart too, and nothing is stored."""
    store.say("hi", cid="c1")
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            store.say("ho", cid="c1")
        assert refused.value.code is Code.CID_CONFLICT
        with pytest.raises(Refused):
            store.pump.until(store.log.append("lobby", Said(ANN, "hi", action=True, cid="c1")))
        store.reopen()
    assert store.say("on").seq == 2


def test_time_does_not_run_backwards(store: Store) -> None:
    """Numbers and times rise together, though the clock is set back, and across a restart."""
    times = [store.say("a").ts]
    for step in (10.0, -3600.0, 0.0, 5.0):
        store.clock.now += step
        times.append(store.say("b").ts)
    store.reopen()
    times.append(store.say("c").ts)
    assert times == sorted(times)
    store.clock.now += 7200.0
    assert store.say("d").ts == int(store.clock.now * 1000) > times[-1]


def test_each_opening_is_an_epoch(store: Store) -> None:
    """A log that is opened anew numbers on under a new epoch and remembers where the old one ended."""
    epochs = [store.say("a").epoch, store.say("b").epoch]
    assert epochs[0] == epochs[1]
    store.reopen()
    page = store.read()
    assert page.epoch not in epochs and page.forks == ((epochs[0], 2),)
    answer = store.say("c")
    assert (answer.seq, answer.epoch) == (3, page.epoch)
    assert [entry.epoch for entry in store.read().entries] == [*epochs, page.epoch]
    store.reopen()
    assert store.say("d").seq == 4  # an append alone forks as well
    assert store.read().forks == ((epochs[0], 2), (page.epoch, 3))


def test_sixteen_forks_are_kept(store: Store) -> None:
    """Of many openings the last sixteen are remembered, oldest first."""
    epochs = [store.say("0").epoch]
    for n in range(1, FORKS_KEPT + 5):
        store.reopen()
        epochs.append(store.say(str(n)).epoch)
    page = store.read()
    assert len(set(epochs)) == FORKS_KEPT + 5 and page.epoch == epochs[-1]
    wanted = [(epoch, n) for n, epoch in enumerate(epochs[:-1], 1)][-FORKS_KEPT:]
    assert list(page.forks) == wanted and len(wanted) == FORKS_KEPT
    assert seqs(page) == list(range(1, FORKS_KEPT + 6))


def test_stop_writes_what_waits(store: Store) -> None:
    """What was handed over before the stop is kept and answered."""
    promises = [store.append(str(n)) for n in range(10)]
    sink = store.sink
    store.reopen()
    assert [promise.result().seq for promise in promises] == list(range(1, 11))
    assert len(sink.entries) == 10 and store.read().top == 10


def test_after_stop_append_is_refused(store: Store) -> None:
    """A closed log says so by a refusal, also when it was closed twice."""
    store.say("hi")
    store.log.stop()
    store.log.stop()
    with pytest.raises(Refused) as refused:
        store.say("too late")
    assert refused.value.code is Code.UNAVAILABLE
    store.reopen()
    assert store.read().top == 1
