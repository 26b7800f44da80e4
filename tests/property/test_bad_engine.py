"""An engine that delays, drops, doubles, reorders, fails, forks and prunes: members have what its log has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import Ask, FakeClock, FakePeer, Recorder, ScriptedLog, Troubles, entry, make_hub
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.domain import room as room_module
from chatservice.domain.commands import Join, Position
from chatservice.domain.conduct import handle
from chatservice.domain.errors import POSITION_LOST, Disconnect, Refused
from chatservice.domain.events import Entry, EpochChanged, Event, Truncated
from chatservice.domain.hub import COUNT_EVERY_S, Hub
from chatservice.domain.ports import Page, Past
from chatservice.domain.promise import Promise
from chatservice.domain.results import Joined
from chatservice.domain.session import Session

Step = tuple[Any, ...]


class BadLog(ScriptedLog):
    """A scripted log with a truth behind it. What it shows is the truth of when it was asked, or of when it
    answers; what it tells of its own accord cannot be relied upon."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.epoch, self.forks, self.first, self.said, self.epochs = "e1", [("e0", 0)], 1, 0, 1
        self.untold: list[Entry] = []
        self.snapshots: dict[int, Page] = {}

    @property
    def top(self) -> int:
        return self.entries[-1].seq if self.entries else self.first - 1

    def say(self) -> None:
        self.said += 1
        self.entries.append(entry(self.top + 1, f"word {self.said}", self.epoch))
        self.untold.append(self.entries[-1])

    def fork(self, lose: int) -> None:
        """It is opened anew, without its last entries. News of those may still be on the way."""
        lose = min(lose, max(0, len(self.entries) - 1))
        del self.entries[len(self.entries) - lose :]
        self.forks = [*self.forks, (self.epoch, self.top)][-16:]
        self.epochs += 1
        self.epoch = f"e{self.epochs}"

    def prune(self, count: int) -> None:
        """The oldest go; the newest stays."""
        count = min(count, max(0, len(self.entries) - 1))
        del self.entries[:count]
        self.first += count

    def page_for(self, ask: Ask) -> Page:
        if ask.kind == "read":
            assert ask.seq is not None
            run = [one for one in self.entries if one.seq > ask.seq][: ask.limit]
        else:
            run = self.entries[-ask.limit :]
        return Page(self.top, self.epoch, tuple(self.forks), self.first, tuple(run))

    def _ask(self, ask: Ask) -> Promise[Any]:
        if ask.kind != "history":
            self.snapshots[id(ask)] = self.page_for(ask)
        return super()._ask(ask)

    def answer(self, late: bool) -> None:
        """The oldest question."""
        if self.asks:
            ask = self.asks.pop(0)
            if ask.kind == "history":
                ask.promise.resolve(Past((), False, self.epoch))
            else:
                then = self.snapshots.pop(id(ask))
                ask.promise.resolve(self.page_for(ask) if late else then)

    def refuse(self) -> None:
        if self.asks:
            ask = self.asks.pop(0)
            self.snapshots.pop(id(ask), None)
            ask.promise.reject(OSError("it does not answer"))

    def news(self, how: str) -> None:
        """One of the things it has to tell, or not."""
        if how == "again" and self.entries:
            self.tell(self.entries[len(self.entries) // 2])
        elif how == "swapped" and len(self.untold) > 1:
            self.untold[0], self.untold[1] = self.untold[1], self.untold[0]
        elif how == "dropped":
            del self.untold[:1]
        elif self.untold:
            first = self.untold.pop(0)
            self.tell(*[first] * (2 if how == "doubled" else 1))


class Member(FakePeer):
    """Somebody who believes what it is told, and complains at the first gap or double.

    :ivar known: what it has, by number; everything above `base` up to its position.
    :ivar lost: it was told to begin anew.
    """

    def __init__(self, hub: Hub, format: Recorder) -> None:
        super().__init__(format)
        self._hub = hub
        self.epoch, self.seq, self.base, self.lost = "", 0, 0, True
        self.known: dict[int, Entry] = {}
        self.session: Session | None = None
        self.is_coming = False

    @property
    def is_in(self) -> bool:
        return self.session is not None and "lobby" in self.session.rooms

    def come(self) -> None:
        if self.is_coming:
            return
        if self.session is None:
            self.session = Session(self._hub, self, "1")
        self.is_coming = True
        since = None if self.lost else Position(self.epoch, self.seq)
        session, was_in = self.session, self.is_in
        handle(session, Join("lobby", since=since)).then(lambda done: self._joined(session, since, was_in, done))

    def go(self) -> None:
        session, self.session, self.is_coming = self.session, None, False
        if session is not None:
            session.end()

    def _joined(self, session: Session, since: Position | None, was_in: bool, done: Promise[Any]) -> None:
        if session is not self.session:
            return
        self.is_coming = False
        if done.error is not None:
            assert isinstance(done.error, Refused | OSError), done.error
            return
        joined: Joined = done.result()
        assert joined.was_recovering == (since is not None)
        if since is not None and joined.recovered:
            assert was_in or (self.epoch, self.seq) == (since.epoch, since.seq)
            self._drop_above(since.seq)  # who was in it already was told some of this live
        elif joined.reason == "truncated":
            assert since is not None and joined.valid < since.seq
            self._drop_above(joined.valid)
        else:
            assert joined.entries == ()
            self.known, self.base, self.seq = {}, joined.seq, joined.seq
        self.lost = False
        for one in joined.entries:
            self._take(one)
        self.epoch = joined.epoch
        assert self.seq == joined.seq

    def send(self, frames: bytes, event: Event | None = None) -> None:
        self.deliver(self.format.events[int(frames)])

    def deliver(self, event: Event) -> None:
        if isinstance(event, Entry) and not self.lost and self.is_in:
            self._take(event)
        elif isinstance(event, EpochChanged):
            self.epoch = event.epoch
        elif isinstance(event, Truncated):
            if event.after is None or event.after < self.base:
                self.lost = True
            elif not self.lost:
                self._drop_above(event.after)
                self.epoch = event.epoch

    def close(self, why: Disconnect) -> None:
        assert why is POSITION_LOST
        self.lost = True
        self.go()

    def _take(self, one: Entry) -> None:
        assert one.seq == self.seq + 1, f"after {self.seq} came {one}"
        self.seq += 1
        self.known[one.seq] = one

    def _drop_above(self, seq: int) -> None:
        for number in [number for number in self.known if number > seq]:
            del self.known[number]
        self.base, self.seq = min(self.base, seq), min(self.seq, seq)


class World:
    """A hub on a bad log, and three who come and go."""

    def __init__(self) -> None:
        self.log, self.troubles, self.clock = BadLog(), Troubles(), FakeClock()
        self.hub = make_hub(self.log, troubles=self.troubles, clock=self.clock)
        format = Recorder()
        self.members = [Member(self.hub, format) for _ in range(3)]

    def do(self, step: Step) -> None:
        match step:
            case ("say",):
                self.log.say()
            case ("news", how):
                self.log.news(how)
            case ("answer", late):
                self.log.answer(late)
            case ("refuse",):
                self.log.refuse()
            case ("fork", lose):
                self.log.fork(lose)
            case ("prune", count, is_told):
                self.log.prune(count)
                if is_told:
                    self.hub.pruned("lobby", self.log.first)
            case ("come", which):
                self.members[which].come()
            case ("go", which):
                self.members[which].go()
            case ("miss", which, count, what, late):
                # One is away for longer than the ring reaches; while it is on the way back something else happens.
                self.members[which].go()
                for _ in range(count):
                    self.log.say()
                    self.log.news("told")
                self.members[which].come()
                self.do(what)
                self.log.answer(late)
            case ("tick",):
                self.clock.now += COUNT_EVERY_S
                self.hub.tick()

    def settle(self) -> None:
        """From now on the log does what it should; one more thing is said, and told."""
        self.log.untold.clear()  # dropped: only what is told later shows that something was missed
        for _ in range(3):
            self.log.say()
            self.log.tell(self.log.entries[-1])
            for _ in range(4):
                while self.log.asks:
                    self.log.answer(True)
                for member in self.members:
                    if member.lost or not member.is_in:
                        member.come()
                self.do(("tick",))
        assert not self.log.asks

    def check(self) -> None:
        """Each has what the log has, from where it began."""
        truth = {one.seq: one for one in self.log.entries}
        for member in self.members:
            assert member.is_in and not member.lost
            assert (member.epoch, member.seq) == (self.log.epoch, self.log.top)
            assert sorted(member.known) == list(range(member.base + 1, member.seq + 1))
            for seq, had in member.known.items():
                assert seq < self.log.first or had == truth[seq], "another stands there now"


MEANWHILE = st.one_of(
    st.just(("say",)),
    st.tuples(st.just("fork"), st.integers(0, 6)),
    st.tuples(st.just("prune"), st.integers(1, 6), st.booleans()),
    st.tuples(st.just("news"), st.sampled_from(("told", "dropped"))),
)
STEP = st.one_of(
    st.tuples(st.just("miss"), st.integers(0, 2), st.integers(1, 9), MEANWHILE, st.booleans()),
    st.just(("say",)),
    st.just(("say",)),
    st.tuples(st.just("news"), st.sampled_from(("told", "told", "doubled", "dropped", "swapped", "again"))),
    st.tuples(st.just("news"), st.just("told")),
    st.tuples(st.just("answer"), st.booleans()),
    st.tuples(st.just("answer"), st.booleans()),
    st.just(("refuse",)),
    st.tuples(st.just("fork"), st.integers(0, 6)),
    st.tuples(st.just("prune"), st.integers(1, 6), st.booleans()),
    st.tuples(st.just("come"), st.integers(0, 2)),
    st.tuples(st.just("come"), st.integers(0, 2)),
    st.tuples(st.just("go"), st.integers(0, 2)),
    st.just(("tick",)),
)


def play(steps: list[Step]) -> None:
    """Let it all happen, then bring everybody together."""
    world = World()
    for step in [("say",), ("come", 0), ("answer", True), ("come", 1), *steps]:
        world.do(step)
    world.settle()
    world.check()
    assert all(isinstance(trouble, Refused | OSError) for trouble in world.troubles), world.troubles


@pytest.fixture(autouse=True, scope="module")
def small_ring() -> Iterator[None]:
    """A ring of three and pages of three, so that few entries make long gaps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room_module, "RING", 3)
        yield


@settings(deadline=None, database=None, max_examples=400)
@given(st.lists(STEP, min_size=5, max_size=60))
def test_whatever_the_engine_does(steps: list[Step]) -> None:
    """Nobody is ever told past a hole, or twice, or two for one number without being told to drop the first; in
    the end everybody has exactly what the log has."""
    play(steps)


@pytest.mark.slow
@settings(deadline=None, database=None, max_examples=20_000)
@given(st.lists(STEP, min_size=5, max_size=150))
def test_whatever_the_engine_does_for_longer(steps: list[Step]) -> None:
    """The same with longer and many more histories."""
    play(steps)
