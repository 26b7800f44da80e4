"""What is heard of other nodes, and what the hub does with it."""

from __future__ import annotations

from collections.abc import Mapping

from chatservice.domain.bus import Bus
from chatservice.domain.events import Event, ReadElsewhere, Renamed, Typing, User
from chatservice.domain.hub import Hub
from chatservice.domain.presence import TELL_EACH, TYPING_SEEN


class Elsewhere:
    """See `BusSink`. Once it is made the hub is one of several."""

    def __init__(self, hub: Hub, bus: Bus) -> None:
        self._hub = hub
        hub.bus = bus
        bus.join(self)

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

    def node_gone(self, node: str) -> None:
        """See `BusSink.node_gone`."""
        for room in list(self._hub.rooms.values()):
            room.here.node_gone(node)
