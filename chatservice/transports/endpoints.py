"""Listener strings: any Twisted server endpoint, with `ssl:` built on our own TLS and a `systemd:` of our own."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.interfaces import IReactorCore, IStreamServerEndpoint

from chatservice.transports.addresses import is_loopback

BACKLOG = 4096
"""Connections the kernel may hold while we are busy: a restart brings everybody at once. Twisted has 50."""


class BadEndpoint(ValueError):
    """A listener string makes no sense; its text is one sentence for the operator."""


@dataclass(frozen=True, slots=True, eq=False)  # two listeners on port 0 are two listeners
class Listener:
    """One place to listen at.

    :ivar endpoint: the Twisted endpoint string, without TLS.
    :ivar key: the private key's file when the listener speaks TLS, else None; so `certificate`.
    :ivar host: the interface, `""` for all of them, None when it is no TCP port.
    :ivar name: that of the sockets it is to be given by the service manager; None if it opens its own.
    :ivar sockets: their descriptors; see `transports.inherited`.
    """

    endpoint: str
    host: str | None
    port: int | None
    key: Path | None = None
    certificate: Path | None = None
    name: str | None = None
    sockets: tuple[int, ...] = ()

    @property
    def is_tls(self) -> bool:
        """Whether it speaks wss and https."""
        return self.key is not None

    @property
    def loopback(self) -> bool:
        """Whether only this computer can connect."""
        return self.host is not None and is_loopback(self.host)

    def open(self, reactor: IReactorCore) -> IStreamServerEndpoint:
        """The endpoint, not listening yet.

        :raises BadEndpoint: if Twisted does not know it.
        """
        if self.name is not None:
            raise BadEndpoint(f"{self.endpoint}: only a service manager hands sockets over (docs/deploy.md)")
        try:
            endpoint: IStreamServerEndpoint = serverFromString(reactor, self.endpoint)
            return endpoint
        except (ValueError, TypeError) as error:
            raise BadEndpoint(f"{self.endpoint}: {error}") from error

    def check_free(self) -> None:
        """Try the port before anything is started, so that a busy one can be told in one line.

        :raises BadEndpoint: if somebody else listens there or it may not be used.
        """
        if self.host is None or not self.port or self.sockets:
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                where = f"port {self.port} on {self.host or 'all interfaces'}"
                busy = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
                raise BadEndpoint(f"{where} {busy}") from error

    def address(self, port: int | None = None) -> str:
        """Where it is, as people write it.

        :param port: the port it really got, when it asked for any (0).
        """
        if self.host is None:
            return self.endpoint
        host = own_address() if self.host in ("", "0.0.0.0", "::") else self.host
        return f"[{host}]:{port or self.port}" if ":" in host else f"{host}:{port or self.port}"

    def url(self, scheme: str, port: int | None = None) -> str:
        """Its URL: `scheme` is `http` or `ws`, an s is added for TLS."""
        if self.host is None:
            return self.endpoint
        return f"{scheme}{'s' if self.is_tls else ''}://{self.address(port)}/"


def check_apart(listeners: Sequence[Listener]) -> None:
    """See that no two listeners want the same port; trying each alone does not show that.

    :raises BadEndpoint: if two do.
    """
    for one, other in combinations(listeners, 2):
        if one.sockets and set(one.sockets) & set(other.sockets):
            raise BadEndpoint(f"the socket {one.name} is asked for twice")
        if one.sockets or other.sockets:  # they are open already, so they are apart
            continue
        if one.port and one.port == other.port and _overlap(one.host or "", other.host or ""):
            raise BadEndpoint(f"port {one.port} is asked for twice")


def _overlap(one: str, other: str) -> bool:
    for host, beside in ((one, other), (other, one)):
        # Linux gives "::" IPv4 as well.
        if host in (beside, "::") or (host in ("", "0.0.0.0") and ":" not in beside):
            return True
    return False


def own_address() -> str:
    """The address by which others most likely reach this computer; its name if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the kernel only chooses a way (RFC 5737 address)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _split(description: str) -> tuple[list[str], dict[str, str]]:
    """Twisted's endpoint grammar: `:` separates, `key=` names, a backslash takes the next as it is."""
    positional: list[str] = []
    named: dict[str, str] = {}
    field, key = "", None
    characters = iter(description + ":")
    for character in characters:
        if character == "\\":
            field += next(characters, "")
        elif character == "=" and key is None and field.isidentifier():
            key, field = field, ""
        elif character == ":":
            if key is None:
                positional.append(field)
            else:
                named[key] = field
            field, key = "", None
        else:
            field += character
    if field:  # the last backslash has taken the colon that ends it all
        raise BadEndpoint(f"{description}: a backslash needs a character after it")
    return positional, named


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def parse_listener(description: str) -> Listener:
    """The listener that an endpoint string describes.

    `ssl:PORT:privateKey=FILE:certKey=FILE[:interface=ADDRESS][:backlog=N]` is wss; `certKey` defaults to the
    key's file, as in Twisted. `systemd:NAME[:privateKey=FILE:certKey=FILE]` is every socket of that name that the
    service manager hands over; `domain=`, which Twisted's needs, may stand there and says nothing.

    :raises BadEndpoint: if it makes no sense.
    """
    positional, named = _split(description)
    kind = positional[0] if positional else ""
    if kind == "systemd":
        return _inherited(description, positional, named)
    if kind not in ("tcp", "tcp4", "tcp6", "ssl"):
        if ":" not in description:
            raise BadEndpoint(f"{description}: this is no endpoint; try tcp:8080:interface=127.0.0.1")
        return Listener(description, None, None)
    # Whatever we did not understand we would not pass on; a mistyped interface= would listen everywhere.
    known = {"port", "interface", "backlog"} | ({"privateKey", "certKey"} if kind == "ssl" else set())
    unknown = [f"{name}=" for name in named if name not in known] + positional[2:]
    if unknown:
        raise BadEndpoint(
            f"{description}: {unknown[0]!r} means nothing here; known are {', '.join(sorted(known))},"
            " and a colon inside a value needs a backslash before it"
        )
    port_text = named.get("port") or (positional[1] if len(positional) > 1 else "")
    if not _is_number(port_text) or int(port_text) > 65535:
        raise BadEndpoint(f"{description}: {port_text or 'nothing'} is no port number")
    if not _is_number(named.get("backlog", "0")):
        raise BadEndpoint(f"{description}: backlog={named['backlog']} is no number")
    host = named.get("interface", "::" if kind == "tcp6" else "")
    interface = f":interface={quoteStringArgument(host)}" if host else ""
    plain = "tcp6" if ":" in host else "tcp"
    endpoint = f"{plain}:{port_text}{interface}:backlog={named.get('backlog', BACKLOG)}"
    if kind != "ssl":
        return Listener(endpoint, host, int(port_text))
    if "privateKey" not in named:
        raise BadEndpoint(f"{description}: ssl needs privateKey=FILE and certKey=FILE")
    return Listener(endpoint, host, int(port_text), *_files(named))


