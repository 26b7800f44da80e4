"""Where rooms, living users and the log meet. One hub a process; everything in the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable

from chatservice.domain.events import Entry, User
from chatservice.domain.limits import Bucket, Rate
from chatservice.domain.ports import Log, Peer, Randomness
from chatservice.domain.room import Room
from chatservice.domain.roster import Roster


class Hub:
    """The registry of rooms and of the living; the sink into which the log commits.

    :param clock: seconds since 1970.
    :param messages: how fast one session may talk; None for no limit.
    :param report: is given errors that are ours, not a peer's.
    """

    def __init__(
        self,
        log: Log,
        *,
        clock: Callable[[], float],
        randomness: Randomness,
        messages: Rate | None,
        report: Callable[[BaseException], None],
    ) -> None:
        self.log = log
        self.clock = clock
        self.report = report
        self.roster = Roster()
        self.rooms: dict[str, Room] = {}
        self._randomness = randomness
        self._messages = messages

    def committed(self, entry: Entry) -> None:
        """An entry is in the log for good: those who are in its room are told."""
        room = self.rooms.get(entry.room)
        if room is not None:
            room.committed(entry)

    def arrive(self) -> User:
        """A newcomer under a fresh id and the next `userN`."""
        return self.roster.arrive("u_" + self._randomness.token())

    def bucket(self) -> Bucket | None:
        """A session's own allowance of messages."""
        return None if self._messages is None else Bucket(self._messages, self.clock())

    def room(self, name: str) -> Room:
        """The room of that name, made when nobody is in it yet."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, self.log, self.report)
        return room

    def leave(self, room: Room, user: User, peer: Peer) -> None:
        """`peer` leaves; a room that nobody is in costs nothing."""
        room.detach(user, peer)
        self.tidy(room)

    def tidy(self, room: Room) -> None:
        """Forget the room if nobody is in it or on the way into it."""
        if not room.n and not room.joining and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
