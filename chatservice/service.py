"""The one place that knows everybody: which log, which dialects, on which endpoints."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterable, MutableMapping
from pathlib import Path
from typing import Any, TextIO

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from chatservice import __version__
from chatservice.backups import Backups
from chatservice.banner import banner
from chatservice.config import FILES, BadConfig, Config, Given, read_config
from chatservice.domain.accounts import Registry
from chatservice.domain.elsewhere import Elsewhere
from chatservice.domain.hub import Hub
from chatservice.domain.ports import Engine, LogError
from chatservice.identity.names import PrecisNames
from chatservice.identity.passwords import Passwords
from chatservice.identity.sign_in import PasswordSignIn
from chatservice.identity.tries import Tries
from chatservice.identity.users import Users
from chatservice.listening import Listening, given_sockets
from chatservice.logbook import THRESHOLD
from chatservice.logs.archive_registry import check_archive, open_archive
from chatservice.logs.archive_store import DatabaseArchive
from chatservice.logs.audit import AuditFile
from chatservice.logs.registry import BadStore, check_log, open_log
from chatservice.metrics import ArchiveCollector, ChatCollector, LoopLag, MetricsResource, MetricsSite, registry_of
from chatservice.notify import Manager, Watchdog, manager_of
from chatservice.operator import Operator, Rooms
from chatservice.preparing import (
    Secrets,
    bounds,
    connector,
    deferred_of,
    give_up,
    make_passes,
    report,
    shown_settings,
    start_notes,
    take_lock,
    warn,
    with_older,
)
from chatservice.reloading import apply, read_again, say_unheard
from chatservice.signals import on_hangup, stop_only_once
from chatservice.steady import keep_steady
from chatservice.stopping import see_out
from chatservice.transports.admission import Admission
from chatservice.transports.assets import Pages
from chatservice.transports.certificates import Certificates
from chatservice.transports.comeback import age_s
from chatservice.transports.control import listen_for_control
from chatservice.transports.counted import Counted
from chatservice.transports.emitters import Emitters
from chatservice.transports.endpoints import BadEndpoint, Listener, check_apart
from chatservice.transports.inherited import Inherited
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.tls import BadCertificate, load_context
from chatservice.transports.turn import Turn
from chatservice.worker import Worker

_log = Logger("chatservice")


class ChatService(MultiService):
    """Everything of one process, started and stopped together.

    :param say: is given the banner when all listeners are open.
    :param read: reads the settings again.
    :param manager: is told when all is open, and how it goes on.
    :param worker: which of several we are, if there are several.
    :ivar config: the settings that hold.
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        say: Callable[[str], object] = lambda _: None,
        read: Callable[[], Config] | None = None,
        manager: Manager | None = None,
        worker: Worker | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self._worker = worker
        self.listening = Listening(config, reactor)
        self.manager = manager or Manager()
        self.counted = Counted()
        self._certificates = Certificates(self.listening.contexts.values(), self.counted)
        self._reactor = reactor
        self._say = say
        self._read = read
        self.pages = Pages.load()
        self._log: Engine | None = None
        self._archive: DatabaseArchive | None = None
        self._hub: Hub | None = None
        self._passwords: Passwords | None = None
        self._ticking: LoopingCall | None = None
        self._lag: LoopLag | None = None
        self._around: Surroundings | None = None
        self._watchdog: Watchdog | None = None
        self.lock: TextIO | None = None  # the data directory is ours as long as this is open

    def privilegedStartService(self) -> None:
        """Open the log and the listeners, as long as ports below 1024 may still be opened."""
        self._open_all()
        super().privilegedStartService()

    def startService(self) -> None:
        """Say where we are. `python -m twisted` calls this one only, so it opens what is not open yet."""
        self._open_all()
        super().startService()
        stop_only_once(self._reactor)
        on_hangup(self._reactor, self.reload)
        # What is there now stays; the collector need not look at it again at each of its rounds.
        gc.collect()
        gc.freeze()
        listeners, ports = self.listening.listeners, self.listening.ports
        say_unheard(self.config.settings)
        for line in self.config.settings.unknown:
            _log.warn("{line}", event="unknown_setting", line=line)
        url = listeners[0].url("http", ports.get(listeners[0]))
        _log.info("chatservice {version} is at {url}", event="started", version=__version__, url=url)
        notes = start_notes(self.config, listeners, self.pages)
        self._say(banner(self.config, listeners, ports, notes))
        if self._around is not None:
            self._around.comeback.start_s = age_s()
        if self._worker is not None:
            self._worker.watch_parent(self._reactor)
        self.manager.ready()
        if self.manager.watchdog_s is not None and self._log is not None:
            log = self._log
            self._watchdog = Watchdog(self.manager, lambda: log.session(b"", int(time.time() * 1000)))

    def _open_all(self) -> None:
        """A failure here ends the process before it serves anyone."""
        if self._log is not None:
            return
        keep_steady(self._reactor)
        self.pages = with_older(self.pages, self.config.data)
        try:
            around = self._open_log()
            self.listening.open.append(self._control())
            self.listening.open_all(around, self.pages)
            if around.neighbours is not None:
                self.listening.open.append(around.neighbours.listen(around))
            self._hear_emitters(around)
            self._serve_metrics(around)
        except (BadEndpoint, LogError) as error:
            _log.error(
                "{reason}", event="start_failed", reason=str(error)
            )  # in the background nobody hears what is said
            give_up(str(error), self._say)

    def stopService(self) -> Deferred[Any]:
        """Close the listeners, tell every peer, write what waits; see `stopping.see_out`."""
        super().stopService()
        self.manager.stopping()
        if self._around is not None:
            self._around.health.draining = True
        return self._end()

    @inlineCallbacks
    def _end(self) -> Generator[Deferred[Any], Any, None]:
        log, self._watchdog = self._log, None
        if log is None:
            return
        try:
            yield see_out(self._reactor, self.listening, log, self._around)
        finally:  # whatever went wrong with a peer, the log is closed
            if self._ticking is not None and self._ticking.running:
                self._ticking.stop()
            if self._lag is not None:
                self._lag.stop()
            if self._passwords is not None:
                self._passwords.close()
            if self._around is not None:
                self._around.desk.close()
            if log.stop_blocks:
                yield deferToThread(log.stop)
            else:
                yield deferred_of(log.stop())
            if self._archive is not None:
                yield deferToThread(self._archive.stop)

    def _open_log(self) -> Surroundings:
        config, reactor = self.config, self._reactor
        self._archive = open_archive(
            config.archive, config.data, config.archive_password, reactor.callFromThread, warn
        )
        self._log = open_log(
            config.store,
            config.data,
            config.durability,
            call_soon=lambda call: reactor.callLater(0, call),
            call_from_thread=reactor.callFromThread,
            clock=time.time,
            randomness=Secrets(),
            note=self._note,
            connect=connector(reactor),
            call_later=reactor.callLater,
            seconds=reactor.seconds,
            trouble=warn,
            archive=self._archive,
            keep=config.redis_keep,
        )
        turn = Turn(lambda call: reactor.callLater(0, call), report, reactor.callLater, counted=self.counted)
        hub = self._hub = Hub(
            self._log,
            turn=turn,
            clock=time.time,
            randomness=Secrets(),
            registry=Registry(PrecisNames()),
            messages=None if config.no_limits else config.messages,
            report=report,
            guests=config.guests,
            build=self.pages.build.id if self.pages.build is not None else __version__,
            audit=AuditFile(config.data / "audit.log", report),
        )
        Elsewhere(hub, self._log.bus)
        passes = hub.passes = make_passes(config, hub.registry)
        self._passwords = Passwords(reactor.callFromThread)
        hub.sign_in = PasswordSignIn(
            hub.registry, self._log, self._passwords, passes, Tries(time.time), self._log.meter
        )
        self._log.start(hub)
        around = self._around = Surroundings.of(
            hub,
            turn=turn,
            call_later=reactor.callLater,
            now=reactor.seconds,
            report=report,
            admission=Admission(reactor.seconds, self.counted, bounds(config), config.trusted),
            counted=self.counted,
            neighbours=None if self._worker is None else self._worker.neighbours(config.data, reactor),
        )
        archive = self._archive
        if archive is not None:
            around.health.beside["archive"] = lambda: not archive.numbers.away
        around.desk.settings = lambda: shown_settings(self.config.settings)
        around.desk.listen()
        around.health.log = self._log
        hub.network_of = around.network_of
        around.chronicle.enabled = config.notes_connections
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor
        self._ticking.start(1.0, now=False)
        return around

    def _hear_emitters(self, around: Surroundings) -> None:
        config, log = self.config, self._log
        assert log is not None
        for source in config.emitters:
            connect, sockets = connector(self._reactor), lambda: self.listening.sockets
            emitters = Emitters(source, connect, around, sockets, log.once, config.default_room)
            around.desk.closing.append(emitters.stop)
            emitters.start()

    def _serve_metrics(self, around: Surroundings) -> None:
        where, listening = self.config.metrics, self.listening
        if where == "none":
            return
        contexts, seconds = listening.contexts.values(), self._reactor.seconds
        collector = ChatCollector(self.counted, around.hub, contexts, listening.connections, seconds)
        registry = registry_of(collector)
        if self._archive is not None:
            registry.register(ArchiveCollector(self._archive.numbers))
        resource = MetricsResource(registry)
        self._lag = LoopLag(self._reactor, self.counted.lag_s)
        if isinstance(where, Listener):
            listening.open_beside(around, where, MetricsSite(resource, self._reactor))
        else:
            for site in listening.sites:
                site.serve(b"/metrics", resource)

    def _note(self, op: str, seconds: float, failed: bool) -> None:
        self.counted.stored(op, seconds, self._reactor.seconds() if failed else None)

    def _tick(self) -> None:
        """Once a second."""
        assert self._around is not None
        self._around.tick()
        self._certificates.tick()
        self.manager.status(f"{self.counted.connections:,} connections")
        if self._watchdog is not None:
            self._watchdog.beat()

    def reload(self) -> None:
        """Read again what can be read again while people talk; what cannot be used changes nothing."""
        _log.info("reading the settings and certificates again", event="reload")
        with self.manager.reloading():
            self._certificates.reload()
            if self._read is not None and self._hub is not None and self._around is not None:
                self.config = read_again(self._read, self.config)
                apply(self.config, self._hub, self._around, self.listening)

    def _control(self) -> IListeningPort:
        assert self._hub is not None and self._log is not None and self._passwords is not None
        users = Users(self._hub.registry, self._log, self._passwords, self._hub.new_id, time.time)
        backups = Backups(self.config.store, self.config.data, self._reactor.callFromThread)
        operator = Operator(users, Rooms(self._log), backups)
        shared = None if self._worker is None else self._worker.control
        return listen_for_control(self._reactor, self.config.data, operator, report, shared)


