"""Where a Redis is: `redis://`, `rediss://`, `unix:`, `redis+sentinel://`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

PORT = 6379
SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")

_DB = re.compile("[0-9]{1,5}")


class BadAddress(ValueError):
    """This is no address of a Redis; its text is one sentence for the operator. It does not repeat passwords."""


@dataclass(frozen=True, slots=True)
class Place:
    """One server: a host and port, or the path of a UNIX socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """How to get to the data.

    :ivar places: the server; with `master` the sentinels that know it.
    :ivar db: the database's number.
    :ivar tls: whether to speak TLS, with certificates that are checked.
    :ivar ca: a file of certificates to believe instead of the system's; empty for those.
    :ivar master: the name under which the sentinels know the server; empty without sentinels.
    """

    places: tuple[Place, ...]
    db: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""
    master: str = ""

    def __str__(self) -> str:
        """As an operator may read it: without the password."""
        where = ", ".join(map(str, self.places))
        return f"{self.master} of the sentinels {where}" if self.master else where


def parse_address(url: str) -> Address:
    """Read `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://…` (TLS; `?ca=FILE`), `unix:PATH[?db=DB]` or
    `redis+sentinel://HOST[:PORT],HOST…/NAME[/DB]`. What is special in a URL is written as `%xx` in a password.

    :raises BadAddress: for all else.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise BadAddress(f"say {', '.join(f'{known}:…' for known in SCHEMES)}")
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise BadAddress("it cannot be read as a URL") from error
    if parts.fragment or set(asked) - {"db", "ca", "password", "user"}:
        raise BadAddress("after ? there may be db=, ca=, user= and password=, in a password write # as %23")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    # As everywhere with Redis: a login without a colon is the password of the user named default.
    if login and ":" not in login:
        user, password = "", login
    path = unquote(parts.path)
    if scheme == "unix":
        if hosts or not path.startswith("/"):
            raise BadAddress("a socket is said as unix:/PATH")
        places: tuple[Place, ...] = (Place(path=path),)
        names: list[str] = []
    else:
        port = SENTINEL_PORT if scheme.endswith("+sentinel") else PORT
        places = tuple(_place(host, port) for host in hosts.split(","))
        names = [name for name in path.split("/") if name]
    master = names.pop(0) if scheme.endswith("+sentinel") and names else ""
    if scheme.endswith("+sentinel") and not master:
        raise BadAddress("after the sentinels comes the name of the master: redis+sentinel://HOST,HOST/NAME")
    if len(names) > 1 or (len(places) > 1 and not master):
        raise BadAddress("there is one server and one number of a database; several servers have spaces between")
    db = asked.get("db", names or ["0"])[0]
    if not _DB.fullmatch(db):
        raise BadAddress("the database is a number")
    return Address(
        places,
        int(db),
        unquote(user) or asked.get("user", [""])[0],
        unquote(password) or asked.get("password", [""])[0],
        scheme.startswith("rediss"),
        asked.get("ca", [""])[0],
        master,
    )


def _place(said: str, default: int) -> Place:
    try:
        parts = urlsplit(f"//{said}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress("a port is a number up to 65535; between servers there are spaces") from error
    if not host:
        raise BadAddress("a host is missing")
    return Place(host, default if port is None else port)
