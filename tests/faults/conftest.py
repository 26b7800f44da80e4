"""Servers for the faults, as for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from e2e.server import Server


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers with the options it is given; all are stopped at the end and must have been quiet."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(Server(tmp_path_factory.mktemp("server"), *options))
