"""What back ends publish on Redis for Socket.IO servers, read and nothing more. Pure.

Two kinds: Socket.IO's own emitters and adapters (`@socket.io/redis-emitter`, `socket.io-emitter`; MessagePack on
`KEY#NAMESPACE#` or `KEY#NAMESPACE#ROOM#`), and python-socketio's managers (JSON on `socketio`; before 5.14 they
wrote pickles, which run what they say when they are read, and are never read here).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from chatservice.socketio.msgpack import BadMessagePack, unpack
from chatservice.socketio.packet import RESERVED

EVENTS = (2, 5)
"""Packets of Socket.IO that are events, without and with binary."""

MOST_ROOMS = 128
"""Rooms in one emission, and rooms that it leaves out."""

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Emission:
    """An event that a server shall emit.

    :ivar rooms: to those in these rooms, or with these ids; empty for everybody in the namespace.
    :ivar left_out: but not to those in these rooms, or with these ids.
    :ivar volatile: it may be lost.
    """

    namespace: str
    name: str
    arguments: tuple[Any, ...] = ()
    rooms: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    volatile: bool = False


class BadEmission(ValueError):
    """This is not to be emitted.

    :ivar why: one word for whoever counts: `malformed`, `pickle`, `order` (it wants something else than an event).
    """

    def __init__(self, why: str, words: str = "") -> None:
        super().__init__(words or why)
        self.why = why


def read_packed(payload: bytes) -> Emission:
    """What an emitter or adapter of Socket.IO has published: `[uid, packet, options]`.

    :raises BadEmission: for all else.
    """
    try:
        told = unpack(payload)
    except BadMessagePack as error:
        raise BadEmission("malformed", str(error)) from None
    if not isinstance(told, list) or len(told) < 2:
        raise BadEmission("malformed", "no array of sender, packet and options")
    packet, options = told[1], (told[2] if len(told) > 2 else None) or {}
    if not isinstance(packet, dict) or not isinstance(options, dict):
        raise BadEmission("malformed", "a packet and its options are objects")
    data = packet.get("data")
    if packet.get("type") not in EVENTS or not isinstance(data, list) or not data:
        raise BadEmission("malformed", "no event")
    flags = options.get("flags")
    return Emission(
        _namespace(packet.get("nsp")),
        _name(data[0]),
        tuple(data[1:]),
        _rooms(options.get("rooms")),
        frozenset(_rooms(options.get("except"))),
        isinstance(flags, dict) and flags.get("volatile") is True,
    )


def read_json(payload: bytes) -> Emission:
    """What a manager of python-socketio has published.

    :raises BadEmission: for all else.
    """
    if not payload.lstrip().startswith(b"{"):
        # All protocols of pickle but the oldest begin with this byte.
        raise BadEmission("pickle" if payload[:1] == b"\x80" else "malformed", "no JSON object")
    try:
        told = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise BadEmission("malformed", "no JSON") from None
    if told.get("method") != "emit":
        raise BadEmission("order" if isinstance(told.get("method"), str) else "malformed")
    if told.get("callback") is not None:
        raise BadEmission("order", "who only emits is not told what it is answered")
    data = told.get("data")
    arguments = data if isinstance(data, list) else [data]
    if told.get("binary") is True:
        if not arguments or not isinstance(arguments[0], list):
            raise BadEmission("malformed", "binary without its arguments")
        arguments = _with_binary(arguments[0], arguments[1:])
    return Emission(
        _namespace(told.get("namespace")),
        _name(told.get("event")),
        tuple(arguments),
        _rooms(told.get("room")),
        frozenset(_rooms(told.get("skip_sid"))),
    )


def _with_binary(arguments: list[Any], attachments: Iterable[Any]) -> list[Any]:
    """The arguments with the attachments in the place of their placeholders."""
    try:
        pieces = [b64decode(one, validate=True) for one in attachments]
    except (TypeError, ValueError):
        raise BadEmission("malformed", "an attachment is no base64") from None

    def filled(value: Any, levels: int) -> Any:
        if levels < 0:
            raise BadEmission("malformed", "too deep")
        if isinstance(value, list):
            return [filled(one, levels - 1) for one in value]
        if not isinstance(value, dict):
            return value
        if value.get("_placeholder") is not True:
            return {name: filled(one, levels - 1) for name, one in value.items()}
        number = value.get("num")
        if type(number) is not int or not 0 <= number < len(pieces):
            raise BadEmission("malformed", "an attachment is missing")
        return pieces[number]

    return [filled(argument, _DEEPEST) for argument in arguments]


def _name(name: Any) -> str:
    if not isinstance(name, str) or name in RESERVED:
        raise BadEmission("malformed", "no name of an event")
    return name


def _namespace(name: Any) -> str:
    if name is None:
        return "/"
    if not isinstance(name, str):
        raise BadEmission("malformed", "a namespace is a string")
    return name or "/"


def _rooms(said: Any) -> tuple[str, ...]:
    """Rooms, one or several; a number is a name as well."""
    rooms = [] if said is None else said if isinstance(said, list) else [said]
    if len(rooms) > MOST_ROOMS or not all(type(room) in (str, int) for room in rooms):
        raise BadEmission("malformed", "rooms are strings, and not so many")
    return tuple(dict.fromkeys(str(room) for room in rooms if room != ""))
