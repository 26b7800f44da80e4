"""What happens to the log when the service stops."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeClock, Ids, Pump, Troubles, make_hub, said
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from chatservice import house as house_module
from chatservice.config import read_config
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Entry
from chatservice.domain.ports import Engine
from chatservice.domain.promise import Promise, resolved
from chatservice.house import House
from chatservice.logs.memory import MemoryLog
from chatservice.logs.sqlite import SQLiteLog
from chatservice.service import ChatService
from chatservice.stopping import RELAYS_S, SLICE, see_out
from chatservice.transports.endpoints import parse_listener
from chatservice.transports.surroundings import Surroundings


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

    monkeypatch.setattr(house_module, "deferToThread", in_another_thread)
    service = ChatService(read_config({"data": str(tmp_path)}, {}), MemoryReactorClock())
    closed: list[str] = []
    nobody: Any = SimpleNamespace(
        close=lambda: closed.append("passwords"),
        desk=SimpleNamespace(close=lambda: closed.append("desk")),
        health=SimpleNamespace(draining=False),
        hub=SimpleNamespace(end_readers=lambda _: None),
        farewells=(),
        handshakes=(),
        neighbours=None,
    )
    service._house = House(None, log, nobody, nobody, nobody)
    service.stopService().addCallback(ended.append)
    deadline = time.monotonic() + 20
    while not ended and time.monotonic() < deadline:
        pump.run()
    assert len(ended) == 1 and not any(other.is_alive() for other in others)
    assert [promise.result().seq for promise in promises] == list(range(1, 11))
    assert len(sink.entries) == 10 and sink.threads == {threading.current_thread()}
    assert len(others) == (1 if store == "sqlite" else 0)
    assert closed == ["passwords", "desk"] and nobody.health.draining


class Somebody:
    """Who leaves after so many seconds, or never."""

    def __init__(self, home: Full, leaves_after: float | None) -> None:
        self.told: list[str] = []
        self._home, self._leaves_after = home, leaves_after

    def close(self, why: Disconnect) -> None:
        self.told.append(why.name)
        self._home.leaving += 1
        if self._leaves_after is not None:
            self._home.clock.callLater(self._leaves_after, self._leave)

    def _leave(self) -> None:
        self._home.leaving -= 1


class Full:
    """As much of a service as its end sees, on a clock that the test turns."""

    def __init__(self, people: int, *, leaves_after: float | None = 0.1) -> None:
        self.clock, self.pump, self.leaving = Clock(), Pump(), 0
        self.open: list[object] = []
        self.config = read_config({}, {})
        self.people = [Somebody(self, leaves_after) for _ in range(people)]
        self.log = MemoryLog(call_soon=self.pump, clock=FakeClock(), randomness=Ids())
        hub = make_hub(self.log, troubles=Troubles())
        self.around = Surroundings.of(hub, call_later=self.clock.callLater, now=self.clock.seconds, report=print)
        self.comes: Promise[None] = resolved(None)
        self.ended_at: float | None = None

    def living(self) -> list[Somebody]:
        return self.people

    def close_peers(self, why: Disconnect) -> None:
        """Nobody has come since."""

    def settled(self) -> Promise[None]:
        """The log is asked for its last word."""
        return self.comes

    def end(self) -> None:
        ended = see_out(self.clock, self, self, self.around)  # type: ignore[arg-type]
        ended.addCallback(lambda _: setattr(self, "ended_at", self.clock.seconds()))

    def told(self) -> int:
        return sum(person.told == ["shutdown"] for person in self.people)


def test_everybody_is_told_in_slices() -> None:
    """Many people are told in several turns of the reactor, and the end comes when the last one has gone."""
    full = Full(2 * SLICE + 1)
    full.end()
    assert full.told() == SLICE
    full.clock.advance(0)
    full.clock.advance(0)
    assert full.told() == 2 * SLICE + 1 and full.ended_at is None
    full.clock.pump([0.05] * 5)
    assert full.ended_at is not None and full.ended_at < 0.3


def test_nobody_is_waited_for_too_long() -> None:
    """Who never goes is waited for 5 s, not longer."""
    full = Full(3, leaves_after=None)
    full.end()
    full.clock.pump([0.05] * 90)
    assert full.ended_at is None
    full.clock.pump([0.05] * 20)
    assert full.ended_at is not None and 4.9 < full.ended_at < 5.2


def test_a_log_that_hangs_does_not_keep_people() -> None:
    """What was asked is answered before anybody is told; a log that gives no answer does not keep them."""
    full = Full(3)
    full.comes = Promise()
    full.end()
    full.clock.advance(4)
    assert full.told() == 0
    full.clock.advance(1.1)
    assert full.told() == 3
    full.comes.resolve(None)  # nobody waits for it any more
    full.clock.pump([0.05] * 10)
    assert full.ended_at is not None


class Others:
    """The other workers, as the end of one sees them."""

    def __init__(self) -> None:
        self.relays = {"one", "two"}
        self.is_told = False

    def leave(self) -> None:
        self.is_told = True


def test_answers_of_other_workers_are_waited_for() -> None:
    """What clients here have asked other workers is answered before this one ends, when everybody of its own has
    long gone."""
    full, others = Full(1), Others()
    full.around = replace(full.around, neighbours=others)  # type: ignore[arg-type]
    full.end()
    full.clock.pump([0.1] * 80)
    assert others.is_told and full.ended_at is None
    others.relays.clear()
    full.clock.pump([0.05] * 4)
    assert full.ended_at is not None


def test_answers_of_other_workers_are_not_waited_for_too_long() -> None:
    """One that never comes keeps nobody for ever."""
    full = Full(1)
    full.around = replace(full.around, neighbours=Others())  # type: ignore[arg-type]
    full.end()
    full.clock.pump([0.1] * 150)
    assert full.ended_at is not None and RELAYS_S <= full.ended_at < RELAYS_S + 1


def test_nothing_is_left_of_a_listening_socket() -> None:
    """When we stop to listen at a socket that was handed over, and whoever did has closed it, nobody can connect
    any more: else the kernel would give connections to a socket that nobody serves."""
    full = Full(0)
    with socket.create_server(("127.0.0.1", 0)) as parents:
        address = parents.getsockname()
        ours = os.dup(parents.fileno())
    full.config = replace(full.config, listeners=(replace(parse_listener("systemd:x"), sockets=(ours,)),))
    with socket.create_connection(address):
        pass
    full.end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
