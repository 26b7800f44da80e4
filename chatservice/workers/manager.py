"""What the service manager is told: sd_notify(3), in its few lines, without its library."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

PATIENCE_S = 1.0
"""A manager that does not read its socket for so long is not told; the chat is more important."""


class Manager:
    """Whoever has started us and wants to know how we are; nobody, as a rule, then nothing is said.

    :param address: what `$NOTIFY_SOCKET` says: a path, or `@` and the name of an abstract socket.
    :param trouble: is given the address and the reason if it cannot be told; then it is not told any more.
    :ivar watchdog_s: seconds of silence after which we are thought dead and ended; None if nobody watches.
    """

    def __init__(
        self,
        address: str = "",
        watchdog_s: float | None = None,
        trouble: Callable[[str, str], object] = lambda _address, _why: None,
    ) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        self._trouble = trouble
        self._status = ""

    @classmethod
    def of(
        cls, environment: Mapping[str, str], trouble: Callable[[str, str], object] = lambda _address, _why: None
    ) -> Manager:
        """The one that the environment names. Of the watchdog see sd_watchdog_enabled(3)."""
        watched = environment.get("WATCHDOG_USEC", "")
        is_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usable = is_for_us and watched.isascii() and watched.isdigit() and int(watched) > 0
        return cls(environment.get("NOTIFY_SOCKET", ""), int(watched) / 1e6 if usable else None, trouble)

    def ready(self) -> None:
        """Everything is open; also after `reloading`."""
        self.tell("READY=1")

    def reloads(self) -> None:
        """Settings are read again from now on until `ready`; the time tells the manager which of its signals this
        answers."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Settings are read again meanwhile."""
        self.reloads()
        try:
            yield
        finally:
            self.ready()

    def stopping(self) -> None:
        """The end has begun."""
        self.tell("STOPPING=1")

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        self.tell("WATCHDOG=1")

    def status(self, line: str) -> None:
        """One line of ours that `systemctl status` shows; the same one again is not told again."""
        if line != self._status:
            self._status = line
            self.tell(f"STATUS={line}")

    def tell(self, *assignments: str) -> None:
        """Anything; names of our own begin with `X_`."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
                told.settimeout(PATIENCE_S)
                told.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            address, self._address = self._address, ""
            self._trouble(address, str(error))
