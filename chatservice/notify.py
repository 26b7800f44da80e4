"""What the service manager is told, as the service tells it: its troubles are logged, and the log is watched
over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger

from chatservice.domain.promise import Promise
from chatservice.workers.manager import Manager

__all__ = ["Manager", "Watchdog", "manager_of"]

_log = Logger("chatservice")


def manager_of(environment: Mapping[str, str]) -> Manager:
    """The one that the environment names; the log says so if it cannot be told."""
    return Manager.of(environment, _unreachable)


def _unreachable(address: str, why: str) -> None:
    _log.warn(
        "the service manager cannot be told: {address!r}: {why}",
        event="manager_unreachable",
        address=address,
        why=why,
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
