"""The listener for metrics alone."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from chatservice.metrics import MetricsResource, MetricsSite


@pytest.fixture
def line() -> StringTransport:
    """A connection to it; `send` is what it takes."""
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection  # type: ignore[attr-defined]
    return transport


def ask(line: StringTransport, words: bytes) -> bytes:
    """What it answers."""
    channel = MetricsSite(MetricsResource(CollectorRegistry()), Clock()).buildProtocol(None)
    channel.makeConnection(line)
    channel.dataReceived(words)
    return line.value()


def test_it_answers(line: StringTransport) -> None:
    """Prometheus asks without a body."""
    assert ask(line, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("header", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
def test_nobody_brings_anything(line: StringTransport, header: bytes) -> None:
    """A body is cut off before any of it is kept."""
    assert ask(line, b"POST /metrics HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\nabc") == b""
    assert line.disconnecting
