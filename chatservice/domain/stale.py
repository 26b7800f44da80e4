"""History while what keeps it is away: out of the newest entries, which a room has in memory."""

from __future__ import annotations

from chatservice.domain.errors import Code, Refused
from chatservice.domain.hub import Hub
from chatservice.domain.message import catch_up
from chatservice.domain.ports import Past
from chatservice.domain.room import Room


async def history(
    hub: Hub, room: Room, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
) -> tuple[Past, bool]:
    """As `Messages.history`, and whether it comes from memory.

    :raises Refused: `unavailable` for what is not there either.
    """
    if not hub.is_away:
        try:
            return await hub.log.history(room.name, viewer, limit, before=before, after=after), False
        except Refused as refusal:
            if refusal.code is not Code.UNAVAILABLE:
                raise
            past = _from_ring(room, viewer, limit, before, after)
            if past is None:
                raise
            return past, True
    past = _from_ring(room, viewer, limit, before, after)
    if past is None:
        raise Refused(Code.UNAVAILABLE, retry_ms=1000)
    return past, True


def _from_ring(room: Room, viewer: str, limit: int, before: int | None, after: int | None) -> Past | None:
    ring = room.recent
    if not ring or (after is not None and ring[0].seq > after + 1):
        return None
    known = catch_up([], ring, len(ring), viewer)
    if after is not None:
        newer = [message for message in known if message.seq > after]
        return Past(tuple(newer[:limit]), len(newer) > limit, room.epoch)
    older = [message for message in known if before is None or message.seq < before]
    if not older and ring[0].seq > 1:
        return None
    return Past(tuple(older[-limit:]), len(older) > limit or ring[0].seq > 1, room.epoch)
