"""What is counted over the life of the process, for whoever measures it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counted:
    """Plain numbers that only grow, but for `connections`.

    :ivar connections: open connections now, of all listeners.
    :ivar refused_by_cap: connections and requests of an address that has as many as it may.
    :ivar refused_by_rate: of one that connects too often.
    :ivar refused_by_total: of anybody, because the process has as many as it can.
    :ivar refused_by_origin: what pages of other origins asked for.
    :ivar refused_by_host: requests for a host that is not ours.
    :ivar bad_proxy_headers: connections whose PROXY header could not be read.
    :ivar tls_reloads: certificates replaced while running; so `tls_failures`, those that could not be.
    """

    connections: int = 0
    refused_by_cap: int = 0
    refused_by_rate: int = 0
    refused_by_total: int = 0
    refused_by_origin: int = 0
    refused_by_host: int = 0
    bad_proxy_headers: int = 0
    tls_reloads: int = 0
    tls_failures: int = 0
