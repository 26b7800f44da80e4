"""The parent of several workers where the system refuses: processes, files, and signals at a bad moment."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatservice.workers import parent as module
from chatservice.workers import planner
from chatservice.workers.crew import Crew
from chatservice.workers.parent import Parent
from chatservice.workers.plan import Handed, Plan, Wanted


class Bare(Parent):
    """A parent whose crew is looked into."""

    crew: Crew

    def __init__(self, plan: Plan) -> None:
        super().__init__(Handed(plan), {})
        self.crew = self._crew
        self.log = Path(plan.log)

    def wrote(self, word: str) -> bool:
        """Whether this stands in the log."""
        return word in self.log.read_text()


class Planned:
    """Settings that have been worked out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def plan(self) -> Plan:
        return self._plan


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    """Of two, who are processes 100 and on that do not exist; the signals of the tests stay theirs."""
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda *_, **__: -1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    numbers = iter(range(100, 200))
    monkeypatch.setattr(module, "spawn", lambda *_: next(numbers))
    monkeypatch.setattr(os, "kill", lambda *_: None)
    parent = Bare(Plan(2, (), str(tmp_path), log=str(tmp_path / "log"), json=True))
    parent.crew.begin(2)
    for pid in (100, 101):
        parent.crew.heard(pid, {"READY": "1"})
    yield parent
    for number in (parent._lifeline, parent._our_end, parent._notes.number):
        os.close(number)
    for file in (parent._signals, parent._told, parent._ear.socket, parent._selector):
        file.close()


def refused(*_: Any) -> int:
    """What fork(2) does where no more processes are allowed."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_no_room_for_a_worker(parent: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be made, the parent lives on, says so, and tries again later."""
    monkeypatch.setattr(module, "spawn", refused)
    parent.crew.exited(100, 1)
    at = parent.crew.next_at()
    assert at is not None
    parent.crew._now = lambda: at + 1
    parent.crew.tick()
    assert parent.wrote("worker_not_started") and parent.crew.next_at() is not None and parent.crew.n_ready == 1


def test_no_room_to_read_the_settings(parent: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be made that reads the settings again, they stay; nothing is left open."""
    monkeypatch.setattr(planner, "spawn", refused)
    before = set(os.listdir("/proc/self/fd"))
    parent._signal(signal.SIGHUP)
    assert parent.wrote("reload_failed") and set(os.listdir("/proc/self/fd")) == before
    assert parent._planner is None


def test_a_log_that_cannot_be_opened_again(parent: Bare, tmp_path: Path) -> None:
    """At a renewal the log that cannot be had is no reason to end, nor for silence: the old file is used."""
    log = tmp_path / "log"
    log.rename(tmp_path / "log.1")
    log.mkdir()
    parent._planned(Planned(parent._plan))  # type: ignore[arg-type]
    assert "log_not_reopened" in (tmp_path / "log.1").read_text() and parent.crew.is_renewing
    log.rmdir()
    parent._reopen_log()
    parent.note("info", "again", "again")
    assert parent.wrote("again")


def test_the_end_comes_before_the_new_settings(parent: Bare) -> None:
    """Settings that are worked out after the signal to end change nothing."""
    parent._signal(signal.SIGTERM)
    parent._planned(Planned(replace(parent._plan, workers=3)))  # type: ignore[arg-type]
    assert parent.crew._generation == 2 and parent._next_plan is None


def test_a_renewal_that_fails_leaves_nothing_open(parent: Bare, tmp_path: Path) -> None:
    """Where the new settings listen somewhere else, and no worker can live with them, nobody is left to knock
    there in vain."""
    path = tmp_path / "new.sock"
    before = set(os.listdir("/proc/self/fd"))
    new = replace(parent._plan, wanted=(Wanted("listen.0", path=str(path)),))
    parent._planned(Planned(new))  # type: ignore[arg-type]
    assert path.exists()
    parent.crew.exited(102, 1)
    assert not path.exists() and len(os.listdir("/proc/self/fd")) == len(before)
    assert parent.wrote("workers_not_replaced") and parent._plan.wanted == ()
