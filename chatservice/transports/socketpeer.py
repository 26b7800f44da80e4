"""A Socket.IO socket as a `Peer`: events in, shared packets out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from chatservice.dialects.base import SILENT, Id, Outcome
from chatservice.dialects.named import FULL, TAUGHT, Emitted, Named, NamedDialect, NamedVoice
from chatservice.dialects.phrases import choose_language
from chatservice.domain.commands import Rename
from chatservice.domain.errors import Code, Disconnect, Refused
from chatservice.domain.events import Counted, Entry, Event
from chatservice.domain.trust import Identity
from chatservice.socketio import Event as Packet
from chatservice.socketio import Socket
from chatservice.socketio.outgoing import Outgoing
from chatservice.transports.addresses import host_name, is_loopback
from chatservice.transports.emitter_sources import NAMESPACE
from chatservice.transports.lag import Lag
from chatservice.transports.networks import LOCAL
from chatservice.transports.peer import Connected, Queue
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.watch import Watch
from chatservice.transports.wishes import Wishes

PASSED_ON = Counted("", 0)
"""Stands for events of others where the queue asks what it is given: something that is not kept."""


class NamedFormat:
    """A voice of named events in Socket.IO packets; see `Format`. One serves the clients of all versions."""

    transport = "socketio"

    def __init__(self, voice: NamedVoice) -> None:
        self.voice = voice

    def size(self, frames: Outgoing) -> int:
        """See `Format.size`."""
        return frames.size

    def frames(self, event: Event) -> Outgoing | None:
        """See `Format.frames`."""
        return self._packet(self.voice.events(event))

    def own_frames(self, entry: Entry) -> Outgoing | None:
        """See `Format.own_frames`."""
        named = self.voice.own_events(entry)
        return None if named is None else self._packet(named)

    def answers(self, id: Id, outcome: Outcome) -> Outgoing | None:
        """What answers a command without an acknowledgement."""
        return None if id is SILENT else self._packet(self.voice.answered(outcome))

    def join(self, frames: Sequence[Outgoing], events: Sequence[Event], *, is_batch: bool) -> Outgoing:
        """See `Format.join`: packets of Engine.IO leave in one write as they are."""
        return _bundle(frames)

    def hand_out(
        self, peers: Iterable[SocketPeer], joined: Outgoing, frames: Sequence[Outgoing], events: Sequence[Event]
    ) -> None:
        """See `Format.hand_out`."""
        for peer in peers:
            peer.send_all(joined, frames, events)

    def _packet(self, named: Sequence[Named]) -> Outgoing | None:
        packets = [Packet(NAMESPACE, name, (argument,)).packet for name, argument in named]
        return _bundle(packets) if packets else None


def _bundle(packets: Sequence[Outgoing]) -> Outgoing:
    return packets[0] if len(packets) == 1 else Outgoing.bundle(packets)


@lru_cache(maxsize=64)
def named_format(voice: NamedVoice) -> NamedFormat:
    """The one format of that voice: it is the key of an audience."""
    return NamedFormat(voice)


class SocketQueue:
    """What waits for one socket is in its session; this leaves out what comes too fast for it.

    :param stuck: the watch that ends peers which make no progress while they lag.
    """

    def __init__(self, socket: Socket, owner: SocketPeer, stuck: Watch) -> None:
        self._session = socket.session
        self._owner = owner
        self._lag = Lag(stuck, self)
        self._closed = False
        self._waited = 0

    @property
    def waiting_bytes(self) -> int:
        """See `SendQueue.waiting_bytes`."""
        return self._session.waiting_bytes

    @property
    def lags(self) -> bool:
        """See `SendQueue.lags`."""
        return bool(self._lag)

    def push(self, frames: Outgoing, event: Event | None = None) -> None:
        """See `SendQueue.push`."""
        if self._closed:
            return
        session = self._session
        if session.is_writable:
            self.drained()
        elif self._lag.leaves_out(event, session.waiting_bytes):
            self._waited = max(self._waited, session.waiting_bytes)
            return
        session.push(frames)

    def push_all(self, joined: Outgoing, frames: Sequence[Outgoing], events: Sequence[Event]) -> None:
        """See `SendQueue.push_all`."""
        if self._session.is_writable:
            self.push(joined)
        else:
            for frame, event in zip(frames, events, strict=True):
                self.push(frame, event)

    def push_rest(self, rest: Outgoing) -> None:
        """See `SendQueue.push_rest`; packets are never cut."""

    def hand_over(self) -> None:
        """The session sends at the end of the turn."""

    def drained(self) -> None:
        """The socket takes what it is sent again: tell it what was left out, before anything newer."""
        if self._lag and not self._closed:
            self._waited = 0
            for lagged in self._lag.take():
                frames = self._owner.format.frames(lagged)
                if frames is not None:
                    self._session.push(frames)

    def close(self) -> None:
        """See `SendQueue.close`."""
        self._closed = True
        self._lag.take()

    def stalled(self) -> None:
        """See `Stalling.stalled`. What the session hands its transport is not counted any more: if that is less
        than it was, something has moved."""
        waiting = self._session.waiting_bytes
        if waiting >= self._waited:
            self._owner.too_slow()
        else:
            self._waited = waiting
            self._lag.progressed()


class SocketPeer(Connected):
    """One socket. It is *taught* until it says hello or asks for version 1; then it speaks chat.v1."""

    format: NamedFormat

    def __init__(
        self,
        socket: Socket,
        around: Surroundings,
        manners: Manners,
        wishes: Wishes,
        *,
        speaks_v1: bool,
        identity: Identity | None,
        token: str | None = None,
    ) -> None:
        self.around = around
        self._token = token
        self._socket = socket
        self._manners = manners
        self._escape = wishes.escape
        self._lang = wishes.lang
        self._acknowledge: dict[int, Callable[[object], None]] = {}
        self._asked = 0
        self._why = "gone"
        self.opened(around, "socketio", "full" if speaks_v1 else "taught")
        if speaks_v1:
            self._speak_as(FULL)
            return
        self._speak_as(TAUGHT, identity)
        assert self.conversation is not None
        if wishes.nick:
            self.conversation.perform(Rename(wishes.nick))
        self.conversation.perform(wishes.join)

    def _speak_as(self, spoken: NamedDialect, identity: Identity | None = None) -> None:
        self._spoken = spoken
        self._is_throttled = False
        self.format = named_format(spoken.named_voice(self._lang, self._escape))
        # That somebody is there is Engine.IO's affair; what is left of our pings are the tops.
        tops = self.around.tops if spoken.has_hello else None
        self.begin(self.around, spoken, self.format, tops, identity, self._token)

    @property
    def address(self) -> str:
        """See `Connected.address`."""
        return self._socket.handshake.address or LOCAL

    @property
    def dialect_name(self) -> str:
        """See `Connected.dialect_name`."""
        return "Socket.IO" if self._spoken is TAUGHT else "Socket.IO, chat.v1"

    @property
    def is_private(self) -> bool:
        """See `Peer.is_private`."""
        asked = self._socket.handshake
        # Where a proxy has taken the TLS off, a browser still says in `Origin` what it came by.
        is_https = asked.is_secure or asked.headers.get("origin", "").startswith("https://")
        return is_https or self.address == LOCAL or is_loopback(host_name(self.address))

    def open_queue(self) -> Queue:
        """See `Connected.open_queue`."""
        self._socket_queue = SocketQueue(self._socket, self, self.around.stuck)
        return self._socket_queue

    # --- what the socket says ---

    def hear(self, name: str, arguments: list[Any], acknowledge: Callable[[object], None] | None) -> None:
        """It has emitted an event."""
        if name == "hello" and self._spoken is TAUGHT:
            self.finish()  # what it asked as somebody else is not answered by that any more
            asked, self._acknowledge = self._acknowledge, {}
            for acknowledge_earlier in asked.values():
                acknowledge_earlier(self.format.voice.acknowledgement(Refused(Code.UNAVAILABLE)))
            self._speak_as(FULL)
        id = None
        if acknowledge is not None:
            self._asked += 1
            id = self._asked
            self._acknowledge[id] = acknowledge
        if self._is_throttled:  # a long-poll cannot be kept from talking
            self.reply(id, Refused(Code.BUSY))
        elif self.conversation is not None:
            self.conversation.receive(Emitted(name, arguments, id))

    def left(self) -> None:
        """Its socket is gone."""
        self.finish()
        self.closed(self._why)

    def drained(self) -> None:
        """It has taken all that waited."""
        self._socket_queue.drained()

    @property
    def is_writable(self) -> bool:
        """Whether what it is sent now goes out at once."""
        return self._socket.connected and self._socket.session.is_writable

    def hand_on(self, packet: Outgoing) -> None:
        """Send it an event that is not the chat's own, after what its rooms have been told. Like all that is not
        kept it is left out where much waits."""
        for audience in self.audiences:
            audience.catch_up(self)
        self.count_sent(packet)
        self.send(packet, PASSED_ON)

    # --- Peer and Wire ---

    def reply(self, id: Id, outcome: Outcome) -> None:
        """See `Wire.reply`: by acknowledgement, if it asked for one."""
        acknowledge = self._acknowledge.pop(id, None) if isinstance(id, int) else None
        if acknowledge is None:
            frames = self.format.answers(id, outcome)
            if frames is not None:
                self.send_alone(frames)
            return
        if self._held is None:
            for audience in self.audiences:
                audience.catch_up(self)
        self.handed += 1
        self._passage.traffic.sent += 1
        acknowledge(self.format.voice.acknowledgement(outcome))

    def speak(self, lang: str | None, *, batches: bool = False) -> None:
        """See `Wire.speak`. There are no batches: Engine.IO has its own way to send several packets at once."""
        if lang is None:
            return
        self._lang = choose_language(lang, self._manners.lang)
        self.format = named_format(self._spoken.named_voice(self._lang, self._escape))

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """See `Wire.answer`: nothing goes straight back here."""

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`. A client comes back by itself when its transport is closed, and stays away when it is
        sent away from the namespace."""
        if self._socket.connected:
            self._why = why.name
            self.deliver(self.around.bye(why))
            self.flush()
            self._socket.disconnect(close=why.reconnect)

    def pause_reading(self) -> None:
        """See `Wire.pause_reading`."""
        self._is_throttled = True

    def resume_reading(self) -> None:
        """See `Wire.resume_reading`."""
        self._is_throttled = False

    # --- Watched ---

    def nudge(self) -> None:
        """See `Watched.nudge`: tell the tops, again and again."""
        self.deliver(self.pinged())
        self.around.tops.remove(self)
        self.around.tops.add(self)

    def give_up(self) -> None:
        """See `Watched.give_up`; every nudge begins anew, so it never comes to this."""
