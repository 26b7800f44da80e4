"""What all sessions of a server share: the registry of the living, the queues, the end of the turn."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

from chatservice.socketio.census import Census
from chatservice.socketio.deadlines import Deadline, DelayQueue
from chatservice.socketio.errors import SERVER_SHUTDOWN
from chatservice.socketio.heartbeat import Heartbeat
from chatservice.socketio.options import Options
from chatservice.socketio.seams import Handler
from chatservice.socketio.session import Session
from chatservice.socketio.turn import Turn


class House:
    """The inside of an Engine.IO server.

    :param reactor: `IReactorTime`.
    :param report: is given errors that are ours.
    :param new_handler: makes what a new session is for.
    """

    def __init__(
        self,
        reactor: Any,
        options: Options,
        report: Callable[[BaseException], object],
        new_handler: Callable[[Session], Handler],
    ) -> None:
        self.options = options
        self.now: Callable[[], float] = reactor.seconds
        self.call_later: Callable[..., Any] = reactor.callLater
        self.report = report
        self.new_handler = new_handler
        self.sessions: dict[str, Session] = {}
        self._census = Census(options.max_polling)
        self.turn = Turn(lambda call: reactor.callLater(0, call), report)
        beat, grace = options.ping_interval_s, options.ping_timeout_s
        self.pings, self.pongs, self.silences = (
            DelayQueue[Heartbeat](self.now, delay_s, lambda heartbeat, due: heartbeat.act(due))
            for delay_s in (beat, grace, beat + grace)
        )
        self.upgrades: DelayQueue[Session] = DelayQueue(
            self.now, options.upgrade_timeout_s, lambda session, _: session.give_up_probe()
        )
        self._lingering: DelayQueue[Session] = DelayQueue(
            self.now, options.linger_s, lambda session, _: self.forget(session)
        )
        self.farewells: DelayQueue[Callable[[], object]] = DelayQueue(
            self.now, options.farewell_s, lambda cut, _: cut()
        )
        self.connects: DelayQueue[Callable[[], object]] = DelayQueue(
            self.now, options.connect_timeout_s, lambda give_up, _: give_up()
        )
        self._queues: list[DelayQueue[Any]] = [
            self.pings,
            self.pongs,
            self.silences,
            self.upgrades,
            self._lingering,
            self.farewells,
            self.connects,
        ]
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor

    def has_room(self, address: str | None) -> bool:
        """One more session may begin.

        :param address: the peer's, if it is to poll.
        """
        most = self.options.max_sessions
        return (most is None or len(self.sessions) < most) and (address is None or self._census.has_room(address))

    def new_session(
        self,
        version: int,
        *,
        base64: bool,
        handshake: object = None,
        jsonp: str | None = None,
        address: str | None = None,
    ) -> Session:
        """A living session with a name nobody can guess: 120 bits.

        :param address: the peer's, if no WebSocket carries the session from the beginning.
        """
        random = secrets.token_urlsafe(15)
        sid = f"{self.options.node}.{random}" if self.options.node else random
        self.start_ticking()
        session = self.sessions[sid] = Session(self, sid, version, base64=base64, handshake=handshake, jsonp=jsonp)
        if address is not None:
            self._census.add(sid, address)
        return session

    def find(self, sid: str) -> Session | None:
        """The session of that name. One whose time is up is gone, though the tick has not come yet."""
        session = self.sessions.get(sid)
        if session is not None and not session.closed and session.is_overdue():
            session.time_out()
            return None
        return session

    def upgraded(self, session: Session) -> None:
        """A WebSocket carries it from now on."""
        self._census.remove(session.sid)

    def forget(self, session: Session) -> None:
        """It is over."""
        self.sessions.pop(session.sid, None)
        self._census.remove(session.sid)

    def linger(self, session: Session) -> None:
        """It is over but for the GET that fetches the news."""
        self._lingering.add(session)

    def add_farewell(self, cut: Callable[[], object]) -> Deadline[Callable[[], object]]:
        """A connection was told to end; cut it if it does not."""
        self.start_ticking()
        return self.farewells.add(cut)

    def close(self) -> None:
        """End every session."""
        for session in list(self.sessions.values()):
            session.close(SERVER_SHUTDOWN)

    def start_ticking(self) -> None:
        """There is something to watch over."""
        if not self._ticking.running:
            self._ticking.start(self.options.tick_s, now=False)

    def _tick(self) -> None:
        now = self.now()
        for queue in self._queues:
            try:
                queue.tick(now)
            except Exception as error:  # a LoopingCall stops for good at its first error
                self.report(error)
        if not any(queue.is_waiting for queue in self._queues):
            self._ticking.stop()
