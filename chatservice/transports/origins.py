"""Which web pages may connect. Browsers keep pages from reading other origins' answers, but let any page open
a WebSocket anywhere (RFC 6454, RFC 6455 section 10.2): one question is asked for WebSocket, Socket.IO and API."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from urllib.parse import urlsplit

from chatservice.transports.addresses import host_name, is_loopback

NOT_THIS_ORIGIN = "this origin may not connect; pages of others are let in with --origin, our own by --public-url"

_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]
"""Scheme, host in small letters, port."""


def read_origin(said: str) -> Origin | None:
    """An origin as browsers send it, or None; the same however its name is spelled and its port is said."""
    try:
        parts = urlsplit(said)
        port = parts.port if parts.port is not None else _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or not port:
        return None
    # An origin is nothing more than these three; who says more is no browser.
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port


@dataclass(frozen=True, slots=True)
class Origins:
    """What a listener's operator says about pages.

    :ivar listed: pages of other origins that may connect; whoever made it may change it.
    :ivar public: where people find our own page, if that is known. Its host then has no other origin that may.
    :ivar sealed: TLS is ours, so a page of ours that came without it is not ours.
    :ivar anyone: every page may.
    """

    listed: Set[Origin] = frozenset()
    public: Origin | None = None
    sealed: bool = False
    anyone: bool = False

    def allow(self, origin: str, host: str, *, loopback: bool) -> bool:
        """Whether a page from `origin` may connect. No Origin means no browser.

        :param host: the Host header, with or without its port.
        :param loopback: only programs of this computer can ask; then so may any page of this computer, also one
            opened from a file (Origin `null`): that is how the taught pages are tried.
        """
        if not origin or self.anyone:
            return True
        if origin == "null" or origin.startswith("file:"):
            return loopback
        found = read_origin(origin)
        if found is None:
            return False
        if found == self.public or found in self.listed:
            return True
        scheme, name, _ = found
        own = host_name(host).strip("[]").lower()
        if loopback and is_loopback(name) and is_loopback(own):
            return True
        if self.public is not None and name == self.public[1]:
            return False
        return name == own and not (self.sealed and scheme == "http")
