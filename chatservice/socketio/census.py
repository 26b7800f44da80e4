"""How many sessions there are, and whose: a session costs a stranger one request, and us its life in memory."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address

HOUSEHOLD_BYTES = 8
"""A household has a /64 of IPv6: whoever counts whole addresses counts nothing."""


def household(address: str) -> str:
    """What is counted as one: an IPv4 address (also one written as IPv6), the first half of an IPv6 address, or
    whatever else the transport calls its peer."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.packed[:HOUSEHOLD_BYTES].hex()


class Census:
    """Counts the sessions of a house that no WebSocket carries, by household.

    :param limit: so many may one household have; None for any number.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._counts: Counter[str] = Counter()
        self._of: dict[str, str] = {}

    def has_room(self, address: str) -> bool:
        """One more may come from there."""
        return self._limit is None or self._counts[household(address)] < self._limit

    def add(self, sid: str, address: str) -> None:
        """A session begins."""
        if self._limit is not None:
            home = self._of[sid] = household(address)
            self._counts[home] += 1

    def remove(self, sid: str) -> None:
        """It is over, or has a WebSocket; harmless if it is not counted."""
        home = self._of.pop(sid, None)
        if home is not None:
            self._counts[home] -= 1
            if not self._counts[home]:
                del self._counts[home]
