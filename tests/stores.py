"""Places that engines are opened on, one after the other, with the restarts, crashes and backups in between."""

from __future__ import annotations

import copy
import queue
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from fakes import PATIENCE_S, FakeClock, Ids, Pump
from redis_ground import ArchivedGround, RedisGround, ShardedGround

from chatservice.domain.accounts import Account
from chatservice.domain.events import Entry
from chatservice.domain.ports import Engine, LogSink
from chatservice.domain.promise import Promise
from chatservice.logs.memory import Memory, MemoryLog
from chatservice.logs.sqlite import SQLiteLog


class Ground(Protocol):
    """What an engine stands on: it survives the process."""

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool) -> Engine:
        """Another process opens it."""

    def copy(self) -> object:
        """A backup of how it stands, made while it is in use."""

    def torn(self, part: float) -> object:
        """What a power cut leaves of it, when so much (from 0 to 1) of what was not synced had come to the disk. A
        log in memory has nothing that is half there; for it this is `copy`."""

    def restore(self, backup: object) -> None:
        """The backup is put back; nobody has it open."""


class MemoryGround:
    def __init__(self, place: Path) -> None:
        self.memory = Memory()

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool) -> Engine:
        return MemoryLog(call_soon=pump, clock=clock, randomness=ids, memory=self.memory, fence=fence)

    def copy(self) -> object:
        return copy.deepcopy(self.memory)

    def torn(self, part: float) -> object:
        return self.copy()

    def restore(self, backup: object) -> None:
        self.memory = copy.deepcopy(backup)  # type: ignore[assignment]


class SQLiteGround:
    def __init__(self, place: Path) -> None:
        self.path = place / "chat.db"
        self._copies = 0

    def open(self, pump: Pump, clock: FakeClock, ids: Ids, fence: bool) -> Engine:
        return SQLiteLog(self.path, call_from_thread=pump, clock=clock, randomness=ids, fence=fence)

    def copy(self) -> object:
        self._copies += 1
        target = self.path.with_name(f"copy{self._copies}.db")
        source, backup = sqlite3.connect(self.path), sqlite3.connect(target)
        source.backup(backup)  # with what is in the write-ahead log
        source.close()
        backup.close()
        return target

    def torn(self, part: float) -> object:
        """The file as it is, and its write-ahead log up to any byte: with `synchronous=NORMAL` only a checkpoint
        syncs that, and the file is written by checkpoints alone (sqlite.org/wal.html). Nothing is under way."""
        self._copies += 1
        target, log = self.path.with_name(f"copy{self._copies}.db"), wal(self.path)
        shutil.copy(self.path, target)
        data = log.read_bytes() if log.exists() else b""
        wal(target).write_bytes(data[: round(len(data) * part)])
        return target

    def restore(self, backup: object) -> None:
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()
        source = Path(str(backup))
        shutil.copy(source, self.path)
        if wal(source).exists():
            shutil.copy(wal(source), wal(self.path))


def wal(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


GROUNDS: dict[str, Callable[[Path], Ground]] = {"memory": MemoryGround, "sqlite": SQLiteGround}
"""A new row here is a new engine that owes the same."""

SERVED: dict[str, Callable[[Path], Ground]] = {"redis": RedisGround, "archived": ArchivedGround}
"""Those that need a server beside them: tests that ask thousands of times leave them out."""

ENGINES = (*sorted(GROUNDS), *SERVED)

CONTRACTED = (*ENGINES, "shards")
"""Those and several servers as one log: what every engine owes, they owe as well."""


class Nobody:
    """A sink that nothing comes of."""

    def committed(self, entry: Entry) -> None: ...

    def pruned(self, room: str, first: int) -> None: ...

    def registered(self, account: Account) -> None: ...


class Store:
    """An engine on some ground, and what it takes to drive it without a reactor."""

    def __init__(self, kind: str, place: Path, *, fence: bool = True) -> None:
        self.kind = kind
        self.ground = {**GROUNDS, **SERVED, "shards": ShardedGround}[kind](place)
        self.pump: Pump = getattr(self.ground, "pump", None) or Pump()
        self.clock, self.ids = FakeClock(), Ids("e")
        self.engine: Engine
        self._fence = fence
        self._open = 0  # questions without an answer

    def start(self, sink: LogSink | None = None) -> Engine:
        """A process opens the engine; its commits go to `sink`."""
        self.engine = self.prepare()
        self.engine.start(sink or Nobody())
        return self.engine

    def prepare(self) -> Engine:
        """An engine that is not started yet, for a hub that starts it."""
        self.engine = _Counted(self.ground.open(self.pump, self.clock, self.ids, self._fence), self)  # type: ignore[assignment]
        return self.engine

    def stop(self) -> None:
        """The process ends in order."""
        stopped = self.engine.stop()
        self.settle()
        if stopped is not None:
            self.pump.until(stopped)

    @property
    def busy(self) -> bool:
        """Whether a question has no answer yet."""
        return self._open > 0

    def settle(self) -> None:
        """Let everything happen that is under way, also in other threads."""
        end = time.monotonic() + PATIENCE_S
        self.pump.run()
        while self._open:
            try:
                self.pump.run_one(max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no answer came in time") from None
        self.pump.run()

    def count(self, promise: Promise[Any]) -> Promise[Any]:
        """A question was asked."""
        self._open += 1
        promise.then(self._answered)
        return promise

    def crash(self) -> None:
        """The process is gone in the middle of its work. An engine with threads of its own gets to the end of it:
        for that it takes a real process (tests/e2e)."""
        if self.kind == "memory":
            self.pump.forget()
            self._open = 0
        else:
            self.stop()

    def _answered(self, _: Promise[Any]) -> None:
        self._open -= 1


_PARTS = frozenset({"bus", "guestbook", "meter"})


class _Counted:
    """An engine, or a part of one, whose open questions are counted."""

    def __init__(self, engine: Any, store: Store) -> None:
        self._engine = engine
        self._store = store

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._engine, name)
        if name in _PARTS and attribute is not None:
            return _Counted(attribute, self._store)
        if not callable(attribute) or name in ("start", "stop"):
            return attribute
        return lambda *args, **kwargs: self._count(attribute(*args, **kwargs))

    def _count(self, answer: Any) -> Any:
        return self._store.count(answer) if isinstance(answer, Promise) else answer
