"""Each engine in turn; see `stores.CONTRACTED`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk
from stores import CONTRACTED, Store


@pytest.fixture(params=CONTRACTED)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """An engine, started."""
    desk = Desk(Store(request.param, tmp_path))
    yield desk
    desk.store.stop()
