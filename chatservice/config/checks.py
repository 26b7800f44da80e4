"""What a setting's words mean; each check says in one line what is wrong with them.

:param called: what the setting is called where it was said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chatservice.config.settings import BadConfig
from chatservice.domain.errors import Refused
from chatservice.domain.limits import ECHO_BYTES, Rate
from chatservice.domain.names import clean_room
from chatservice.domain.ports import LogError
from chatservice.identity.jwt import BadKey, SiteKey, load_site_key
from chatservice.logs.archive_registry import ARCHIVES, NONE
from chatservice.logs.libraries import need
from chatservice.logs.registry import REDIS, STORES, engine_of
from chatservice.logs.shard_map import addresses
from chatservice.redis.address import BadAddress, parse_address
from chatservice.transports.emitter_sources import Source
from chatservice.transports.endpoints import BadEndpoint, Listener, parse_listener
from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origin, read_origin

# A name or address and a port, as they may stand in a header; names of other scripts in their xn-- form.
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")

MOST_WORKERS = 64
"""More than a machine's cores help nobody, and each has connections of its own to the store."""
LEAST_KEPT = 256
"""As many as a room that is open has in memory (domain/limits.py, RING)."""

_FRACTION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)


def site_keys(called: str, said: Sequence[str], credentials: Path | None) -> tuple[SiteKey, ...]:
    """The keys of sites whose tokens are believed."""
    try:
        keys = tuple(load_site_key(_with_credential(called, one, credentials)) for one in said)
    except BadKey as error:
        raise BadConfig(f"{called} {error}") from error
    names = [key.kid for key in keys]
    if len(set(names)) < len(names):
        raise BadConfig(f"{called}: two of them have the same KID; say KID=ALGORITHM:FILE")
    return keys


def seconds(called: str, said: str) -> int:
    """A whole number of them."""
    if not (said.isascii() and said.isdigit() and 0 < len(said) < 9):
        raise BadConfig(f"{called} {said}: say a number of seconds")
    return int(said)


def data_directory(environment: Mapping[str, str]) -> str:
    """Where the data is if nobody says."""
    # systemd may list several directories, separated by colons; the first is ours.
    return environment.get("STATE_DIRECTORY", "").split(":")[0] or "chat-data"


def self_signed(called: str, port: str) -> tuple[Listener, ...]:
    """A port, and where if not on this computer only."""
    number, _, more = port.partition(":")
    if not (number.isascii() and number.isdigit()):
        raise BadConfig(f"{called} {port}: this is no port number")
    return listeners(called, [f"tcp:{number}:{more or 'interface=127.0.0.1'}"])


def listeners(called: str, descriptions: Sequence[str]) -> tuple[Listener, ...]:
    """Endpoint strings."""
    try:
        return tuple(parse_listener(os.path.expanduser(description)) for description in descriptions)
    except BadEndpoint as error:
        raise BadConfig(f"{called} {error}") from error


def plain(called: str, several: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """Those on which there can be no TLS."""
    # Served in the clear though TLS was asked for would be worse than not at all.
    if any(listener.is_tls for listener in several):
        raise BadConfig(f"{called} ssl:…: there is no TLS on such a port; use tcp:")
    return several


def lines(called: str, said: Sequence[str]) -> tuple[Listener, ...]:
    """Those for TCP lines; `none` alone is none."""
    return () if list(said) == ["none"] else plain(called, listeners(called, said))


def redirects(called: str, said: Sequence[str]) -> tuple[Listener, ...]:
    """A port alone is one of all addresses."""
    endpoints = [f"tcp:{one}" if one.isascii() and one.isdigit() else one for one in said]
    return plain(called, listeners(called, endpoints))


def metrics(called: str, said: str) -> Listener | str:
    """`public`, `none` or where."""
    return said if said in ("public", "none") else plain(called, listeners(called, [said]))[0]


def rate(called_burst: str, burst: str, called_rate: str, per_s: str) -> Rate:
    """How fast one may talk."""
    if not (burst.isascii() and burst.isdigit() and len(burst) <= 6 and int(burst)):
        raise BadConfig(f"{called_burst} {burst}: say a number of messages above 0")
    if not (_FRACTION.fullmatch(per_s) and float(per_s) > 0):
        raise BadConfig(f"{called_rate} {per_s}: say a number of messages a second above 0, such as 2 or 0.5")
    return Rate(int(burst), float(per_s))


def secret_file(called: str, said: str, credentials: Path | None, credential: str) -> Path | None:
    """The file that was named; else the credential of that name, if the service manager gave one.

    Systemd hands over secrets as files in `$CREDENTIALS_DIRECTORY` (systemd.exec(5), CREDENTIALS).
    """
    if said:
        path = Path(said).expanduser().absolute()
        if not _is_there(called, path):
            raise BadConfig(f"{called} {path}: there is no such file")
        return path
    found = None if credentials is None else credentials / credential
    return found if found is not None and _is_there(called, found) else None


def _is_there(called: str, path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a directory above it that we may not enter
        raise BadConfig(f"{called} {path}: {error.strerror}") from error


def credentials_directory(environment: Mapping[str, str]) -> Path | None:
    """Where the service manager has put secrets."""
    said = environment.get("CREDENTIALS_DIRECTORY", "")
    return Path(said) if said else None


def _with_credential(called: str, site_key: str, credentials: Path | None) -> str:
    name, colon, file = site_key.partition(":")
    if credentials is None or "/" in file or not _is_there(called, credentials / file):
        return site_key
    return f"{name}{colon}{credentials / file}"


def origins(called: str, said: Sequence[str]) -> frozenset[Origin]:
    """Whose pages may connect."""
    found = set()
    for one in said:
        if one == "*":
            raise BadConfig(
                f"{called} *: any site could act for your users; if you mean it: --insecure-any-origin"
            )
        origin = read_origin(one)
        if origin is None:
            raise BadConfig(f"{called} {one!r}: say it like https://www.example.org or http://localhost:3000")
        found.add(origin)
    return frozenset(found)


def networks(called: str, said: Sequence[str]) -> Networks:
    """Whose proxies are believed."""
    try:
        return Networks.read(said)
    except ValueError as error:
        raise BadConfig(f"{called} {error}: say it like 10.0.0.0/8, 2001:db8::1 or unix") from error


def needs(called: str, is_set: bool, other: str, said: object) -> bool:
    """A flag that means nothing alone."""
    if is_set and not said:
        raise BadConfig(f"{called} needs {other}: whose word is to be believed?")
    return is_set


def bound(called: str, said: str) -> int | None:
    """A number above 0; None for `none`."""
    if said == "none":
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 9 and int(said)):
        raise BadConfig(f"{called} {said}: say a number above 0, or none")
    return int(said)


def public_url(called: str, said: str) -> str:
    """An address of ours, or nothing."""
    if not said:
        return ""
    try:
        address = urlsplit(said)
    except ValueError:  # such as half an IPv6 address
        address = urlsplit("")
    plain = not (address.query or address.fragment)
    if not (plain and address.scheme in ("http", "https") and _HOST.fullmatch(address.netloc)):
        raise BadConfig(f"{called} {said!r}: say it like https://chat.example.org/")
    return said


def echo_bytes(called: str, value: str) -> int:
    """How long an echo may be."""
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= ECHO_BYTES):
        raise BadConfig(f"{called} {value}: say a number of bytes from 1 to {ECHO_BYTES}")
    return int(value)


