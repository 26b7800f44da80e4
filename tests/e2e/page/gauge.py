"""What a page costs its reader: time until something is seen, frames, memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import CDPSession, Page

MIB = 1024 * 1024

# `painted`: when the picture that is being made has been drawn; a message to oneself comes after that, a promise
# would come before. `drawn`: the same for the next picture, as somebody needs it who is not making one.
DRAWN = """
globalThis.painted ??= () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage(0);
});
globalThis.drawn ??= () => new Promise((done) => requestAnimationFrame(() => done(painted())));
"""


def p95(figures: list[float]) -> float:
    """What at most one in twenty is above."""
    assert len(figures) >= 20, "too few to tell"
    return sorted(figures)[int(len(figures) * 0.95)]


class Gauge:
    """Looks into the browser that shows a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    @contextmanager
    def slower(self, times: int) -> Iterator[None]:
        """As on a computer that is so many times slower."""
        self._session.send("Emulation.setCPUThrottlingRate", {"rate": times})
        yield
        self._session.send("Emulation.setCPUThrottlingRate", {"rate": 1})

    def heap(self) -> float:
        """Bytes of JavaScript that are still needed."""
        self._session.send("HeapProfiler.collectGarbage")
        return self._metric("JSHeapUsedSize")

    def nodes(self) -> float:
        """Nodes of the document that are still needed."""
        self._session.send("HeapProfiler.collectGarbage")
        return self._metric("Nodes")

    def _metric(self, name: str) -> float:
        metrics: list[dict[str, Any]] = self._session.send("Performance.getMetrics")["metrics"]
        [value] = [float(metric["value"]) for metric in metrics if metric["name"] == name]
        return value
