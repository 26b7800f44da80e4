"""A WebSocket handshake (RFC 6455 section 4.2): one request head read, one answer written. Pure.

Autobahn has one of its own, which takes most of the time of a connection and keeps the request for its life.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from urllib.parse import parse_qs, urlsplit

from chatservice.wires.headers import fold

VERSION = "13"

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 section 1.3."""

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_PORT = re.compile(r":[0-9]{1,5}\Z")
# What stands twice could be read in two ways, by us and by a proxy before us. The others may be lists.
_ONCE = ("host", "origin", "sec-websocket-key", "sec-websocket-version")


class Denied(Exception):
    """The handshake is refused.

    :ivar status: HTTP status code.
    :ivar reason: one line of plain text without peer's words.
    :ivar headers: more header lines.
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a request for a WebSocket says.

    :ivar query_string: what `query` was read from.
    :ivar host: the Host header without its port.
    :ivar origin: the page's origin; empty for what is no browser.
    :ivar extensions: the Sec-WebSocket-Extensions header, unread.
    :ivar headers: all of them; see `fold`.
    """

    path: str
    query: dict[str, list[str]]
    query_string: str
    host: str
    origin: str
    key: str
    subprotocols: Sequence[str]
    extensions: str
    headers: Mapping[str, str]


def read_handshake(head: bytes) -> Handshake:
    """The request in `head`, which ends with its empty line.

    :raises Denied: if it is no WebSocket handshake, or one of another version.
    """
    line, *fields = head[:-4].decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != 3:
        raise _no_handshake()
    method, target, version = words
    if method != "GET":
        raise _no_handshake(405)
    if version != "HTTP/1.1":
        raise _no_handshake(505)
    headers = _headers(fields)
    if "websocket" not in _words(headers.get("upgrade", "").lower()) or "upgrade" not in _words(
        headers.get("connection", "").lower()
    ):
        raise _no_handshake()
    # A body could be read as frames, or as a request of its own by a proxy before us.
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise _no_handshake()
    if headers.get("sec-websocket-version") != VERSION:
        raise _no_handshake(400, {"Sec-WebSocket-Version": VERSION})
    key, host, origin = headers.get("sec-websocket-key", ""), headers.get("host"), headers.get("origin")
    subprotocols = _words(headers.get("sec-websocket-protocol", ""))
    if host is None or not _KEY.fullmatch(key) or len(set(subprotocols)) < len(subprotocols):
        raise _no_handshake()
    try:
        address = urlsplit(target)
        query = parse_qs(address.query)
        page = urlsplit(origin or "")
        is_page = origin in (None, "null") or page.scheme == "file" or (page.hostname and page.port != 0)
    except ValueError:
        raise _no_handshake() from None
    if address.fragment or not is_page:
        raise _no_handshake()
    name = _PORT.sub("", host)
    if ":" in name and not name.endswith("]"):
        raise _no_handshake()
    return Handshake(
        path=address.path,
        query=query,
        query_string=address.query,
        host=name,
        origin=origin or "",
        key=key,
        subprotocols=subprotocols,
        extensions=headers.get("sec-websocket-extensions", ""),
        headers=headers,
    )


def answer(key: str, subprotocol: str | None, extension: str | None) -> bytes:
    """The head that opens the WebSocket."""
    accept = b64encode(sha1((key + GUID).encode()).digest()).decode()
    more = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    more += f"Sec-WebSocket-Extensions: {extension}\r\n" if extension else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    ).encode()


_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


def refusal(denied: Denied, headers: Mapping[bytes, bytes] | None = None) -> bytes:
    """A whole HTTP answer, so that a person with curl can read why.

    :param headers: what every answer of this service carries.
    """
    common = {b"X-Content-Type-Options": b"nosniff"} if headers is None else headers
    body = denied.reason.encode() + b"\n"
    more = "".join(f"{name}: {value}\r\n" for name, value in denied.headers.items())
    more += "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in common.items())
    head = (
        f"HTTP/1.1 {denied.status} {_NAMES[denied.status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _no_handshake(status: int = 400, headers: Mapping[str, str] | None = None) -> Denied:
    return Denied(status, "this is not a WebSocket handshake", headers)


def _headers(fields: Sequence[str]) -> dict[str, str]:
    pairs: list[tuple[str, str]] = []
    for field in fields:
        name, colon, value = field.partition(":")
        # RFC 9112 section 5.1: no space before the colon. A continued line would begin with one.
        if not colon or not name or name != name.strip():
            raise _no_handshake()
        pairs.append((name.lower(), value.strip(" \t")))
    names = [name for name, _ in pairs]
    if any(names.count(name) > 1 for name in _ONCE):
        raise _no_handshake()
    return fold(pairs)


def _words(value: str) -> list[str]:
    return [word for part in value.split(",") if (word := part.strip(" \t"))]
