"""Socket.IO packets (socket.io-protocol, revisions 4 and 5): `<type>[<n>-][<nsp>,][<id>][<json>]`. Pure.

Both revisions write events and acknowledgements alike, so one encoding serves the clients of both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chatservice.socketio.errors import BadPacket
from chatservice.socketio.jsontext import dumps, loads
from chatservice.socketio.outgoing import MESSAGE, Outgoing

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = "0123456"

MAX_ATTACHMENTS = 10
"""As in the reference's parser since 4.2.3."""

ID_DIGITS = 15
"""Ids are JavaScript numbers: beyond this they would not be whole."""

RESERVED = frozenset(("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"))
"""Events that no peer may send."""

_HEAD = re.compile(r"(?:(\d{1,4})-)?(?:(/[^,]*)(?:,|\Z))?(\d*)", re.ASCII)


@dataclass(slots=True)
class Packet:
    """One packet, decoded.

    :ivar type: "0" to "4"; binary packets have the type of their plain twins.
    :ivar namespace: without the query that v4 clients may add.
    :ivar query: that query.
    :ivar id: of the acknowledgement wanted or given.
    :ivar data: a list for events and acknowledgements, an object or None else.
    """

    type: str
    namespace: str = "/"
    query: str = ""
    id: int | None = None
    data: Any = None


@dataclass(slots=True)
class Decoder:
    """Messages in, packets out; keeps a packet whose attachments are still coming."""

    _waiting: Packet | None = None
    _missing: int = 0
    _attachments: list[bytes] = field(default_factory=list)

    def add(self, message: str | bytes) -> Packet | None:
        """The packet that this message completes, if it does.

        :raises BadPacket: if it breaks the protocol.
        """
        if isinstance(message, str):
            if self._waiting is not None:
                raise BadPacket("text while attachments are due")
            packet, self._missing = decode(message)
            if self._missing:
                self._waiting = packet
                return None
            return packet
        if self._waiting is None:
            raise BadPacket("bytes while none are due")
        self._attachments.append(message)
        if len(self._attachments) < self._missing:
            return None
        packet, self._waiting = self._waiting, None
        attachments, self._attachments = self._attachments, []
        packet.data = put_in(packet.data, attachments)
        return packet


def decode(text: str) -> tuple[Packet, int]:
    """A packet and how many attachments follow it.

    :raises BadPacket: if it is none.
    """
    kind = text[:1]
    head = _HEAD.match(text, 1)
    if not "0" <= kind <= "6" or not kind or head is None:
        raise BadPacket("unknown type")
    attachments, namespace, id = head.groups()
    is_binary = kind in (BINARY_EVENT, BINARY_ACK)
    if is_binary != (attachments is not None) or len(id) > ID_DIGITS:
        raise BadPacket("attachments without a binary packet, or the other way round")
    missing = int(attachments or 0)
    if missing > MAX_ATTACHMENTS:
        raise BadPacket("too many attachments")
    if is_binary:
        kind = EVENT if kind == BINARY_EVENT else ACK
    rest = text[head.end() :]
    name, _, query = (namespace or "/").partition("?")
    packet = Packet(kind, name, query, int(id) if id else None, loads(rest) if rest else None)
    _check(packet)
    return packet, missing


def _check(packet: Packet) -> None:
    data = packet.data
    match packet.type:
        case "2":
            if not isinstance(data, list) or not data:
                raise BadPacket("an event without a name")
            name = data[0]
            if isinstance(name, bool) or not isinstance(name, str | int | float) or name in RESERVED:
                raise BadPacket("no name of an event")
        case "3":
            if not isinstance(data, list) or packet.id is None:
                raise BadPacket("an acknowledgement of nothing")
        case "0":
            if data is not None and not isinstance(data, dict):
                raise BadPacket("a connect with odd data")
        case "1":
            if data is not None:
                raise BadPacket("a disconnect with data")
        case _:
            raise BadPacket("a packet that only servers send")


def put_in(value: Any, attachments: Sequence[bytes]) -> Any:
    """`value` with its placeholders replaced.

    :raises BadPacket: if one names no attachment, or one that another has named, or if an attachment is not named.
    """
    # One attachment in many places would be many of them when it is sent on: a small packet becomes a huge one.
    left = dict(enumerate(attachments))
    whole = _put_in(value, left)
    if left:
        raise BadPacket("an attachment without a placeholder")
    return whole


def _put_in(value: Any, left: dict[int, bytes]) -> Any:
    if isinstance(value, list):
        return [_put_in(item, left) for item in value]
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            number = value.get("num")
            if isinstance(number, bool) or not isinstance(number, int) or number not in left:
                raise BadPacket("a placeholder for nothing")
            return left.pop(number)
        return {key: _put_in(item, left) for key, item in value.items()}
    return value


def encode(type: str, namespace: str, id: int | None = None, data: Any = None) -> Outgoing:
    """A packet to send; bytes anywhere in `data` become attachments.

    :raises TypeError: if `data` cannot be said in JSON.
    """
    return Outgoing(*encode_parts(type, namespace, id, data))


def encode_parts(type: str, namespace: str, id: int | None, data: Any) -> tuple[bytes, list[bytes]]:
    """The text of a packet to send, and its attachments; see `encode`."""
    text, attachments = (b"", []) if data is None else dumps(data)
    kind, count = type, ""
    if attachments and type in (EVENT, ACK):
        kind, count = (BINARY_EVENT if type == EVENT else BINARY_ACK), f"{len(attachments)}-"
    place = "" if namespace == "/" else f"{namespace},"
    head = f"{MESSAGE}{kind}{count}{place}{'' if id is None else id}"
    return head.encode() + text, attachments
