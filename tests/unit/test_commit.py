"""Nobody is told or answered anything before it is committed, however the writer's thread and ours fall out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk
from fakes import Pump, said
from stores import Store

from chatservice.logs.sqlite_heads import Heads


def others_see(path: Path) -> int:
    """How many entries another process finds."""
    connection = sqlite3.connect(path)
    (count,) = connection.execute("SELECT count(*) FROM entry").fetchone()
    connection.close()
    return int(count)


def test_no_answer_leaves_the_writer_before_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a transaction is open nothing has been handed to our thread that came of it; when a sender has its
    answer, and when the room is told, another process finds the message."""
    order: list[str] = []
    save, call = Heads.save, Pump.__call__

    def last_before_commit(self: Heads, connection: sqlite3.Connection) -> None:
        order.append("commit")
        save(self, connection)

    def sent_home(self: Pump, what: Callable[[], object]) -> None:
        order.append("answer")
        call(self, what)

    monkeypatch.setattr(Heads, "save", last_before_commit)
    monkeypatch.setattr(Pump, "__call__", sent_home)
    desk = Desk(Store("sqlite", tmp_path))
    for n in range(1, 6):
        order.clear()
        seen: list[int] = []
        promise = desk.append(said(f"{n}"))
        promise.then(lambda _, seen=seen: seen.append(others_see(tmp_path / "chat.db")))  # type: ignore[misc]
        desk.get(promise)
        assert seen == [n] and len(desk.sink.entries) == n
        assert order == ["commit", "answer"]
    desk.store.stop()
