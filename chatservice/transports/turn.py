"""The end of a reactor turn: what was gathered during it goes out."""

from __future__ import annotations

from collections.abc import Callable

from chatservice.domain.ports import Flushable


class Turn:
    """See `chatservice.domain.ports.Turn`. Audiences are flushed before queues, so that what a peer is told with
    all others and what it is told alone leave in one write.

    :param call_soon: calls a function after what the reactor is doing now.
    :param report: is given errors that are ours; without it they are raised where they are.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        report: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._call_soon = call_soon
        self._report = report
        self._scheduled = False
        self._first: list[Flushable] = []
        self._last: list[Flushable] = []

    def add(self, what: Flushable) -> None:
        """Flush it at the end of the turn."""
        self._first.append(what)
        self._schedule()

    def add_last(self, what: Flushable) -> None:
        """Flush it after all that was added by `add`."""
        self._last.append(what)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._flush)

    def _flush(self) -> None:
        while self._first or self._last:
            first, self._first = self._first, []
            for what in first:
                self._try(what)
            if self._first:
                continue
            last, self._last = self._last, []
            for what in last:
                self._try(what)
        self._scheduled = False

    def _try(self, what: Flushable) -> None:
        try:
            what.flush()
        except Exception as error:  # one broken flush must not silence everybody else for ever
            if self._report is None:
                raise
            self._report(error)
