"""What the operator asked for, checked. `Config` is frozen; nothing below sees a dictionary of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from chatservice.config import checks
from chatservice.config.settings import BadConfig, Given, Settings, gather
from chatservice.config.table import LOG_FORMATS, LOG_LEVELS
from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.identity.jwt import SiteKey
from chatservice.identity.passes import OWNER_TOKEN
from chatservice.logs.registry import CACHE, DURABILITIES
from chatservice.transports.addresses import is_loopback
from chatservice.transports.admission import PER_ADDRESS, PER_MINUTE
from chatservice.transports.endpoints import Listener
from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origin, read_origin


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings.

    :ivar self_signed: listeners on which our own certificate is used; their `key` is not set yet.
    :ivar per_address: connections, and `per_minute` their beginnings, of one address; None is no limit.
    :ivar messages: how fast one session may talk, unless there are no limits.
    :ivar owner_token_file: the file to read it from; None: the one in the data directory. So `guest_key_file`.
    :ivar metrics: where they are served: a listener, `public` or `none`.
    :ivar settings: each option with its source, as an operator may want to see it.
    """

    listeners: tuple[Listener, ...]
    self_signed: tuple[Listener, ...]
    lines: tuple[Listener, ...]
    public_url: str
    data: Path
    store: str
    durability: str
    archive: str
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
    per_address: int | None = PER_ADDRESS
    per_minute: int | None = PER_MINUTE
    limit_loopback: bool = False
    guests: bool = True
    site_keys: tuple[SiteKey, ...] = ()
    site_audience: str = "chatservice"
    site_longest_s: int = 3600
    messages: Rate = MESSAGES
    owner_token_file: Path | None = None
    guest_key_file: Path | None = None
    archive_password: str = field(default="", repr=False)
    redis_keep: int = 10_000
    log_format: str = "auto"
    log_level: str = "info"
    metrics: Listener | str = "none"
    strict: bool = False
    settings: Settings = field(default_factory=lambda: Settings({}), compare=False)

    @property
    def public_origin(self) -> Origin | None:
        """The origin of the page at its public address."""
        address = urlsplit(self.public_url)
        return read_origin(f"{address.scheme}://{address.netloc}") if address.netloc else None

    @property
    def owner_token_path(self) -> Path:
        """The file with the owner's token."""
        return self.owner_token_file or self.data / OWNER_TOKEN

    @property
    def guest_key_path(self) -> Path:
        """The file with the key of our own tokens."""
        return self.guest_key_file or self.data / "guest.key"

    @property
    def notes_connections(self) -> bool:
        """Whether the log has a line for each connection that opens or closes."""
        return self.log_level in ("debug", "info")

    @property
    def is_fronted(self) -> bool:
        """Whether people come from elsewhere to listeners that only this computer can reach."""
        public = self.public_origin
        return bool(self.trusted) or (public is not None and not is_loopback(public[1]))


def read_config(given: Given, environment: Mapping[str, str], files: Iterable[Path] = ()) -> Config:
    """Settings from the command line (`given`, only what was said there) over the environment over a file over
    defaults.

    :param files: where to look for the file if none was named; see `settings.FILES`.
    :raises BadConfig: with one line that says what is wrong.
    """
    settings = gather(given, environment, files)
    s = _Said(settings)
    strict = s.flag("strict")
    if strict and settings.unknown:
        raise BadConfig("; ".join(settings.unknown))
    credentials = checks.credentials_directory(environment)
    lines = s.words("line")
    return Config(
        listeners=checks.listeners(s.called("listen"), s.words("listen")),
        self_signed=checks.self_signed(*s.both("self-signed")) if s.word("self-signed") else (),
        lines=()
        if lines == ["none"]
        else checks.plain(s.called("line"), checks.listeners(s.called("line"), lines)),
        public_url=checks.public_url(*s.both("public-url")),
        data=Path(s.word("data") or checks.data_directory(environment)).expanduser().absolute(),
        store=checks.store(*s.both("store")),
        durability=checks.one_of(*s.both("durability"), (*DURABILITIES, CACHE)),
        archive=checks.archive(*s.both("archive"), checks.store(*s.both("store"))),
        archive_password=checks.first_line(
            checks.secret_file(*s.both("archive-password-file"), credentials, "archive-password"),
            s.called("archive-password-file"),
        ),
        redis_keep=checks.kept(*s.both("redis-keep")),
        default_dialect=checks.one_of(*s.both("default-dialect"), DEFAULTS),
        default_room=checks.room(*s.both("default-room")),
        lang=checks.one_of(*s.both("lang"), LANGUAGES),
        compression=s.flag("compression"),
        echo_max=checks.echo_bytes(*s.both("echo-max")),
        no_limits=s.flag("insecure-no-limits"),
        origins=checks.origins(s.called("origin"), s.words("origin")),
        any_origin=s.flag("insecure-any-origin"),
        trusted=checks.networks(s.called("trusted-proxy"), s.words("trusted-proxy")),
        proxy_protocol=checks.needs(
            s.called("proxy-protocol"), s.flag("proxy-protocol"), "--trusted-proxy", s.words("trusted-proxy")
        ),
        redirects=checks.redirects(s.called("redirect"), s.words("redirect")),
        per_address=checks.bound(*s.both("connections-per-address")),
        per_minute=checks.bound(*s.both("connects-per-minute")),
        limit_loopback=s.flag("limit-loopback"),
        guests=not s.flag("no-guests"),
        site_keys=checks.site_keys(s.called("site-key"), s.words("site-key"), credentials),
        site_audience=s.word("site-audience"),
        site_longest_s=checks.seconds(*s.both("site-longest")),
        messages=checks.rate(*s.both("message-burst"), *s.both("message-rate")),
        owner_token_file=checks.secret_file(*s.both("owner-token-file"), credentials, "owner-token"),
        guest_key_file=checks.secret_file(*s.both("guest-key-file"), credentials, "guest-key"),
        log_format=checks.one_of(*s.both("log-format"), LOG_FORMATS),
        log_level=checks.one_of(*s.both("log-level"), LOG_LEVELS),
        metrics=checks.metrics(*s.both("metrics-listen")),
        strict=strict,
        settings=settings,
    )


class _Said:
    """The words of settings, by kind."""

    def __init__(self, settings: Settings) -> None:
        self._by_name = settings.by_name

    def called(self, name: str) -> str:
        return self._by_name[name].called

    def word(self, name: str) -> str:
        value = self._by_name[name].value
        assert isinstance(value, str)
        return value

    def both(self, name: str) -> tuple[str, str]:
        return self.called(name), self.word(name)

    def words(self, name: str) -> list[str]:
        value = self._by_name[name].value
        assert isinstance(value, tuple)
        return list(value)

    def flag(self, name: str) -> bool:
        return self._by_name[name].value is True


__all__ = ["BadConfig", "Config", "read_config"]
