"""Who has no token is known by whence they come: the same user for every request, and banned by any way in."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from chatservice.transports.addresses import host_name
from chatservice.transports.admission import Admission

ID_BYTES = 12


class Places:
    """The user ids of addresses. Nobody who sees one learns the address: it is a keyed digest (HMAC-SHA-256).

    Addresses that are not counted have none: behind one of those may be everybody.
    """

    def __init__(self, key: bytes, admission: Admission) -> None:
        self._key = key
        self._admission = admission

    def __call__(self, address: str) -> str | None:
        """The id of an address as `shown`."""
        counted = self._admission.key(host_name(address))
        if counted is None:
            return None
        digest = hmac.digest(self._key, b"place " + counted.encode(), "sha256")
        return "u_" + urlsafe_b64encode(digest[:ID_BYTES]).decode()
