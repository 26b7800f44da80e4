"""TLS that one thread reads and another writes.

Python's own TLS sockets cannot (before 3.13): both touch OpenSSL's state, and when a session ticket is read in the
moment of a write, one connection in some hundreds hangs.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

HEAD = 5
"""Bytes before each record, of which the last two say how long it is (RFC 8446, section 5.1)."""


class SealedSocket:
    """A TLS connection as much like a socket as `websockets` needs it.

    :param bare: connected; it belongs to this object from now on.
    :raises ssl.SSLError: if the handshake fails.
    """

    def __init__(self, bare: socket.socket, context: ssl.SSLContext, name: str) -> None:
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bare = bare
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._lock = threading.Lock()
        while not self._shakes_hands():
            record = self._record()
            if not record:
                raise ConnectionError("hung up in the middle of the TLS handshake")
            self._incoming.write(record)

    def recv(self, size: int) -> bytes:
        """See `socket.socket.recv`."""
        while True:
            with self._lock:
                try:
                    return self._tls.read(size)
                except ssl.SSLWantReadError:
                    self._flush()
                except ssl.SSLEOFError:  # cut off, as a bare socket would tell it
                    return b""
            record = self._record()  # waits, and must keep nobody else from writing
            with self._lock:
                if record:
                    self._incoming.write(record)
                else:
                    self._incoming.write_eof()

    def sendall(self, data: bytes) -> None:
        """See `socket.socket.sendall`."""
        with self._lock:
            if data:
                self._tls.write(data)
            self._flush()

    def shutdown(self, how: int) -> None:
        """See `socket.socket.shutdown`; says goodbye first."""
        with self._lock, suppress(ssl.SSLError, OSError):
            with suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
            self._flush()
        self._bare.shutdown(how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bare, name)

    def _shakes_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    def _record(self) -> bytes:
        """The next one, nothing at the end. What comes after it stays in the socket, for who waits for that."""
        record, size = b"", HEAD
        while len(record) < size:
            more = self._bare.recv(size - len(record))
            if not more:
                return b""
            record += more
            if len(record) == HEAD:
                size += int.from_bytes(record[3:], "big")
        return record

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._bare.sendall(self._outgoing.read())