def unix_of(listener: Listener) -> tuple[str, int] | None:
    """The path and the mode of a UNIX socket; None if the listener is something else."""
    positional, named = _split(listener.endpoint)
    path = named.get("address") or "".join(positional[1:2])
    if positional[:1] != ["unix"] or not path:
        return None
    return path, int(named.get("mode", "666"), 8)


def backlog_of(listener: Listener) -> int:
    """How many connections its socket may hold."""
    return int(_split(listener.endpoint)[1].get("backlog", BACKLOG))


def _inherited(description: str, positional: list[str], named: dict[str, str]) -> Listener:
    unknown = [f"{name}=" for name in named if name not in ("name", "domain", "privateKey", "certKey")]
    if unknown or len(positional) > 2:
        raise BadEndpoint(
            f"{description}: {(unknown or positional[2:])[0]!r} means nothing here; say systemd:NAME, or"
            " systemd:NAME:privateKey=FILE:certKey=FILE for wss"
        )
    name = named.get("name") or (positional[1] if len(positional) > 1 else "")
    if not name:
        raise BadEndpoint(f"{description}: which socket? FileDescriptorName= in the .socket unit names it")
    key, certificate = _files(named) if "privateKey" in named else (None, None)
    return Listener(f"systemd:{name}", None, None, key, certificate, name)


def _files(named: dict[str, str]) -> tuple[Path, Path]:
    key = named["privateKey"]
    return Path(key).absolute(), Path(named.get("certKey") or key).absolute()
