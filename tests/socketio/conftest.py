"""What the tests of the package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .wire import Application


@pytest.fixture(scope="package")
def application() -> Iterator[Application]:
    """The example application, which must have had nothing to say at the end."""
    application = Application()
    application.websocket(4).close()  # the WebSocket library imports half of itself at its first use
    yield application
    assert application.stop() == ""
