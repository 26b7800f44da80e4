"""Servers for the end-to-end tests; their browser is in the conftest above."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from e2e.server import Server

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers with the options it is given; all are stopped at the end and must have been quiet."""
    with ExitStack() as stack:

        def start(*options: str) -> Server:
            return stack.enter_context(Server(tmp_path_factory.mktemp("server"), *options))

        yield start


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server for this test alone."""
    return serve()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file that do not care what else was said there."""
    with Server(tmp_path_factory.mktemp("shared"), "--insecure-no-limits") as server:
        yield server
