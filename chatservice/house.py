"""The log, the rooms on it, and what all their peers share: everything but the doors."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThread

from chatservice.config import Config
from chatservice.domain.elsewhere import Elsewhere
from chatservice.domain.hub import Hub
from chatservice.domain.ports import Engine
from chatservice.identity.passwords import Passwords
from chatservice.identity.sign_in import PasswordSignIn
from chatservice.identity.tries import Tries
from chatservice.logs.archive_registry import open_archive
from chatservice.logs.archive_store import DatabaseArchive
from chatservice.logs.audit import AuditFile
from chatservice.logs.registry import open_log
from chatservice.preparing import Groundwork, Secrets, bounds, connector, deferred_of, report, warn
from chatservice.transports.admission import Admission
from chatservice.transports.counted import Counted
from chatservice.transports.figures import pin_figures
from chatservice.transports.neighbours import Neighbours
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.turn import Turn


@dataclass(frozen=True, slots=True)
class House:
    """What one process has behind its doors.

    :ivar archive: what keeps the older entries of a Redis, if anything does.
    """

    archive: DatabaseArchive | None
    log: Engine
    hub: Hub
    passwords: Passwords
    around: Surroundings

    @inlineCallbacks
    def close(self) -> Generator[Deferred[Any], Any, None]:
        """Write what waits and close everything; nobody may be there any more."""
        self.passwords.close()
        self.around.desk.close()
        if self.log.stop_blocks:
            yield deferToThread(self.log.stop)
        else:
            yield deferred_of(self.log.stop())
        if self.archive is not None:
            yield deferToThread(self.archive.stop)


def build_house(
    config: Config,
    reactor: Any,
    counted: Counted,
    groundwork: Groundwork,
    *,
    build: str,
    neighbours: Neighbours | None,
) -> House:
    """Open the log and make the rest around it.

    :param build: what `hello` says of the page's build.
    :param neighbours: the way to the other workers of this machine, if there are any.
    :raises LogError: if the log or the archive cannot be opened.
    """
    archive = open_archive(groundwork.archive, reactor.callFromThread, reactor.callLater, warn)
    log = _open(config, reactor, counted, archive)
    turn = Turn(lambda call: reactor.callLater(0, call), report, reactor.callLater, counted=counted)
    hub = Hub(
        log,
        turn=turn,
        clock=time.time,
        randomness=Secrets(),
        registry=groundwork.registry,
        messages=None if config.no_limits else config.messages,
        report=report,
        guests=config.guests,
        build=build,
        audit=AuditFile(config.data / "audit.log", report),
    )
    Elsewhere(hub, log.bus)
    passes = hub.passes = groundwork.passes
    passwords = Passwords(reactor.callFromThread)
    hub.sign_in = PasswordSignIn(hub.registry, log, passwords, passes, Tries(time.time), log.meter)
    log.start(hub)
    around = Surroundings.of(
        hub,
        turn=turn,
        call_later=reactor.callLater,
        now=reactor.seconds,
        report=report,
        admission=Admission(reactor.seconds, counted, bounds(config), config.trusted),
        counted=counted,
        neighbours=neighbours,
    )
    if archive is not None:
        around.health.beside["archive"] = lambda: not archive.numbers.away
    around.health.log = log
    hub.network_of = around.network_of
    around.chronicle.enabled = config.notes_connections
    around.desk.board, around.desk.worker = log.board, "" if neighbours is None else neighbours.node
    if log.board is not None:
        pin_figures(around, log.board)
    return House(archive, log, hub, passwords, around)


def _open(config: Config, reactor: Any, counted: Counted, archive: DatabaseArchive | None) -> Engine:
    def note(op: str, seconds: float, failed: bool) -> None:
        counted.stored(op, seconds, reactor.seconds() if failed else None)

    return open_log(
        config.store,
        config.data,
        config.durability,
        call_soon=lambda call: reactor.callLater(0, call),
        call_from_thread=reactor.callFromThread,
        clock=time.time,
        randomness=Secrets(),
        note=note,
        connect=connector(reactor),
        call_later=reactor.callLater,
        seconds=reactor.seconds,
        trouble=warn,
        archive=archive,
        keep=config.redis_keep,
    )
