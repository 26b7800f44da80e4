"""The WebSocket side: an Autobahn protocol that is a `Peer`, and the factory that holds the living ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.python.failure import Failure

from chatservice.dialects.base import Dialect, Voice
from chatservice.dialects.full_voice import batching
from chatservice.dialects.phrases import choose_language, say
from chatservice.dialects.registry import dialect
from chatservice.domain.commands import Rename
from chatservice.domain.errors import CLOSE_CODES, FLOOD, IDLE, RESTART, Code, Disconnect, Refused
from chatservice.domain.limits import ECHO, FRAME_BYTES
from chatservice.domain.trust import Identity
from chatservice.transports.credentials import prove
from chatservice.transports.deflate import Inflater, agree
from chatservice.transports.frames import VoiceFormat, deflated_frame, websocket_format
from chatservice.transports.origins import NOT_THIS_ORIGIN
from chatservice.transports.pace import Pace
from chatservice.transports.peer import Connected
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.surroundings import Manners, Surroundings
from chatservice.transports.watch import Limit
from chatservice.transports.wishes import Wishes, read_wishes
from chatservice.wires.frames import BINARY, PING, PONG, TEXT, websocket_frame
from chatservice.wires.handshake import Denied, Handshake
from chatservice.wires.light import LightWebSocket, Quiet

_NAMES = {"full": "chat.v1"}


class ChatWebSocket(Connected, LightWebSocket):
    """One WebSocket connection: Autobahn below, a `Peer` to the hub above."""

    factory: ChatWebSocketFactory

    maxFramePayloadSize = maxMessagePayloadSize = FRAME_BYTES
    _wishes: Wishes | None = None
    _proof: tuple[str | None, Identity | None]
    _spoken: Dialect | None = None
    _queue: SendQueue | None
    format: VoiceFormat
    _window_bits = 0
    _pace: Pace | None = None
    _message_limit: Limit | None = None
    _message_size = 0  # of the message that has begun, when its time began

    # --- the protocol's callbacks ---

    def admit(self, request: Handshake) -> tuple[str | None, str | None]:
        """Choose the dialect, or refuse the handshake. See `LightWebSocket.admit`."""
        manners = self.factory.manners
        if not manners.admits(request.origin, request.host):
            raise Denied(403, NOT_THIS_ORIGIN)
        self._wishes = read_wishes(request.path, request.query, request.subprotocols, manners)
        spoken = dialect(self._wishes.dialect)
        self._proof = self._prove(request, spoken.has_hello) if spoken.chats else (None, None)
        agreed = agree(request.extensions) if manners.compression else None
        if self._wishes.dialect == "echo":
            self.maxFramePayloadSize = self.maxMessagePayloadSize = manners.echo_bytes
            self.most_fragments = None
        if agreed is None:
            return self._wishes.subprotocol, None
        self._perMessageCompress = Inflater()
        self._window_bits = agreed.window_bits
        return self._wishes.subprotocol, agreed.answer

    def report(self, error: BaseException) -> None:
        """See `LightWebSocket.report`."""
        self.factory.around.report(error)

    def _prove(self, request: Handshake, has_hello: bool) -> tuple[str | None, Identity | None]:
        hub = self.factory.around.hub
        try:
            # Of what is wrong with a token that a hello may still replace, hello is told.
            passes = None if has_hello else hub.passes
            token, identity = prove(passes, request.headers, request.subprotocols, request.query)
            if not (has_hello or hub.guests or (identity is not None and not identity.guest)):
                raise Refused(Code.UNAUTHORIZED)
        except Refused:
            raise Denied(401, "a token that is good is needed here", {"WWW-Authenticate": "Bearer"}) from None
        return token, identity

    def connectionMade(self) -> None:
        """The transport is there. Its listener's sockets send promptly by themselves: see `send_promptly`."""

    def onOpen(self) -> None:
        """The handshake is done: be a peer."""
        wishes, around = self._wishes, self.factory.around
        assert wishes is not None
        token, identity = self._proof
        del self._wishes
        del self._proof
        spoken = self._spoken = dialect(wishes.dialect)
        # An upgrade on a kept-alive connection leaves the HTTP channel registered as producer.
        self.transport.unregisterProducer()
        self.factory.peers.add(self)
        if self.factory.manners.limited and not spoken.chats:
            self._pace = Pace(ECHO, around.paces, self)
        voice = spoken.voice(wishes.lang, wishes.escape)
        self.opened(around, "websocket", wishes.dialect)
        conversation = self.begin(around, spoken, self._format_of(voice), around.pings, identity, token)
        if spoken.chats and not spoken.has_hello:
            if wishes.nick:
                conversation.perform(Rename(wishes.nick))
            conversation.perform(wishes.join)

    def dataReceived(self, data: bytes) -> None:
        """Something has come: it is alive."""
        self.heard_at = self.factory.around.now()
        if self._spoken is not None:
            self._passage.traffic.bytes_received += len(data)
        super().dataReceived(data)

    @property
    def dialect_name(self) -> str:
        """See `Connected.dialect_name`."""
        return "" if self._spoken is None else _NAMES.get(self._spoken.name, self._spoken.name)

    def shortTextReceived(self, payload: bytes) -> None:
        """See `LightWebSocket.shortTextReceived`."""
        if self.conversation is not None:
            self.conversation.receive(payload, False)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A whole message."""
        self.heard_at = self.factory.around.now()
        if self.conversation is not None:
            self.conversation.receive(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        """A ping is a sign of life. Its pong waits in the queue like all else, so that whoever pings and never
        reads is a slow reader; Autobahn would write it past the queue."""
        self._hear_control()
        self._send_back(websocket_frame(payload, PONG))

    def onPong(self, payload: bytes) -> None:
        """The answer to our ping, or a sign of life unasked. Many at once are no sign of life."""
        self.ponged()
        self._hear_control()

    def _hear_control(self) -> None:
        now = self.heard_at = self.factory.around.now()
        if self.too_many_controls(now):
            self.close(FLOOD)

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone."""
        self._leave()
        self.forget_farewell()
        self.closed(self._close_code())
        super().connectionLost(reason)

    def _close_code(self) -> str:
        """Ours if we closed; 1006 where there was none (RFC 6455 section 7.1.5). What a peer makes up is `other`:
        each code is a time series."""
        code = self.localCloseCode or self.remoteCloseCode or 1006
        return str(code) if code in CLOSE_CODES else "other"

    def dropConnection(self, abort: bool = False) -> None:
        """End the transport; an orderly end gets a deadline."""
        super().dropConnection(abort)
        self._leave()
        if not abort:
            self.abort_in_a_while()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """Autobahn closes by itself when a peer breaks the protocol. Either way nothing of ours may follow the
        close frame, and a peer that never answers it must not keep its place for ever."""
        if self.state == self.STATE_OPEN:
            self.flush()
            self._leave()
            self.abort_in_a_while()
        super().sendCloseFrame(code, reasonUtf8, isReply)

    # --- Peer and Wire ---

    def answer(self, payload: bytes, is_binary: bool) -> None:
        """Straight back, below the chat. Who does not read it, or sends too much of it, is not read from."""
        opcode = BINARY if is_binary else TEXT
        bits = self._window_bits
        frame = deflated_frame(payload, opcode, bits) if bits else websocket_frame(payload, opcode)
        self.count_sent(frame)
        self._send_back(frame)
        if self._pace is not None:
            self._pace.spend(len(payload))

    def _send_back(self, frame: bytes) -> None:
        if self._queue is not None and self._queue.push_answer(frame):
            self.pause_reading()

    def pause_reading(self) -> None:
        """See `Wire.pause_reading`. There may be several reasons at once."""
        self._stopped += 1
        if self._stopped == 1:
            self._message_in_time()  # if it does not end now, that is not the peer's fault
            self.transport.pauseProducing()

    def resume_reading(self) -> None:
        """See `Wire.resume_reading`. What has come already is read soon: now may be in the middle of a frame."""
        if self.conversation is None:
            return
        self._stopped -= 1
        if not self._stopped:
            self.transport.resumeProducing()
            self.around.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self.state == self.STATE_OPEN:
            self.consumeData()
            self.pieces_received()

    def pieces_received(self) -> None:
        """See `LightWebSocket.pieces_received`: a message that has begun must end."""
        limit, size = self._message_limit, len(self.message_data)
        is_new, self._is_new = self._is_new, False
        if not self.is_amid or self._stopped or self.state != self.STATE_OPEN:
            self._message_in_time()
            return
        if limit is None:
            limit = self._message_limit = Limit(self.around.messages, self._message_late)
        if is_new or not limit.is_running or size >= self._message_size + FRAME_BYTES:
            self._message_size = size
            limit.begin()

    def _message_late(self) -> None:
        self._fail_connection(1008, "this message does not end")

    def _message_in_time(self) -> None:
        if self._message_limit is not None:
            self._message_limit.stop()

    def speak(self, lang: str | None, *, batches: bool = False) -> None:
        """See `Connected.speak`."""
        assert self._spoken is not None
        voice, manners = self.format.voice, self.factory.manners
        if lang is not None:
            voice = self._spoken.voice(choose_language(lang, manners.lang), manners.escape)
        self.format = self._format_of(batching(voice) if batches else voice)

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        if self.state == self.STATE_OPEN:
            own_codes = self._spoken is not None and self._spoken.has_hello
            told = None
            if own_codes and why is RESTART:
                self.deliver(bye := self.around.bye(why))
                told = {"seconds": bye.after_ms / 1000}
            lang = self.factory.manners.lang
            reason = (say(lang, why.name, told) if told else self.around.farewell(lang, why)).encode()[:120]
            code = why.own_code if own_codes and why.own_code else why.close_code
            self.sendCloseFrame(code, reason.decode(errors="ignore").encode(), False)

    # --- Watched ---

    def nudge(self) -> None:
        """See `Watched.nudge`. chat.v1 has a ping in words; the others get RFC 6455's."""
        self.send_alone(self.format.frames(self.pinged()) or websocket_frame(b"", PING))

    def give_up(self) -> None:
        """See `Watched.give_up`. While we do not read, its silence is ours."""
        if self._stopped:
            self.around.pings.add(self)
        else:
            self.close(IDLE)

    def _format_of(self, voice: Voice) -> VoiceFormat:
        return websocket_format(voice, self._window_bits)

    def _leave(self) -> None:
        self.factory.peers.discard(self)
        self.finish()
        if self._message_limit is not None:
            self._message_limit.forget()
        if self._pace is not None:
            self._pace.end()
        if self._stopped:  # or its close frame, and the end of its transport, would never be seen
            self._stopped = 0
            self.transport.resumeProducing()


class ChatWebSocketFactory(WebSocketServerFactory):  # type: ignore[misc]
    """Makes the protocols of one listener and holds the registry of its live peers.

    :param peers: another factory's registry, if they share it.
    """

    protocol = ChatWebSocket
    noisy = False
    log = Quiet()

    def __init__(
        self,
        around: Surroundings,
        manners: Manners,
        reactor: IReactorTime,
        peers: set[ChatWebSocket] | None = None,
    ) -> None:
        super().__init__(server="", reactor=reactor)
        self.around = around
        self.manners = manners
        self.headers: Mapping[bytes, bytes] | None = None
        self.peers: set[ChatWebSocket] = set() if peers is None else peers
        if peers is None:
            around.desk.connections.append(self.peers)

    def buildProtocol(self, addr: IAddress | None) -> ChatWebSocket:
        """A protocol for one connection."""
        protocol = self.protocol()
        protocol.factory, protocol.around = self, self.around
        return protocol

    def living(self) -> Iterable[ChatWebSocket]:
        """Whoever is connected now."""
        return list(self.peers)

    def close_peers(self, why: Disconnect) -> None:
        """End every live connection."""
        for peer in list(self.peers):
            peer.close(why)
