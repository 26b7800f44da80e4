"""A WebSocket client that forgives nothing: bytes by hand out, RFC 6455 to the letter in."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Self

from e2e.raw import PATIENCE_S, frame, handshake

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


class Strict:
    """One connection to a server.

    :param extensions: what to offer in Sec-WebSocket-Extensions.
    :param tls: speak it, trusting this.
    :ivar agreed: what was answered to that.
    :ivar was_reset: the connection ended by a reset instead of a FIN.
    """

    def __init__(
        self, port: int, path: str = "/echo", extensions: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._came = bytearray()
        self.was_reset = False
        headers = {"Sec_WebSocket_Extensions": extensions} if extensions else {}
        self.send(handshake(path, **headers))
        head = bytes(self._take_until(b"\r\n\r\n"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        self.agreed = lines.get(b"Sec-WebSocket-Extensions", b"").decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    # --- out ---

    def send(self, data: bytes, piece: int = 0) -> None:
        """Send bytes, all at once or in packets of so many."""
        if not piece:
            self._socket.sendall(data)
            return
        for at in range(0, len(data), piece):
            try:
                self._socket.sendall(data[at : at + piece])
            except ConnectionError:  # the server has said its last word already
                return

    def close(self, code: int = 1000) -> None:
        """Send a close frame."""
        self.send(frame(CLOSE, code.to_bytes(2, "big")))

    # --- in ---

    def frame(self) -> tuple[int, bytes, int]:
        """The next frame: opcode, payload, reserved bits. FIN must be set: our server makes no fragments."""
        first, second = self._take(2)
        assert first & FIN and not second & 0x80, "fragmented or masked"
        size = second
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
            assert size >= 126, "not the shortest form"
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
            assert size > 0xFFFF, "not the shortest form"
        opcode = first & 0x0F
        assert opcode in (TEXT, BINARY) or (opcode in (CLOSE, PING, PONG) and size <= 125), opcode
        return opcode, bytes(self._take(size)), first & 0x70

    def expect(self, *expected: tuple[int, bytes]) -> None:
        """These frames come next, with no reserved bit."""
        for opcode, payload in expected:
            got = self.frame()
            # Comparing first keeps a failure of megabytes out of the report.
            assert got == (opcode, payload, 0) or _shown(got) == _shown((opcode, payload, 0))

    def ending(self) -> tuple[list[tuple[int, bytes]], int | None]:
        """All frames before the close frame, and its code. The server must end the connection behind it, and send
        nothing more; a close frame that it began is answered, as RFC 6455 section 5.5.1 wants it."""
        found: list[tuple[int, bytes]] = []
        while True:
            opcode, payload, reserved = self.frame()
            assert reserved == 0
            if opcode == CLOSE:
                break
            found.append((opcode, payload))
        code = int.from_bytes(payload[:2], "big") if payload else None
        payload[2:].decode()
        try:
            self._socket.sendall(frame(CLOSE, payload[:2]))
        except ConnectionError:
            self.was_reset = True
        assert self.rest() == b"", "something follows the close frame"
        return found, code

    def rest(self) -> bytes:
        """What comes until the server hangs up, which it must."""
        while self._receive():
            pass
        return bytes(self._came)

    def stays_silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            return not self._came and not self._receive()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)

    def _take(self, size: int) -> bytearray:
        while len(self._came) < size:
            assert self._receive(), f"it ended in the middle: {bytes(self._came[:50])!r}"
        taken = self._came[:size]
        del self._came[:size]
        return taken

    def _take_until(self, end: bytes) -> bytearray:
        while end not in self._came:
            assert self._receive(), bytes(self._came)
        return self._take(self._came.index(end) + len(end))

    def _receive(self) -> bool:
        try:
            more = self._socket.recv(1 << 20)
        except ConnectionError:
            self.was_reset = True
            return False
        self._came += more
        return bool(more)


def _shown(got: tuple[int, bytes, int]) -> tuple[int, int, bytes, int]:
    return got[0], len(got[1]), got[1][:50], got[2]


def fragments(opcode: int, pieces: Iterable[bytes], first_bits: int = 0) -> bytes:
    """One message in these fragments; `first_bits` are reserved bits of the first."""
    pieces = list(pieces)
    last = len(pieces) - 1
    return b"".join(
        frame(CONT if n else opcode, piece, first_bits=(FIN if n == last else 0) | (0 if n else first_bits))
        for n, piece in enumerate(pieces)
    )


def cut(payload: bytes, size: int) -> list[bytes]:
    """In pieces of so many bytes."""
    return [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
