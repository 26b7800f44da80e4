"""A few questions before there is a reactor. It blocks; nothing else here does."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import hiredis

from chatservice.redis.address import Address, Place
from chatservice.redis.errors import NotConnected, Refusal, Unusable
from chatservice.redis.handshake import named_by, opened, opening, sentinel_opening
from chatservice.redis.server import Server
from chatservice.redis.words import DEADLINE_S, Word, pack


class Asker:
    """A bare connection whose questions are answered one by one.

    :param address: how to reach `place` (TLS); None for a plain one.
    :raises OSError: if nobody answers.
    """

    def __init__(self, place: Place, address: Address | None = None, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._reader = hiredis.Reader()
        self._socket: socket.socket | None = _open(place, deadline_s, address)

    def ask(self, *commands: Sequence[Word]) -> list[Any]:
        """The answers to some commands; errors are among them as values.

        :raises OSError: if there is none in time.
        """
        assert self._socket is not None
        end = time.monotonic() + self._deadline_s
        self._socket.sendall(b"".join(pack(command) for command in commands))
        answers: list[Any] = []
        while len(answers) < len(commands):
            answer = self._reader.gets()
            if answer is not False:
                answers.append(Refusal(str(answer)) if isinstance(answer, hiredis.ReplyError) else answer)
                continue
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("the connection was closed")
            try:
                self._reader.feed(data)
            except hiredis.ProtocolError as error:
                raise ConnectionResetError("it does not speak Redis") from error
        return answers

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class Blocking(Asker):
    """The same after the handshake.

    :ivar server: who is there.
    :raises NotConnected: if nobody answers.
    :raises Unusable: if it cannot be used.
    """

    def __init__(self, address: Address, deadline_s: float = DEADLINE_S) -> None:
        place = _master(address, deadline_s) if address.master else address.places[0]
        try:
            super().__init__(place, address, deadline_s)
        except OSError as error:
            raise NotConnected(f"nobody answers at {place}: {error.strerror or error}") from error
        try:
            self.server: Server = opened(address, self.ask(*opening(address)))
        except OSError as error:
            self.close()
            raise NotConnected(f"it does not answer at {place}: {error.strerror or error}") from error
        except Unusable:
            self.close()
            raise


def _open(place: Place, deadline_s: float, address: Address | None) -> socket.socket:
    if place.path:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(deadline_s)
        try:
            connection.connect(place.path)
        except OSError:
            connection.close()
            raise
        return connection
    connection = socket.create_connection((place.host, place.port), deadline_s)
    if address is None or not address.tls:
        return connection
    context = ssl.create_default_context(cafile=address.ca or None)
    try:
        return context.wrap_socket(connection, server_hostname=place.host)
    except OSError:
        connection.close()
        raise


def _master(address: Address, deadline_s: float) -> Place:
    """Where the sentinels say that the server is."""
    silent: list[str] = []
    for place in address.places:
        try:
            with Asker(place, None, deadline_s) as sentinel:
                named = named_by(sentinel.ask(*sentinel_opening(address))[0])
        except OSError:
            silent.append(str(place))
            continue
        if named is not None:
            return Place(*named)
    if len(silent) == len(address.places):
        raise NotConnected(f"no sentinel answers at {', '.join(silent)}")
    raise Unusable(f"the sentinels know no master named {address.master}")
