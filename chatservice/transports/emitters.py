"""What back ends emit by way of Redis, for the Socket.IO peers of this process; what they say, for everybody.

An event goes to sockets as it is. Words under a name that chats use (`message`, `chat message`) become a message
of the room, spoken by a user of ours: all dialects hear them, and they can be read again. Nothing else is obeyed.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.logger import Logger

from chatservice.domain.bus import Once
from chatservice.domain.errors import Refused
from chatservice.domain.events import Said, User
from chatservice.domain.limits import BIG_ROOMS, FRAME_BYTES, Bucket, Rate
from chatservice.domain.names import TEXT_CODE_POINTS, clean_room, clean_text
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise, start
from chatservice.socketio import Event
from chatservice.socketio.emitters import BadEmission, Emission, read_json, read_packed
from chatservice.socketio.outgoing import Outgoing
from chatservice.transports.emitter_sources import NAMESPACE, Source
from chatservice.transports.socketpeer import SocketPeer
from chatservice.transports.sockets import ChatSockets
from chatservice.transports.surroundings import Surroundings

_log = Logger("chatservice")

SPOKEN = ("message", "chat message")
"""Events that are words of a chat, if their first argument is."""

EMISSIONS = Rate(burst=1000, per_s=500.0)
"""What is above is left out: it is no person's chat any more, and each may go to everybody."""

TELL_EVERY_S = 60.0
"""So often the log says what was left out."""


_SOCKET_ID = re.compile("[A-Za-z0-9_-]{20}")
"""What `chatservice.socketio.connection` calls a socket by."""


