"""Keeping order: muting, kicking, banning, slowing down, locking, giving roles, inviting."""

from __future__ import annotations

from chatservice.domain import commands as c
from chatservice.domain.bus import Known
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated, User
from chatservice.domain.names import clean_words, is_user_id
from chatservice.domain.orders import LASTING, read_order
from chatservice.domain.permissions import may_moderate
from chatservice.domain.ports import Appended
from chatservice.domain.promise import Promise, start
from chatservice.domain.results import Invited, Result, Told
from chatservice.domain.room import Room
from chatservice.domain.rules import check
from chatservice.domain.session import Session
from chatservice.domain.trust import Deed, Invitation

LONGEST_S = 10**9  # 31 years; without `for_s` it is for ever
INVITED_MOST_S = 30 * 86400  # whoever leaves with one must not come back for ever
INVITED_MOST = 1000
NETWORKS = 8  # addresses one ban may name: more than one person has at a time
BANS_SHOWN = 50


def moderate(session: Session, command: c.Moderate) -> Promise[Appended]:
    """Use a power; it is an entry of the log, so everyone sees who did what."""
    room = session.room(command.room)
    if command.words:
        command = read_order(session, room, command)
        may_moderate(session, command)  # again: now it is known whom it concerns
    if command.for_s > LONGEST_S or not (command.user is None or is_user_id(command.user)):
        raise Refused(Code.BAD_REQUEST, "bad_mod")
    target = _target(session, room, command.user)
    asked = session.hub.bus.who(target.id) if target is not None else None
    if asked is None:
        return _moderate(session, room, command, target, Known())
    return start(_ask_first(session, room, command, target, asked))


async def _ask_first(
    session: Session, room: Room, command: c.Moderate, target: User | None, asked: Promise[Known]
) -> Appended:
    """Other nodes know what else the target may and whence it comes."""
    known = await asked
    session.room(command.room)
    may_moderate(session, command, known.role)
    return await _moderate(session, room, command, target, known)


def _moderate(
    session: Session, room: Room, command: c.Moderate, target: User | None, known: Known
) -> Promise[Appended]:
    until = session.hub.now_ms + command.for_s * 1000 if command.for_s > 0 and command.action in LASTING else 0
    value = clean_words(command.value) if command.action == "topic" else command.value
    networks: tuple[str, ...] = ()
    if target is not None and command.action == "ban":
        networks = tuple(sorted({*session.hub.networks(target.id), *known.networks}))[:NETWORKS]
    reason = clean_words(command.reason)
    if target is not None and not _concerns(session, room, target, command.action):
        raise Refused(Code.BAD_REQUEST, "no_effect", params={"nick": target.nick})
    body = Moderated(session.user.user, command.action, target, value, until, reason, networks=networks)
    check(body)
    appended = session.hub.log.append(room.name, body)
    appended.then(lambda done: _done(session, room, body, done))
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


def _concerns(session: Session, room: Room, target: User, action: str) -> bool:
    """Whether it would change anything. Who has left long ago, and is known from a message only, may be muted and
    banned; but nobody can be thrown out who is nowhere, nor be let off what was never laid upon them."""
    match action:
        case "kick":
            return session.hub.roster.find(target.id) is not None or room.here.elsewhere(target.id) is not None
        case "unmute":
            return target.id in room.rules.muted
        case "unban":
            return target.id in room.rules.banned
    return True


def bans(session: Session, _command: c.Bans) -> Result:
    """Who is banned here, and for how long."""
    room = session.room(None)
    rules, now = room.rules, session.hub.now_ms
    held = [(user_id, end) for user_id, end in rules.banned.items() if rules.is_banned(user_id, now)]
    if not held:
        return Told("no_bans", {"room": room.name})
    shown = [f"{rules.nicks.get(user_id, user_id)} ({_left(end - now)})" for user_id, end in held[-BANS_SHOWN:]]
    return Told("bans", {"n": len(held), "room": room.name, "who": ", ".join(shown)})


def topic(session: Session, _command: c.Topic) -> Result:
    """What the room is about."""
    words = session.room(None).rules.topic
    return Told("topic", {"topic": words}) if words else Told("no_topic")


def _left(ms: int) -> str:
    """How long it still holds; `∞` for ever."""
    if ms <= 0:
        return "∞"
    minutes = -(-ms // 60_000)
    hours = minutes / 60
    return f"{minutes}m" if minutes < 60 else f"{hours:.0f}h" if hours < 48 else f"{hours / 24:.0f}d"


def _target(session: Session, room: Room, user_id: str | None) -> User | None:
    if user_id is None:
        return None
    user = session.hub.user(user_id)
    return user if user.nick != user_id else User(user_id, room.rules.nicks.get(user_id, user_id))


def _done(session: Session, room: Room, body: Moderated, done: Promise[Appended]) -> None:
    if done.error is not None:
        return
    at, target = done.result(), body.target
    deed = Deed(
        at.ts,
        room.name,
        body.user.id,
        body.action,
        at.seq,
        target.id if target is not None else "",
        body.networks,
        body.value,
        body.until,
        reason=body.reason,
    )
    note(session, deed)


def note(session: Session, deed: Deed) -> None:
    """Count the deed and put it on record."""
    session.hub.counts["mod_" + deed.action] += 1
    if session.hub.audit is not None:
        session.hub.audit.note(deed)
