"""The one place that knows everybody: which log, which dialects, on which endpoints."""

from __future__ import annotations

import fcntl
import gc
import os
import resource
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TextIO

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python import usage

from chatservice import __version__
from chatservice.banner import background_notes, banner
from chatservice.config import OPTIONS, BadConfig, Config, read_config
from chatservice.domain.accounts import Registry
from chatservice.domain.elsewhere import Elsewhere
from chatservice.domain.errors import RESTART
from chatservice.domain.hub import Hub
from chatservice.domain.limits import MESSAGES
from chatservice.domain.ports import Engine, LogError
from chatservice.domain.promise import Promise
from chatservice.identity.jwt import SiteTokens
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import OWNER_TOKEN, SignedPasses, load_key, load_owner_token
from chatservice.identity.passwords import Passwords
from chatservice.identity.sign_in import PasswordSignIn
from chatservice.identity.tries import Tries
from chatservice.identity.users import Users
from chatservice.logs.registry import BadStore, bus_of, check_log, open_log, shared_key
from chatservice.transports.assets import Pages, keep
from chatservice.transports.control import listen_for_control
from chatservice.transports.endpoints import BadEndpoint, Listener, check_apart
from chatservice.transports.frontdoor import FrontDoorFactory
from chatservice.transports.headers import HSTS, security_headers
from chatservice.transports.line import LineFactory
from chatservice.transports.sealed import SealedFactory
from chatservice.transports.site import PageSite
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.tls import BadCertificate, ReloadableContext, fingerprint, self_signed
from chatservice.transports.turn import Turn
from chatservice.transports.websocket import ChatWebSocketFactory
from chatservice.wires.quick import send_promptly

KEPT_DESCRIPTORS = 64
"""For the log, its readers, listeners and the interpreter itself."""

_log = Logger("chatservice")


class Secrets:
    """Ids from the operating system's randomness."""

    def token(self) -> str:
        """96 bits as 16 letters, digits, `-` and `_`."""
        return secrets.token_urlsafe(12)


class Options(usage.Options):
    """`twistd chat`'s command line, made from the table in `config.py`."""

    synopsis = "[options]"
    longdesc = "A chat that speaks every dialect: page, WebSocket, TCP lines; one room list, one log."
    optParameters = [
        [option.name, None, None, f"{option.help}{f' [{option.default}]' if option.default else ''}"]
        for option in OPTIONS
        if option.kind == "value"
    ]
    optFlags = [[option.name, None, option.help] for option in OPTIONS if option.kind == "flag"]

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[str]] = {}

    def given(self) -> dict[str, Any]:
        """What was said on the command line."""
        return {name: value for name, value in {**self, **self.lists}.items() if value not in (None, 0)}


def _repeatable(name: str, text: str) -> Callable[[Options, str], None]:
    def option(self: Options, value: str) -> None:
        self.lists.setdefault(name, []).append(value)

    option.__doc__ = text
    return option


for _option in OPTIONS:
    if _option.kind == "list":
        # usage.Options finds its repeatable options by methods of this name.
        setattr(Options, "opt_" + _option.name, _repeatable(_option.name, f"{_option.help} [{_option.default}]"))


