"""What a use of power means to those whom it concerns. The entry of the log is the order: whoever wrote it, on
whichever node, and however late it is heard, it is carried out when the room learns of it, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.domain.errors import BANNED, KICKED, Disconnect, Refused
from chatservice.domain.events import Moderated, User
from chatservice.domain.permissions import may_be_in
from chatservice.domain.room import Room

if TYPE_CHECKING:
    from chatservice.domain.hub import Hub
    from chatservice.domain.session import Session


def enforce(hub: Hub, room: Room, body: Moderated | None) -> None:
    """Those who may not be in the room any more leave it.

    :param body: None if nobody knows any more what was done, only what holds now.
    """
    if body is None:
        clear(hub, room)
    elif body.target is not None and body.action in ("kick", "ban"):
        throw_out(hub, room, body.target, KICKED if body.action == "kick" else BANNED)
    elif (body.action, body.value) in (("private", "on"), ("role", "guest")):
        clear(hub, room)


def throw_out(hub: Hub, room: Room, target: User, why: Disconnect) -> None:
    """Whoever is kicked or banned leaves the room; a session that is nowhere else is ended."""
    hub.end_readers(why, room, target.id)
    here = [other for other in hub.sessions.get(target.id, ()) if room.name in other.rooms]
    hub.for_each(here, lambda other: other.send_away(room, why))


def clear(hub: Hub, room: Room) -> None:
    """The room is private now, or somebody is no member any more: whoever may not be in it leaves it."""
    hub.end_readers(KICKED, room)  # those who may come back at once
    everybody = [other for sessions in hub.sessions.values() for other in sessions if room.name in other.rooms]

    def look(other: Session) -> None:
        try:
            may_be_in(other, room)
        except Refused:
            other.send_away(room, KICKED)

    hub.for_each(everybody, look)
