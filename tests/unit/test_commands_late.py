"""A command on a store that no service has open, of which the answer comes too late."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chatservice.commands import asking as module
from chatservice.commands.asking import Failed, asking
from chatservice.config import read_config


class Impatient:
    """A queue of calls with whom everything takes too long once `is_over`."""

    is_over = False

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.put, self.empty = self._calls.put, self._calls.empty

    def get(self, timeout: float | None = None) -> Callable[[], object]:
        if timeout is not None and type(self).is_over:
            raise queue.Empty
        return self._calls.get(timeout=timeout)


def test_done_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told that it took too long finds it in the audit log, if it was done all the same."""
    config = read_config({"data": str(tmp_path)}, {}, ())
    with asking(config, begins=True) as ask:
        ask({"command": "user add", "name": "Ann", "password": "a good long password"})
    opening = module.open_log

    def open_log(*args: Any, **more: Any) -> Any:
        log: Any = opening(*args, **more)
        change = log.change_account

        def late(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(Impatient, "is_over", True)
            return change(*args, **more)

        log.change_account = late
        return log

    monkeypatch.setattr(module, "open_log", open_log)
    monkeypatch.setattr(module, "queue", SimpleNamespace(SimpleQueue=Impatient, Empty=queue.Empty))
    with pytest.raises(Failed, match="took too long"), asking(config) as ask:
        ask({"command": "user role", "name": "Ann", "role": "mod"})
    monkeypatch.undo()
    with asking(config) as ask:
        assert ask({"command": "user list"})["users"][0]["role"] == "mod"
    lines = (tmp_path / "audit.log").read_text("utf-8").splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["user add", "user role"]
