"""Keeping order: muting, kicking, banning, slowing down, locking, giving roles, inviting."""

from __future__ import annotations

from chatservice.domain import commands as c
from chatservice.domain.errors import BANNED, KICKED, Code, Disconnect, Refused
from chatservice.domain.events import Moderated, User
from chatservice.domain.hub import Hub
from chatservice.domain.names import clean_words, is_user_id
from chatservice.domain.permissions import may_be_in
from chatservice.domain.ports import Appended, Invitation
from chatservice.domain.promise import Promise
from chatservice.domain.results import Invited, Result
from chatservice.domain.room import Room
from chatservice.domain.rules import check
from chatservice.domain.session import Session

LONGEST_S = 10**9  # 31 years; without `for_s` it is for ever
INVITED_MOST_S = 30 * 86400  # whoever leaves with one must not come back for ever
INVITED_MOST = 1000
_LASTING = frozenset({"mute", "ban"})


def moderate(session: Session, command: c.Moderate) -> Promise[Appended]:
    """Use a power; it is an entry of the log, so everyone sees who did what."""
    room = session.room(command.room)
    if command.for_s > LONGEST_S or not (command.user is None or is_user_id(command.user)):
        raise Refused(Code.BAD_REQUEST, "bad_mod")
    target = _target(session, command.user)
    until = session.hub.now_ms + command.for_s * 1000 if command.for_s > 0 and command.action in _LASTING else 0
    value = clean_words(command.value) if command.action == "topic" else command.value
    body = Moderated(session.user.user, command.action, target, value, until, clean_words(command.reason))
    check(body)
    appended = session.hub.log.append(room.name, body)
    if (command.action, command.value) in (("private", "on"), ("role", "guest")):
        appended.then(lambda done: _clear(session, room, done))
    if target is not None and command.action in ("kick", "ban"):
        appended.then(lambda done: _remove(session, room, target, command.action, done))
    return appended


def invite(session: Session, command: c.Invite) -> Result:
    """Make an invitation. Nothing of it is kept until it is used: the token says it all."""
    hub = session.hub
    if hub.passes is None:
        raise Refused(Code.NOT_AVAILABLE)
    if not (0 < command.for_s <= INVITED_MOST_S and 0 < command.uses <= INVITED_MOST):
        raise Refused(Code.BAD_REQUEST, "bad_invite", params={"days": INVITED_MOST_S // 86400, "n": INVITED_MOST})
    room = session.room(command.room)
    until_ms = hub.now_ms + command.for_s * 1000
    token = hub.passes.invite(
        Invitation(hub.randomness.token(), room.name, session.user.user.id, until_ms, command.uses)
    )
    return Invited(room.name, token, until_ms, command.uses)


def _clear(session: Session, room: Room, done: Promise[Appended]) -> None:
    """The room is private now, or somebody is no member any more: whoever may not be in it leaves it."""
    if done.error is not None:
        return
    room.here.end_readers(KICKED)  # those who may come back at once
    for sessions in list(session.hub.sessions.values()):
        for other in list(sessions):
            if room.name in other.rooms:
                try:
                    may_be_in(other, room)
                except Refused:
                    _send_away(other, room, KICKED)


def _target(session: Session, user_id: str | None) -> User | None:
    if user_id is None:
        return None
    return session.hub.user(user_id)


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
            _send_away(other, room, why)


def _send_away(other: Session, room: Room, why: Disconnect) -> None:
    other.leave(room)
    if not any(not name.startswith("@") for name in other.rooms):
        other.peer.close(why)
