"""The seam to other nodes of the same chat: what they must hear, and what is heard of them.

What lasts comes by the log (`LogSink.committed`, whoever wrote it); this is for the rest. One process alone has
`ALONE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chatservice.domain.events import Event, User
from chatservice.domain.guestbook import Guestbook
from chatservice.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Known:
    """What nodes know of a user.

    :ivar role: the highest it has anywhere where it is alive; empty if it is nowhere.
    :ivar networks: whence it comes, or came last; see `network_of`.
    """

    role: str = ""
    networks: tuple[str, ...] = ()


class BusSink(Protocol):
    """Implemented by the hub's `Elsewhere`; always called in the reactor's thread. MUST NOT raise."""

    def missed(self, room: str) -> None:
        """Entries of the room may have been committed without being told: they have to be read."""

    def heard(self, room: str, event: Event) -> None:
        """Something that is not kept happened in the room, on another node."""

    def attending(self, room: str, by_node: Mapping[str, Mapping[str, User]]) -> None:
        """Who is in the room by other nodes: node -> user id -> user. Whoever else was there is not any more."""

    def came(self, room: str, node: str, user: User) -> None:
        """The user is in the room by that node, perhaps under another nick than before."""

    def went(self, room: str, node: str, user_id: str) -> None:
        """The user is not there by that node any more."""

    def counted(self, room: str, node: str, n: int) -> None:
        """So many more are in the room by that node, who are not named; `attending` forgets those of nodes that it
        does not have."""

    def node_gone(self, node: str) -> None:
        """Nobody is anywhere by that node any more."""

    def who(self, user_id: str) -> Known:
        """Another node asks what we know of the user."""

    def away(self, is_away: bool) -> None:
        """What all nodes share has been away for a moment, or is there again."""


class Bus(Protocol):
    """What the hub tells other nodes. Nothing here raises or waits; what cannot be told now is told by what holds
    when it can.

    :ivar guestbook: who is alive by any node; None where there is no other.
    :ivar written: entries that this node has written since it began; None where nobody else writes.
    """

    @property
    def guestbook(self) -> Guestbook | None: ...

    @property
    def written(self) -> int | None: ...

    def join(self, sink: BusSink) -> None:
        """Tell `sink` from now on."""

    def follow(self, room: str) -> None:
        """The hub has the room open: entries that others write are told from here on, and a page of the log that
        is asked for later is read after that has begun (MUST: what lies between would be missed)."""

    def unfollow(self, room: str) -> None:
        """It is not open any more."""

    def attend(self, room: str, user: User) -> None:
        """The user is in the room by this node; again under another nick."""

    def absent(self, room: str, user_id: str) -> None:
        """It is not there by this node any more."""

    def tell(self, room: str, event: Event) -> None:
        """Tell those who are in the room by other nodes something that is not kept. As good as can be: it may be
        lost."""

    def who(self, user_id: str) -> Promise[Known] | None:
        """What the others know of the user; those that do not answer within a second know nothing. None where
        there is no other."""

    def tops(self, rooms: Iterable[str]) -> Promise[Mapping[str, tuple[str, int]]] | None:
        """Epoch and newest number of each of these rooms, as they are kept: to find out whether we were told all.
        Rooms without an entry are left out. None where nobody else writes."""


class Alone:
    """There is no other node."""

    guestbook = None
    written = None

    def join(self, sink: BusSink) -> None:
        """See `Bus.join`."""

    def follow(self, room: str) -> None:
        """See `Bus.follow`."""

    def unfollow(self, room: str) -> None:
        """See `Bus.unfollow`."""

    def attend(self, room: str, user: User) -> None:
        """See `Bus.attend`."""

    def absent(self, room: str, user_id: str) -> None:
        """See `Bus.absent`."""

    def tell(self, room: str, event: Event) -> None:
        """See `Bus.tell`."""

    def who(self, user_id: str) -> None:
        """See `Bus.who`."""

    def tops(self, rooms: Iterable[str]) -> None:
        """See `Bus.tops`."""


ALONE = Alone()
"""What a hub has unless it is given another one."""


class Once(Protocol):
    """Who of a chat's workers does what all of them hear by another way, such as a channel they all listen to."""

    def of(self, source: int) -> Once:
        """That for one of several such ways; all workers number them alike (MUST)."""

    def begin(self, then: Callable[[], object]) -> None:
        """We hear from here on, also after we could not for a while. `then` begins to listen: not before it is
        called (MUST)."""

    def heard(self, words: bytes, do: Callable[[], object]) -> None:
        """We have heard these words, and so has every other worker that listens. One of them calls `do`: as often
        as the words were said, if anybody who hears them lives, and never more often (MUST). What was heard in one
        go is done in its order by one worker, as long as that lives."""


class Ours:
    """There is no other worker."""

    def of(self, source: int) -> Ours:
        """See `Once.of`."""
        return self

    def begin(self, then: Callable[[], object]) -> None:
        """See `Once.begin`."""
        then()

    def heard(self, words: bytes, do: Callable[[], object]) -> None:
        """See `Once.heard`."""
        do()


OURS = Ours()
"""What a log that is for one process alone has."""
