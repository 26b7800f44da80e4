"""The log's lines about connections: one when it opens, one when it closes. Never what was said, never a token."""

from __future__ import annotations

from twisted.logger import Logger

from chatservice.transports.counted import Traffic

_log = Logger("chatservice")


class Passage:
    """One connection's.

    :ivar number: what both lines have.
    :ivar opened_at: when it began, on the clock of its service.
    :ivar received: messages of the peer, of conversations that have ended.
    :ivar pinged_at: when it was asked for a sign of life; 0 if that was answered.
    """

    __slots__ = ("number", "opened_at", "pinged_at", "received", "traffic")

    def __init__(self, traffic: Traffic, opened_at: float) -> None:
        self.traffic = traffic
        self.opened_at = opened_at
        self.number = self.received = 0
        self.pinged_at = 0.0


UNNOTED = Passage(Traffic(), 0.0)
"""Of a connection that has not begun, or has ended."""


class Chronicle:
    """Writes them, as long as it is `enabled`: in a log that leaves such lines out they shall cost nothing."""

    def __init__(self, *, enabled: bool = False) -> None:
        self.enabled = enabled
        self._number = 0

    def opened(self, remote: str, transport: str, dialect: str) -> int:
        """A connection has begun.

        :returns: its number.
        """
        self._number += 1
        if self.enabled:
            _log.info(
                "{remote} opens {conn} ({dialect})",
                event="connection_opened",
                conn=self._number,
                transport=transport,
                dialect=dialect,
                remote=remote,
            )
        return self._number

    def closed(self, remote: str, passage: Passage, code: str, now: float, sent: int) -> None:
        """It has ended.

        :param code: its close code, or a word where there are none.
        :param sent: what it was told.
        """
        if self.enabled:
            _log.info(
                "{remote} closes {conn} ({code})",
                event="connection_closed",
                conn=passage.number,
                remote=remote,
                code=code,
                dur_ms=int((now - passage.opened_at) * 1000),
                messages_in=passage.received,
                messages_out=sent,
            )