def examine(config: Config, reactor: Any) -> None:
    """Find out what else can be wrong, without changing anything.

    :raises BadConfig, BadEndpoint, BadCertificate: with one line.
    """
    wanted = wanted_listeners(config)
    check_apart(wanted)
    seals = config.self_signed or any(listener.is_tls for listener in config.listeners)
    if config.redirects and not (seals or config.public_url.startswith("https:")):
        raise BadConfig("--redirect: there is no https to send anybody to; see --listen and --public-url")
    for listener in wanted:
        if listener.name is None:
            listener.open(reactor)
        if listener.key is not None and listener.certificate is not None:
            load_context(listener.certificate, listener.key)


def wanted_listeners(config: Config) -> tuple[Listener, ...]:
    """All but the one for metrics, without which the chat works as well."""
    return (*config.listeners, *config.self_signed, *config.lines, *config.redirects)


def make_service(
    given: Given,
    environment: MutableMapping[str, str],
    reactor: Any,
    *,
    say: Callable[[str], object] | None = sys.stderr.write,
    files: Iterable[Path] = FILES,
    worker: Worker | None = None,
) -> ChatService:
    """The service for these settings; everything that can be wrong beforehand is found out here, before anything
    is served or goes into the background.

    :param say: see `ChatService`; None if nobody hears it.
    :param worker: see `ChatService`.
    """
    try:
        files = tuple(path.absolute() for path in files)  # in the background the working directory is another

        def read() -> Config:
            return read_config(given, environment, files)

        inherited = Inherited.take(environment) if worker is None else worker.inherited
        config = given_sockets(read(), inherited)
        lock = None
        if worker is None:
            lock = take_lock(config.data)
        else:  # the parent has it
            config = worker.adopt(config)
        make_passes(config, Registry(PrecisNames()))
        check_log(config.store, config.data, config.durability)
        check_archive(config.archive, config.data, config.archive_password)
        examine(config, reactor)
        for listener in wanted_listeners(config):
            listener.check_free()
        manager = manager_of(environment)
        if worker is not None:
            say = worker.banner(manager)
        service = ChatService(config, reactor, say or (lambda _: None), read, manager, worker)
    except (BadConfig, BadEndpoint, BadCertificate, BadStore, LogError) as error:
        give_up(str(error))
    THRESHOLD.set(config.log_level)
    service.lock = lock
    return service
