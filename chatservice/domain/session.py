"""One connection's conversation: who it is, where it is, what it may do."""

from __future__ import annotations

from typing import Any

from chatservice.domain.commands import Join
from chatservice.domain.errors import Code, Disconnect, Refused
from chatservice.domain.events import Greeted
from chatservice.domain.hub import Hub
from chatservice.domain.limits import Bucket
from chatservice.domain.ports import Peer
from chatservice.domain.promise import Promise
from chatservice.domain.room import Room
from chatservice.domain.roster import Person
from chatservice.domain.rules import rank
from chatservice.domain.trust import Identity

RESUMABLE_MS = 2 * 60_000
"""How long a lost session can be resumed."""


class Session:
    """A live connection's conversation with the hub.

    On dialects with a hello it is nobody until `introduce`; on the others it is `userN` from the start.

    :param address: the peer's own, as we see it.
    :param introduced: False on dialects with a hello.
    :param identity: whom a token proved, on the others. Where guests are not let in it is nobody without one.
    :param token: what came with the handshake, for a hello that has none.
    """

    # On the class: most connections have neither, and there are many of them.
    token: str | None = None
    booked = False  # it is counted in the guestbook
    home: Join | None = None  # where to go after a login, if it is nowhere yet

    def __init__(
        self,
        hub: Hub,
        peer: Peer,
        address: str,
        *,
        introduced: bool = True,
        identity: Identity | None = None,
        token: str | None = None,
    ) -> None:
        self.hub = hub
        self.peer = peer
        self.address = address
        self.deafness: Bucket | None = None
        if token is not None:
            self.token = token
        self.rooms: dict[str, Room] = {}
        self.current: Room | None = None
        self.person: Person | None = None
        self.opening: dict[str, Promise[Any]] = {}  # direct conversations on the way to being joined
        self.gone = False
        self.resume_digest: bytes | None = None
        self.caps: frozenset[str] = frozenset()
        self.typed_at: dict[str, float] = {}  # room -> when one was last seen to begin
        self.typing: dict[str, None] = {}  # rooms in which one is seen to write
        if introduced and (hub.guests or (identity is not None and not identity.guest)):
            self.introduce(hub.arrive(identity), 0 if identity is None else identity.until_ms)
            peer.deliver(Greeted(self.user.user, address))

    @property
    def user(self) -> Person:
        """Who it is.

        :raises Refused: `unauthorized` before hello.
        """
        if self.person is None:
            raise Refused(Code.UNAUTHORIZED, "hello_first")
        return self.person

    def introduce(self, person: Person, until_ms: int = 0) -> None:
        """From now on this connection speaks for `person`; see `Identity.until_ms`."""
        if self.person is not person:
            self.person = person
            self.hub.connect(self, person)
        self.hub.proofs.put(self.peer, until_ms)

    def become(self, person: Person, until_ms: int) -> None:
        """Speak for somebody else, who is nowhere yet; whoever it is already only has another proof."""
        if self.person is person:
            self.hub.proofs.put(self.peer, until_ms)
            return
        for room in list(self.rooms.values()):
            self.leave(room)
        if self.person is not None:
            self.hub.disconnect(self, self.person, linger=False)
        self.introduce(person, until_ms)

    def room(self, name: str | None) -> Room:
        """The room a command is about; None is the current one.

        :raises Refused: `not_joined`.
        """
        room = self.current if name is None else self.rooms.get(self.resolve(name))
        if room is None:
            raise Refused(Code.NOT_JOINED)
        return room

    def resolve(self, name: str) -> str:
        """The canonical name of a room as this session may name it: `@me`, `@u_2` for a direct conversation."""
        me = self.user.user.id
        if name == "@me":
            return "@" + me
        if name.startswith("@"):
            return "dm:" + ":".join(sorted((me, name[1:])))
        return name

    def role(self, room: Room) -> str:
        """What this session is in the room: its own rank, or the higher one it has there."""
        return room.rules.role(self.user.user.id, self.user.role)

    def moderates(self, room: Room) -> bool:
        """Whether it may do what moderators do there."""
        return rank(self.role(room)) >= rank("mod")

    def leave(self, room: Room, *, linger: bool = False) -> None:
        """It is told nothing more of the room."""
        if self.rooms.pop(room.name, None) is not None:
            self.typed_at.pop(room.name, None)
            self.typing.pop(room.name, None)
            self.hub.leave(room, self.user, self.peer, linger=linger)
        if self.current is room:
            self.current = None

    def send_away(self, room: Room, why: Disconnect) -> None:
        """It may not be in the room any more; one that is nowhere else is ended."""
        self.leave(room)
        if not any(not name.startswith("@") for name in self.rooms):
            self.peer.close(why)

    def end(self) -> None:
        """The connection is gone."""
        if self.gone:
            return
        self.gone = True
        if self.person is None:
            return
        self.hub.whereabouts.note(self.user.user, self.address)
        linger = self.resume_digest is not None
        if self.resume_digest is not None:
            self.hub.log.keep_session(self.resume_digest, self.user.user, self.hub.now_ms + RESUMABLE_MS)
        for room in list(self.rooms.values()):
            self.leave(room, linger=linger)
        self.hub.disconnect(self, self.person, linger=linger)
