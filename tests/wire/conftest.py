"""What holds for every test of the wires."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet import reactor

from wire.house import House


@pytest.fixture(autouse=True)
def no_time_of_its_own() -> Iterator[None]:
    """Nothing is left on the real reactor: all time in these tests comes from the house's clock."""
    before = set(reactor.getDelayedCalls())
    yield
    left = set(reactor.getDelayedCalls()) - before
    for call in left:
        call.cancel()  # so that only the guilty test fails
    assert left == set()


@pytest.fixture
def house() -> Iterator[House]:
    """A service without sockets; at the end it must have found no fault in itself."""
    house = House()
    yield house
    assert house.troubles == []
