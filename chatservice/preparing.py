"""What a start needs before anything listens: the data directory, its keys, room for connections, what to say."""

from __future__ import annotations

import fcntl
import os
import resource
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TextIO

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatservice.config import BadConfig, Config
from chatservice.config.settings import Settings, in_words
from chatservice.domain.accounts import Registry
from chatservice.domain.promise import Promise
from chatservice.identity.jwt import SiteTokens
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses, load_key, load_owner_token
from chatservice.logs.archive_registry import Prepared, prepare_archive
from chatservice.logs.registry import check_log, shared_key
from chatservice.transports.admission import Bounds
from chatservice.transports.assets import Pages, keep
from chatservice.transports.desk import Shown
from chatservice.transports.endpoints import Listener
from chatservice.transports.tls import fingerprint

KEPT_DESCRIPTORS = 64
"""For the log, its readers, listeners, those who are told that there is no room, and the interpreter itself."""

MINIMUM = 8
"""Connections that are tried in any case."""

_log = Logger("chatservice")


class Secrets:
    """Ids from the operating system's randomness."""

    def token(self) -> str:
        """96 bits as 16 letters, digits, `-` and `_`."""
        return secrets.token_urlsafe(12)


def take_lock(data: Path) -> TextIO:
    """Make the data directory and lock it for this process; two writers on one log would fork it.

    :raises BadConfig: if it cannot be written or another process has it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never through a link: it is opened by root too.
        lock = open(os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+")  # noqa: SIM115 - held until the process ends
    except OSError as error:
        raise BadConfig(f"cannot write the data directory {data}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadConfig(f"another chatservice uses the data directory {data}") from error
    return lock


@dataclass(frozen=True, slots=True)
class Groundwork:
    """What the house stands on. It is found out before anything goes into the background, so nothing in it is
    open; and once, for a look at a whole database takes its time.

    :ivar registry: the accounts, none yet.
    :ivar passes: who makes and reads tokens, and knows of accounts by that registry.
    """

    registry: Registry
    passes: SignedPasses
    archive: Prepared | None


def lay_groundwork(config: Config) -> Groundwork:
    """Look at log and archive, make keys that are missing.

    :raises BadConfig, BadStore, LogError: with one sentence, if something cannot be used.
    """
    registry = Registry(PrecisNames())
    passes = make_passes(config, registry)
    check_log(config.store, config.data, config.durability)
    archive = prepare_archive(config.archive, config.data, config.archive_password)
    return Groundwork(registry, passes, archive)


def make_passes(config: Config, registry: Registry) -> SignedPasses:
    """Who makes and reads tokens.

    :raises BadConfig: if the key or the owner's token can be neither read nor made.
    :raises BadStore, LogError: if the key of all who share a log cannot be agreed on.
    """
    site = None
    if config.site_keys:
        site = SiteTokens(config.site_keys, config.site_audience, config.site_longest_s, time.time, registry.names)
    try:
        key = load_key(config.guest_key_path)
        owner_token = load_owner_token(config.owner_token_path)
    except (OSError, ValueError) as error:
        where = {config.guest_key_path.parent: None, config.owner_token_path.parent: None}
        raise BadConfig(f"cannot use the keys in {' and '.join(map(str, where))}: {error}") from error
    return SignedPasses(shared_key(config.store, key), time.time, owner_token, registry=registry, site=site)


def bounds(config: Config) -> Bounds:
    """How many may connect."""
    # Even where hardly anything is allowed somebody may come: what is left over is then shared with the log.
    total = max(MINIMUM, raise_file_limit())
    if config.no_limits:
        return Bounds(total=total)
    return Bounds(config.per_address, config.per_minute, total, config.limit_loopback)


def raise_file_limit() -> int:
    """Let the process have as many descriptors as it may, and tell how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(0, hard - KEPT_DESCRIPTORS)


def with_older(pages: Pages, data: Path) -> Pages:
    """With what pages of the build before may still ask for. A page is no reason not to start."""
    if pages.build is None:
        return pages
    try:
        return replace(pages, older=keep(data / "page", pages.build))
    except OSError as error:
        _log.warn(
            "the page's files are not kept for the next upgrade: {reason}",
            event="page_not_kept",
            reason=str(error),
        )
        return pages


def start_notes(config: Config, listeners: tuple[Listener, ...], pages: Pages) -> list[str]:
    """What the operator should know beside the addresses."""
    notes = [f"Room for   {raise_file_limit():,} connections"]
    if pages.build is None:
        notes.append(
            "Page       the small one; for the full one install nodejs and npm and `make run`, or a wheel"
        )
    if config.self_signed:
        certificate = listeners[-1].certificate
        assert certificate is not None
        notes.append(f"Certificate self-signed (browsers will warn), SHA-256 {fingerprint(certificate)}")
    if config.any_origin:
        notes.append("WARNING    --insecure-any-origin: the page of any site can act for whoever looks at it.")
    if config.no_limits:
        notes.append("WARNING    --insecure-no-limits: nobody is slowed down. Never do this in public.")
    return notes


def report(error: BaseException) -> None:
    """Log an error that is ours. Peers' words are not in it."""
    _log.error("{kind}: {error}", event="internal_error", kind=type(error).__name__, error=repr(error))


def warn(words: str) -> None:
    """Log what the operator should know. Peers' words are not in it."""
    _log.warn("{words}", event="trouble", words=words)


def connector(reactor: Any) -> Callable[..., Any]:
    """Makes connections to Redis; loaded only where there is one."""

    def connect(*args: Any, **kwargs: Any) -> Any:
        from chatservice.redis.wire import Wire

        return Wire(reactor, *args, **kwargs)

    return connect


def deferred_of(promise: Promise[None] | None) -> Deferred[None]:
    """A promise as Twisted waits for it."""
    deferred: Deferred[None] = Deferred()
    if promise is None:
        deferred.callback(None)
    else:
        promise.then(lambda _: deferred.callback(None))
    return deferred


def give_up(why: str, say: Callable[[str], object] | None = None) -> NoReturn:
    """One clear line and exit status 1.

    :param say: stderr as it was before twistd made a log of it.
    """
    (say or sys.stderr.write)(f"chat: {why}\n")
    raise SystemExit(1)


def shown_settings(settings: Settings) -> list[Shown]:
    """The settings for the operator's page: their values in words, without secrets."""
    return [Shown(name, in_words(setting), setting.source) for name, setting in settings.by_name.items()]
