"""What the operator asked for, checked. `Config` is frozen; nothing below sees a dictionary of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from chatservice.config import checks
from chatservice.config.settings import BadConfig, Given, Settings, gather
from chatservice.config.table import LOG_FORMATS, LOG_LEVELS
from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.limits import MESSAGES, Rate
from chatservice.identity.jwt import SiteKey
from chatservice.identity.passes import OWNER_TOKEN
from chatservice.logs.registry import CACHE, DURABILITIES, REPLICA
from chatservice.transports.addresses import is_loopback
from chatservice.transports.admission import PER_ADDRESS, PER_MINUTE
from chatservice.transports.emitter_sources import Source
from chatservice.transports.endpoints import Listener
from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origin, read_origin

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings.

    :ivar self_signed: listeners on which our own certificate is used; their `key` is not set yet.
    :ivar per_address: connections, and `per_minute` their beginnings, of one address; None is no limit.
    :ivar messages: how fast one session may talk, unless there are no limits.
    :ivar owner_token_file: the file to read it from; None: the one in the data directory. So `guest_key_file`.
    :ivar metrics: where they are served: a listener, `public` or `none`.
    :ivar workers: how many processes there are to be.
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
    emitters: tuple[Source, ...] = ()
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
    workers: int = 1
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


def read_config(
    given: Given, environment: Mapping[str, str], files: Iterable[Path] = (), *, strict: bool = False
) -> Config:
    """Settings from the command line (`given`, only what was said there) over the environment over a file over
    defaults.

    :param files: where to look for the file if none was named; see `settings.FILES`.
    :param strict: names that nobody knows are wrong, whatever the settings say of that.
    :raises BadConfig: with all that is wrong.
    """
    settings = gather(given, environment, files)
    s = _Said(settings)
    is_strict = strict or s.flag("strict")
    t = _Tried([*settings.wrong, *(settings.unknown if is_strict else ())])
    credentials = checks.credentials_directory(environment)
    config = Config(
        listeners=t(checks.listeners, s.called("listen"), s.words("listen")),
        self_signed=t(checks.self_signed, *s.both("self-signed")) if s.word("self-signed") else (),
        lines=t(checks.lines, s.called("line"), s.words("line")),
        public_url=t(checks.public_url, *s.both("public-url")),
        data=Path(s.word("data") or checks.data_directory(environment)).expanduser().absolute(),
        store=t(checks.store, *s.both("store")),
        durability=t(checks.one_of, *s.both("durability"), (*DURABILITIES, REPLICA, CACHE)),
        archive=t(checks.archive, *s.both("archive"), s.word("store")),
        archive_password=t(
            checks.first_line,
            t(checks.secret_file, *s.both("archive-password-file"), credentials, "archive-password"),
            s.called("archive-password-file"),
        ),
        redis_keep=t(checks.kept, *s.both("redis-keep")),
        default_dialect=t(checks.one_of, *s.both("default-dialect"), DEFAULTS),
        default_room=t(checks.room, *s.both("default-room")),
        lang=t(checks.one_of, *s.both("lang"), LANGUAGES),
        compression=s.flag("compression"),
        echo_max=t(checks.echo_bytes, *s.both("echo-max")),
        no_limits=s.flag("insecure-no-limits"),
        origins=t(checks.origins, s.called("origin"), s.words("origin")),
        any_origin=s.flag("insecure-any-origin"),
        trusted=t(checks.networks, s.called("trusted-proxy"), s.words("trusted-proxy")),
        proxy_protocol=t(
            checks.needs,
            s.called("proxy-protocol"),
            s.flag("proxy-protocol"),
            "--trusted-proxy",
            s.words("trusted-proxy"),
        ),
        redirects=t(checks.redirects, s.called("redirect"), s.words("redirect")),
        per_address=t(checks.bound, *s.both("connections-per-address")),
        per_minute=t(checks.bound, *s.both("connects-per-minute")),
        emitters=t(checks.emitters, s.called("socketio-emitters"), s.words("socketio-emitters")),
        limit_loopback=s.flag("limit-loopback"),
        guests=not s.flag("no-guests"),
        site_keys=t(checks.site_keys, s.called("site-key"), s.words("site-key"), credentials),
        site_audience=s.word("site-audience"),
        site_longest_s=t(checks.seconds, *s.both("site-longest")),
        messages=t(checks.rate, *s.both("message-burst"), *s.both("message-rate")),
        owner_token_file=t(checks.secret_file, *s.both("owner-token-file"), credentials, "owner-token"),
        guest_key_file=t(checks.secret_file, *s.both("guest-key-file"), credentials, "guest-key"),
        log_format=t(checks.one_of, *s.both("log-format"), LOG_FORMATS),
        log_level=t(checks.one_of, *s.both("log-level"), LOG_LEVELS),
        metrics=t(checks.metrics, *s.both("metrics-listen")),
        strict=is_strict,
        workers=t(checks.workers, *s.both("workers"), s.word("store"), s.word("metrics-listen")),
        settings=settings,
    )
    t.raise_wrong()
    return config


class _Tried:
    """Does checks and gathers what is wrong, so that it is told all at once.

    :ivar wrong: one line each.
    """

    def __init__(self, wrong: list[str]) -> None:
        self.wrong = wrong

    def __call__(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the check makes of it; nothing usable where that is wrong: see `raise_wrong`."""
        try:
            return check(*args, **kwargs)
        except BadConfig as error:
            self.wrong += error.lines
            return cast(T, None)

    def raise_wrong(self) -> None:
        """
        :raises BadConfig: if anything was.
        """
        if self.wrong:
            raise BadConfig(*self.wrong)


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
