"""How many connections there may be."""

from __future__ import annotations

import pytest
from fakes import FakeClock
from twisted.logger import globalLogPublisher

from chatservice.transports import admission as admission_module
from chatservice.transports.admission import RESERVE, Admission, Bounds, Refusal
from chatservice.transports.counted import Counted
from chatservice.transports.networks import Networks

ANN, BOB = "203.0.113.1", "203.0.113.2"


def make(bounds: Bounds, *trusted: str, clock: FakeClock | None = None) -> tuple[Admission, Counted]:
    counted = Counted()
    return Admission(
        clock or FakeClock(), counted, bounds, Networks.read(trusted), randbelow=lambda n: n - 1
    ), counted


@pytest.mark.parametrize(
    ("others", "same"),
    [
        (["203.0.113.2", "203.0.113.3"], ["203.0.113.1", "::ffff:203.0.113.1"]),
        (["2001:db8::1", "2001:db8:0:1::1"], []),
    ],
)
def test_so_many_of_one_address(others: list[str], same: list[str]) -> None:
    """One address has so many and no more, another has its own, and who leaves makes room."""
    admission, counted = make(Bounds(per_address=2))
    keys = []
    for _ in range(2):
        assert admission.knock(ANN) is None
        keys.append(admission.enter(ANN))
    for host in same or [ANN]:
        assert admission.knock(host) is Refusal.CAP
    for host in others:
        assert admission.knock(host) is None
    admission.leave(keys.pop())
    assert admission.knock(ANN) is None
    assert counted.connections == 1 and counted.refused_by_cap == len(same or [ANN])


def test_the_64_bits_of_a_customer() -> None:
    """All addresses of one IPv6 network of 64 bits are one."""
    admission, _ = make(Bounds(per_address=3))
    for n in range(3):
        admission.enter(f"2001:db8::{n}")
    assert admission.knock("2001:db8::ffff:1") is Refusal.CAP
    assert admission.knock("2001:db8:0:1::1") is None


def test_so_often() -> None:
    """So many at once, then as many a minute; a minute's rest gives all back."""
    clock = FakeClock()
    admission, counted = make(Bounds(per_minute=60), clock=clock)
    assert [admission.knock(ANN) for _ in range(62)] == [None] * 60 + [Refusal.RATE] * 2
    assert admission.knock(BOB) is None
    clock.now += 1.01
    assert admission.knock(ANN) is None and admission.knock(ANN) is Refusal.RATE
    assert counted.refused_by_rate == 3
    assert admission.knock(ANN, connects=False) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "local", "10.0.0.1"])
def test_who_is_free(host: str) -> None:
    """This computer, UNIX sockets and trusted proxies have as many as they like; on request not this computer."""
    admission, counted = make(Bounds(per_address=1, per_minute=1), "10.0.0.0/8")
    for _ in range(5):
        assert admission.knock(host) is None
        admission.enter(host)
    assert counted.connections == 5 and admission.remembered == 0
    bound, _ = make(Bounds(per_address=1, loopback=True), "10.0.0.0/8")
    bound.enter(host)
    assert (bound.knock(host) is None) is (host in ("local", "10.0.0.1"))


def test_all_together() -> None:
    """Those above the total are let in to be told so, up to a reserve; then nobody is, wherever they come from."""
    admission, counted = make(Bounds(total=2))
    keys = [admission.enter("127.0.0.1") for _ in range(2)]
    assert not admission.is_full
    for _ in range(RESERVE):
        assert admission.knock("127.0.0.1") is None
        keys.append(admission.enter("127.0.0.1"))
    assert admission.is_full and admission.knock("127.0.0.1") is Refusal.TOTAL
    for key in keys:
        admission.leave(key)
    assert counted.connections == 0 and admission.knock(ANN) is None


def test_nobody_is_remembered_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has left is forgotten as soon as its rate is as good as new, and only so many are remembered at all."""
    clock = FakeClock()
    admission, _ = make(Bounds(per_address=9, per_minute=60), clock=clock)
    for n in range(10):
        host = f"203.0.113.{n}"
        admission.knock(host)
        admission.leave(admission.enter(host))
    staying = admission.enter(ANN)
    assert admission.remembered == 10
    admission.tick()
    assert admission.remembered == 10
    clock.now += 1.0
    admission.tick()
    assert admission.remembered == 1
    admission.leave(staying)
    monkeypatch.setattr(admission_module, "MEMORY", 5)
    for n in range(50):
        admission.knock(f"198.51.100.{n}")
    assert admission.remembered == 5


def test_one_line_in_ten_seconds() -> None:
    """The log has one line an address and ten seconds, however many are refused."""
    lines: list[str] = []

    def hear(event: dict[str, object]) -> None:
        if event.get("log_namespace") == "chatservice":
            lines.append(str(event["address"]))

    clock = FakeClock()
    admission, _ = make(Bounds(per_address=1), clock=clock)
    admission.enter(ANN), admission.enter(BOB)
    globalLogPublisher.addObserver(hear)
    try:
        for _ in range(100):
            assert admission.knock(ANN) is admission.knock(BOB) is Refusal.CAP
        assert lines == [ANN, BOB]
        clock.now += 10.0
        admission.knock(ANN), admission.knock(ANN)
        assert lines == [ANN, BOB, ANN]
    finally:
        globalLogPublisher.removeObserver(hear)


def test_come_back_at_different_times() -> None:
    """Who is refused is told a moment between five seconds and thirty."""
    admission, _ = make(Bounds())
    assert admission.retry_s() == 30
    assert 5 <= Admission(FakeClock(), Counted()).retry_s() <= 30


def test_other_bounds_while_it_runs() -> None:
    """New bounds hold at once, also for who is known already; who has more connections keeps them."""
    admission, _ = make(Bounds(per_address=5, per_minute=60))
    for _ in range(3):
        assert admission.knock(ANN) is None
        admission.enter(ANN)
    admission.limit(Bounds(per_address=2, per_minute=None))
    assert admission.knock(ANN) is Refusal.CAP and admission.knock(BOB) is None
    admission.limit(Bounds(per_address=9, per_minute=1))
    assert [admission.knock(ANN) for _ in range(2)] == [None, Refusal.RATE]
