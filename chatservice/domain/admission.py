"""Who may come into a room, or read it, by whatever way."""

from __future__ import annotations

from chatservice.domain.errors import Code, Refused
from chatservice.domain.room import Room
from chatservice.domain.rules import rank
from chatservice.domain.session import Session
from chatservice.domain.whereabouts import network_of


def admit(session: Session, room: Room) -> None:
    """Let the session in; the room is live.

    A ban by address holds for strangers only: whoever has a role is known by name, and may share an address.

    :raises Refused: `forbidden`: banned, or the room is locked.
    """
    rules, me, now_ms = room.rules, session.user.user.id, session.hub.now_ms
    if rules.is_banned(me, now_ms):
        raise _turned_away(session, "banned")
    if rank(session.role(room)) >= rank("member"):
        return
    if rules.networks and rules.bars(network_of(session.address), now_ms):
        raise _turned_away(session, "banned")
    if rules.locked and me not in room.here:
        raise _turned_away(session, "locked")


def _turned_away(session: Session, about: str) -> Refused:
    session.hub.counts["turned_away_" + about] += 1
    return Refused(Code.FORBIDDEN, about)
