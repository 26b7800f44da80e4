"""All certificates of a service, read again while people talk: at a signal, and when their files change."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger

from chatservice.transports.counted import Counted
from chatservice.transports.tls import BadCertificate, ReloadableContext

LOOK_EVERY = 3
"""Seconds from one look at the files to the next; a change that holds for two looks is taken."""

_log = Logger("chatservice")


class Certificates:
    """Whoever connects gets the newest that can be used; one that cannot be is told of once."""

    def __init__(self, contexts: Iterable[ReloadableContext], counted: Counted) -> None:
        self._contexts = list(contexts)
        self._counted = counted
        self._ticks = 0

    def tick(self) -> None:
        """Once a second."""
        self._ticks += 1
        if self._ticks % LOOK_EVERY == 0:
            for context in self._contexts:
                if context.has_changed():
                    self._read(context)

    def reload(self) -> None:
        """Read all of them."""
        for context in self._contexts:
            self._read(context)

    def _read(self, context: ReloadableContext) -> None:
        try:
            context.reload()
        except BadCertificate as error:
            self._counted.tls_failures += 1
            _log.error("the old certificate stays in use: {reason}", event="certificate_failed", reason=str(error))
        else:
            self._counted.tls_reloads += 1
            path = str(context.certificate)
            _log.info("the certificate in {path} is in use from now on", event="certificate_taken", path=path)
