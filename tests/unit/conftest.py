"""A whole chat on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat import Chat
from stores import ENGINES, Store

# With an archive behind it Redis owes its contract in any case; the whole chat on it takes its time.
KINDS = [pytest.param(kind, marks=pytest.mark.slow) if kind == "archived" else kind for kind in ENGINES]


@pytest.fixture(params=KINDS)
def chat(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chat]:
    """A server; at the end nothing may have gone wrong on its side."""
    chat = Chat(Store(request.param, tmp_path))
    yield chat
    chat.stop()
    assert chat.troubles == []
