"""A listener that tells plain http where https is, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from chatservice.transports.addresses import host_name
from chatservice.transports.head import HeadReader, RawHead
from chatservice.transports.headers import security_headers
from chatservice.transports.surroundings import Surroundings

# RFC 3986: what a request target is made of. Anything else would have to be encoded by whoever asks.
_TARGET = re.compile(rb"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?\[\]]*")

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")

Secured = Callable[[str], str | None]
"""Is given the Host header; tells scheme and host of the same place under TLS, None if that is no name of ours."""


def by_public_url(origin: str) -> Secured:
    """Where the public address is known everybody is sent there, whatever host they asked for."""
    return lambda _host: origin


def by_names(names: Callable[[], frozenset[str]], port: Callable[[], int]) -> Secured:
    """To the host that was asked for, if a certificate is good for it: else anybody could be sent anywhere.

    :param port: of https.
    """

    def elsewhere(host: str) -> str | None:
        name = host_name(host).lower().rstrip(".")
        known = names()
        if not _NAME.fullmatch(name):
            return None
        if name.strip("[]") not in known and "*." + name.partition(".")[2] not in known:
            return None
        number = port()
        return f"https://{name}" if number == 443 else f"https://{name}:{number}"

    return elsewhere


class Redirect(HeadReader):
    """One request, one answer."""

    factory: RedirectFactory

    def headReceived(self, head: bytes, received: bytes) -> None:
        """See `HeadReader.headReceived`."""
        asked = RawHead(head, is_upgrade=False)
        hosts = asked.values(b"Host")
        if len(hosts) != 1 or not _TARGET.fullmatch(asked.target):
            self.refuse(b"400 Bad Request", "this is no request with one Host header and a path")
            return
        elsewhere = self.factory.elsewhere(hosts[0])
        if elsewhere is None:
            self.refuse(b"421 Misdirected Request", "this host has no https here")
            return
        # 308: permanent, and a POST stays a POST (RFC 9110 section 15.4.9).
        location = elsewhere.encode("ascii") + asked.target
        self.refuse(b"308 Permanent Redirect", "it is under https", {b"Location": location})


class RedirectFactory(Factory[Redirect]):
    """Makes the protocols of one such listener."""

    protocol = Redirect
    noisy = False

    def __init__(self, around: Surroundings, elsewhere: Secured) -> None:
        self.around = around
        self.elsewhere = elsewhere
        self.headers: Mapping[bytes, bytes] = security_headers()

    def buildProtocol(self, addr: IAddress | None) -> Redirect:
        """A protocol for one connection."""
        protocol = Redirect()
        protocol.factory, protocol.around, protocol.headers = self, self.around, self.headers
        return protocol
