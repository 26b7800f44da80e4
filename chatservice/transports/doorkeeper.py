"""What is asked of each request before anybody answers it: whose is it, is it meant for us, may that page ask?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from chatservice.transports.admission import Refusal
from chatservice.transports.arrival import arrival_of
from chatservice.transports.origins import NOT_THIS_ORIGIN
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.transport import Transport

ASKING = (b"/api/", b"/socket.io", b"/admin/api/")
"""Below these a request does something; elsewhere there are files that everybody may have."""

_TOO_MANY = {
    Refusal.CAP: "this address has as many connections as it may have",
    Refusal.RATE: "this address connects too often",
    Refusal.TOTAL: "there is no room for more connections now",
}


class Turned(Exception):
    """A request is turned away.

    :ivar status: code and reason.
    :ivar why: one line, without the peer's words.
    :ivar headers: more header lines.
    """

    def __init__(self, status: bytes, why: str, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
        self.headers = headers or {}


class Asked:
    """A request's head."""

    method: bytes
    path: bytes
    version: bytes
    is_upgrade: bool

    @abstractmethod
    def values(self, name: bytes) -> Sequence[str]:
        """What a header says, once for each time it stands there.

        :param name: as it is usually written.
        """


class Doorkeeper:
    """Of one listener."""

    def __init__(self, around: Surroundings, manners: Manners) -> None:
        self._around = around
        self._manners = manners

    def judge(self, transport: Transport, asked: Asked) -> None:
        """Find out whose request it is, which `transport.getPeer()` tells from then on.

        :raises Turned: if it may not go on.
        """
        if asked.method == b"CONNECT" or asked.path == b"*":
            raise Turned(b"501 Not Implemented", "this is no proxy")
        if asked.method == b"TRACE":  # would show a page what its browser adds to a request
            raise Turned(b"405 Method Not Allowed", "this can only be read: GET or HEAD", {b"Allow": b"GET, HEAD"})
        is_proxied = self._hear_proxy(transport, asked)
        hosts = asked.values(b"Host")
        # RFC 9112 section 3.2. Two could be read in two ways, by us and by a proxy before us.
        if len(hosts) > 1 or (not hosts and asked.version == b"HTTP/1.1"):
            raise Turned(b"400 Bad Request", "a request has one Host header")
        host = hosts[0] if hosts else ""
        if hosts and not is_proxied and not self._manners.answers_to(host):
            self._around.counted.refused_by_host += 1
            raise Turned(
                b"421 Misdirected Request",
                "this service answers to localhost and 127.0.0.1 only. To reach it by another name, start it with"
                " --public-url http://THAT-NAME/; behind a proxy on this computer, with --trusted-proxy 127.0.0.1",
            )
        origins = asked.values(b"Origin")
        if origins:
            self._look_at_page(asked, ", ".join(origins), host)

    def _hear_proxy(self, transport: Transport, asked: Asked) -> bool:
        """Whether a trusted proxy brings the request."""
        admission = self._around.admission
        arrival = arrival_of(transport) if admission.trusted else None
        if arrival is None or arrival.via not in admission.trusted:
            return False
        whose = admission.trusted.forwarded(asked.values(b"X-Forwarded-For"))
        if whose is None:
            arrival.forget()
            return True
        refusal = arrival.forward(whose, connects=asked.is_upgrade)
        if refusal is not None:
            raise too_many(self._around, refusal)
        return True

    def _look_at_page(self, asked: Asked, origin: str, host: str) -> None:
        """Each way in has its own words for a page that may not ask; here it is only counted, but for one case."""
        manners = self._manners
        if asked.is_upgrade or asked.path.startswith(ASKING):
            allowed = manners.admits(origin, host)
            # A proxy nobody told us of makes everybody look as if at this computer.
            hidden = (
                allowed and manners.loopback and (asked.values(b"X-Forwarded-For") or asked.values(b"Forwarded"))
            )
            if hidden and not manners.origins.allow(origin, host, loopback=False):
                allowed = False
            if not allowed:
                self._around.counted.refused_by_origin += 1
            if hidden and not allowed:
                raise Turned(b"403 Forbidden", f"{NOT_THIS_ORIGIN}; a proxy is made known with --trusted-proxy")


def too_many(around: Surroundings, refusal: Refusal) -> Turned:
    """There are too many, of that address or of all."""
    retry_s = around.admission.retry_s()
    status = b"503 Service Unavailable" if refusal is Refusal.TOTAL else b"429 Too Many Requests"
    return Turned(status, f"{_TOO_MANY[refusal]}; come back in {retry_s} s", {b"Retry-After": b"%d" % retry_s})
