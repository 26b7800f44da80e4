"""Read marks while the log is slow to count."""

from __future__ import annotations

from fakes import FakePeer, ScriptedLog, Troubles, make_hub, page

from chatservice.domain.commands import Join, Read
from chatservice.domain.conduct import handle
from chatservice.domain.ports import Unread
from chatservice.domain.promise import Promise, resolved
from chatservice.domain.session import Session


class SlowCounter(ScriptedLog):
    """Keeps marks, and counts what is unread when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = 0
        self.counts: list[Promise[Unread]] = []

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        self.mark = max(self.mark, seq)
        return resolved(self.mark)

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        self.counts.append(Promise())
        return self.counts[-1]


def test_counts_that_overtake_each_other() -> None:
    """Two devices read on at once and the counts come in the other order: nobody is told of the lower mark after
    the higher one."""
    log = SlowCounter()
    hub = make_hub(log, troubles=Troubles())
    person = hub.roster.arrive("u_ann", "Ann")
    phone, laptop, watch = (Session(hub, FakePeer(), "1", introduced=False) for _ in range(3))
    for session in (phone, laptop, watch):
        session.introduce(person)
        joining = handle(session, Join("lobby"))
        if log.asks:
            log.show(page(range(1, 11)))
        assert joining.done
        session.peer.told()  # type: ignore[attr-defined]
    low, high = handle(phone, Read("lobby", 5)), handle(laptop, Read("lobby", 7))
    first, second = log.counts
    second.resolve(Unread(3, 0))
    assert high.result().seq == 7
    first.resolve(Unread(5, 0))
    assert low.result().seq == 5
    told = [session.peer.told() for session in (phone, laptop, watch)]  # type: ignore[attr-defined]
    assert told == [["read lobby to 7"], [], ["read lobby to 7"]]
