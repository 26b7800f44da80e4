"""Autobahn's server protocol with a light connection.

Autobahn gives each connection some seventy attributes, two futures, a deque, a validator and the whole request,
and formats a dozen debug messages in colour for nobody. Here what is the same for all stands in the class, the
rest is made when it is needed, and the handshake is our own. Frames, close codes and the closing are Autobahn's.

A test compares the class with what Autobahn would have set: a new version of it that sets more is noticed there.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from functools import cached_property
from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.python.failure import Failure

from chatservice.wires.handshake import Denied, Handshake, answer, read_handshake, refusal
from chatservice.wires.quick import end_writing, sender_for

FRAGMENTS = 128
"""Frames one message may come in: tiny ones cost us far more than whoever sends them."""

CONTROLS, CONTROLS_PER_S = 30, 10.0
"""Pings and pongs a peer may send at once, and each second: libraries send one in some seconds."""

OPEN = WebSocketServerProtocol.STATE_OPEN
WHOLE_TEXT, MASKED, NO_MASK = 0x81, 0x80, bytes(4)


class Quiet:
    """Autobahn logs every refused stranger with the stranger's own words; we keep our log to ourselves."""

    def debug(self, *_: object, **__: object) -> None: ...

    info = warn = error = trace = debug


class _Unheard:
    """A future nobody waits for."""

    def callback(self, _: object) -> None: ...


