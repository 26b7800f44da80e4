"""Where back ends emit; see `emitters`, which knows Socket.IO. Who reads the settings alone need not load that."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from chatservice.domain.names import nick_key
from chatservice.redis.address import Address

NAMESPACE = "/"
"""Where the chat is among Socket.IO's namespaces."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where is emitted.

    :ivar key: what the channels of Socket.IO's emitters begin with.
    :ivar channel: that of python-socketio's managers.
    :ivar nick: by which name they speak.
    """

    address: Address
    key: str = "socket.io"
    channel: str = "socketio"
    nick: str = "emitters"

    @property
    def speaker(self) -> str:
        """The id of the user who says what is emitted: the same on all workers."""
        return "u_emit" + sha256(nick_key(self.nick).encode()).hexdigest()[:16]

    @property
    def pattern(self) -> bytes:
        """What matches the channels of our namespace, that of all and those of each room."""
        name = "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in self.key)
        return f"{name}#{NAMESPACE}#*".encode()

    @property
    def orders(self) -> bytes:
        """The channel on which emitters want something else done."""
        return f"{self.key}-request#{NAMESPACE}#".encode()
