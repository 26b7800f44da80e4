"""People who come by HTTP: no connection of theirs stays, so we remember them for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.domain.audience import Hearer
from chatservice.domain.commands import Command, Rename
from chatservice.domain.conduct import handle
from chatservice.domain.errors import Code, Disconnect, Refused
from chatservice.domain.events import Event
from chatservice.domain.permissions import is_the_same, may_come_in
from chatservice.domain.promise import Promise
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity
from chatservice.transports.surroundings import Surroundings


class Visitor(Hearer):
    """One person behind HTTP requests: a `Peer` that hears nothing, with a session of its own.

    It is known by its token, else by its address: so its rate limit and its `userN` last from request to request.
    """

    format: Any = None  # it hears nothing, so it is in no audience

    def __init__(self, around: Surroundings, key: str, address: str, forget: Callable[[Visitor], None]) -> None:
        self.heard_at = 0.0
        self.key = key
        self.until_ms = 0  # see `Identity`
        self.reading = 0  # streams and polls that are open: as long as there are any it is not forgotten
        self.naming: Promise[Any] | None = None  # the nick it wishes is asked for
        self._forget = forget
        self.session = Session(around.hub, self, address, introduced=False)

    def confirm(self, token: str | None) -> None:
        """The token of a request proves it still; meanwhile something was awaited.

        :raises Refused: if not.
        """
        passes = self.session.hub.passes
        if token is not None and passes is not None:
            is_the_same(self.session, passes.read(token))
        if self.session.gone:
            raise Refused(Code.UNAVAILABLE)

    async def act(self, name: str, token: str | None, command: Command) -> Any:
        """Do it in the room without being seen in it.

        :returns: as `handle`.
        """
        hub = self.session.hub
        hub.log.check_there(name)  # who asks what a room is like waits for its server; who talks is told at once
        naming, self.naming = self.naming, None
        if naming is not None:
            await naming
        room = hub.room(name)
        room.joining += 1  # it must stay meanwhile, though nobody comes in
        try:
            await room.live()
            self.confirm(token)
            may_come_in(self.session, room)
            self.session.rooms[name] = room
            return await handle(self.session, command)
        finally:
            self.session.rooms.pop(name, None)
            room.joining -= 1
            hub.tidy(room)

    def deliver(self, event: Event) -> None:
        """See `Peer.deliver`."""

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        self._forget(self)

    def nudge(self) -> None:
        """See `Watched.nudge`: it has not been here for a long time."""
        self._forget(self)

    def give_up(self) -> None:
        """See `Watched.give_up`."""


class Visitors:
    """All that came by HTTP lately."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._known: dict[str, Visitor] = {}

    def find(self, token: str | None, address: str, nick: str | None) -> Visitor:
        """The visitor of that token or, without one, of that address.

        :raises Refused: for a token that is not good.
        """
        hub = self._around.hub
        identity = hub.passes.read(token) if token is not None and hub.passes is not None else None
        if not hub.guests and (identity is None or identity.guest):
            raise Refused(Code.UNAUTHORIZED, "no_guests")
        whence = hub.network_of(address) or address
        key = f"address {whence}" if identity is None else f"user {identity.user_id}"
        visitor = self._known.get(key)
        if visitor is None:
            visitor = self._known[key] = Visitor(self._around, key, address, self._forget)
            visitor.session.introduce(hub.arrive(identity or self._stranger(whence)))
            self._around.visitors.add(visitor)
        elif identity is not None:
            hub.arrive(identity)  # with the rights of this token
        visitor.until_ms = 0 if identity is None else identity.until_ms
        visitor.heard_at = self._around.now()
        visitor.session.address = address  # a token may be used from anywhere
        if nick is not None and nick != visitor.session.user.user.nick:
            naming = handle(visitor.session, Rename(nick))
            if naming.done:
                naming.result()
            else:  # other nodes are asked; what is said waits for it
                visitor.naming = naming
        return visitor

    def _stranger(self, whence: str) -> Identity | None:
        """Who has no token may be answered by another worker each time, and must be one person to all: what is
        said again under the same key is said once."""
        passes = self._around.hub.passes
        return None if passes is None else Identity(passes.stranger(whence))

    def _forget(self, visitor: Visitor) -> None:
        if visitor.reading:
            self._around.visitors.add(visitor)  # later
        elif self._known.pop(visitor.key, None) is not None:
            self._around.visitors.remove(visitor)
            visitor.session.end()
