"""Signs of life. In Engine.IO 4 the server pings, in 3 the client does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.socketio.deadlines import Deadline
from chatservice.socketio.outgoing import PING, Outgoing

if TYPE_CHECKING:
    from chatservice.socketio.house import House
    from chatservice.socketio.session import Session

_PING = Outgoing(PING.encode())


class Heartbeat:
    """One session's; it is what waits in the house's queues."""

    __slots__ = ("_beat", "_house", "session")

    _beat: Deadline[Heartbeat]

    def __init__(self, house: House, session: Session) -> None:
        self._house = house
        self.session = session
        self.start()

    def start(self) -> None:
        """The session begins."""
        raise NotImplementedError

    def heard(self) -> None:
        """The client did its half in time."""
        raise NotImplementedError

    def is_overdue(self) -> bool:
        """The time is up, whether the tick has come or not."""
        raise NotImplementedError

    def act(self, due: float) -> None:
        """The delay is over.

        :param due: when it was, which is a little earlier than now.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """The session is over."""
        self._beat.cancel()


class ServerPings(Heartbeat):
    """Engine.IO 4: a ping an interval after the last pong, and a pong within the timeout."""

    __slots__ = ("_waits_for_pong",)

    def start(self) -> None:
        """See `Heartbeat.start`."""
        self._waits_for_pong = False
        self._beat = self._house.pings.add(self)

    def heard(self) -> None:
        """A pong; one that nobody waits for counts for nothing."""
        if self._waits_for_pong:
            self._beat.cancel()
            self.start()

    def is_overdue(self) -> bool:
        """See `Heartbeat.is_overdue`."""
        return self._waits_for_pong and self._house.now() >= self._beat.due

    def act(self, due: float) -> None:
        """It is time for a ping, or the pong has not come."""
        if self._waits_for_pong:
            self.session.time_out()
            return
        # The pong's deadline runs from the moment the ping was due and not from this tick, which is late; unless
        # the whole process slept: then nobody was asked in time.
        since = max(due, self._house.now() - 2 * self._house.options.tick_s)
        self._waits_for_pong = True
        self._beat = self._house.pongs.add(self, since)
        self.session.push(_PING)


class ClientPings(Heartbeat):
    """Engine.IO 3: a ping within interval and timeout after the last one."""

    __slots__ = ("_heard_at",)

    def start(self) -> None:
        """See `Heartbeat.start`."""
        self._heard_at = self._house.now()
        self._beat = self._house.silences.add(self)

    def heard(self) -> None:
        """A ping. A flood of them must not become one of deadlines."""
        self._heard_at = self._house.now()
        if self._due - self._beat.due > self._house.options.tick_s:
            self._beat.cancel()
            self._beat = self._house.silences.add(self)

    def is_overdue(self) -> bool:
        """See `Heartbeat.is_overdue`."""
        return self._house.now() >= self._due

    def act(self, due: float) -> None:
        """No ping has come for long, or the last one was not worth a deadline of its own."""
        if self.is_overdue():
            self.session.time_out()
        else:
            self._beat = self._house.silences.put_off(self, self._due)

    @property
    def _due(self) -> float:
        return self._heard_at + self._house.silences.delay_s
