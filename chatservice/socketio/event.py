"""An event as it is told to many: encoded once."""

from __future__ import annotations

from typing import Any

from chatservice.socketio.outgoing import Outgoing
from chatservice.socketio.packet import EVENT, encode_parts


class Event:
    """One event of a namespace. It may be sent to any number of sockets, any number of times.

    :param id: of the acknowledgement that is wanted, if one is.
    :ivar packet: what is sent.
    :raises TypeError: if the arguments cannot be said in JSON.
    """

    __slots__ = ("_attachments", "_marked", "_offset", "_text", "asks", "packet")

    def __init__(self, namespace: str, name: str, arguments: tuple[Any, ...], id: int | None = None) -> None:
        self._text, self._attachments = encode_parts(EVENT, namespace, id, (name, *arguments))
        self.packet = Outgoing(self._text, self._attachments)
        self.asks = id is not None
        self._offset = ""
        self._marked: Outgoing | None = None

    def marked(self, offset: str) -> Outgoing:
        """The form with one argument more, for clients that know of connection state recovery.

        :param offset: the position after this event in the namespace's log; letters, digits, `-` and `_`.
        """
        if self.asks:
            return self.packet  # its last argument is a function to the client, so nothing is taken for an offset
        if self._marked is None or self._offset != offset:
            self._offset = offset
            self._marked = Outgoing(self._text[:-1] + b',"' + offset.encode() + b'"]', self._attachments)
        return self._marked
