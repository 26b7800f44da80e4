"""Engine.IO packets as they come in, of both protocol versions (engine.io-protocol, revisions 3 and 4). Pure.

A packet is a pair: its type, one of "0" to "6", and its data, text or bytes.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from urllib.parse import parse_qs

import orjson

from chatservice.socketio.errors import BadPacket
from chatservice.socketio.outgoing import MESSAGE

Incoming = tuple[str, str | bytes]

LENGTH_DIGITS = 9
"""A length in an EIO3 payload has no more digits; the body that holds it is bounded anyway."""

_TYPES = frozenset("0123456")
_LAST_OF_BMP = "\uffff"


def decode_text(version: int, text: str) -> Incoming:
    """A packet as text: in a WebSocket text frame, or a part of a payload.

    :raises BadPacket: if it is none.
    """
    kind = text[:1]
    if kind in _TYPES and kind:
        return kind, text[1:]
    if kind == "b":
        begin = 1
        if version == 3:
            kind, begin = text[1:2], 2
            if kind not in _TYPES or not kind:
                raise BadPacket("unknown packet type")
        else:
            kind = MESSAGE
        try:
            return kind, b64decode(text[begin:], validate=True)
        except (binascii.Error, ValueError):
            raise BadPacket("no base64") from None
    raise BadPacket("unknown packet type")


def decode_binary(version: int, data: bytes) -> Incoming:
    """A packet as bytes: a WebSocket binary frame, or a part of an EIO3 payload of bytes.

    :raises BadPacket: if it is none.
    """
    if version == 4:
        return MESSAGE, data
    if not data or data[0] > 6:
        raise BadPacket("unknown packet type")
    return str(data[0]), data[1:]


def decode_payload(version: int, body: bytes, *, is_binary: bool) -> list[Incoming]:
    """The packets in the body of a POST.

    :param is_binary: it came as application/octet-stream.
    :raises BadPacket: if it is no payload; one bad packet makes the whole payload bad.
    """
    if is_binary:
        if version == 4:
            raise BadPacket("no binary payloads in this version")
        return _decode_bytes(body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadPacket("no UTF-8") from None
    if version == 4:
        return [decode_text(4, part) for part in text.split("\x1e")]
    return _decode_lengths(text)


def _decode_lengths(text: str) -> list[Incoming]:
    """Lengths count UTF-16 code units. Text with characters beyond the first plane is cut as UTF-16."""
    if not text:
        raise BadPacket("an empty payload")
    wide = not text.isascii() and max(text) > _LAST_OF_BMP
    units = text.encode("utf-16-le") if wide else b""
    size = len(units) // 2 if wide else len(text)
    found, at = [], 0
    # Digits and the colon are looked for in `text`, whose index runs behind by the pairs met so far.
    pairs = 0
    while at < size:
        colon = text.find(":", at - pairs, at - pairs + LENGTH_DIGITS + 1)
        digits = text[at - pairs : colon]
        if colon < 0 or not digits.isascii() or not digits.isdigit():
            raise BadPacket("no length")
        begin = colon + pairs + 1
        at = begin + int(digits)
        if at > size or at == begin:
            raise BadPacket("wrong length")
        if wide:
            try:
                part = units[2 * begin : 2 * at].decode("utf-16-le")
            except UnicodeDecodeError:
                raise BadPacket("a length that cuts a character in two") from None
            pairs += sum(character > _LAST_OF_BMP for character in part)
        else:
            part = text[begin:at]
        found.append(decode_text(3, part))
    return found


def _decode_bytes(body: bytes) -> list[Incoming]:
    if not body:
        raise BadPacket("an empty payload")
    found: list[Incoming] = []
    at = 0
    while at < len(body):
        kind = body[at]
        end = body.find(b"\xff", at + 1, at + 2 + LENGTH_DIGITS)
        digits = body[at + 1 : end]
        if kind > 1 or end <= at + 1 or max(digits) > 9:
            raise BadPacket("no length")
        length = int("".join(map(str, digits)))
        at = end + 1 + length
        if at > len(body) or not length:
            raise BadPacket("wrong length")
        data = body[end + 1 : at]
        if kind:
            found.append(decode_binary(3, data))
        else:
            try:
                found.append(decode_text(3, data.decode()))
            except UnicodeDecodeError:
                raise BadPacket("no UTF-8") from None
    return found


# --- JSONP, for browsers without cross-origin requests; EIO3 only ---

_NEWLINE = re.compile(r"(\\)?\\n")


def jsonp_body(body: bytes) -> bytes:
    """The payload in a form with one field, `d`. The client wrote newlines as `\\n`, since browsers change them.

    :raises BadPacket: if there is no such field.
    """
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=8, errors="strict")
        text = fields["d"][0]
    except (ValueError, KeyError):
        raise BadPacket("no form with a field d") from None
    text = _NEWLINE.sub(lambda found: found[0] if found[1] else "\n", text)
    return text.replace("\\\\n", "\\n").encode()


def jsonp_answer(index: str, payload: bytes) -> bytes:
    """A script that hands the payload to the client.

    :param index: decimal digits.
    """
    text = orjson.dumps(payload.decode()).decode()
    # Line separators end a string literal before ES2019; `<` could begin a closing script tag.
    for odd, escaped in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(odd, escaped)
    return f"___eio[{index}]({text});".encode()
