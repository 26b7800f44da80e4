"""What workers tell each other by several servers: what is of a room goes by the room's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatservice.domain.bus import BusSink
from chatservice.domain.events import Event, User
from chatservice.logs.redis_bus import RedisBus


class ShardedBus:
    """See `chatservice.domain.bus.Bus`. To each server this worker is another node, with a lease of its own: one
    that is cut off from one server is gone from the rooms of that one only."""

    def __init__(self, buses: Sequence[RedisBus], of: Callable[[str], RedisBus]) -> None:
        self._buses = buses
        self._of = of

    def join(self, sink: BusSink) -> None:
        """See `Bus.join`."""
        for bus in self._buses:
            bus.join(sink)

    def follow(self, room: str) -> None:
        """See `Bus.follow`."""
        own = self._of(room)
        own.follow(room)
        if room.startswith("@"):
            for bus in self._buses:
                if bus is not own:
                    bus.overhear(room)

    def unfollow(self, room: str) -> None:
        """See `Bus.unfollow`."""
        own = self._of(room)
        own.unfollow(room)
        if room.startswith("@"):
            for bus in self._buses:
                if bus is not own:
                    bus.overhear_no_more(room)

    def attend(self, room: str, user: User) -> None:
        """See `Bus.attend`."""
        self._of(room).attend(room, user)

    def absent(self, room: str, user_id: str) -> None:
        """See `Bus.absent`."""
        self._of(room).absent(room, user_id)

    def tell(self, room: str, event: Event) -> None:
        """See `Bus.tell`."""
        self._of(room).tell(room, event)
