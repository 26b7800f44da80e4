"""What the parent of several workers is to do, worked out from the settings; and becoming that parent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TextIO

from twisted.application.service import Service

from chatservice.config import OPTIONS, BadConfig, Config, Given
from chatservice.domain.ports import LogError
from chatservice.listening import given_sockets, serving
from chatservice.logs.registry import BadStore
from chatservice.preparing import give_up, lay_groundwork, take_lock, with_older
from chatservice.service import examine
from chatservice.transports.assets import Pages
from chatservice.transports.control import SOCKET
from chatservice.transports.endpoints import BadEndpoint, Listener, backlog_of, unix_of
from chatservice.transports.inherited import Inherited
from chatservice.transports.tls import BadCertificate
from chatservice.worker import DIRECTORY, name_of
from chatservice.workers.plan import CONTROL, VARIABLE, Plan, Wanted
from chatservice.workers.sockets import CannotListen, Sockets

BAD = (BadConfig, BadEndpoint, BadCertificate, BadStore, LogError)
"""What is wrong with settings, in one line."""


def make_plan(config: Config, inherited: Inherited, reactor: Any) -> tuple[Config, Plan]:
    """The settings, with the service manager's sockets, and what is to be done. What all workers share, and
    one has to make, is made: keys, the owner's token, certificates, the page's older files.

    :raises BAD: if that cannot be used.
    """
    config = given_sockets(config, inherited)
    lay_groundwork(config)
    examine(config, reactor)
    serving(config)
    with_older(Pages.load(), config.data)
    for_workers(config.data)
    return config, Plan(
        workers=config.workers,
        wanted=tuple(_wanted(config)),
        data=str(config.data),
        inherited=tuple(inherited.sockets),
    )


def for_workers(data: Path) -> None:
    """The directory in which the workers reach each other, without what those of another time have left.

    :raises BadConfig: if it cannot be made.
    """
    directory = data / DIRECTORY
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise BadConfig(f"cannot write {directory}: {error.strerror}") from error


def _wanted(config: Config) -> Iterable[Wanted]:
    groups = {
        "listen": config.listeners,
        "self-signed": config.self_signed,
        "line": config.lines,
        "redirect": config.redirects,
    }
    for kind, listeners in groups.items():
        for place, listener in enumerate(listeners):
            if listener.name is None:  # else it is one of the service manager's, which all have
                yield _place(name_of(kind, place), listener)
    metrics = config.metrics
    if isinstance(metrics, Listener):
        if metrics.port is None or metrics.host is None:
            raise BadConfig(
                "--metrics-listen: with --workers each process has numbers and a port of its own; say tcp:9100"
            )
        yield replace(_place(name_of("metrics", 0), metrics), step=1, optional=True)
    yield Wanted(CONTROL, path=str(config.data / SOCKET), mode=0o600)


def _place(name: str, listener: Listener) -> Wanted:
    if listener.host is not None and listener.port is not None:
        return Wanted(name, listener.host, listener.port, backlog_of(listener))
    unix = unix_of(listener)
    if unix is None:
        raise BadConfig(f"{listener.endpoint}: several workers can listen at tcp:, ssl:, unix: and systemd: only")
    path, mode = unix
    return Wanted(name, path=os.path.abspath(path), mode=mode, backlog=backlog_of(listener))


def words_of(given: Given) -> tuple[str, ...]:
    """What was said on the command line, as flags of `chatservice run`."""
    words: list[str] = []
    for option in OPTIONS:
        said = given.get(option.name)
        if option.kind == "flag":
            words += [f"--{option.name}"] if said else []
        elif option.kind == "list":
            words += [f"--{option.name}={one}" for one in ([said] if isinstance(said, str) else said or ())]  # type: ignore[union-attr]
        elif said is not None:
            words.append(f"--{option.name}={said}")
    return tuple(words)


class Becoming(Service):
    """Becomes the parent: this program ends, its process goes on as `chatservice.workers`.

    Everything that can be wrong is found out when this is made, before anything goes into the background; the
    sockets are open then, and below 1024 if this user may.
    """

    def __init__(self, given: Given, config: Config, environment: MutableMapping[str, str], reactor: Any) -> None:
        inherited = Inherited.take(environment)
        self.sockets = Sockets()
        try:
            self._lock: TextIO = take_lock(config.data)
            self.config, plan = make_plan(config, inherited, reactor)
            for left in (config.data / DIRECTORY).glob("*.sock"):  # of workers that were killed
                left.unlink(missing_ok=True)
            self.sockets.open(plan)
        except (*BAD, CannotListen) as error:
            give_up(str(error))
        self.plan = replace(plan, words=words_of(given))
        self._environment = environment
        self._reactor = reactor
        self._directory = os.getcwd()

    def listeners(self) -> tuple[Listener, ...]:
        """All for page and WebSocket."""
        return serving(self.config)

    def startService(self) -> None:
        """After a `twistd` that was to do so has gone into the background and given its privileges away; and has
        told who waits for it that it is there."""
        self._reactor.callWhenRunning(self.become)

    def become(self) -> NoReturn:
        """Now."""
        # Paths are seen from where we were started; with --rundir twistd has gone elsewhere since.
        with suppress(OSError):  # nobody gets there any more who has given privileges away
            os.chdir(self._directory)
        handed = self.sockets.hand(self.plan, [self._lock.fileno()])
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        environment = {**self._environment, VARIABLE: handed.dump()}
        os.execve(sys.executable, [sys.executable, "-m", "chatservice.workers"], environment)
