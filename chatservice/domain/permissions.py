"""Who may do what, in one place. Each function here is a precondition of rows in `conduct.COMMANDS`.

A precondition raises `Refused` or does nothing. Whose a message is the log alone can judge; its folds refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatservice.domain import commands as c
from chatservice.domain.errors import Code, Refused, Span
from chatservice.domain.names import clean_room, is_user_id
from chatservice.domain.room import Room
from chatservice.domain.roster import Person
from chatservice.domain.rules import may, rank
from chatservice.domain.trust import Identity, Invitation

if TYPE_CHECKING:
    from chatservice.domain.session import Session


def room_name(session: Session, wish: str) -> str:
    """The canonical name of a room this session may be in.

    :raises Refused: `no_room` if there can be none of that name, `forbidden` if it is somebody else's.
    """
    name = session.resolve(wish)
    me = session.user.user.id
    if name == "@" + me:
        return name
    if name.startswith("dm:"):
        ends = name.split(":")[1:]
        if len(ends) != 2 or ends[0] >= ends[1] or not all(map(is_user_id, ends)):
            raise Refused(Code.NO_ROOM, "room_name")
        if me not in ends:
            raise Refused(Code.FORBIDDEN)
        return name
    return clean_room(name)


def may_be_in(session: Session, room: Room) -> None:
    """May be in the room, as its rules are now. Asked at every way in, after the room was read, and by all that is
    done in it."""
    has_a_place(session.user, room, session.hub.now_ms)


def has_a_place(person: Person, room: Room, now_ms: int) -> None:
    """The same for whoever has no session."""
    rules = room.rules
    if rules.is_banned(person.user.id, now_ms):
        raise Refused(Code.FORBIDDEN, "banned")
    if room.name.startswith(("@", "dm:")):
        return
    if person.only is not None:
        if room.name not in person.only:
            raise Refused(Code.FORBIDDEN, "private")
    elif rules.private and person.user.id not in rules.roles and rank(person.role) < rank("mod"):
        raise Refused(Code.FORBIDDEN, "private")


def may_come_in(session: Session, room: Room) -> None:
    """May be in the room, and is no stranger from an address that was banned.

    That holds for strangers only: whoever has a role is known by name, and may share an address; and whoever is
    here already was let in before.
    """
    try:
        may_be_in(session, room)
        rules, now_ms = room.rules, session.hub.now_ms
        is_stranger = rank(session.role(room)) < rank("member") and session.user.user.id not in room.here
        if rules.networks and is_stranger and rules.bars(session.hub.network_of(session.address), now_ms):
            raise Refused(Code.FORBIDDEN, "banned")
    except Refused as refusal:
        session.hub.counts["turned_away_" + refusal.about] += 1
        raise


def may_stay(session: Session, room: Room, kicks: int) -> None:
    """Has not been thrown out while it was on the way in, which began when it had been `kicks` times."""
    if room.kicks.get(session.user.user.id, 0) != kicks:
        raise Refused(Code.FORBIDDEN, "kicked")


def is_invited(session: Session, room: Room, token: str) -> Invitation | None:
    """The invitation that lets it in; None if it needs none, or if none helps."""
    person, rules = session.user, room.rules
    passes = session.hub.passes
    invitation = None if passes is None else passes.read_invitation(token)
    if invitation is None or invitation.room != room.name:
        raise Refused(Code.FORBIDDEN, "bad_invitation")
    is_free = not rules.private or person.user.id in rules.roles or person.only is not None
    return None if is_free or rules.is_banned(person.user.id, session.hub.now_ms) else invitation


def may_use(counted: bool) -> None:
    """The invitation had not been used as often as it may be."""
    if not counted:
        raise Refused(Code.FORBIDDEN, "invitation_used")


def is_the_same(session: Session, identity: Identity | None) -> None:
    """A new proof is of the same person."""
    if identity is None or identity.user_id != session.user.user.id:
        raise Refused(Code.FORBIDDEN, "somebody_else")


def is_known(session: Session, _command: object = None) -> None:
    """Has said who it is."""
    if session.person is None:
        raise Refused(Code.UNAUTHORIZED, "hello_first" if session.hub.guests else "no_guests")


def is_nobody_yet(session: Session, _command: object = None) -> None:
    """Has not said hello."""
    if session.person is not None:
        raise Refused(Code.BAD_REQUEST, "hello_twice")


def is_unheard(session: Session, _command: object) -> None:
    """Nobody on the way can read what it sends: a password must not pass there."""
    if not session.peer.is_private:
        raise Refused(Code.NOT_AVAILABLE, "login_in_the_clear")


def may_name(session: Session, command: c.Join) -> None:
    """The room can be one's own."""
    room_name(session, command.room)


