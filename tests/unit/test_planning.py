"""The plan for several workers: what is found out before any of them is started, and where they run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from chatservice.config import read_config
from chatservice.domain.ports import LogError
from chatservice.planning import Becoming, make_plan
from chatservice.transports.inherited import Inherited


def test_an_archive_that_cannot_be_used(tmp_path: Path) -> None:
    """An archive that no worker could use is no plan."""
    (tmp_path / "roll").write_bytes(b"papyrus" * 1000)
    config = read_config({"data": str(tmp_path), "store": "memory:"}, {})
    with pytest.raises(LogError, match="roll"):
        make_plan(replace(config, archive="sqlite:roll"), Inherited(), MemoryReactorClock())


def test_paths_are_seen_from_where_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `twistd --rundir` somewhere else, parent and workers have the data directory that was meant."""
    became: list[str] = []

    def execve(*_: Any) -> None:
        became.append(os.getcwd())

    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(os, "execve", execve)
    given: dict[str, str | list[str]] = {"data": "data", "store": "memory:", "metrics-listen": "none"}
    given |= {"listen": ["tcp:0:interface=127.0.0.1"], "line": ["none"]}
    becoming = Becoming(given, read_config(given, {}), {}, MemoryReactorClock())
    monkeypatch.chdir(there)
    becoming.become()
    assert became == [str(here)] and (here / "data").is_dir() and not (there / "data").exists()
    becoming.sockets.close_others(replace(becoming.plan, wanted=()))
    becoming._lock.close()
