"""How fast each kind of command may come."""

from __future__ import annotations

from typing import get_args

import pytest
from fakes import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.domain import commands as c
from chatservice.domain.conduct import COMMANDS
from chatservice.domain.limits import ROOMS, Bucket, Rate
from chatservice.domain.rates import RATES, Kind, Rates

FREE = {c.Hello, c.Rename, c.Login, c.Pong, c.Leave}
"""The first two charge by themselves, tries of passwords have their own bounds; the others do nothing."""


@pytest.mark.parametrize("command", [row for row in get_args(c.Command) if row not in FREE])
def test_every_command_has_a_rate(command: type[c.Command]) -> None:
    """No command is free of limits by being forgotten."""
    assert COMMANDS[command].rate in RATES


def test_one_table() -> None:
    """Each kind but slow mode, which is the room's, has its rate, and each rate refills."""
    assert set(RATES) == set(Kind) - {Kind.SLOW}
    assert all(rate.burst >= 1 and rate.per_s > 0 for rate in RATES.values())
    assert RATES[Kind.RESYNC].burst >= 3 * (1 + ROOMS)


TAKES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30), st.floats(0.0, 5.0)), max_size=80)


@settings(deadline=None)
@given(burst=st.integers(1, 20), per_s=st.floats(0.1, 50.0), takes=TAKES, most=st.integers(2, 5))
def test_never_more_and_never_none(
    burst: int, per_s: float, takes: list[tuple[str, int, float]], most: int
) -> None:
    """No user gets more than burst + rate · time, whatever the others do; who waits as told gets what it asked."""
    clock = FakeClock()
    rates = Rates(clock, {Kind.WRITE: Rate(burst, per_s)}, most=1000)
    began, got = clock.now, dict.fromkeys("abc", 0)
    for who, n, pause in takes:
        clock.now += pause
        wait_ms = rates.take(Kind.WRITE, who, n)
        if wait_ms:
            clock.now += wait_ms / 1000 + 1e-6  # the clock itself is no finer than that
            assert rates.take(Kind.WRITE, who, n) == 0
        got[who] += min(n, burst)
        assert got[who] <= burst + (clock.now - began) * per_s + 1e-3


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=200), st.integers(1, 20))
def test_memory_is_bounded(pauses: list[float], most: int) -> None:
    """However many users come, no more than so many buckets are kept."""
    clock = FakeClock()
    rates = Rates(clock, {Kind.WRITE: Rate(2, 0.1)}, most=most)
    for number, pause in enumerate(pauses):
        clock.now += pause
        assert rates.take(Kind.WRITE, f"u_{number}") == 0
        assert len(rates) <= most


def test_what_is_full_again_is_forgotten() -> None:
    """Forgetting gives nobody anything: those who have spent are kept, in a crowd too."""
    clock = FakeClock()
    rates = Rates(clock, {Kind.WRITE: Rate(1, 1.0)})
    for number in range(999):
        rates.take(Kind.WRITE, f"early {number}")
    clock.now += 1.5
    rates.take(Kind.WRITE, "late")
    for number in range(500):
        rates.take(Kind.WRITE, f"new {number}")
    assert len(rates) == 501
    assert rates.take(Kind.WRITE, "late") > 0


def test_more_than_a_bucket_holds() -> None:
    """What costs more than the burst is had for a full bucket: it must not be refused for ever."""
    bucket = Bucket(Rate(10, 2.0), 0.0)
    assert bucket.take(0.0, 50) == 0
    wait_ms = bucket.take(0.0, 50)
    assert wait_ms == 5001 and bucket.take(wait_ms / 1000, 50) == 0
