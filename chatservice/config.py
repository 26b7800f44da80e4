"""What the operator asked for: one table of options, read from the command line and the environment.

`Config` is frozen and checked once; nothing below this file sees a dictionary of settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.errors import Refused
from chatservice.domain.names import clean_room
from chatservice.identity.jwt import BadKey, SiteKey, load_site_key
from chatservice.logs.registry import CACHE, DURABILITIES, STORES
from chatservice.transports.endpoints import BadEndpoint, Listener, parse_listener

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
    Option("data", "value", "", "Keep everything in this directory. [$STATE_DIRECTORY, else ./chat-data]"),
    Option(
        "store",
        "value",
        "sqlite:",
        "Keep the log in sqlite:[PATH], in memory: (lost at the end), or in a Redis that several chats share:"
        " redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://…, unix:PATH, redis+sentinel://HOST,HOST/NAME.",
    ),
    Option(
        "durability",
        "value",
        "disk",
        "When a message counts as kept: disk (survives a power cut) or process (survives a crash of the"
        " program; the newest may be lost with the power). With Redis it is what that server does; cache also"
        " takes one that forgets.",
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
    Option("insecure-no-limits", "flag", "", "Lift the rate limits. For benchmarks and tests only."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings.

    :ivar self_signed: listeners on which our own certificate is used; their `key` is not set yet.
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
    no_limits: bool
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
        lines=() if lines == ["none"] else _listeners("--line", lines),
        public_url=_public_url(settings.word("public-url")),
        data=Path(settings.word("data") or _data_directory(environment)).absolute(),
        store=_one_of_stores(settings.word("store")),
        durability=_one_of("--durability", settings.word("durability"), (*DURABILITIES, CACHE)),
        default_dialect=_one_of("--default-dialect", settings.word("default-dialect"), DEFAULTS),
        default_room=_room(settings.word("default-room")),
        lang=_one_of("--lang", settings.word("lang"), LANGUAGES),
        compression=settings.flag("compression"),
        no_limits=settings.flag("insecure-no-limits"),
        guests=not settings.flag("no-guests"),
        site_keys=_site_keys(settings.words("site-key")),
        site_audience=settings.word("site-audience"),
        site_longest_s=_seconds("--site-longest", settings.word("site-longest")),
    )


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
