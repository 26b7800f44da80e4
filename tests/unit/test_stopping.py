"""What happens to the log when the service stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeClock, Ids, Pump, said
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock

from chatservice import service as service_module
from chatservice.config import read_config
from chatservice.domain.events import Entry
from chatservice.domain.ports import Engine
from chatservice.logs.memory import MemoryLog
from chatservice.logs.sqlite import SQLiteLog
from chatservice.service import ChatService


class Sink:
    """Notes what is told, and in which threads."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.threads: set[threading.Thread] = set()

    def committed(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.threads.add(threading.current_thread())


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_last_words_are_told_in_the_reactors_thread(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits as the service stops is kept and told, in the thread in which everything is told; and a log that
    waits for a thread of its own does not hold up the reactor, whose help that thread needs."""
    pump, sink, ended = Pump(), Sink(), []
    log: Engine
    if store == "memory":
        log = MemoryLog(call_soon=pump, clock=FakeClock(), randomness=Ids())
    else:
        log = SQLiteLog(tmp_path / "chat.db", call_from_thread=pump, clock=FakeClock(), randomness=Ids())
    log.start(sink)
    promises = [log.append("lobby", said(str(n))) for n in range(10)]
    others: list[threading.Thread] = []

    def in_another_thread(call: Callable[[], None]) -> Deferred[None]:
        others.append(threading.Thread(target=call))
        others[-1].start()
        others[-1].join(20)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    monkeypatch.setattr(service_module, "deferToThread", in_another_thread)
    service = ChatService(read_config({"data": str(tmp_path)}, {}), MemoryReactorClock())
    service._log = log
    service.stopService().addCallback(ended.append)
    deadline = time.monotonic() + 20
    while not ended and time.monotonic() < deadline:
        pump.run()
    assert len(ended) == 1 and not any(other.is_alive() for other in others)
    assert [promise.result().seq for promise in promises] == list(range(1, 11))
    assert len(sink.entries) == 10 and sink.threads == {threading.current_thread()}
    assert len(others) == (1 if store == "sqlite" else 0)