class LightWebSocket(WebSocketServerProtocol):  # type: ignore[misc]
    """One WebSocket connection, up to whole messages.

    A subclass says `admit`, `onOpen`, `onMessage`, and how long a message may be.

    :ivar most_fragments: frames one message may come in; None for any number.
    """

    log = Quiet()

    # --- options ---

    CONFIG_ATTRS = ()
    logOctets = logFrames = trackTimings = False
    versions = (13,)
    webStatus = False
    utf8validateIncoming = True
    requireMaskedClientFrames = True
    maskServerFrames = False
    applyMask = True
    maxFramePayloadSize = maxMessagePayloadSize = 65_536
    autoFragmentSize = 0
    failByDrop = False  # True is a bare reset: a browser would see 1006 instead of our close code
    echoCloseCodeReason = False
    openHandshakeTimeout = 0  # whoever hands the connection over has read the whole request already
    closeHandshakeTimeout = 0  # the farewell queue bounds it; Autobahn's timers round down by up to 1 s
    autoPingInterval = autoPingTimeout = 0  # pings come from one shared queue
    autoPingSize = 12
    autoPingRestartOnAnyTraffic = True
    most_fragments: int | None = FRAGMENTS

    # --- what Autobahn sets on each connection as it begins ---

    is_open = is_closed = _Unheard()
    trafficStats = TrafficStats()  # counted for all together, read by nobody
    send_queue = ()  # only for sends in small pieces, which we have none of
    state = WebSocketServerProtocol.STATE_CONNECTING
    send_state = WebSocketServerProtocol.SEND_STATE_GROUND
    data = b""
    current_frame = inside_message = None
    websocket_version = 13
    triggered = False
    trackedTimings = _transport_details = peer = None
    _perMessageCompress: Any = None
    wasMaxFramePayloadSizeExceeded = wasMaxMessagePayloadSizeExceeded = False
    closedByMe = failedByMe = droppedByMe = False
    wasClean, wasNotCleanReason = False, None
    wasServerConnectionDropTimeout = wasOpenHandshakeTimeout = wasCloseHandshakeTimeout = False
    wasServingFlashSocketPolicyFile = False
    localCloseCode = localCloseReason = remoteCloseCode = remoteCloseReason = None
    openHandshakeTimeoutCall = closeHandshakeTimeoutCall = None
    autoPingTimeoutCall = autoPingPending = autoPingPendingCall = autoPingPendingSent = None
    autoPingPendingSeq = 0

    message_data: bytes | bytearray = b""
    _fragments = 0
    _controls_due = 0.0  # when as many control frames as came could have come at CONTROLS_PER_S
    _is_new = False  # what is not whole yet began with the latest bytes
    _stopped = 0  # how many have a reason to read no more

    @cached_property
    def utf8validator(self) -> Any:
        """Needed as soon as a text comes that the short way in does not take."""
        return Utf8Validator()

    def __init__(self) -> None:
        """None of Autobahn's own beginning."""

    def connectionMade(self) -> None:
        """The transport is there."""
        with suppress(OSError, AttributeError):  # a Unix socket has no such thing, nor has what is no socket
            self.transport.setTcpNoDelay(True)

    def dropConnection(self, abort: bool = False) -> None:
        """End the transport. Autobahn would reset a connection whose two close frames have crossed the wire; RFC
        6455 section 7.1.1 wants a clean end."""
        super().dropConnection(abort and not self.wasClean)

    def _fail_connection(self, code: int = 1001, reason: str = "going away") -> None:
        """The peer has broken the rules. Where its next frame begins may not be known any more, so its close frame
        cannot be waited for: no more will come from us, and it sees that (RFC 6455 section 7.1.7)."""
        super()._fail_connection(code, reason)
        end_writing(self.transport)

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone."""
        self.state = self.STATE_CLOSED

    # --- the handshake ---

    @abstractmethod
    def admit(self, request: Handshake) -> tuple[str | None, str | None]:
        """The subprotocol and the extension to answer with.

        :raises Denied: if it may not come in.
        """

    def processHandshake(self) -> None:
        """Autobahn calls it with a request in `data`, which whoever handed it over has seen whole."""
        end = self.data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head, self.data = self.data[:end], self.data[end:]
        try:
            request = read_handshake(head)
            subprotocol, extension = self.admit(request)
        except Denied as denied:
            self._refuse(denied)
            return
        except Exception as error:  # ours: the peer learns no more than that
            self.report(error)
            self._refuse(Denied(500, "something went wrong here"))
            return
        sender_for(self.transport)(self.transport, answer(request.key, subprotocol, extension))
        self.state = self.STATE_OPEN
        self.inside_message = False
        self.onOpen()
        if self.data:
            self.consumeData()

    def _refuse(self, denied: Denied) -> None:
        self.transport.write(refusal(denied, getattr(self.factory, "headers", None)))
        self.dropConnection()

    @abstractmethod
    def report(self, error: BaseException) -> None:
        """A fault of ours."""

    # --- messages in one small frame ---

    def dataReceived(self, data: bytes) -> None:
        """What nearly all traffic is, whole small masked text frames, is read here; the rest is Autobahn's."""
        if self.state == OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._read_quickly(data)
            if not data:
                return
            self._is_new = True
        if data and self.state != self.STATE_CLOSED:
            self._dataReceived(data)
            self.pieces_received()

    def consumeData(self) -> None:
        """See Autobahn's. Between two frames reading may be stopped: what has come already waits then."""
        if self.state in (self.STATE_OPEN, self.STATE_CLOSING):
            while not self._stopped and self.processData() and self.state != self.STATE_CLOSED:
                pass
        else:
            super().consumeData()

    def pieces_received(self) -> None:
        """Called after Autobahn has read something: perhaps a part of a message. See `is_amid`."""

    @property
    def is_amid(self) -> bool:
        """Whether a message or a frame has begun and not ended."""
        return self.current_frame is not None or bool(self.inside_message or self.data)

    def _read_quickly(self, data: bytes) -> bytes:
        """Take whole text frames off the front of `data`; returns what begins with anything else."""
        at, size, limit = 0, len(data), self.maxMessagePayloadSize
        while size - at >= 6 and data[at] == WHOLE_TEXT and self.state == OPEN:
            length = data[at + 1] - MASKED
            head = at + 2
            if length == 127:
                break  # rare, and may come in many pieces; or not the shortest form
            if length == 126:
                length = data[at + 2] << 8 | data[at + 3]
                head = at + 4
                if length < 126:
                    break  # not the shortest form: Autobahn says why
            begin = head + 4
            if length < 0 or length > limit or begin + length > size:
                break
            payload = data[begin : begin + length]
            mask = data[head:begin]
            if mask != NO_MASK:
                stretched = (mask * (length // 4 + 1))[:length]
                payload = (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)
            if not payload.isascii():
                try:
                    payload.decode()
                except UnicodeDecodeError:
                    break
            at = begin + length
            self.shortTextReceived(payload)
        return data[at:] if at else data

    def shortTextReceived(self, payload: bytes) -> None:
        """`onMessage` for a text in one small frame; it is UTF-8."""
        self.onMessage(payload, False)

    # --- messages in several pieces ---

    # Autobahn collects a message in lists of pieces, which a peer that sends tiny or empty ones makes as long as
    # it likes; one array of bytes is never longer than a message may be.

    def onMessageBegin(self, isBinary: bool) -> None:
        """The first frame of a message begins."""
        super().onMessageBegin(isBinary)
        self.message_data = bytearray()
        self._fragments = 0

    def onMessageFrameBegin(self, length: int) -> None:
        """A frame of a message begins."""
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if self.most_fragments is not None and self._fragments > self.most_fragments and not self.failedByMe:
            self._fail_connection(1008, f"a message has at most {self.most_fragments} fragments")

    def onMessageFrameData(self, payload: bytes) -> None:
        """A piece of a message."""
        if not self.failedByMe:
            self.message_data += payload

    def onMessageFrameEnd(self) -> None:
        """A frame of a message is whole."""

    def onMessageEnd(self) -> None:
        """A message is whole."""
        self._is_new = True
        message, self.message_data = bytes(self.message_data), bytearray()
        if not self.failedByMe:
            self.onMessage(message, self.message_is_binary)

    # --- control frames ---

    def too_many_controls(self, now: float) -> bool:
        """Count a ping or a pong; whether that is one too many.

        :param now: seconds on a clock that never goes back.
        """
        self._controls_due = max(self._controls_due, now) + 1 / CONTROLS_PER_S
        # A hundredth more, because tenths are no binary fractions.
        return self._controls_due - now > CONTROLS / CONTROLS_PER_S + 0.01