class ChatService(MultiService):
    """Everything of one process, started and stopped together.

    :param say: is given the banner when all listeners are open.
    """

    def __init__(self, config: Config, reactor: Any, say: Callable[[str], object] = lambda _: None) -> None:
        super().__init__()
        self.config = config
        self.listeners = serving(config)
        self.contexts = {
            listener: ReloadableContext(listener.certificate, listener.key)
            for listener in self.listeners
            if listener.key is not None and listener.certificate is not None
        }
        self.ports: dict[Listener, int] = {}
        self._reactor = reactor
        self._say = say
        self._open: list[IListeningPort] = []
        self.pages = Pages.load()
        self._factories: list[ChatWebSocketFactory | LineFactory | ChatSockets] = []
        self._log: Engine | None = None
        self._hub: Hub | None = None
        self._passwords: Passwords | None = None
        self._ticking: LoopingCall | None = None
        self.lock: TextIO | None = None  # the data directory is ours as long as this is open

    def privilegedStartService(self) -> None:
        """Open the log and the listeners, as long as ports below 1024 may still be opened."""
        self._open_all()
        super().privilegedStartService()

    def startService(self) -> None:
        """Say where we are. `python -m twisted` calls this one only, so it opens what is not open yet."""
        self._open_all()
        super().startService()
        # What is there now stays; the collector need not look at it again at each of its rounds.
        gc.collect()
        gc.freeze()
        self._say(
            banner(self.config, self.listeners, self.ports, start_notes(self.config, self.listeners, self.pages))
        )

    def _open_all(self) -> None:
        """A failure here ends the process before it serves anyone."""
        if self._log is not None:
            return
        self.pages = with_older(self.pages, self.config.data)
        try:
            around = self._open_log()
            self._open.append(self._control())
            for listener in self.listeners:
                self._listen(listener, self._main_factory(around, listener))
            for listener in self.config.lines:
                factory = LineFactory(around, self._manners(listener), self._reactor)
                self._factories.append(factory)
                self._listen(listener, factory)
        except (BadEndpoint, LogError) as error:
            _log.error("{why}", why=str(error))  # in the background nobody hears what is said
            give_up(str(error), self._say)

    def stopService(self) -> Deferred[Any]:
        """Tell every peer, close the listeners, write what waits."""
        super().stopService()
        closing: list[Deferred[Any]] = [maybeDeferred(port.stopListening) for port in self._open]
        for factory in self._factories:
            factory.close_peers(RESTART)
        if self._hub is not None:
            self._hub.end_readers(RESTART)
        if self._ticking is not None and self._ticking.running:
            self._ticking.stop()
        if self._passwords is not None:
            self._passwords.close()
        if self._log is not None:
            if self._log.stop_blocks:
                closing.append(deferToThread(self._stop_log))
            else:
                closing.append(deferred_of(self._log.stop()))
        return gatherResults(closing)

    def _stop_log(self) -> None:
        assert self._log is not None
        self._log.stop()

    def _open_log(self) -> Surroundings:
        config, reactor = self.config, self._reactor
        self._log = open_log(
            config.store,
            config.data,
            config.durability,
            call_soon=lambda call: reactor.callLater(0, call),
            call_from_thread=reactor.callFromThread,
            clock=time.time,
            randomness=Secrets(),
            connect=connector(reactor),
            call_later=reactor.callLater,
            seconds=reactor.seconds,
            trouble=warn,
        )
        turn = Turn(lambda call: reactor.callLater(0, call), report, reactor.callLater)
        hub = self._hub = Hub(
            self._log,
            turn=turn,
            clock=time.time,
            randomness=Secrets(),
            registry=Registry(PrecisNames()),
            messages=None if config.no_limits else MESSAGES,
            report=report,
            guests=config.guests,
            build=self.pages.build.id if self.pages.build is not None else __version__,
        )
        bus = bus_of(self._log)
        if bus is not None:
            Elsewhere(hub, bus)
        passes = hub.passes = make_passes(config, hub.registry)
        self._passwords = Passwords(reactor.callFromThread)
        hub.sign_in = PasswordSignIn(hub.registry, self._log, self._passwords, passes, Tries(time.time))
        self._log.start(hub)
        around = Surroundings.of(hub, turn=turn, call_later=reactor.callLater, now=reactor.seconds, report=report)
        self._ticking = LoopingCall(around.tick)
        self._ticking.clock = reactor
        self._ticking.start(1.0, now=False)
        return around

    def _control(self) -> IListeningPort:
        assert self._hub is not None and self._log is not None and self._passwords is not None
        users = Users(self._hub.registry, self._log, self._passwords, self._hub.new_id, time.time)
        return listen_for_control(self._reactor, self.config.data, users, report)

    def _manners(self, listener: Listener) -> Manners:
        config = self.config
        return Manners(
            config.lang, config.default_dialect, config.default_room, listener.loopback, config.compression
        )

    def _main_factory(self, around: Surroundings, listener: Listener) -> IProtocolFactory:
        chat = ChatWebSocketFactory(around, self._manners(listener), self._reactor)
        sockets = ChatSockets(around, chat.manners, self._reactor)
        self._factories += [chat, sockets]
        context = self.contexts.get(listener)
        headers = page_headers(self.config, listener)
        site = PageSite(chat, sockets, self.pages, headers)
        door = FrontDoorFactory(around, chat, sockets, site, headers)
        return door if context is None else SealedFactory(context, False, door)

    def _listen(self, listener: Listener, factory: IProtocolFactory) -> None:
        listening = listener.open(self._reactor).listen(factory)
        ports: list[IListeningPort] = []
        errors: list[Any] = []
        listening.addCallbacks(ports.append, errors.append)
        if errors:
            raise BadEndpoint(f"cannot listen at {listener.address()}: {errors[0].getErrorMessage()}")
        for port in ports:
            self._open.append(port)
            send_promptly(port)
            number = getattr(port.getHost(), "port", None)
            if number is not None:
                self.ports[listener] = number


def serving(config: Config) -> tuple[Listener, ...]:
    """All listeners for page and WebSocket, the self-signed ones with their certificate.

    :raises BadCertificate: if it cannot be made.
    """
    if not config.self_signed:
        return config.listeners
    certificate, key = self_signed(config.data / "tls", socket.gethostname())
    return (
        *config.listeners,
        *(replace(listener, key=key, certificate=certificate) for listener in config.self_signed),
    )