def one_of(called: str, value: str, known: Sequence[str]) -> str:
    """A word out of several."""
    if value not in known:
        raise BadConfig(f"{called} {value}: there is {', '.join(known)}")
    return value


def store(called: str, value: str) -> str:
    """An engine and what it needs."""
    value = value if ":" in value else value + ":"
    kind = engine_of(value)
    if kind not in STORES:  # what was said may have a password in it, and is not said again
        said = kind if kind.isalpha() and value.removeprefix(f"{kind}:")[:2] in ("", "//") else "this"
        raise BadConfig(f"{called}: there is no {said}; it begins with one of {', '.join(STORES)}")
    several = kind in REDIS or not value.startswith(kind)  # only those have partitions
    if several and any(address.partition(":")[0] not in REDIS for address in addresses(value)):
        raise BadConfig(f"{called}: each of several servers begins with one of {', '.join(REDIS)}")
    return value


def workers(called: str, said: str, store: str, metrics_said: str) -> int:
    """How many processes; more than one share a store, and each has numbers of its own."""
    if not (said.isascii() and said.isdigit() and len(said) <= 3 and 0 < int(said) <= MOST_WORKERS):
        raise BadConfig(f"{called} {said}: say a number from 1 to {MOST_WORKERS}")
    if int(said) > 1 and engine_of(store) not in REDIS:
        raise BadConfig(
            f"{called} {said}: several processes need a store that they can share; say --store redis://HOST or"
            " unix:PATH (docs/scaling.md)"
        )
    if int(said) > 1 and metrics_said == "public":
        raise BadConfig(
            f"{called} {said}: each process has numbers of its own, of which --metrics-listen public would show"
            " any; say --metrics-listen tcp:9100, then they are at that port and those above it"
        )
    return int(said)


def archive(called: str, value: str, store: str) -> str:
    """A database, with a store that needs one."""
    value = value if ":" in value or value == NONE else value + ":"
    if value == NONE:
        return value
    name = value.partition(":")[0]
    if name not in ARCHIVES:  # the rest may be a password
        raise BadConfig(f"{called} {name}: there is {', '.join(ARCHIVES)}, {NONE}")
    if engine_of(store) not in REDIS:  # first: in the path of a file a space divides nothing
        raise BadConfig(f"{called}: an archive is for Redis (--store redis://…); other stores keep everything")
    if len(addresses(store)) > 1:
        raise BadConfig(f"{called}: an archive is for one Redis server, not for several")
    return value


def first_line(path: Path | None, called: str) -> str:
    """What a file with a secret says; nothing without a file."""
    try:
        return "" if path is None else path.read_text("utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{called} {path}: it cannot be read") from error


def kept(called: str, value: str) -> int:
    """So many entries as every worker may need at once, at least."""
    if not (value.isascii() and value.isdigit() and len(value) < 9 and int(value) >= LEAST_KEPT):
        raise BadConfig(f"{called} {value}: say a number of entries, {LEAST_KEPT} at least")
    return int(value)


def room(called: str, value: str) -> str:
    """A room's name."""
    try:
        return clean_room(value)
    except Refused as error:
        raise BadConfig(f"{called} {value!r}: this is no room name") from error


def emitters(called: str, said: Sequence[str]) -> tuple[Source, ...]:
    """Where back ends emit."""
    if said:
        try:
            need("hiredis")
        except LogError as error:
            raise BadConfig(f"{called}: {error}") from error
    return tuple(_source(called, one) for one in said)


def _source(called: str, said: str) -> Source:
    where, mark, query = said.partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    ours = {name: value for name, value in asked if name in ("key", "channel", "nick")}
    rest = "&".join(part for part in query.split("&") if part.partition("=")[0] not in ours)
    try:
        if not all(ours.values()):
            raise BadAddress("key, channel and nick are not empty")
        return Source(parse_address(where + (mark + rest if rest else "")), **ours)
    except BadAddress as error:  # without what was said: it may hold a password
        raise BadConfig(f"{called}: {error}") from error
