"""Making connections: TCP, UNIX sockets, TLS, and asking sentinels where to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from chatservice.redis.address import Address, Place
from chatservice.redis.connection import Connection
from chatservice.redis.errors import NotConnected, RedisError, Unusable
from chatservice.redis.handshake import named_by, opened, opening, sentinel_opening
from chatservice.redis.server import Server
from chatservice.redis.words import DEADLINE_S, Answer, Word


def endpoint(reactor: Any, place: Place, address: Address | None) -> IStreamClientEndpoint:
    """The way to `place`; with TLS if `address` says so."""
    if place.path:
        return UNIXClientEndpoint(reactor, place.path, timeout=DEADLINE_S)
    way: Any
    if isIPAddress(place.host):
        way = TCP4ClientEndpoint(reactor, place.host, place.port, timeout=DEADLINE_S)
    elif isIPv6Address(place.host):
        way = TCP6ClientEndpoint(reactor, place.host, place.port, timeout=DEADLINE_S)
    else:
        way = HostnameEndpoint(reactor, place.host, place.port, timeout=DEADLINE_S)
    if address is None or not address.tls:
        return way  # type: ignore[no-any-return]
    trust = None
    if address.ca:
        trust = trustRootFromCertificates([Certificate.loadPEM(Path(address.ca).read_bytes())])
    return wrapClientTLS(optionsForClientTLS(place.host, trustRoot=trust), way)


def ask(connection: Connection, *words: Word) -> Deferred[Answer]:
    """The answer to one command; errors are among the answers as values."""
    answered: Deferred[Answer] = Deferred()
    connection.send(words, answered.callback)
    return answered


async def dial(reactor: Any, address: Address, connection: Connection) -> Server:
    """Connect and introduce ourselves.

    :raises RedisError: if it cannot be reached or used. The connection is given up then.
    """
    place = await find_master(reactor, address) if address.master else address.places[0]
    await reach(reactor, place, address, connection)
    try:
        asked = [ask(connection, *command) for command in opening(address)]
        return opened(address, [await answer for answer in asked])
    except RedisError as error:
        connection.abort(str(error))
        raise


class _One(Factory[Connection]):
    """Makes the connection that there is already."""

    noisy = False  # else the log would have two lines for each

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return self._connection


async def reach(reactor: Any, place: Place, address: Address | None, connection: Connection) -> None:
    """Connect.

    :raises NotConnected: if that is not possible.
    """
    try:
        await endpoint(reactor, place, address).connect(_One(connection))
    except Exception as error:  # nobody there, a name that is not known, a certificate that is not believed
        raise NotConnected(f"nobody answers at {place}: {error}") from error


async def find_master(reactor: Any, address: Address) -> Place:
    """Where the sentinels say that the server is; the first that answers is believed, and its role is checked."""
    why: RedisError = Unusable(f"the sentinels know no master named {address.master}")
    for place in address.places:
        sentinel = Connection(reactor, lambda: None, lambda _: None)
        try:
            await reach(reactor, place, None, sentinel)
        except NotConnected as error:
            why = error
            continue
        named = named_by(await ask(sentinel, *sentinel_opening(address)[0]))
        sentinel.abort("it has answered")
        if named is not None:
            return Place(*named)
    raise why