def may_leave(session: Session, command: c.Part) -> None:
    """Is in the room, and it is not one's own stream."""
    if session.room(command.room).name.startswith("@"):
        raise Refused(Code.FORBIDDEN)


def may_read(session: Session, command: Any) -> None:
    """Is in the room, and may be."""
    may_be_in(session, session.room(command.room))


def may_read_here(session: Session, _command: object) -> None:
    """Is in a room, and may be."""
    may_be_in(session, session.room(None))


def may_search(session: Session, command: c.Search) -> None:
    """Is in the room, if one is named."""
    if command.room is not None:
        may_read(session, command)


def may_write(session: Session, command: Any) -> None:
    """May be in the room, is not muted, and the room is open for it."""
    room = session.room(command.room)
    if room.name.startswith("@"):
        raise Refused(Code.FORBIDDEN)
    may_be_in(session, room)
    user_id, now_ms = session.user.user.id, session.hub.now_ms
    if room.rules.is_muted(user_id, now_ms):
        until_ms = room.rules.muted[user_id]
        if not until_ms:
            raise Refused(Code.MUTED)
        raise Refused(Code.MUTED, "muted_for", params={"span": Span(-((now_ms - until_ms) // 1000))})
    if room.rules.locked and not session.moderates(room):
        raise Refused(Code.FORBIDDEN, "locked")


def may_delete(session: Session, command: c.Delete) -> None:
    """Is in the room; whether the message is its own, the log knows."""
    may_be_in(session, session.room(command.room))


def may_retract(session: Session, command: c.Retract) -> None:
    """May be here; whoever names another to erase what that one said moderates the room."""
    may_read_here(session, command)
    if command.words and command.ref is None:
        may_see_bans(session)


def may_see_bans(session: Session, _command: object = None) -> None:
    """Moderates the room it is in."""
    room = session.room(None)
    may_be_in(session, room)
    if not session.moderates(room):
        raise Refused(Code.FORBIDDEN)


def may_moderate(session: Session, command: c.Moderate, elsewhere: str = "") -> None:
    """Holds the rank the action needs, and a higher one than whom it concerns; only owners stand above equals.

    Asked again once it is known whom typed words mean: nobody else learns who is known here.

    :param elsewhere: the role whom it concerns has by another node.
    """
    room = session.room(command.room)
    if room.name.startswith(("@", "dm:")):
        raise Refused(Code.FORBIDDEN)  # nobody stands above the other there
    target_role = None if command.user is None else _role_of(session, room, command.user, elsewhere)
    if not may(command.action, session.role(room), target_role):
        raise Refused(Code.FORBIDDEN)


def may_invite(session: Session, command: c.Invite) -> None:
    """Moderates the room."""
    room = session.room(command.room)
    if room.name.startswith(("@", "dm:")) or not session.moderates(room):
        raise Refused(Code.FORBIDDEN)


def _role_of(session: Session, room: Room, user_id: str, elsewhere: str = "") -> str:
    person, account = session.hub.roster.find(user_id), session.hub.registry.find(user_id)
    own = person.role if person is not None else account.role if account is not None else "guest"
    own = max(own, elsewhere or own, key=rank)
    return room.rules.role(user_id, own)


def abilities(session: Session, room: Room) -> tuple[str, ...]:
    """What the session may do in the room, for a client to show."""
    if room.name.startswith("@"):
        return ()
    can: list[str] = []
    try:
        may_write(session, c.Say("", room=room.name))
        can += ["write", "react"]
    except Refused:
        pass
    if session.moderates(room):
        can += ["delete", "mod"]
    return tuple(can)
