"""What workers tell each other by several servers: what is of a room goes by the room's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from chatservice.domain.bus import BusSink, Known
from chatservice.domain.errors import Refused
from chatservice.domain.events import Event, User
from chatservice.domain.promise import Promise, start
from chatservice.logs.redis_bus import RedisBus


class ShardedBus:
    """See `chatservice.domain.bus.Bus`. To each server this worker is another node, with a lease of its own: one
    that is cut off from one server is gone from the rooms of that one only."""

    def __init__(self, buses: Sequence[RedisBus], of: Callable[[str], RedisBus]) -> None:
        self._buses = buses
        self._of = of
        self._sink: BusSink | None = None
        self._away: set[RedisBus] = set()
        self._is_away = False
        self.guestbook = buses[0].guestbook  # people belong to no room
        for bus in buses:
            bus.sharing = partial(self._shares, bus)

    @property
    def written(self) -> int:
        """See `Bus`."""
        return sum(bus.written for bus in self._buses)

    def join(self, sink: BusSink) -> None:
        """See `Bus.join`."""
        self._sink = sink
        for bus in self._buses:
            bus.join(sink)

    def _shares(self, bus: RedisBus, is_away: bool) -> None:
        """People are told when all servers are away: as long as one is there, there are rooms to talk in."""
        (self._away.add if is_away else self._away.discard)(bus)
        are_away = len(self._away) == len(self._buses)
        if are_away != self._is_away and self._sink is not None:
            self._is_away = are_away
            self._sink.away(are_away)

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

    def who(self, user_id: str) -> Promise[Known]:
        """See `Bus.who`."""
        return self._buses[0].who(user_id)

    def tops(self, rooms: Iterable[str]) -> Promise[Mapping[str, tuple[str, int]]]:
        """See `Bus.tops`. Rooms of a server that is away are left out."""
        return start(self._tops(list(rooms)))

    async def _tops(self, rooms: list[str]) -> Mapping[str, tuple[str, int]]:
        by_bus: dict[RedisBus, list[str]] = {}
        for room in rooms:
            by_bus.setdefault(self._of(room), []).append(room)
        found: dict[str, tuple[str, int]] = {}
        for answer in [bus.tops(of) for bus, of in by_bus.items()]:
            with suppress(Refused):
                found |= await answer
        return found

    def tell(self, room: str, event: Event) -> None:
        """See `Bus.tell`."""
        self._of(room).tell(room, event)
