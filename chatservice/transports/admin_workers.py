"""All workers on the operator's page, whichever of them answers it: a row each, and what they are together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chatservice.domain.board import Pinned
from chatservice.domain.errors import Refused
from chatservice.domain.promise import Promise
from chatservice.transports.surroundings import Surroundings

KNOWN_S = 15.0
"""Where the board could not be read for so long, nobody knows whether the others live: so long is a lease."""

WORDS = ("worker", "host")
NUMBERS = ("pid", "connections", "people", "rooms", "written", "per_s", "lag_ms", "memory", "refused", "up_s")
DIALECT = ("n", "waiting", "most", "lagging")
SUMMED = ("connections", "people", "written", "per_s", "memory", "refused", "waiting", "lagging")

Row = dict[str, Any]


class Workers:
    """Those on the board; of one process alone there is none, and nothing is told."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._pinned: Sequence[Pinned] = ()
        self._read_at: float | None = None
        self._waiting: list[Callable[[], None]] = []

    @property
    def is_asked(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._waiting)

    def ask(self, then: Callable[[], None]) -> None:
        """Look at the board, then call; at once where there is none."""
        board = self._around.desk.board
        if board is None:
            then()
            return

        def answered(done: Promise[Sequence[Pinned]]) -> None:
            waiting, self._waiting = self._waiting, []
            if done.error is None:
                self._pinned, self._read_at = done.result(), self._around.now()
            elif not isinstance(done.error, Refused):
                self._around.report(done.error)
            for call in waiting:
                call()

        self._waiting.append(then)
        if len(self._waiting) == 1:
            board.read().then(answered)

    def told(self, ours: Row) -> dict[str, Any]:
        """What is told of them beside what is told of us.

        :param ours: how we stand now, which is newer than what we have pinned.
        """
        if self._around.desk.board is None:
            return {}
        since = None if self._read_at is None else self._around.now() - self._read_at
        rows = [{**ours, "state": "here", "age_s": 0.0}]
        rows += [_row(one, since or 0.0) for one in self._pinned if not one.is_ours]
        for row in rows:
            for what in ("waiting", "lagging"):
                row[what] = sum(dialect[what] for dialect in row["by_dialect"])
        rows.sort(key=lambda row: (row["state"] == "gone", row["host"], _natural(row["worker"]), row["pid"] or 0))
        return {"workers": rows, "all": {**_sums(rows), "as_of_s": None if since is None else round(since, 1)}}


def _row(pinned: Pinned, since: float) -> Row:
    """
    :param since: seconds since the board was read.
    """
    state = "gone" if not pinned.lives else "lives" if since <= KNOWN_S else "unknown"
    return {**read_sheet(pinned.sheet), "state": state, "age_s": round(pinned.age_s + since, 1)}


def read_sheet(sheet: bytes) -> Row:
    """What a worker has pinned. One of another version may say more, or not all: that is None then."""
    try:
        told = orjson.loads(sheet)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        told = {}
    row: Row = {name: str(told.get(name) or "")[:100] for name in WORDS}
    row |= {name: _number(told.get(name)) for name in NUMBERS}
    dialects = told.get("by_dialect")
    row["by_dialect"] = [
        {"dialect": str(one.get("dialect"))[:100], **{name: _number(one.get(name)) or 0 for name in DIALECT}}
        for one in (dialects if isinstance(dialects, list) else ())
        if isinstance(one, dict)
    ]
    return row


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _natural(worker: str) -> tuple[int, str]:
    """`w2-7` before `w10-1`."""
    return len(worker.partition("-")[0]), worker


def _sums(rows: Sequence[Row]) -> Row:
    """Of those that are known to live."""
    living = [row for row in rows if row["state"] in ("here", "lives")]
    summed: Row = {name: sum(row[name] or 0 for row in living) for name in SUMMED}
    dialects: dict[str, Row] = {}
    for row in living:
        for one in row["by_dialect"]:
            known = dialects.setdefault(one["dialect"], {"dialect": one["dialect"], **dict.fromkeys(DIALECT, 0)})
            for name in DIALECT:
                known[name] = max(known[name], one[name]) if name == "most" else known[name] + one[name]
    return {
        "workers": len(living),
        **summed,
        "per_s": round(summed["per_s"], 2),
        "lag_ms": max(row["lag_ms"] or 0 for row in living),
        "by_dialect": sorted(dialects.values(), key=lambda one: -one["n"]),
    }
