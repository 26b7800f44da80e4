"""How the doctor gets in: plain requests, and a WebSocket with as much of RFC 6455 as it takes."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE_S = 10.0
"""Whoever does not answer for so long is not there."""

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

HEAD_MOST = 65_536


class BadAddress(ValueError):
    """This is no address of a chat; its text is one line."""


class Closed(Exception):
    """The connection has ended.

    :ivar code: the close code of a farewell; None if there was none.
    """

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Address:
    """A chat's public address.

    :param url: such as `https://chat.example.org/` or `https://example.org/chat/`.
    :param context: how certificates are checked.
    :raises BadAddress: if it is none.
    """

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        try:
            parts = urlsplit(url if "://" in url else f"https://{url}")
            port = parts.port
        except ValueError as error:
            raise BadAddress(f"{url}: {error}") from error
        if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
            raise BadAddress(f"{url}: say it like https://chat.example.org/")
        self.is_tls = parts.scheme in ("https", "wss")
        self.host, self.port = parts.hostname, port or (443 if self.is_tls else 80)
        self.path = parts.path if parts.path.endswith("/") else parts.path + "/"
        self.netloc = parts.netloc.rpartition("@")[2]
        self.context = context

    @property
    def origin(self) -> str:
        """That of the page there."""
        return f"http{'s' if self.is_tls else ''}://{self.netloc}"

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    def connect(self) -> socket.socket:
        """A connection, TLS done.

        :raises OSError: also `ssl.SSLError`.
        """
        bare = socket.create_connection((self.host, self.port), PATIENCE_S)
        if not self.is_tls:
            return bare
        try:
            return self.context.wrap_socket(bare, server_hostname=self.host)
        except BaseException:
            bare.close()
            raise

    def ask(
        self,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience_s: float = 0,
    ) -> Answer:
        """One request on a connection of its own.

        :raises OSError: if there is no answer.
        """
        with self.begin(path, body=body, headers=headers, patience_s=patience_s) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())

    def begin(
        self,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience_s: float = 0,
    ) -> Streaming:
        """The same, up to the head of the answer.

        :raises OSError: if there is none.
        """
        connection: HTTPConnection
        patience_s = patience_s or PATIENCE_S
        if self.is_tls:
            connection = HTTPSConnection(self.host, self.port, timeout=patience_s, context=self.context)
        else:
            connection = HTTPConnection(self.host, self.port, timeout=patience_s)
        try:
            method = "GET" if body is None else "POST"
            connection.request(method, self.path + path, body, {"Host": self.netloc, **(headers or {})})
            return Streaming(connection, connection.getresponse())
        except HTTPException as error:
            connection.close()
            raise ConnectionError(f"this is no HTTP: {error!r}") from error
        except OSError:
            connection.close()
            raise


class Streaming:
    """An answer that may go on."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self) -> bytes:
        """All of it."""
        try:
            return self._response.read()
        except HTTPException as error:
            raise ConnectionError(f"the answer was cut off: {error!r}") from error

    def some(self) -> bytes:
        """What comes next; nothing at its end. Raises `OSError` in the end of all patience."""
        try:
            return self._response.read1(65_536)
        except HTTPException:
            return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class WebSocket:
    """A connection that is a WebSocket, or was refused to be one.

    :ivar status: of the handshake; 101 if it is one.
    :ivar own: our address and port, as far as we can see.
    :raises OSError: if there is no answer.
    """

    def __init__(self, address: Address, path: str, *, origin: str, token: str = "") -> None:
        self._socket = address.connect()
        self.own: tuple[str, int] = self._socket.getsockname()[:2]
        self._unread = b""
        key = b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {address.path}{path} HTTP/1.1",
            f"Host: {address.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Origin: {origin}",
        ]
        # In the address it would be in the proxy's log.
        lines += [f"Authorization: Bearer {token}"] if token else []
        try:
            self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
            while b"\r\n\r\n" not in self._unread:
                more = self._socket.recv(65_536)
                if not more or len(self._unread) > HEAD_MOST:
                    raise ConnectionError("it was cut off without an answer")
                self._unread += more
        except OSError:
            self._socket.close()
            raise
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        words = head.split(b"\r\n")[0].split(b" ")
        self.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    def say(self, text: str) -> None:
        """One message of at most 64 KiB."""
        self._send(TEXT, text.encode())

    def hear(self, patience_s: float = PATIENCE_S) -> str | None:
        """The next text; None if there is none for so long. Pings are answered meanwhile.

        :raises Closed: if the connection has ended.
        """
        until = time.monotonic() + patience_s
        while True:
            frame = self._next(until)
            if frame is None:
                return None
            opcode, payload = frame
            if opcode == TEXT:
                return payload.decode(errors="replace")
            if opcode == PING:
                self._send(PONG, payload)
                return ""
            if opcode == CLOSE:
                raise Closed(int.from_bytes(payload[:2], "big") if len(payload) > 1 else None)

    def _next(self, until: float) -> tuple[int, bytes] | None:
        while True:
            if len(self._unread) >= 2:
                size, begin = self._unread[1] & 127, 2
                if size >= 126:
                    begin = 4 if size == 126 else 10
                    size = int.from_bytes(self._unread[2:begin], "big")
                if len(self._unread) >= begin + size:
                    frame = self._unread[0] & 15, self._unread[begin : begin + size]
                    self._unread = self._unread[begin + size :]
                    return frame
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                more = self._socket.recv(65_536)
            except TimeoutError:
                return None
            except OSError:
                raise Closed from None
            if not more:
                raise Closed
            self._unread += more

    def _send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        size = (
            struct.pack("!B", 128 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 254, len(payload))
        )
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        with suppress(OSError):  # its end is heard, not felt
            self._socket.sendall(bytes([128 | opcode]) + size + mask + masked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._socket.close()
