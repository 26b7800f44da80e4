"""Real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from redis_server import RedisServer

from nodes.chats import Node


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One for this test alone."""
    with RedisServer() as server:
        yield server


class MakeNode:
    """Starts chats on the server of the test; all are stopped at its end, and nothing may have gone wrong in
    them."""

    def __init__(self, server: RedisServer, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack
        self._count = 0

    def __call__(self, **more: Any) -> Node:
        self._count += 1
        node = Node(self._server, f"n{self._count}", **more)
        self._stack.callback(node.stop)
        return node


@pytest.fixture
def make_node(server: RedisServer) -> Iterator[MakeNode]:
    """See `MakeNode`."""
    with ExitStack() as stack:
        yield MakeNode(server, stack)
