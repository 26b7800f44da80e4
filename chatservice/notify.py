"""What the service manager is told: sd_notify(3), in its few lines, without its library."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from twisted.logger import Logger

from chatservice.domain.promise import Promise

PATIENCE_S = 1.0
"""A manager that does not read its socket for so long is not told; the chat is more important."""

_log = Logger("chatservice")


class Manager:
    """Whoever has started us and wants to know how we are; nobody, as a rule, then nothing is said.

    :param address: what `$NOTIFY_SOCKET` says: a path, or `@` and the name of an abstract socket.
    :ivar watchdog_s: seconds of silence after which we are thought dead and ended; None if nobody watches.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        self._status = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Manager:
        """The one that the environment names. Of the watchdog see sd_watchdog_enabled(3)."""
        watched = environment.get("WATCHDOG_USEC", "")
        is_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usable = is_for_us and watched.isascii() and watched.isdigit() and int(watched) > 0
        return cls(environment.get("NOTIFY_SOCKET", ""), int(watched) / 1e6 if usable else None)

    def ready(self) -> None:
        """Everything is open; also after `reloading`."""
        self._tell("READY=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Settings are read again meanwhile; the time tells the manager which of its signals this answers."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            self.ready()

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        self._tell("WATCHDOG=1")

    def status(self, line: str) -> None:
        """One line of ours that `systemctl status` shows; the same one again is not told again."""
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def _tell(self, *assignments: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
                told.settimeout(PATIENCE_S)
                told.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            address, self._address = self._address, ""
            _log.warn(
                "the service manager cannot be told: {address!r}: {why}",
                event="manager_unreachable",
                address=address,
                why=str(error),
            )


class Watchdog:
    """Shows life as long as the reactor runs and the log answers: a thread of the log that hangs would else
    leave a service that takes everything and answers nothing.

    :param ask: asks the log something that its writer has to answer.
    """

    def __init__(self, manager: Manager, ask: Callable[[], Promise[Any]]) -> None:
        self._manager = manager
        self._ask = ask
        self._answered = True

    def beat(self) -> None:
        """To be called several times within the manager's patience."""
        if not self._answered:
            return
        self._manager.alive()
        asked = self._ask()
        if asked.done and asked.error is not None:
            return  # its queue is full: that was said without it, so it is asked again
        self._answered = False
        asked.then(self._heard)

    def _heard(self, _: Promise[Any]) -> None:
        self._answered = True
