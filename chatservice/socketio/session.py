"""One Engine.IO session: the state machine of polling, upgrade and WebSocket, of heartbeats and ends.

It has three verbs towards the network: answer a GET, write a frame, close. Everything is a plain call; time comes
from the house's clock.

    polling ──ws with this sid──▶ probing ──`5`──▶ websocket
       ▲                            │
       └──────── probe lost ────────┘      any of them ──▶ closed (or: lingering until a GET fetched the `1`)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from chatservice.socketio import outgoing
from chatservice.socketio.deadlines import Deadline
from chatservice.socketio.errors import (
    FORCED_CLOSE,
    PARSE_ERROR,
    PING_TIMEOUT,
    TOO_SLOW,
    TRANSPORT_CLOSE,
    TRANSPORT_ERROR,
    BadPacket,
)
from chatservice.socketio.heartbeat import ClientPings, Heartbeat, ServerPings
from chatservice.socketio.outgoing import CLOSE, MESSAGE, NOOP, OPEN, PING, PONG, UPGRADE, Batch, Outgoing
from chatservice.socketio.payload import Incoming
from chatservice.socketio.seams import NOBODY, Handler, Poll, Wire

if TYPE_CHECKING:
    from chatservice.socketio.house import House


_CLOSE, _NOOP = Outgoing(CLOSE.encode()), Outgoing(NOOP.encode())
_PROBE_ANSWER = Outgoing(PONG.encode() + b"probe").form(outgoing.WS4)


class Session:
    """See the module.

    :ivar sid: its secret name.
    :ivar version: of the Engine.IO protocol, 3 or 4.
    :ivar handshake: whatever the transport knows about the request that began it.
    :ivar data: free for the application.
    :ivar jsonp: the index of the client's JSONP callback, if it polls that way.
    """

    __slots__ = (
        "_base64",
        "_batch",
        "_bound",
        "_dirty",
        "_form",
        "_handler",
        "_heartbeat",
        "_house",
        "_mute",
        "_paused",
        "_poll",
        "_pressed",
        "_probe",
        "_probe_due",
        "_probed",
        "_told",
        "_turn",
        "_wire",
        "closed",
        "data",
        "handshake",
        "jsonp",
        "sid",
        "version",
    )

    def __init__(
        self,
        house: House,
        sid: str,
        version: int,
        *,
        base64: bool,
        handshake: Any = None,
        jsonp: str | None = None,
    ) -> None:
        self.sid = sid
        self.version = version
        self.handshake = handshake
        self.jsonp = jsonp
        self.data: dict[str, Any] = {}
        self.closed = False
        self._house = house
        self._base64 = base64
        self._handler: Handler = NOBODY
        self._turn = house.turn
        self._bound = min(house.options.high_water, house.options.max_buffer)
        self._batch: Batch = house.turn.root
        self._form = outgoing.POLL4 if version == 4 else outgoing.POLL3
        self._dirty = self._paused = self._probed = self._mute = False
        self._pressed = self._told = False  # the handler is owed word of the relief; it has heard of the pressure
        self._poll: Poll | None = None
        self._wire: Wire | None = None
        self._probe: Wire | None = None
        self._probe_due: Deadline[Session] | None = None
        self._heartbeat: Heartbeat = (ServerPings if version == 4 else ClientPings)(house, self)

    def __repr__(self) -> str:
        return f"<Engine.IO session, version {self.version}, {'ws' if self._wire else 'polling'}>"  # no secret

    # --- what the application does ---

    def send(self, data: str | bytes) -> None:
        """Send one message. Never raises, never blocks."""
        self.push(Outgoing.message(data))

    def push(self, packet: Outgoing) -> None:
        """Send a packet, which may be one that many get. Never raises, never blocks, never calls back:
        what follows from it, like pressure, is told at the end of the turn."""
        batch = self._batch
        if batch.size > self._bound:
            if not self._make_room():
                return
            batch = self._batch
        if self._mute:
            return
        child = batch.child
        if child is None or child.packet is not packet:
            child = self._turn.grow(batch, packet)
        self._batch = child
        if not self._dirty:
            self._dirty = True
            self._turn.add(self)

    @property
    def is_writable(self) -> bool:
        """What is sent now goes out at once. Volatile packets are for those only."""
        if self.closed:
            return False
        return not self._paused if self._wire is not None else self._poll is not None

    @property
    def is_websocket(self) -> bool:
        """It is carried by a WebSocket."""
        return self._wire is not None

    @property
    def waiting_bytes(self) -> int:
        """What waits to be sent, about."""
        return self._batch.size

    def close(self, reason: str = FORCED_CLOSE) -> None:
        """End it. A client between two polls is told with its next one."""
        if self.closed:
            return
        wire = self._wire
        if wire is not None:
            if not self._paused:
                self._write()
            self._end(reason)
            wire.close()
            return
        self._batch = self._turn.grow(self._batch, _CLOSE)
        lingers = self._poll is None
        if lingers:
            self._house.linger(self)
        else:
            self._answer()
        self._end(reason, lingers=lingers)

    # --- opening ---

    def open(self, wire: Wire | None = None) -> None:
        """Say hello, and be handled.

        :param wire: the WebSocket that carries it from the beginning.
        """
        options = self._house.options
        may_upgrade = wire is None and "websocket" in options.transports
        hello = {
            "sid": self.sid,
            "upgrades": ["websocket"] if may_upgrade else [],
            "pingInterval": round(options.ping_interval_s * 1000),
            "pingTimeout": round(options.ping_timeout_s * 1000),
            "maxPayload": options.max_payload,
        }
        self._wire = wire
        if wire is not None:
            self._form = self._wire_form()
        self.push(Outgoing(OPEN.encode() + orjson.dumps(hello)))
        try:
            handler = self._house.new_handler(self)
        except Exception as error:
            self._house.report(error)
            self.close()
            return
        if self.closed:
            handler.closed(FORCED_CLOSE)
        else:
            self._handler = handler

    def _wire_form(self) -> int:
        if self.version == 4:
            return outgoing.WS4_BASE64 if self._base64 else outgoing.WS4
        return outgoing.WS3_BASE64 if self._base64 else outgoing.WS3

    # --- polling ---

    def poll(self, poll: Poll) -> bool:
        """A GET has come. It is answered now or later, unless this returns False: then it is refused."""
        if self.closed:  # lingering: the `1` is fetched
            self._house.forget(self)
            self._poll = poll
            self._answer()
            return True
        if self._poll is not None:
            self._fail(TRANSPORT_ERROR)  # overlapping polls; the first one is told
            return False
        self._poll = poll
        root = self._turn.root
        if self._probed:
            # The client waits for this poll to end before it says `5`.
            if self._batch is root:
                self._batch = self._turn.grow(root, _NOOP)
            self._answer()
        elif self._batch is not root:
            self._answer()
        return True

    def poll_lost(self, poll: Poll) -> None:
        """The GET was given up by the client, and with it the session."""
        if poll is self._poll:
            self._poll = None
            self._end(TRANSPORT_CLOSE)

    def post(self, packets: Iterable[Incoming]) -> None:
        """Packets have come by POST.

        :raises BadPacket: if one of them may not be; the session is closed then.
        """
        if self.closed:
            raise BadPacket("the session is over")
        if not self._take(packets):
            raise BadPacket("the session ended with an error")

    def bad_post(self) -> None:
        """The body was no payload."""
        self._fail(PARSE_ERROR)

    # --- WebSocket ---

    def attach(self, wire: Wire) -> None:
        """A WebSocket with this sid was opened: it may probe."""
        if self.closed or self._wire is not None or self._probe is not None:
            wire.close()
            return
        self._probe = wire
        self._probe_due = self._house.upgrades.add(self)

    def wire_received(self, wire: Wire, packet: Incoming) -> None:
        """A frame has come."""
        if wire is self._wire:
            self._take((packet,))
        elif wire is self._probe:
            self._probing(wire, packet)

    def wire_failed(self, wire: Wire) -> None:
        """A frame has come that is no packet."""
        if wire is self._wire:
            self._fail(PARSE_ERROR)
        elif wire is self._probe:
            self.give_up_probe()

    def wire_lost(self, wire: Wire) -> None:
        """The WebSocket is gone."""
        if wire is self._wire:
            self._end(TRANSPORT_CLOSE)
        elif wire is self._probe:
            self._forget_probe()

    def pause(self, wire: Wire) -> None:
        """The WebSocket's transport is full."""
        if wire is self._wire:
            self._paused = True

    def resume(self, wire: Wire) -> None:
        """It has room again."""
        if wire is self._wire:
            self._paused = False
            self._write()

    def _probing(self, wire: Wire, packet: Incoming) -> None:
        root = self._turn.root
        if packet == (PING, "probe") and not wire.is_full:
            wire.write(_PROBE_ANSWER)
            self._probed = True
            if self._poll is not None:
                self._batch = self._turn.grow(self._batch, _NOOP)
                self._answer()
        elif packet[0] == UPGRADE and self._probed:
            if self._poll is not None:
                poll, self._poll = self._poll, None
                poll.answer(self._turn.grow(root, _NOOP), self._poll_form(root))
            self._forget_probe()
            self._wire = wire
            self._form = self._wire_form()
            self._house.upgraded(self)
            self._paused = wire.is_full
            if not self._paused:
                self._write()
        else:
            self.give_up_probe()

    def give_up_probe(self) -> None:
        """It is not to be: the session stays on polling."""
        probe = self._probe
        self._forget_probe()
        if probe is not None:
            probe.close()

    def _forget_probe(self) -> None:
        self._probe = None
        self._probed = False
        if self._probe_due is not None:
            self._probe_due.cancel()
            self._probe_due = None

    # --- what comes in ---

    def _take(self, packets: Iterable[Incoming]) -> bool:
        for kind, data in packets:
            if self._mute:
                break
            try:
                if kind == MESSAGE:
                    self._handler.message(data)
                else:
                    self._control(kind, data)
            except BadPacket:
                self._fail(PARSE_ERROR if kind == MESSAGE else TRANSPORT_ERROR)
                return False
            except Exception as error:
                self._house.report(error)
        return True

    def _control(self, kind: str, data: str | bytes) -> None:
        if kind == CLOSE:
            if self._poll is not None:
                self._batch = self._turn.grow(self._batch, _NOOP)
                self._answer()
            wire = self._wire
            self._end(TRANSPORT_CLOSE)
            if wire is not None:
                wire.close()
        elif kind == (PONG if self.version == 4 else PING):
            if self.is_overdue():
                self.time_out()
                return
            self._heartbeat.heard()
            if kind == PING:
                self.push(Outgoing(PONG.encode() + (data.encode() if isinstance(data, str) else data)))
        elif kind != NOOP:
            raise BadPacket("a packet that only servers send, or too late")

    def is_overdue(self) -> bool:
        """Its time is up, whether the tick has come or not."""
        return self._heartbeat.is_overdue()

    def time_out(self) -> None:
        """It gave no sign of life in time."""
        self._fail(PING_TIMEOUT)

    # --- sending ---

    def flush(self) -> None:
        """The turn ends: send what waits, if there is a way, and tell the handler how it stands."""
        self._dirty = False
        if self._wire is not None and not self._paused:
            batch = self._batch
            if not self._pressed and batch.size <= self._bound:
                # `_write`, with nothing between us and the transport: this is most of all there is to do
                self._batch = self._turn.root
                if batch.form == self._form:
                    self._wire.write(batch.bytes)
                elif batch.packet is not None:
                    self._wire.write(batch.joined(self._form))
                return
        if self.closed:
            return
        self._note_pressure()
        if self._wire is not None:
            if not self._paused:
                self._send()
        elif self._poll is not None and self._batch is not self._turn.root:
            self._answer()
        if self._mute:
            self._fail(TOO_SLOW)
        elif self._pressed:
            self._tell_pressure()

    def _write(self) -> None:
        self._send()
        if self._pressed:
            self._stir()

    def _send(self) -> None:
        batch, self._batch = self._batch, self._turn.root
        if self._wire is not None and batch.packet is not None:
            self._wire.write(batch.joined(self._form))

    def _answer(self) -> None:
        poll, self._poll = self._poll, None
        batch, self._batch = self._batch, self._turn.root
        assert poll is not None
        poll.answer(batch, self._poll_form(batch))
        if self._pressed and not self.closed:
            self._stir()

    def _stir(self) -> None:
        """Have `flush` called at the end of the turn."""
        if not self._dirty:
            self._dirty = True
            self._turn.add(self)

    def _poll_form(self, batch: Batch) -> int:
        if self.version == 4:
            return outgoing.POLL4
        takes_bytes = batch.has_binary and not self._base64 and self.jsonp is None
        return outgoing.POLL3_BINARY if takes_bytes else outgoing.POLL3

    def _make_room(self) -> bool:
        """Much waits. If it is more than enough, a peer that takes it gets it now; else it is too slow, which is
        said when the turn ends, because whoever sends to many must not be called back in between."""
        self._note_pressure()
        self._bound = self._house.options.max_buffer
        if self._batch.size <= self._bound:
            return True
        if self._wire is not None and not self._paused:
            self._write()
            return True
        if self._wire is None and self._poll is not None:
            self._answer()
            return True
        self._mute = True
        self._stir()
        return False

    def _note_pressure(self) -> None:
        if self._batch.size > self._house.options.high_water:
            self._pressed = True

    def _tell_pressure(self) -> None:
        """Only at the end of a turn. Who saw `waiting_bytes` above the mark waits for word of the relief, even if
        all was taken before the turn ended."""
        is_free = self._batch is self._turn.root and not self._paused
        if is_free:
            options = self._house.options
            self._bound = min(options.high_water, options.max_buffer)
            self._pressed = self._told = False
        elif self._told:
            return
        else:
            self._told = True
        try:
            self._handler.pressed(not is_free)
        except Exception as error:
            self._house.report(error)

    # --- ends ---

    def _fail(self, reason: str) -> None:
        """End it because of the peer. Nothing lingers; only a GET that waits is told."""
        if self.closed:
            return
        wire = self._wire
        if wire is None and self._poll is not None:
            self._batch = self._turn.grow(self._batch, _CLOSE)
            self._answer()
        self._end(reason)
        if wire is not None:
            wire.close()

    def _end(self, reason: str, *, lingers: bool = False) -> None:
        if self.closed:
            return
        self.closed = self._mute = True
        self._heartbeat.stop()
        self._wire = None
        if not lingers:
            self._batch = self._turn.root
            self._house.forget(self)
        self.give_up_probe()
        handler, self._handler = self._handler, NOBODY
        try:
            handler.closed(reason)
        except Exception as error:
            self._house.report(error)
