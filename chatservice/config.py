"""What the operator asked for: one table of options, read from the command line and the environment.

`Config` is frozen and checked once; nothing below this file sees a dictionary of settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.errors import Refused
from chatservice.domain.limits import ECHO_BYTES, FRAME_BYTES
from chatservice.domain.names import clean_room
from chatservice.identity.jwt import BadKey, SiteKey, load_site_key
from chatservice.logs.registry import DURABILITIES, STORES
from chatservice.transports.addresses import is_loopback
from chatservice.transports.endpoints import BadEndpoint, Listener, parse_listener
from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origin, read_origin

# A name or address and a port, as they may stand in a header; names of other scripts in their xn-- form.
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")


class BadConfig(ValueError):
    """The settings cannot be used; its text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting in all its spellings: `--name`, `CHAT_NAME`.

    :ivar kind: `value`, `list` (repeatable; white space separates in the environment) or `flag`.
    """

    name: str
    kind: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that says the same."""
        return "CHAT_" + self.name.upper().replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(
        "listen",
        "list",
        "tcp:8080:interface=127.0.0.1",
        "Serve the page and WebSocket at this Twisted endpoint; ssl:PORT:privateKey=FILE:certKey=FILE is"
        " wss. Repeatable.",
    ),
    Option(
        "self-signed",
        "value",
        "",
        "Serve https and wss on this port of this computer, with a certificate made once and kept in the"
        " data directory. PORT:interface=ADDRESS listens elsewhere.",
    ),
    Option(
        "line",
        "list",
        "tcp:9000:interface=127.0.0.1",
        "Serve TCP lines (telnet, nc) at this endpoint; none turns them off. Repeatable.",
    ),
    Option(
        "public-url",
        "value",
        "",
        "Where people find the page, such as https://chat.example.org/; the page may then also connect to there by"
        " its name, which Safari before 15.4 needs.",
    ),
    Option(
        "origin",
        "list",
        "",
        "Let pages of this origin connect, such as https://www.example.org. Those of our own host may anyway."
        " Repeatable.",
    ),
    Option(
        "trusted-proxy",
        "list",
        "",
        "Believe proxies in this network about whom they bring (X-Forwarded-For, PROXY protocol): 127.0.0.1,"
        " 10.0.0.0/8, or unix for those who come over a UNIX socket. Repeatable.",
    ),
    Option(
        "proxy-protocol",
        "flag",
        "",
        "Expect the PROXY protocol (version 1 or 2) from trusted proxies at the beginning of each connection.",
    ),
    Option(
        "redirect",
        "list",
        "",
        "Send plain http at this port (PORT: all addresses) or endpoint to https. Repeatable.",
    ),
    Option(
        "connections-per-address",
        "value",
        "200",
        "Connections one address (of IPv6: /64) may have; none is no limit.",
    ),
    Option(
        "connects-per-minute", "value", "300", "How often one address may connect in a minute; none is no limit."
    ),
    Option("limit-loopback", "flag", "", "Hold programs of this computer to these limits too."),
    Option("data", "value", "", "Keep everything in this directory. [$STATE_DIRECTORY, else ./chat-data]"),
    Option("store", "value", "sqlite:", "Keep the log in sqlite:[PATH] or in memory: (lost at the end)."),
    Option(
        "durability",
        "value",
        "disk",
        "When a message counts as kept: disk (survives a power cut) or process (survives a crash of the"
        " program; the newest may be lost with the power).",
    ),
    Option(
        "no-guests",
        "flag",
        "",
        "Let nobody in without an account (chatservice user add) or a token of the site (--site-key).",
    ),
    Option(
        "site-key",
        "list",
        "",
        "Believe JWTs signed with this key: [KID=]ALGORITHM:FILE, where ALGORITHM is HS256 (FILE has the secret),"
        " RS256 or EdDSA (FILE has the public key in PEM). Repeatable: name both while one replaces the other.",
    ),
    Option("site-audience", "value", "chatservice", "What aud must be in them."),
    Option("site-longest", "value", "3600", "Seconds from now until exp in them, at most."),
    Option("default-dialect", "value", "simple", f"What / speaks over WebSocket: {', '.join(DEFAULTS)}."),
    Option("default-room", "value", "lobby", "Where newcomers are who name no room."),
    Option("lang", "value", "en", f"Language of peers who name none: {', '.join(LANGUAGES)}."),
    Option(
        "compression",
        "flag",
        "",
        "Let WebSocket peers that offer permessage-deflate have it: less traffic for long messages.",
    ),
    Option(
        "echo-max",
        "value",
        str(FRAME_BYTES),
        f"How many bytes a message to /echo may have; at most {ECHO_BYTES}, which conformance suites send.",
    ),
    Option("insecure-no-limits", "flag", "", "Lift the rate limits. For benchmarks and tests only."),
    Option("insecure-any-origin", "flag", "", "Let the page of any site act for whoever looks at it."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings.

    :ivar self_signed: listeners on which our own certificate is used; their `key` is not set yet.
    :ivar per_address: connections, and `per_minute` their beginnings, of one address; None is no limit.
    """

    listeners: tuple[Listener, ...]
    self_signed: tuple[Listener, ...]
    lines: tuple[Listener, ...]
    public_url: str
    data: Path
    store: str
    durability: str
    default_dialect: str
    default_room: str
    lang: str
    compression: bool
    echo_max: int
    no_limits: bool
    origins: frozenset[Origin] = frozenset()
    any_origin: bool = False
    trusted: Networks = field(default_factory=Networks)
    proxy_protocol: bool = False
    redirects: tuple[Listener, ...] = ()
    per_address: int | None = 200
    per_minute: int | None = 300
    limit_loopback: bool = False

    @property
    def public_origin(self) -> Origin | None:
        """The origin of the page at its public address."""
        address = urlsplit(self.public_url)
        return read_origin(f"{address.scheme}://{address.netloc}") if address.netloc else None

    @property
    def is_fronted(self) -> bool:
        """Whether people come from elsewhere to listeners that only this computer can reach."""
        public = self.public_origin
        return bool(self.trusted) or (public is not None and not is_loopback(public[1]))

    guests: bool = True
    site_keys: tuple[SiteKey, ...] = ()
    site_audience: str = "chatservice"
    site_longest_s: int = 3600


Given = Mapping[str, str | Sequence[str] | bool]


def read_config(given: Given, environment: Mapping[str, str]) -> Config:
    """Settings from the command line (`given`, only what was said there) over the environment over defaults.

    :raises BadConfig: with one line that says what is wrong.
    """
    settings = _Settings(given, environment)
    lines = settings.words("line")
    self_signed = settings.word("self-signed")
    return Config(
        listeners=_listeners("--listen", settings.words("listen")),
        self_signed=_listeners("--self-signed", [_self_signed_endpoint(self_signed)] if self_signed else []),
        lines=() if lines == ["none"] else _plain("--line", _listeners("--line", lines)),
        public_url=_public_url(settings.word("public-url")),
        data=Path(settings.word("data") or _data_directory(environment)).absolute(),
        store=_one_of_stores(settings.word("store")),
        durability=_one_of("--durability", settings.word("durability"), DURABILITIES),
        default_dialect=_one_of("--default-dialect", settings.word("default-dialect"), DEFAULTS),
        default_room=_room(settings.word("default-room")),
        lang=_one_of("--lang", settings.word("lang"), LANGUAGES),
        compression=settings.flag("compression"),
        echo_max=_bytes("--echo-max", settings.word("echo-max"), ECHO_BYTES),
        no_limits=settings.flag("insecure-no-limits"),
        origins=_origins(settings.words("origin")),
        any_origin=settings.flag("insecure-any-origin"),
        trusted=_networks(settings.words("trusted-proxy")),
        proxy_protocol=_needs(
            "--proxy-protocol", settings.flag("proxy-protocol"), "--trusted-proxy", settings.words("trusted-proxy")
        ),
        redirects=_plain(
            "--redirect",
            _listeners("--redirect", [_redirect_endpoint(said) for said in settings.words("redirect")]),
        ),
        per_address=_bound("--connections-per-address", settings.word("connections-per-address")),
        per_minute=_bound("--connects-per-minute", settings.word("connects-per-minute")),
        limit_loopback=settings.flag("limit-loopback"),
        guests=not settings.flag("no-guests"),
        site_keys=_site_keys(settings.words("site-key")),
        site_audience=settings.word("site-audience"),
        site_longest_s=_seconds("--site-longest", settings.word("site-longest")),
    )


def sources(given: Given, environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each setting, its value in words and where it was said: `flag`, `environment` or `default`."""
    settings, told = _Settings(given, environment), []
    for option in OPTIONS:
        said = given.get(option.name)
        variable = environment.get(option.variable)
        source = "flag" if said not in (None, False, [], ()) else "environment" if variable else "default"
        if option.kind == "flag":
            value = "yes" if settings.flag(option.name) else "no"
        else:
            value = ", ".join(settings.words(option.name)) if option.kind == "list" else settings.word(option.name)
        told.append((option.name, value, source))
    return told


class _Settings:
    def __init__(self, given: Given, environment: Mapping[str, str]) -> None:
        self._given = given
        self._environment = environment
        self._options = {option.name: option for option in OPTIONS}

    def words(self, name: str) -> list[str]:
        option = self._options[name]
        said = self._given.get(name)
        if isinstance(said, Sequence) and not isinstance(said, str) and said:
            return list(said)
        return self._from_environment(option).split()

    def word(self, name: str) -> str:
        option = self._options[name]
        said = self._given.get(name)
        return said if isinstance(said, str) else self._from_environment(option)

    def _from_environment(self, option: Option) -> str:
        # An empty variable is how compose files and systemd units leave one out.
        return self._environment.get(option.variable) or option.default

    def flag(self, name: str) -> bool:
        if self._given.get(name):
            return True
        variable = self._options[name].variable
        value = self._environment.get(variable, "").lower()
        if value not in ("", "0", "1", "no", "yes", "false", "true"):
            raise BadConfig(f"{variable}={value}: say 1 or 0")
        return value in ("1", "yes", "true")


def _site_keys(said: Sequence[str]) -> tuple[SiteKey, ...]:
    try:
        keys = tuple(map(load_site_key, said))
    except BadKey as error:
        raise BadConfig(f"--site-key {error}") from error
    names = [key.kid for key in keys]
    if len(set(names)) < len(names):
        raise BadConfig("--site-key: two of them have the same KID; say KID=ALGORITHM:FILE")
    return keys


def _seconds(flag: str, said: str) -> int:
    if not (said.isascii() and said.isdigit() and 0 < len(said) < 9):
        raise BadConfig(f"{flag} {said}: say a number of seconds")
    return int(said)


def _data_directory(environment: Mapping[str, str]) -> str:
    # systemd may list several directories, separated by colons; the first is ours.
    return environment.get("STATE_DIRECTORY", "").split(":")[0] or "chat-data"


def _self_signed_endpoint(port: str) -> str:
    number, _, more = port.partition(":")
    if not (number.isascii() and number.isdigit()):
        raise BadConfig(f"--self-signed {port}: this is no port number")
    return f"tcp:{number}:{more or 'interface=127.0.0.1'}"


def _listeners(flag: str, descriptions: Sequence[str]) -> tuple[Listener, ...]:
    try:
        return tuple(parse_listener(os.path.expanduser(description)) for description in descriptions)
    except BadEndpoint as error:
        raise BadConfig(f"{flag} {error}") from error


def _plain(flag: str, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    # Served in the clear though TLS was asked for would be worse than not at all.
    if any(listener.is_tls for listener in listeners):
        raise BadConfig(f"{flag} ssl:…: there is no TLS on such a port; use tcp:")
    return listeners


def _redirect_endpoint(said: str) -> str:
    return f"tcp:{said}" if said.isascii() and said.isdigit() else said


def _origins(said: Sequence[str]) -> frozenset[Origin]:
    found = set()
    for one in said:
        if one == "*":
            raise BadConfig("--origin *: any site could act for your users; if you mean it: --insecure-any-origin")
        origin = read_origin(one)
        if origin is None:
            raise BadConfig(f"--origin {one!r}: say it like https://www.example.org or http://localhost:3000")
        found.add(origin)
    return frozenset(found)


def _networks(said: Sequence[str]) -> Networks:
    try:
        return Networks.read(said)
    except ValueError as error:
        raise BadConfig(f"--trusted-proxy {error}: say it like 10.0.0.0/8, 2001:db8::1 or unix") from error


def _needs(flag: str, is_set: bool, other: str, said: object) -> bool:
    if is_set and not said:
        raise BadConfig(f"{flag} needs {other}: whose word is to be believed?")
    return is_set


def _bound(flag: str, said: str) -> int | None:
    if said == "none":
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 9 and int(said)):
        raise BadConfig(f"{flag} {said}: say a number above 0, or none")
    return int(said)


def _public_url(said: str) -> str:
    if not said:
        return ""
    try:
        address = urlsplit(said)
    except ValueError:  # such as half an IPv6 address
        address = urlsplit("")
    plain = not (address.query or address.fragment)
    if not (plain and address.scheme in ("http", "https") and _HOST.fullmatch(address.netloc)):
        raise BadConfig(f"--public-url {said!r}: say it like https://chat.example.org/")
    return said


def _bytes(flag: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= most):
        raise BadConfig(f"{flag} {value}: say a number of bytes from 1 to {most}")
    return int(value)


def _one_of(flag: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise BadConfig(f"{flag} {value}: there is {', '.join(known)}")
    return value


def _one_of_stores(value: str) -> str:
    value = value if ":" in value else value + ":"
    _one_of("--store", value.partition(":")[0], STORES)
    return value


def _room(value: str) -> str:
    try:
        return clean_room(value)
    except Refused as error:
        raise BadConfig(f"--default-room {value!r}: this is no room name") from error
