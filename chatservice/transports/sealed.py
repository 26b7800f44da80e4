"""TLS on the short road: what is said in one write is sealed at once and leaves in one system call.

Twisted's own layers hand each 16 KiB on by themselves, gather small writes for a turn though ours are gathered
already, and let the reactor send a turn later.
"""

from __future__ import annotations

from OpenSSL.SSL import Error, WantReadError
from twisted.internet.interfaces import ITransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from chatservice.wires.quick import Send, sender_for

RECORD_BYTES = 16_384
"""What one TLS record holds at most (RFC 8446 section 5.1)."""

SEAL_BYTES = 64
"""More than a record's header, padding byte and tag take in any version and cipher we speak."""


class SealedTransport(TLSMemoryBIOProtocol):
    """One TLS connection. Whoever is its producer is paused when the socket is full, as without TLS."""

    _send: Send

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is there; the TLS handshake begins."""
        self._send = sender_for(transport)
        super().makeConnection(transport)

    def _write(self, data: bytes) -> None:
        if self._lostTLSConnection:
            return
        size, sent = len(data), 0
        try:
            while sent < size:
                # One record at a time: that is what pyOpenSSL makes OpenSSL take of more.
                sent += self._tlsConnection.send(data[sent : sent + RECORD_BYTES])
        except WantReadError:
            self._bufferedWrite(data[sent:])
        except Error:
            self._tlsShutdownFinished(Failure())
            return
        self._flush(size + (size // RECORD_BYTES + 1) * SEAL_BYTES)

    def _flushSendBIO(self) -> None:
        self._flush(2 * RECORD_BYTES)

    def _flush(self, most: int) -> None:
        """Send all that OpenSSL has ready.

        :param most: bytes it is likely not to have more of: the memory to read into is made first.
        """
        ready = most
        while ready == most:
            try:
                data = self._tlsConnection.bio_read(most)
            except WantReadError:
                return
            ready = len(data)
            self._send(self.transport, data)


class SealedFactory(TLSMemoryBIOFactory):
    """Puts TLS between a listener and its factory."""

    protocol = SealedTransport
