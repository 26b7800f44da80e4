"""Keeping order: muting, kicking, banning, slowing down, locking, giving roles."""

from __future__ import annotations

from chatservice.domain import commands as c
from chatservice.domain.errors import BANNED, KICKED, Code, Refused
from chatservice.domain.events import Moderated, User
from chatservice.domain.hub import Hub
from chatservice.domain.names import clean_words, is_user_id
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise
from chatservice.domain.room import Room
from chatservice.domain.rules import check
from chatservice.domain.session import Session

LONGEST_S = 10**9  # 31 years; without `for_s` it is for ever
_LASTING = frozenset({"mute", "ban"})


def moderate(session: Session, command: c.Moderate) -> Promise[Appended]:
    """Use a power; it is an entry of the log, so everyone sees who did what."""
    room = session.room(command.room)
    if room.name.startswith(("@", "dm:")):
        raise Refused(Code.FORBIDDEN)  # nobody stands above the other there
    if command.for_s > LONGEST_S or not (command.user is None or is_user_id(command.user)):
        raise Refused(Code.BAD_REQUEST, "bad_mod")
    target = _target(session, command.user)
    until = session.hub.now_ms + command.for_s * 1000 if command.for_s > 0 and command.action in _LASTING else 0
    value = clean_words(command.value) if command.action == "topic" else command.value
    body = Moderated(session.user.user, command.action, target, value, until, clean_words(command.reason))
    target_role = "guest" if target is None else _role_of(session, room, target)
    check(body, session.role(room), target_role)
    appended = session.hub.log.append(room.name, body)
    if target is not None and command.action in ("kick", "ban"):
        appended.then(lambda done: _remove(session, room, target, command.action, done))
    return appended


def _target(session: Session, user_id: str | None) -> User | None:
    if user_id is None:
        return None
    person = session.hub.roster.find(user_id)
    return person.user if person is not None else User(user_id, user_id)


def _role_of(session: Session, room: Room, target: User) -> str:
    person = session.hub.roster.find(target.id)
    return room.rules.role(target.id, person.role if person is not None else "guest")


def _sessions_of(hub: Hub, user_id: str, *, by_place: bool) -> list[Session]:
    found = list(hub.sessions.get(user_id, ()))
    if by_place:  # guests who come from where the banned one comes from
        everybody = (one for sessions in hub.sessions.values() for one in sessions)
        found += [
            one for one in everybody if one not in found and one.user.guest and hub.place(one.address) == user_id
        ]
    return found


def _remove(session: Session, room: Room, target: User, action: str, done: Promise[Appended]) -> None:
    """Whoever is kicked or banned leaves the room; a session that is nowhere else is ended."""
    if done.error is not None:
        return
    why = KICKED if action == "kick" else BANNED
    room.here.end_readers(why, target.id)
    for other in _sessions_of(session.hub, target.id, by_place=action == "ban"):
        if room.name in other.rooms:
            other.leave(room)
            if not any(not name.startswith("@") for name in other.rooms):
                other.peer.close(why)
