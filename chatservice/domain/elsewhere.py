"""What is heard of other nodes, and what the hub does with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chatservice.domain.bus import Bus, Known
from chatservice.domain.events import Event, ReadElsewhere, Renamed, Typing, User
from chatservice.domain.hub import Hub
from chatservice.domain.presence import TELL_EACH, TYPING_SEEN
from chatservice.domain.promise import Promise
from chatservice.domain.room import State

TOPS_EVERY_S = 20.0
"""How often what rooms were told is compared with what the log has: a bus that is deaf to one room looks well."""


class Elsewhere:
    """See `BusSink` and `GuestbookSink`. Once it is made the hub is one of as many as the bus has."""

    def __init__(self, hub: Hub, bus: Bus) -> None:
        self._hub = hub
        self._looked_at = hub.clock()
        self._doubted: dict[str, tuple[str, int]] = {}  # rooms that were not where the log is -> where they were
        hub.bus = bus
        bus.join(self)
        hub.guestbook = book = bus.guestbook
        if book is not None:
            hub.roster.number = book.number
            hub.look = self.tick
            book.join(self)

    def missed(self, room: str) -> None:
        """See `BusSink.missed`."""
        known = self._hub.rooms.get(room)
        if known is not None:
            known.read_again()

    def heard(self, room: str, event: Event) -> None:
        """See `BusSink.heard`."""
        known = self._hub.rooms.get(room)
        if known is None:
            return
        if isinstance(event, ReadElsewhere):
            self._read(room.removeprefix("@"), event)
        elif isinstance(event, Typing):
            if known.here.n <= TYPING_SEEN:
                known.here.fan_out(event, but=event.user.id)
        elif known.here.n <= TELL_EACH and not (isinstance(event, Renamed) and known.here.peers(event.user.id)):
            known.here.fan_out(event)

    def _read(self, user_id: str, event: ReadElsewhere) -> None:
        person = self._hub.roster.find(user_id)
        if person is not None and event.seq >= person.marks_told.get(event.room, 0):
            person.marks_told[event.room] = event.seq
            self._hub.tell_own(user_id, event)

    # --- presence ---

    def attending(self, room: str, by_node: Mapping[str, Mapping[str, User]]) -> None:
        """See `BusSink.attending`."""
        known = self._hub.rooms.get(room)
        if known is not None:
            known.here.attending(by_node)

    def came(self, room: str, node: str, user: User) -> None:
        """See `BusSink.came`."""
        known = self._hub.rooms.get(room)
        if known is not None:
            known.here.came(node, user)

    def went(self, room: str, node: str, user_id: str) -> None:
        """See `BusSink.went`."""
        known = self._hub.rooms.get(room)
        if known is not None:
            known.here.went(node, user_id)

    def counted(self, room: str, node: str, n: int) -> None:
        """See `BusSink.counted`."""
        known = self._hub.rooms.get(room)
        if known is not None:
            known.here.counted(node, n)

    def node_gone(self, node: str) -> None:
        """See `BusSink.node_gone`."""
        for room in list(self._hub.rooms.values()):
            room.here.node_gone(node)

    # --- people ---

    def looks(self, nick: str) -> Collection[str]:
        """See `GuestbookSink.looks`."""
        return self._hub.roster.looks(nick)

    def renamed(self, user_id: str, nick: str, node: str) -> None:
        """See `GuestbookSink.renamed`."""
        person = self._hub.roster.find(user_id)
        if person is not None:
            self._hub.call(person, nick, node)

    def named(self, user_id: str, nick: str) -> None:
        """See `GuestbookSink.named`."""
        person = self._hub.roster.find(user_id)
        if person is not None:
            self._hub.call(person, nick)

    def unnamed(self, user_id: str) -> None:
        """See `GuestbookSink.unnamed`."""
        person = self._hub.roster.find(user_id)
        if person is not None:
            self._hub.unname(person)

    def who(self, user_id: str) -> Known:
        """See `BusSink.who`."""
        person = self._hub.roster.find(user_id)
        return Known("" if person is None else person.role, self._hub.networks(user_id))

    def away(self, is_away: bool) -> None:
        """See `BusSink.away`."""
        self._hub.away(is_away)

    # --- looking whether all was told ---

    def tick(self, now: float) -> None:
        """To be called about once a second."""
        if not now - TOPS_EVERY_S < self._looked_at <= now:
            self._looked_at = now
            live = {name: room for name, room in self._hub.rooms.items() if room.state is State.LIVE}
            asked = self._hub.bus.tops(live) if live else None
            if asked is not None:
                before = {name: (room.epoch, room.top) for name, room in live.items()}
                asked.then(lambda done: self._compare(before, done))

    def _compare(
        self, before: Mapping[str, tuple[str, int]], done: Promise[Mapping[str, tuple[str, int]]]
    ) -> None:
        """A room that has not moved since it was asked about, and is not where the log is, twice in a row, is
        deaf. Once it may have been told while the answer was on its way."""
        doubted: dict[str, tuple[str, int]] = {}
        if done.error is None:
            for name, kept in done.result().items():
                room = self._hub.rooms.get(name)
                if room is None or room.state is not State.LIVE or (room.epoch, room.top) != before.get(name):
                    continue
                if kept == before[name]:
                    continue
                if self._doubted.get(name) == before[name]:
                    self._hub.counts["deaf_rooms"] += 1
                    room.read_again()
                else:
                    doubted[name] = before[name]
            self._doubted = doubted
