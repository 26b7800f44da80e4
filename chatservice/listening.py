"""Which factory answers at which listener, and the ports that are open."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

from chatservice.config import Config
from chatservice.domain.errors import Disconnect
from chatservice.transports.arrival import count_arrivals
from chatservice.transports.assets import Pages
from chatservice.transports.endpoints import BadEndpoint, Listener, parse_listener
from chatservice.transports.frontdoor import FrontDoorFactory
from chatservice.transports.gate import Gate
from chatservice.transports.headers import HSTS, security_headers
from chatservice.transports.inherited import Inherited, endpoints
from chatservice.transports.line import LineFactory
from chatservice.transports.origins import Origin, Origins
from chatservice.transports.redirect import RedirectFactory, Secured, by_names, by_public_url
from chatservice.transports.sealed import SealedFactory
from chatservice.transports.site import PageSite
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.tls import ReloadableContext, self_signed
from chatservice.transports.websocket import ChatWebSocketFactory
from chatservice.wires.quick import send_promptly

_log = Logger("chatservice")


class Living(Protocol):
    """Whoever is connected; see `domain.ports.Peer`."""

    def close(self, why: Disconnect) -> None: ...


class Listening:
    """All listeners of one process.

    :ivar listeners: those for page and WebSocket, TLS ones with their key set; `contexts` has their certificates.
    :ivar ports: the port each listener really got.
    :ivar open: what is open, in the order in which it was opened.
    :ivar factories: those that hold peers; `sites`, what answers other requests.
    :raises BadCertificate: if one can be neither read nor made.
    """

    def __init__(self, config: Config, reactor: Any) -> None:
        self.config = config
        self.listeners = serving(config)
        self.contexts = {
            listener: ReloadableContext(listener.certificate, listener.key)
            for listener in self.listeners
            if listener.key is not None and listener.certificate is not None
        }
        self.ports: dict[Listener, int] = {}
        self.open: list[IListeningPort] = []
        self.factories: list[ChatWebSocketFactory | LineFactory | ChatSockets] = []
        self.sites: list[PageSite] = []
        self._reactor = reactor
        self._origins = set(config.origins)

    def allow(self, origins: Collection[Origin]) -> None:
        """Pages of these other origins may connect from now on."""
        self._origins.clear()
        self._origins.update(origins)

    def open_all(self, around: Surroundings, pages: Pages) -> None:
        """Begin to listen everywhere.

        :raises BadEndpoint: if that cannot be.
        """
        for listener in self.listeners:
            self._listen(around, listener, self._main_factory(around, pages, listener))
        for listener in self.config.lines:
            factory = LineFactory(around, self._manners(listener), self._reactor)
            self.factories.append(factory)
            self._listen(around, listener, factory)
        for listener in self.config.redirects:
            self._listen(around, listener, RedirectFactory(around, self._elsewhere()))

    def living(self) -> list[Living]:
        """All peers there are now."""
        return [peer for factory in self.factories for peer in factory.living()]

    def open_beside(self, around: Surroundings, listener: Listener, factory: IProtocolFactory) -> None:
        """Listen for what the chat does not need. Where that cannot be, the log says so."""
        try:
            listener.check_free()
            self._listen(around, listener, factory, proxied=False)  # who collects comes by no proxy
        except BadEndpoint as error:
            _log.warn("no metrics: {reason}", event="metrics_not_served", reason=str(error))

    def connections(self) -> dict[str, int]:
        """How many peers there are now, by kind of transport."""
        live = {"websocket": 0, "line": 0, "socketio": 0}
        for factory in self.factories:
            kind = "line" if isinstance(factory, LineFactory) else "websocket"
            if isinstance(factory, ChatSockets):
                kind = "socketio"
            live[kind] += len(factory.peers)
        return live

    @property
    def sockets(self) -> list[ChatSockets]:
        """The servers of Socket.IO."""
        return [factory for factory in self.factories if isinstance(factory, ChatSockets)]

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for factory in self.factories:
            factory.close_peers(why)

    @property
    def leaving(self) -> int:
        """How many of Socket.IO's connections have been told to go and are still there."""
        return sum(one.server.house.farewells.n for one in self.sockets)

    def _elsewhere(self) -> Secured:
        public = urlsplit(self.config.public_url)
        if public.scheme == "https":
            return by_public_url(f"https://{public.netloc}")
        listener, context = next(iter(self.contexts.items()))
        return by_names(lambda: context.names, lambda: self.ports[listener])

    def _manners(self, listener: Listener) -> Manners:
        config = self.config
        public = config.public_origin
        origins = Origins(self._origins, public, listener.is_tls, config.any_origin)
        hosts = None
        if listener.loopback:
            hosts = frozenset({socket.gethostname().lower(), *([] if public is None else [public[1]])})
        return Manners(
            config.lang,
            config.default_dialect,
            config.default_room,
            # Behind a proxy everybody comes from this computer.
            listener.loopback and not config.is_fronted,
            config.compression,
            config.echo_max,
            not config.no_limits,
            origins,
            hosts,
        )

    def _main_factory(self, around: Surroundings, pages: Pages, listener: Listener) -> IProtocolFactory:
        chat = ChatWebSocketFactory(around, self._manners(listener), self._reactor)
        sockets = ChatSockets(around, chat.manners, self._reactor)
        self.factories += [chat, sockets]
        context = self.contexts.get(listener)
        headers = page_headers(self.config, listener)
        site = PageSite(chat, sockets, pages, headers)
        self.sites.append(site)
        door = FrontDoorFactory(around, chat, sockets, site, headers)
        return door if context is None else SealedFactory(context, False, door)

    def _listen(
        self, around: Surroundings, listener: Listener, factory: IProtocolFactory, *, proxied: bool | None = None
    ) -> None:
        gate = Gate(around, factory, proxied=self.config.proxy_protocol if proxied is None else proxied)
        ports: list[IListeningPort] = []
        errors: list[Any] = []
        for endpoint in endpoints(listener, self._reactor):
            endpoint.listen(gate).addCallbacks(ports.append, errors.append)
        if errors:
            raise BadEndpoint(f"cannot listen at {listener.address()}: {errors[0].getErrorMessage()}")
        for port in ports:
            self.open.append(port)
            send_promptly(port)
            count_arrivals(port, around.admission)
            number = getattr(port.getHost(), "port", None)
            if number is not None:
                self.ports[listener] = number


def given_sockets(config: Config, inherited: Inherited) -> Config:
    """With the sockets that the service manager has handed over, where a listener asks for them; those named `web`
    and `lines` serve where nothing is said about listening.

    :raises BadEndpoint: if there is none for one of them.
    """
    said = config.settings.by_name

    def wanted(option: str, name: str, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
        is_said = option not in said or said[option].source != "default"
        return listeners if is_said or name not in inherited.names else (parse_listener(f"systemd:{name}"),)

    return replace(
        config,
        listeners=tuple(map(inherited.give, wanted("listen", "web", config.listeners))),
        lines=tuple(map(inherited.give, wanted("line", "lines", config.lines))),
        redirects=tuple(map(inherited.give, config.redirects)),
    )


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


def page_headers(config: Config, listener: Listener) -> Mapping[bytes, bytes]:
    """What every HTTP answer of this listener carries; see `HSTS`."""
    headers = dict(security_headers(config.public_url))
    # With a self-signed certificate it is none of those in the configuration.
    if listener.is_tls and listener in config.listeners and not listener.loopback:
        headers.update([HSTS])
    return headers
