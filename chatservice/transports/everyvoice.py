"""One event as every dialect tells it: the bytes that the voices of the service really make, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatservice.dialects.full_voice import full_voice
from chatservice.dialects.named import NamedVoice, full_named_voice, taught_voice
from chatservice.dialects.registry import dialect
from chatservice.domain.events import Entry, Event
from chatservice.domain.ports import Appended
from chatservice.socketio.outgoing import POLL3, POLL4, RECORD_SEPARATOR
from chatservice.transports.api_events import stream_format
from chatservice.transports.frames import line_frame
from chatservice.transports.socketpeer import named_format
from chatservice.wires.frames import websocket_frame

Row = dict[str, Any]
"""`as`: the dialect. `path`: where it is spoken. `told`: what is sent, as text, a message each. `head`: the first
octets of the WebSocket frames around them, hexadecimal, where there are any."""


def in_every_voice(event: Event, lang: str, *, escape: bool) -> list[Row]:
    """A row for each dialect that tells this event, in the order of docs/wire.

    :param escape: see `Dialect.voice`.
    """
    return [*_websocket(event, lang, escape), *_socketio(event, lang, escape), *_others(event, lang, escape)]


def _websocket(event: Event, lang: str, escape: bool) -> Iterator[Row]:
    for name, path, shown in (("text", "/text", "text"), ("simple", "/", "simple"), ("full", "/v1", "chat.v1")):
        payload = dialect(name).voice(lang, escape).encode(event)
        if payload is not None:
            yield _framed(shown, path, [payload])


def _socketio(event: Event, lang: str, escape: bool) -> Iterator[Row]:
    voices: list[tuple[str, NamedVoice]] = [
        ("", taught_voice(lang, escape)),
        (", chat.v1", full_named_voice(lang)),
    ]
    for which, voice in voices:
        packets = named_format(voice).frames(event)
        if packets is None:
            continue
        payloads = packets.form(POLL4).split(RECORD_SEPARATOR)
        yield _framed("Socket.IO 2 and 4" + which, "/socket.io/ (WebSocket)", payloads)
        if not which:
            yield _row("Socket.IO 4", "/socket.io/?EIO=4&transport=polling", [packets.form(POLL4)])
            yield _row("Socket.IO 2", "/socket.io/?EIO=3&transport=polling", [packets.form(POLL3)])


def _others(event: Event, lang: str, escape: bool) -> Iterator[Row]:
    line = dialect("line").voice(lang, escape).encode(event)
    if line is not None:
        yield _row("line", "TCP", [line_frame(line)])
    stream = stream_format(full_voice(lang)).frames(event)
    if stream is not None:
        yield _row("server-sent events", "GET /api/rooms/…/events", [stream])
    if isinstance(event, Entry):
        done = Appended(event.room, event.seq, event.epoch, event.ts)
        yield _row("HTTP", "POST /api/rooms/…/messages", [*full_voice(lang).answer(None, done)])


def _framed(dialect_name: str, path: str, payloads: list[bytes]) -> Row:
    heads = [websocket_frame(payload)[: -len(payload) or None].hex(" ") for payload in payloads]
    return {**_row(dialect_name, path, payloads), "head": heads}


def _row(dialect_name: str, path: str, payloads: list[bytes]) -> Row:
    return {"as": dialect_name, "path": path, "told": [payload.decode() for payload in payloads]}
