"""Which web pages may connect. Browsers keep pages from reading other origins' answers, but let any page open
a WebSocket anywhere: so the same question is asked for both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

Allowed = Callable[[str, str], bool]
"""Is given the Origin header and the Host header. Who sends no origin is no browser and not asked about."""


def same_origin(origin: str, host: str) -> bool:
    """Only pages that were served under the same host and port."""
    try:
        parts = urlsplit(origin)
        port = {"http": 80, "https": 443}.get(parts.scheme)
        there = (parts.hostname, parts.port or port)
        here = urlsplit(f"//{host}")
        return there == (here.hostname, here.port or port) and port is not None
    except ValueError:
        return False


def any_origin(origin: str, host: str) -> bool:
    """Every page there is, files on a disk included."""
    return True


def these_origins(origins: Iterable[str]) -> Allowed:
    """The listed ones, each `scheme://host[:port]` exactly as browsers send it."""
    listed = frozenset(origins)
    return lambda origin, host: origin in listed