class Emitters:
    """One source, listened to. Never raises for what comes from there.

    :param connect: makes a `chatservice.redis.wire.Wire`.
    :param sockets: this process's servers.
    :param once: which worker keeps what all hear.
    :param default_room: where words are said that are for no room.
    """

    def __init__(
        self,
        source: Source,
        connect: Callable[..., Any],
        around: Surroundings,
        sockets: Callable[[], Iterable[ChatSockets]],
        once: Once,
        default_room: str,
        slice_peers: int = BIG_ROOMS.slice_peers,
    ) -> None:
        self._source = source
        self._around = around
        self._sockets = sockets
        self._once = once
        self._default_room = default_room
        self._slice_peers = slice_peers
        self._bucket = Bucket(EMISSIONS, around.now())
        self._due: deque[tuple[Outgoing, list[SocketPeer]]] = deque()
        self._left_out: Counter[str] = Counter()
        self._told_at: float | None = None
        self._was_missed = self._is_stopped = False
        self._wire = connect(
            source.address,
            scripts={},
            probe=f"chat-probe:{around.hub.randomness.token()}".encode(),
            up=self._up,
            down=self._down,
            heard=self.heard,
        )

    # --- the way there ---

    def start(self) -> None:
        """Listen from now on, whenever there is a connection."""
        if self._speaker.nick != self._source.nick:
            _log.warn(
                "emitters speak as {nick}: {wish} is somebody else's name, or impossible",
                event="emitters_nick",
                nick=self._speaker.nick,
                wish=self._source.nick,
            )
        self._wire.start()

    def stop(self) -> None:
        """Listen no more."""
        self._is_stopped = True
        self._wire.stop()

    def _up(self, _server: object) -> None:
        self._was_missed = False
        self._once.begin(self._subscribe)

    def _subscribe(self) -> None:
        source = self._source

        def listening(answer: object) -> None:
            if not isinstance(answer, Exception):  # else it is gone again, and `up` comes again
                _log.info("listening to emitters at {where}", event="emitters_up", where=str(source.address))

        self._wire.subscribe([source.channel.encode(), source.orders], lambda _: None)
        self._wire.subscribe_patterns([source.pattern], listening)

    def _down(self, why: object) -> None:
        if not self._was_missed and not self._is_stopped:  # said once, however often it is tried
            self._was_missed = True
            where = str(self._source.address)
            _log.warn("no emitters at {where}: {why}", event="emitters_down", where=where, why=str(why))

    # --- what is heard ---

    def heard(self, channel: bytes, payload: bytes) -> None:
        """Something was published."""
        try:
            self._emit(self._read(channel, payload), channel + b"\0" + payload)
        except BadEmission as bad:
            self._leave_out(bad.why)
        except TypeError:  # it cannot be said in JSON
            self._leave_out("malformed")
        except Exception as error:  # ours; what comes after it is heard nevertheless
            self._around.report(error)
            self._leave_out("failed")

    def _read(self, channel: bytes, payload: bytes) -> Emission:
        if channel == self._source.orders:
            raise BadEmission("order")
        if self._bucket.take(self._around.now()):
            raise BadEmission("too_fast")
        if len(payload) > FRAME_BYTES:
            raise BadEmission("too_large")
        is_json = channel == self._source.channel.encode()
        emission = read_json(payload) if is_json else read_packed(payload)
        if emission.namespace != NAMESPACE:
            raise BadEmission("namespace")
        return emission

    def _leave_out(self, why: str) -> None:
        self._around.counted.emissions_heard[why] += 1
        self._note_left_out(why)

    def _note_left_out(self, why: str) -> None:
        self._left_out[why] += 1
        now = self._around.now()
        if self._told_at is None or now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            left_out, self._left_out = self._left_out, Counter()
            words = ", ".join(f"{why}: {n}" for why, n in sorted(left_out.items()))
            _log.warn(
                "of what emitters at {where} publish some is left out ({words}); see docs/socketio.md",
                event="emitters_left_out",
                where=str(self._source.address),
                words=words,
            )

    # --- what becomes of it ---

    def _emit(self, emission: Emission, said: bytes) -> None:
        words = None if emission.volatile or emission.left_out else _words_of(emission)
        if words is None:
            self._tell(emission, self._reached(emission))
            return
        by_id = {room: peer for room in emission.rooms if (peer := self._by_id(room)) is not None}
        # Under the first of the names the room's own message comes to sockets too, and once is enough.
        reached = list(by_id.values()) if emission.name == SPOKEN[0] else self._reached(emission)
        self._tell(emission, reached)
        for room in emission.rooms or (self._default_room,):
            if room not in by_id:
                start(self._say(room, words, said)).then(self._looked)

    async def _say(self, wish: str, words: str, said: bytes) -> None:
        """Say it, if there is such a room: whoever emits to what is none made a mistake, unless it is the id of a
        socket."""
        hub, room = self._around.hub, clean_room(wish)
        here = hub.rooms.get(room)
        if (here is None or here.here.empty) and not (await hub.log.read(room, 0, 0)).top:
            if _SOCKET_ID.fullmatch(wish):
                return  # it was for one socket, which another worker has
            raise BadEmission("no_room")

        def keep() -> None:
            hub.log.append(room, Said(self._speaker, words, cid=hub.randomness.token())).then(self._said)

        self._once.heard(b"%s\0%s" % (room.encode(), said), keep)

    @property
    def _speaker(self) -> User:
        """Who says it. It has its name for as long as we live, unless an account takes it."""
        return self._around.hub.roster.arrive(self._source.speaker, self._source.nick).user

    def _looked(self, done: Promise[None]) -> None:
        if done.error is not None:
            self._leave_out(self._why(done.error))

    def _said(self, done: Promise[Appended]) -> None:
        why = "ok" if done.error is None else self._why(done.error)
        self._around.counted.emissions_said[why] += 1
        if done.error is not None:
            self._note_left_out(why)

    def _why(self, error: BaseException) -> str:
        if isinstance(error, BadEmission):
            return error.why
        if isinstance(error, Refused):
            return error.code.value
        self._around.report(error)
        return "failed"

    # --- who is reached ---

    def _by_id(self, id: str) -> SocketPeer | None:
        for one in self._sockets():
            socket = one.server.main.sockets.get(id)
            if socket is not None:
                return one.peers.get(socket)
        return None

    def _in(self, rooms: Iterable[str]) -> dict[SocketPeer, None]:
        found: dict[SocketPeer, None] = {}
        for name in rooms:
            peer, room = self._by_id(name), self._around.hub.rooms.get(name)
            if peer is not None:
                found[peer] = None
            if room is not None:
                found |= dict.fromkeys(one for one in room.here.by_transport("socketio"))  # type: ignore[misc]
        return found

    def _reached(self, emission: Emission) -> list[SocketPeer]:
        if emission.rooms:
            found = self._in(emission.rooms)
        else:
            found = {peer: None for one in self._sockets() for peer in one.peers.values()}
        left_out = self._in(emission.left_out) if emission.left_out else {}
        return [peer for peer in found if peer not in left_out]

    def _tell(self, emission: Emission, peers: list[SocketPeer]) -> None:
        packet = Event(NAMESPACE, emission.name, emission.arguments).packet
        self._around.counted.emissions_heard["emitted"] += 1
        if emission.volatile:
            peers = [peer for peer in peers if peer.is_writable]
        if not self._due and len(peers) <= self._slice_peers:
            _hand_out(peers, packet)
        else:
            self._due.append((packet, peers[::-1]))
            self._around.turn.go_on(self)

    def go_on(self) -> bool:
        """See `Sliced.go_on`: the next of those who are to be told."""
        if self._due:
            packet, peers = self._due[0]
            _hand_out([peers.pop() for _ in range(min(self._slice_peers, len(peers)))], packet)
            if not peers:
                self._due.popleft()
        return bool(self._due)


def _hand_out(peers: Sequence[SocketPeer], packet: Outgoing) -> None:
    for peer in peers:
        peer.hand_on(packet)


def _words_of(emission: Emission) -> str | None:
    """What is said by it; None if it is another event."""
    if emission.name not in SPOKEN or len(emission.arguments) != 1:
        return None
    words = emission.arguments[0]
    if isinstance(words, dict):
        words = words.get("text", words.get("content"))
    if not isinstance(words, str) or len(words) > TEXT_CODE_POINTS:
        return None
    return clean_text(words) if clean_text(words).strip() else None
