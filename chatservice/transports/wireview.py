"""`/wire`: an echo that tells whoever is connected what it saw of them, octet by octet (docs/wire/wire.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from chatservice.domain.events import Entered, Entry, Event, Greeted, Left, Said, User
from chatservice.domain.limits import FRAME_BYTES
from chatservice.domain.names import TEXT_CODE_POINTS
from chatservice.transports.everyvoice import in_every_voice
from chatservice.transports.frames import deflated_frame
from chatservice.transports.websocket import ChatWebSocket, ChatWebSocketFactory
from chatservice.wires.frames import BINARY, PING, TEXT, websocket_frame
from chatservice.wires.handshake import Handshake, answer
from chatservice.wires.light import FRAGMENTS, LightWebSocket
from chatservice.wires.seen import NAMES, FrameEye, SeenFrame, Verdict
from chatservice.wires.seen_head import accept_steps, shown_head

PATH = b"/wire"

KEPT_BYTES = 1024
"""So many octets of a payload are told: a page that shows more is not read."""

MOST_FRAMES, MOST_BYTES = 512, 1024 * 1024
"""What one connection may have looked at. A small frame is told in a thousand octets: this is for eyes."""

PINGS_KEPT, PING_EACH_S = 16, 1.0
"""A ping goes behind an echo, but not more often: each brings a pong, and of those a peer has a bound too."""

_WHERE = "wire"


class WireSocket(ChatWebSocket):
    """One WebSocket whose peer is told about it."""

    _eye: FrameEye | None = None
    _head = b""
    _asked: Handshake
    _answered = b""
    _gathered: list[bytes] | None = None  # what is to be sent in one piece
    _frames = _bytes = _messages = 0
    dialect_name = "wire"

    # --- the handshake ---

    def processHandshake(self) -> None:
        """As always, but the request is kept, and what came with it is looked at like all that follows."""
        end = self.data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        self.data, rest = self.data[:end], self.data[end:]
        self._head = self.data
        super().processHandshake()
        if rest and self.state == self.STATE_OPEN:
            self._look(rest)

    def admit(self, request: Handshake) -> tuple[str | None, str | None]:
        """See `LightWebSocket.admit`. Nothing is compressed unless asked for: it would hide what there is."""
        wants_deflate = request.query.get("deflate") == ["1"]
        asked = replace(request, subprotocols=(), extensions=request.extensions if wants_deflate else "")
        agreed = super().admit(asked)
        self.maxFramePayloadSize = self.maxMessagePayloadSize = FRAME_BYTES
        self.most_fragments = FRAGMENTS
        self._asked = request
        self._answered = answer(request.key, *agreed)
        return agreed

    def onOpen(self) -> None:
        """The handshake is done: tell how it went."""
        wishes = self._wishes
        assert wishes is not None
        self._lang, self._escape = wishes.lang, wishes.escape
        self._nick = (wishes.nick or "user1")[:32]
        super().onOpen()
        self._eye = FrameEye(FRAME_BYTES, deflates=self._perMessageCompress is not None)
        self._opened_at = self.factory.around.now()
        self._pings, self._pinged = 0, dict[bytes, float]()
        self._gathered = []
        head, hidden = shown_head(self._head)
        self._tell(
            "opened",
            request=head,
            hidden=hidden,
            answer=self._answered.decode(),
            steps=accept_steps(self._asked.key),
            address=self.address,
            limits={"frames": MOST_FRAMES, "bytes": MOST_BYTES, "frame": FRAME_BYTES, "kept": KEPT_BYTES},
            events={name: self._in_every_voice(event) for name, event in self._usual_events().items()},
        )
        self._ping()
        self._hand_on()
        del self._head, self._asked, self._answered

    # --- what comes in ---

    def dataReceived(self, data: bytes) -> None:
        """Something has come."""
        if self.state != self.STATE_OPEN:
            super().dataReceived(data)
            return
        self.heard_at = self.factory.around.now()
        self._look(data)

    def _look(self, data: bytes) -> None:
        assert self._eye is not None
        for seen, octets in self._eye.look(data):
            self._gathered = []
            if seen is not None:
                self._tell("frame", **self._frame(seen))
            LightWebSocket.dataReceived(self, octets)
            self._count(len(octets))
            self._hand_on()
            if self._stopped:
                break  # what has come already waits in the eye
            if self.state != self.STATE_OPEN:
                break  # what is left belongs to nobody
        self.pieces_received()

    def _read_on(self) -> None:
        super()._read_on()
        if self.state == self.STATE_OPEN and not self._stopped:
            self._look(b"")

    @property
    def is_amid(self) -> bool:
        """See `LightWebSocket.is_amid`."""
        return bool(self._eye is not None and self._eye.waiting) or super().is_amid

    def _count(self, size: int) -> None:
        self._frames += 1
        self._bytes += size
        if (self._frames >= MOST_FRAMES or self._bytes >= MOST_BYTES) and self.state == self.STATE_OPEN:
            self._tell("enough")
            self.sendCloseFrame(1008, b"that is all this connection may show", False)

    # --- what goes out ---

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """See `Wire.answer`: an echo, announced. A ping follows, which shows how long the way is."""
        self._messages += 1
        opcode, bits = BINARY if is_binary else TEXT, self._window_bits
        frame = deflated_frame(payload, opcode, bits) if bits else websocket_frame(payload, opcode)
        about: dict[str, Any] = {"echo": self._messages, "message": payload[:KEPT_BYTES].hex()}
        if not is_binary and len(text := payload.decode()) <= TEXT_CODE_POINTS:
            hub = self.factory.around.hub
            said = Entry(_WHERE, self._messages, "k3f9", hub.now_ms, Said(self._user, text))
            about["events"] = {"message": self._in_every_voice(said)}
        self._send_told(frame, **about)
        last = next(reversed(self._pinged.values()))
        if self.factory.around.now() - last >= PING_EACH_S:
            self._ping()
        if self._pace is not None:
            self._pace.spend(len(payload))

    def nudge(self) -> None:
        """See `Watched.nudge`."""
        self._gathered = []
        self._ping()
        self._hand_on()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """What has been told goes before it; see `ChatWebSocket.sendCloseFrame`."""
        if self.state == self.STATE_OPEN:
            self._tell("closing", code=code, reason=(reasonUtf8 or b"").decode(errors="replace"), reply=isReply)
            self._hand_on()
        super().sendCloseFrame(code, reasonUtf8, isReply)

    def _send_back(self, frame: bytes) -> None:
        """A pong of ours."""
        self._send_told(frame)

    def _ping(self) -> None:
        self._pings += 1
        payload = b"%d" % self._pings
        self._pinged[payload] = self.factory.around.now()
        if len(self._pinged) > PINGS_KEPT:
            del self._pinged[next(iter(self._pinged))]
        self._send_told(websocket_frame(payload, PING))

    def _send_told(self, frame: bytes, **about: Any) -> None:
        """Send a frame right behind what is told about it."""
        begin = {126: 4, 127: 10}.get(frame[1], 2)
        kept = frame[begin : begin + KEPT_BYTES].hex()
        sent = {"opcode": frame[0] & 0x0F, "head": frame[:begin].hex(), "length": len(frame) - begin}
        self._tell("sent", **sent, payload=kept, **about)
        if self._gathered is not None:
            self._gathered.append(frame)

    def _tell(self, kind: str, **members: Any) -> None:
        if self._gathered is None:
            self._gathered = []
        t = round((self.factory.around.now() - self._opened_at) * 1000, 1)
        self._gathered.append(websocket_frame(orjson.dumps({"type": kind, "t": t, **members})))

    def _hand_on(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered:
            super()._send_back(b"".join(gathered))

    # --- in words ---

    def _frame(self, seen: SeenFrame) -> dict[str, Any]:
        told: dict[str, Any] = {
            "n": self._frames + 1,
            "fin": seen.is_final,
            "rsv": seen.reserved,
            "opcode": seen.opcode,
            "name": NAMES.get(seen.opcode, "reserved"),
            "length": seen.length,
            "form": seen.form,
            "head": seen.head.hex(),
            "key": None if seen.key is None else seen.key.hex(),
            "masked": seen.masked[:KEPT_BYTES].hex(),
            "payload": seen.payload[:KEPT_BYTES].hex(),
            "breaks": seen.breaks,
        }
        if seen.text is not None:
            told["utf8"] = _verdict(seen.text)
        if seen.opcode == 10 and seen.payload in self._pinged:
            told["rtt_ms"] = round((self.factory.around.now() - self._pinged[seen.payload]) * 1000, 1)
        if seen.opcode == 8 and len(seen.payload) >= 2:
            told["code"] = int.from_bytes(seen.payload[:2])
            told["reason"] = seen.payload[2:].decode(errors="replace")
        return told

    @property
    def _user(self) -> User:
        return User("u_" + _WHERE, self._nick)

    def _usual_events(self) -> dict[str, Event]:
        user = self._user
        return {
            "greeting": Greeted(user, self.address),
            "enter": Entered(_WHERE, user, 2),
            "leave": Left(_WHERE, user, 1),
        }

    def _in_every_voice(self, event: Event) -> Sequence[dict[str, Any]]:
        return in_every_voice(event, self._lang, escape=self._escape)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    if verdict.is_good:
        return {"good": True, "waiting": verdict.waiting}
    return {"good": False, "at": verdict.at, "octets": verdict.octets.hex(), "why": verdict.why}


class WireFactory(ChatWebSocketFactory):
    """Makes the protocols of `/wire` of one listener; who is connected is in the registry of `chat`."""

    protocol = WireSocket

    def __init__(self, chat: ChatWebSocketFactory) -> None:
        super().__init__(chat.around, chat.manners, chat.reactor, chat.peers)
        self.headers = chat.headers
