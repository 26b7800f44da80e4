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
from twisted.logger import Logger

from chatservice import __version__
from chatservice.backups import Backups
from chatservice.banner import banner
from chatservice.config import FILES, BadConfig, Config, Given, read_config
from chatservice.domain.ports import LogError
from chatservice.house import House, build_house
from chatservice.identity.users import Users
from chatservice.listening import Listening, given_sockets
from chatservice.logbook import THRESHOLD
from chatservice.logs.registry import BadStore
from chatservice.metrics import ArchiveCollector, ChatCollector, LoopLag, MetricsResource, MetricsSite, registry_of
from chatservice.notify import Manager, Watchdog, manager_of
from chatservice.operator import Operator, Rooms
from chatservice.preparing import (
    Groundwork,
    connector,
    give_up,
    lay_groundwork,
    report,
    shown_settings,
    start_notes,
    take_lock,
    with_older,
)
from chatservice.reloading import apply, read_again, say_unheard
from chatservice.signals import on_hangup, stop_only_once
from chatservice.steady import keep_steady
from chatservice.stopping import see_out
from chatservice.transports.assets import Pages
from chatservice.transports.certificates import Certificates
from chatservice.transports.comeback import age_s
from chatservice.transports.control import listen_for_control
from chatservice.transports.counted import Counted
from chatservice.transports.emitters import Emitters
from chatservice.transports.endpoints import BadEndpoint, Listener, check_apart
from chatservice.transports.inherited import Inherited
from chatservice.transports.tls import BadCertificate, load_context
from chatservice.worker import Worker

_log = Logger("chatservice")


class ChatService(MultiService):
    """Everything of one process, started and stopped together.

    :param say: is given the banner when all listeners are open.
    :param read: reads the settings again.
    :param manager: is told when all is open, and how it goes on.
    :param worker: which of several we are, if there are several.
    :param groundwork: what was found out before; else that is done when the log is opened.
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
        groundwork: Groundwork | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self._worker = worker
        self._groundwork = groundwork
        self.listening = Listening(config, reactor)
        self.manager = manager or Manager()
        self.counted = Counted()
        self._certificates = Certificates(self.listening.contexts.values(), self.counted)
        self._reactor = reactor
        self._say = say
        self._read = read
        self.pages = Pages.load()
        self._house: House | None = None
        self._ticking: LoopingCall | None = None
        self._lag: LoopLag | None = None
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
        house = self._house
        assert house is not None
        house.around.comeback.start_s = age_s()
        if self._worker is not None:
            self._worker.watch_parent(self._reactor)
        self.manager.ready()
        if self.manager.watchdog_s is not None:
            log = house.log
            self._watchdog = Watchdog(self.manager, lambda: log.session(b"", int(time.time() * 1000)))

    def _open_all(self) -> None:
        """A failure here ends the process before it serves anyone."""
        if self._house is not None:
            return
        keep_steady(self._reactor)
        self.pages = with_older(self.pages, self.config.data)
        try:
            house = self.open_house()
            around = house.around
            self.listening.open.append(self._control(house))
            self.listening.open_all(around, self.pages)
            if around.neighbours is not None:
                self.listening.open.append(around.neighbours.listen(around))
            self._hear_emitters(house)
            self._serve_metrics(house)
        except (BadEndpoint, BadStore, LogError) as error:
            _log.error(
                "{reason}", event="start_failed", reason=str(error)
            )  # in the background nobody hears what is said
            give_up(str(error), self._say)

    def open_house(self) -> House:
        """The log and the rooms on it, without anybody who could come in.

        :raises LogError: if the log cannot be opened.
        """
        config = self.config
        house = self._house = build_house(
            config,
            self._reactor,
            self.counted,
            self._groundwork or lay_groundwork(config),
            build=self.pages.build.id if self.pages.build is not None else __version__,
            neighbours=None if self._worker is None else self._worker.neighbours(config.data, self._reactor),
        )
        house.around.desk.settings = lambda: shown_settings(self.config.settings)
        house.around.desk.listen()
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = self._reactor
        self._ticking.start(1.0, now=False)
        return house

    def stopService(self) -> Deferred[Any]:
        """Close the listeners, tell every peer, write what waits; see `stopping.see_out`."""
        super().stopService()
        self.manager.stopping()
        if self._house is not None:
            self._house.around.health.draining = True
        return self._end()

    @inlineCallbacks
    def _end(self) -> Generator[Deferred[Any], Any, None]:
        house, self._watchdog = self._house, None
        if house is None:
            return
        try:
            yield see_out(self._reactor, self.listening, house.log, house.around)
        finally:  # whatever went wrong with a peer, the log is closed
            if self._ticking is not None and self._ticking.running:
                self._ticking.stop()
            if self._lag is not None:
                self._lag.stop()
            yield house.close()

    def _hear_emitters(self, house: House) -> None:
        connect, sockets = connector(self._reactor), lambda: self.listening.sockets
        for number, source in enumerate(self.config.emitters):
            once = house.log.once.of(number)
            emitters = Emitters(source, connect, house.around, sockets, once, self.config.default_room)
            house.around.desk.closing.append(emitters.stop)
            emitters.start()

    def _serve_metrics(self, house: House) -> None:
        where, listening = self.config.metrics, self.listening
        if where == "none":
            return
        contexts, seconds = listening.contexts.values(), self._reactor.seconds
        collector = ChatCollector(self.counted, house.hub, contexts, listening.connections, seconds)
        registry = registry_of(collector)
        if house.archive is not None:
            registry.register(ArchiveCollector(house.archive.numbers))
        resource = MetricsResource(registry)
        self._lag = LoopLag(self._reactor, self.counted.lag_s)
        if isinstance(where, Listener):
            listening.open_beside(house.around, where, MetricsSite(resource, self._reactor))
        else:
            for site in listening.sites:
                site.serve(b"/metrics", resource)

    def _tick(self) -> None:
        """Once a second."""
        assert self._house is not None
        self._house.around.tick()
        self._certificates.tick()
        self.manager.status(f"{self.counted.connections:,} connections")
        if self._watchdog is not None:
            self._watchdog.beat()

    def reload(self) -> None:
        """Read again what can be read again while people talk; what cannot be used changes nothing."""
        _log.info("reading the settings and certificates again", event="reload")
        with self.manager.reloading():
            self._certificates.reload()
            if self._read is not None and self._house is not None:
                self.config = read_again(self._read, self.config)
                apply(self.config, self._house.hub, self._house.around, self.listening)

    def _control(self, house: House) -> IListeningPort:
        users = Users(house.hub.registry, house.log, house.passwords, house.hub.new_id, time.time)
        config = self.config
        backups = Backups(config.store, config.data, self._reactor.callFromThread, config.archive)
        operator = Operator(users, Rooms(house.log), backups, house.hub.audit, time.time)
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
        groundwork = lay_groundwork(config)
        examine(config, reactor)
        for listener in wanted_listeners(config):
            listener.check_free()
        manager = manager_of(environment)
        if worker is not None:
            say = worker.banner(manager)
        service = ChatService(config, reactor, say or (lambda _: None), read, manager, worker, groundwork)
    except (BadConfig, BadEndpoint, BadCertificate, BadStore, LogError) as error:
        give_up(str(error))
    THRESHOLD.set(config.log_level)
    service.lock = lock
    return service
