"""What every connection of a service shares."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from chatservice.dialects.phrases import say
from chatservice.domain.errors import RESTART, Disconnect
from chatservice.domain.events import Bye
from chatservice.domain.hub import Hub
from chatservice.domain.limits import FRAME_BYTES, PING_MS, PONG_MS
from chatservice.domain.whereabouts import network_of
from chatservice.transports.addresses import host_name, is_loopback
from chatservice.transports.admission import Admission
from chatservice.transports.chronicle import Chronicle
from chatservice.transports.comeback import Comeback
from chatservice.transports.counted import Counted
from chatservice.transports.desk import Desk
from chatservice.transports.health import Health
from chatservice.transports.origins import Origins
from chatservice.transports.turn import Turn
from chatservice.transports.watch import Sleep, Watch

if TYPE_CHECKING:
    from chatservice.transports.neighbours import Neighbours

PING_S, PONG_S = PING_MS / 1000, PONG_MS / 1000
LINE_NUDGE_S, LINE_GRACE_S = 90.0, 60.0  # a line at 90 s, the end at 150 s
HANDSHAKE_S = 10.0  # from connect to a whole request head, however slowly it drips
HELLO_S = 10.0  # from the open connection to hello, where there is one
MESSAGE_S = 30.0  # from the first byte of a message to its last, for each 64 KiB of it
PACE_S = 1.0  # an echo that is too fast is not read for so long
STUCK_S = 30.0  # a lagging peer that takes nothing for so long is gone
TOPS_S = 25.0  # chat.v1 over Socket.IO is told the tops of its rooms so often
COMMENT_S = 15.0  # a comment on a stream of events
VISITOR_S = 600.0  # who came by HTTP is remembered so long
COMEBACK_MS = 5_000  # clients told to come back are spread over so much
FAREWELL_S = 5.0  # from our last byte to the end, even if the peer never reads it


@dataclass(frozen=True)
class Surroundings:
    """The hub, and the clocks and queues its connections share.

    :ivar now: seconds on a clock that never goes back.
    :ivar report: is given errors that are ours.
    :ivar neighbours: the other workers of this machine, if we are one of several.
    """

    hub: Hub
    turn: Turn
    call_soon: Callable[[Callable[[], None]], object]
    call_later: Callable[[float, Callable[[], None]], IDelayedCall]
    now: Callable[[], float]
    pings: Watch
    idle_lines: Watch
    handshakes: Watch
    hellos: Watch
    messages: Watch
    paces: Watch
    stuck: Watch
    farewells: Watch
    streams: Watch
    visitors: Watch
    tops: Watch
    sleep: Sleep
    report: Callable[[BaseException], None]
    admission: Admission
    counted: Counted
    chronicle: Chronicle
    health: Health
    comeback: Comeback = field(default_factory=Comeback)
    desk: Desk = field(default_factory=Desk)
    neighbours: Neighbours | None = None
    randbelow: Callable[[int], int] = secrets.randbelow

    def network_of(self, address: str) -> str:
        """See `Hub.network_of`: a proxy of ours that does not say whom it brings may bring everybody."""
        return "" if host_name(address) in self.admission.trusted else network_of(address)

    def bye(self, why: Disconnect) -> Bye:
        """The farewell to a peer. Those that shall come back do so spread over a while."""
        return Bye(why.name, why.reconnect, self.return_ms(why))

    def return_ms(self, why: Disconnect) -> int:
        """When one more who is sent away may come back; 0 if it shall not. At a restart all are."""
        if not why.reconnect:
            return 0
        return self.comeback.next_ms() if why is RESTART else self.randbelow(COMEBACK_MS)

    def farewell(self, lang: str, why: Disconnect) -> str:
        """The same in words, for who knows no `bye`."""
        return say(lang, why.name, {"seconds": self.return_ms(why) / 1000} if why is RESTART else None)

    @classmethod
    def of(
        cls,
        hub: Hub,
        *,
        turn: Turn | None = None,
        call_later: Callable[[float, Callable[[], None]], IDelayedCall],
        now: Callable[[], float],
        report: Callable[[BaseException], None],
        admission: Admission | None = None,
        counted: Counted | None = None,
        neighbours: Neighbours | None = None,
    ) -> Surroundings:
        """With the delays of the wire page.

        :param turn: the hub's own, if it gathers what rooms are told.
        :param admission: who may connect; by itself everybody, as often as they like.
        """
        counted = counted or (turn.counted if turn is not None else Counted())

        def call_soon(call: Callable[[], None]) -> object:
            return call_later(0, call)

        return cls(
            hub=hub,
            turn=turn or Turn(call_soon, report, counted=counted),
            call_soon=call_soon,
            call_later=call_later,
            now=now,
            pings=Watch(now, PING_S, PONG_S),
            idle_lines=Watch(now, LINE_NUDGE_S, LINE_GRACE_S),
            handshakes=Watch(now, HANDSHAKE_S, 0.0),
            hellos=Watch(now, HELLO_S, 0.0),
            messages=Watch(now, MESSAGE_S, 0.0),
            paces=Watch(now, PACE_S, 0.0),
            stuck=Watch(now, STUCK_S, 0.0),
            farewells=Watch(now, FAREWELL_S, 0.0),
            streams=Watch(now, COMMENT_S, 0.0),
            visitors=Watch(now, VISITOR_S, 0.0),
            tops=Watch(now, TOPS_S, 0.0),
            sleep=Sleep(now),
            report=report,
            admission=admission or Admission(now, counted),
            counted=counted,
            chronicle=Chronicle(),
            health=Health(now, counted, lambda: hub.away_s),
            neighbours=neighbours,
        )

    def tick(self) -> None:
        """Once a second."""
        if self.sleep.has_passed():
            return
        watches = (
            self.pings,
            self.idle_lines,
            self.handshakes,
            self.hellos,
            self.messages,
            self.paces,
            self.stuck,
            self.farewells,
            self.streams,
            self.visitors,
            self.tops,
        )
        for tick in (self.hub.tick, self.admission.tick, self.comeback.tick, *(watch.tick for watch in watches)):
            try:
                tick()
            except Exception as error:  # a LoopingCall stops for good at its first error
                self.report(error)


@dataclass(frozen=True)
class Manners:
    """How a listener treats its peers.

    :ivar lang: the language of peers that name none.
    :ivar loopback: only this computer can connect to it, as far as the operator says.
    :ivar compression: permessage-deflate is agreed to with those who offer it.
    :ivar origins: which pages may connect.
    :ivar hosts: the names under which it answers, beside those that always mean this computer; None: any. Where
        only this computer can connect, a page could otherwise be of our host by pointing its own name here.
    :ivar echo_bytes: how long a message to `/echo` may be.
    :ivar limited: whether an echo has a bound of bytes per second.
    """

    lang: str
    default_dialect: str
    default_room: str
    loopback: bool
    compression: bool = False
    echo_bytes: int = FRAME_BYTES
    limited: bool = True
    origins: Origins = field(default_factory=Origins)
    hosts: frozenset[str] | None = None

    def admits(self, origin: str, host: str) -> bool:
        """Whether a page may connect; see `Origins.allow`."""
        return self.origins.allow(origin, host, loopback=self.loopback)

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names this service."""
        name = host_name(host).lower().rstrip(".")
        return self.hosts is None or name in self.hosts or is_loopback(name)

    @property
    def escape(self) -> bool:
        """Strangers' text goes into innerHTML on the taught pages, so it is escaped for all but oneself."""
        return not self.loopback
