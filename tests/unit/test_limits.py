"""How fast somebody may talk."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.domain.limits import MESSAGES, Bucket, Rate


def test_a_burst_and_then_the_rate() -> None:
    """Ten at once, then two a second, and the bucket says how long to wait."""
    bucket = Bucket(MESSAGES, 100.0)
    assert [bucket.take(100.0) for _ in range(10)] == [0] * 10
    assert bucket.take(100.0) == 501
    assert bucket.take(100.25) == 251
    assert bucket.take(100.502) == 0
    assert bucket.take(100.502) > 0


def test_a_refused_try_costs_nothing() -> None:
    """Hammering does not make the wait longer."""
    bucket = Bucket(Rate(1, 1.0), 0.0)
    assert bucket.take(0.0) == 0
    for tenth in range(1, 10):
        assert bucket.take(tenth / 10) > 0
    assert bucket.take(1.001) == 0


def test_a_rest_fills_it_to_the_burst_only() -> None:
    """After a night of silence it is ten again, not a thousand."""
    bucket = Bucket(MESSAGES, 0.0)
    assert [bucket.take(86_400.0) == 0 for _ in range(11)] == [True] * 10 + [False]


def test_a_clock_that_is_set_back() -> None:
    """An hour back neither empties the bucket nor freezes it for an hour."""
    bucket = Bucket(Rate(2, 1.0), 10_000.0)
    assert bucket.take(6_400.0) == 0
    assert bucket.take(6_400.0) == 0
    assert bucket.take(6_400.0) > 0
    assert bucket.take(6_401.1) == 0


@settings(deadline=None)
@given(
    st.integers(1, 20),
    st.floats(0.1, 100.0),
    st.lists(st.floats(0.0, 10.0), max_size=60),
)
def test_never_more_than_the_rate(burst: int, per_s: float, pauses: list[float]) -> None:
    """However the tries are spread, no more get through than the burst and the rate allow."""
    now, got = 0.0, 0
    bucket = Bucket(Rate(burst, per_s), now)
    for pause in pauses:
        now += pause
        wait_ms = bucket.take(now)
        if wait_ms == 0:
            got += 1
        else:
            # Waiting as long as it says is enough.
            now += wait_ms / 1000
            assert bucket.take(now) == 0
            got += 1
    assert got <= burst + now * per_s + 1e-6
