"""A chat of several processes: the parent and its workers, on a Redis of their own."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from e2e.server import Server, eventually


class Family(Server):
    """See `Server`; its process is the parent.

    :param redis: what `--store` is told.
    :param is_said: whether the command line says how many; else a file does, as it may change.
    """

    def __init__(
        self, directory: Path, redis: str, n: int, *options: str, is_said: bool = True, **more: Any
    ) -> None:
        self.n = n
        said = [f"--workers={n}"] if is_said else []
        super().__init__(directory, *said, f"--store={redis}", "--insecure-no-limits", *options, **more)

    @property
    def workers(self) -> list[int]:
        """Their process ids."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if "\0run\0" in _command(int(child))]

    @property
    def slots(self) -> dict[int, int]:
        """Process id of the worker of each slot, by what its environment says."""
        found = {}
        for pid in self.workers:
            said = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            mine = next(word for word in said if word.startswith("CHATSERVICE_WORKER="))
            found[int(mine.partition("=")[2].partition("-")[0])] = pid
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def noted(self, event: str) -> list[dict[str, Any]]:
        """Log lines of that event."""
        return [line for line in self.lines if line["event"] == event]

    def opened_by_worker(self) -> Counter[str]:
        """How many connections each worker has taken."""
        return Counter(line["worker"] for line in self.noted("connection_opened"))

    def renew(self) -> None:
        """Tell it to replace its workers, and wait until it has."""
        before, done = set(self.workers), len(self.noted("workers_replaced"))
        os.kill(self.pid, signal.SIGHUP)
        eventually(lambda: len(self.noted("workers_replaced")) > done, "other workers", 60)
        assert not before & set(self.workers) and len(self.workers) == self.n


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