def start_notes(config: Config, listeners: tuple[Listener, ...], pages: Pages) -> list[str]:
    """What the operator should know beside the addresses."""
    notes = [f"Room for   {raise_file_limit():,} connections"]
    if pages.build is None:
        notes.append(
            "Page       the small one; for the full one install nodejs and npm and `make run`, or a wheel"
        )
    if config.self_signed:
        certificate = listeners[-1].certificate
        assert certificate is not None
        notes.append(f"Certificate self-signed (browsers will warn), SHA-256 {fingerprint(certificate)}")
    if config.no_limits:
        notes.append("WARNING    --insecure-no-limits: nobody is slowed down. Never do this in public.")
    return notes


def page_headers(config: Config, listener: Listener) -> Mapping[bytes, bytes]:
    """What every HTTP answer of this listener carries; see `HSTS`."""
    headers = dict(security_headers(config.public_url))
    # With a self-signed certificate it is none of those in the configuration.
    if listener.is_tls and listener in config.listeners and not listener.loopback:
        headers.update([HSTS])
    return headers


def with_older(pages: Pages, data: Path) -> Pages:
    """With what pages of the build before may still ask for. A page is no reason not to start."""
    if pages.build is None:
        return pages
    try:
        return replace(pages, older=keep(data / "page", pages.build))
    except OSError as error:
        _log.warn("the page's files are not kept for the next upgrade: {why}", why=str(error))
        return pages


def raise_file_limit() -> int:
    """Let the process have as many descriptors as it may, and tell how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(0, hard - KEPT_DESCRIPTORS)


def report(error: BaseException) -> None:
    """Log an error that is ours. Peers' words are not in it."""
    _log.error("{error_type}: {error!r}", error_type=type(error).__name__, error=error)


def warn(words: str) -> None:
    """Log what the operator should know. Peers' words are not in it."""
    _log.warn("{words}", words=words)


def connector(reactor: Any) -> Callable[..., Any]:
    """Makes connections to Redis; loaded only where there is one."""

    def connect(*args: Any, **kwargs: Any) -> Any:
        from chatservice.redis.wire import Wire

        return Wire(reactor, *args, **kwargs)

    return connect


def deferred_of(promise: Promise[None] | None) -> Deferred[None]:
    """A promise as Twisted waits for it."""
    deferred: Deferred[None] = Deferred()
    if promise is None:
        deferred.callback(None)
    else:
        promise.then(lambda _: deferred.callback(None))
    return deferred


def give_up(why: str, say: Callable[[str], object] | None = None) -> NoReturn:
    """One clear line and exit status 1.

    :param say: stderr as it was before twistd made a log of it.
    """
    (say or sys.stderr.write)(f"chat: {why}\n")
    raise SystemExit(1)


def make_passes(config: Config, registry: Registry) -> SignedPasses:
    """Who makes and reads tokens.

    :raises BadConfig: if the key or the owner's token can be neither read nor made.
    """
    site = None
    if config.site_keys:
        site = SiteTokens(config.site_keys, config.site_audience, config.site_longest_s, time.time, registry.names)
    data = config.data
    try:
        key = shared_key(config.store, load_key(data / "guest.key"))
        owner_token = load_owner_token(data / OWNER_TOKEN)
    except (OSError, ValueError) as error:
        raise BadConfig(f"cannot use the keys in {data}: {error}") from error
    return SignedPasses(key, time.time, owner_token, registry=registry, site=site)


def take_lock(data: Path) -> TextIO:
    """Make the data directory and lock it for this process; two writers on one log would fork it.

    :raises BadConfig: if it cannot be written or another process has it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(data / "lock", "w")  # noqa: SIM115 - held until the process ends
    except OSError as error:
        raise BadConfig(f"cannot write the data directory {data}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadConfig(f"another chatservice uses the data directory {data}") from error
    return lock


def make_service(options: Options, environment: Mapping[str, str], reactor: Any) -> ChatService:
    """The service for these options; everything that can be wrong beforehand is found out here, before
    twistd goes into the background."""
    try:
        config = read_config(options.given(), environment)
        lock = take_lock(config.data)
        make_passes(config, Registry(PrecisNames()))
        check_log(config.store, config.data, config.durability)
        wanted = (*config.listeners, *config.self_signed, *config.lines)
        check_apart(wanted)
        for listener in wanted:
            listener.open(reactor)
            listener.check_free()
        parent: Mapping[str, Any] = options.parent or {}
        if "nodaemon" not in parent or parent["nodaemon"]:
            service = ChatService(config, reactor, sys.stderr.write)
        else:
            service = ChatService(config, reactor)
            notes = start_notes(config, service.listeners, service.pages) + background_notes(
                os.path.abspath(parent.get("logfile") or "twistd.log"),
                os.path.abspath(parent.get("pidfile") or "twistd.pid"),
            )
            sys.stderr.write(banner(config, service.listeners, {}, notes))
    except (BadConfig, BadEndpoint, BadCertificate, BadStore, LogError) as error:
        give_up(str(error))
    service.lock = lock
    return service


def makeService(options: Options) -> ChatService:
    """What the plugin calls. See `twisted.application.service.IServiceMaker`."""
    from twisted.internet import reactor

    return make_service(options, os.environ, reactor)
