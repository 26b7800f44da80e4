"""One of several processes behind the same ports, as it sees itself. The parent is `chatservice.workers`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.main import CONNECTION_DONE
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.config import Config
from chatservice.transports.endpoints import Listener
from chatservice.transports.inherited import Inherited
from chatservice.transports.neighbours import Neighbours
from chatservice.workers.manager import Manager
from chatservice.workers.parent import BANNER, WORKER
from chatservice.workers.plan import CONTROL, LIFELINE

_SAID = re.compile(r"([0-9]{1,3})-([0-9]{1,9})/([0-9]{1,3})")

DIRECTORY = "workers"
"""In the data directory: where the workers of one machine reach each other."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Which one we are.

    :ivar slot: from 1 on; what has a port of its own has it by this.
    :ivar node: our word among all processes that ever were, such as `w2-7`.
    :ivar inherited: what the parent has handed over.
    """

    slot: int
    node: str
    inherited: Inherited

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> Worker | None:
        """What the environment says; None if there is no parent."""
        said = _SAID.fullmatch(environment.pop(WORKER, ""))
        if said is None:
            return None
        return cls(int(said[1]), f"w{said[1]}-{said[2]}", Inherited.take(environment))

    def adopt(self, config: Config) -> Config:
        """With the sockets that the parent has opened for the listeners."""

        def given(kind: str, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
            return tuple(self._give(name_of(kind, place), one) for place, one in enumerate(listeners))

        metrics = config.metrics
        if isinstance(metrics, Listener):
            metrics = self._give(name_of("metrics", 0), metrics)
            if not metrics.sockets:  # the parent has said why
                metrics = "none"
        return replace(
            config,
            listeners=given("listen", config.listeners),
            self_signed=given("self-signed", config.self_signed),
            lines=given("line", config.lines),
            redirects=given("redirect", config.redirects),
            metrics=metrics,
        )

    @property
    def control(self) -> int | None:
        """The descriptor of `control.sock`, at which whichever worker is free answers."""
        return next((number for name, number in self.inherited.sockets if name == CONTROL), None)

    def neighbours(self, data: Path, reactor: Any) -> Neighbours:
        """The way to the other workers."""
        return Neighbours(self.node, data / DIRECTORY, reactor)

    def banner(self, manager: Manager) -> Callable[[str], object]:
        """Tells the parent what is to be said to a person: it speaks for all."""
        return lambda words: manager.tell(f"{BANNER}={words.replace(chr(10), chr(31))}")

    def watch_parent(self, reactor: Any) -> None:
        """Without it nobody would start us again or end us: then we go in good order."""
        for name, number in self.inherited.sockets:
            if name == LIFELINE:
                _Lifeline(reactor, number)

    def _give(self, name: str, listener: Listener) -> Listener:
        found = tuple(number for named, number in self.inherited.sockets if named == name)
        return replace(listener, sockets=found) if found else listener


def name_of(kind: str, place: int) -> str:
    """The name of a listener's socket."""
    return f"{kind}.{place}"


@implementer(IReadDescriptor)
class _Lifeline:
    """The reading end of the parent's pipe."""

    def __init__(self, reactor: Any, number: int) -> None:
        self._reactor: Any = reactor
        self._number = number
        IReactorFDSet(reactor).addReader(self)

    def fileno(self) -> int:
        return self._number

    def doRead(self) -> Any:
        """It says nothing, ever; so this is its end."""
        return None if os.read(self._number, 1) else CONNECTION_DONE

    def connectionLost(self, reason: Failure) -> None:
        """It has ended, which not every reactor asks to be read."""
        if reason.check(ConnectionDone):  # else it is the reactor that has come to its end
            self._reactor.stop()

    def logPrefix(self) -> str:
        """See `ILoggingContext`."""
        return "lifeline"
