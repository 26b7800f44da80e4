"""Coming in: hello, join, part, the list of rooms, one's nick and status."""

from __future__ import annotations

import hashlib

from chatservice.domain import bulk
from chatservice.domain import commands as c
from chatservice.domain.bus import ALONE
from chatservice.domain.errors import BAD_TOKEN, TOKEN_EXPIRED, TOO_MANY, Code, Refused
from chatservice.domain.events import Entry, Moderated, Opened
from chatservice.domain.guestbook import Guestbook
from chatservice.domain.limits import HELLO_BYTES, HISTORY_LIMIT, MESSAGES, ROOMS, SESSIONS
from chatservice.domain.message import Message, catch_up
from chatservice.domain.names import clean_words
from chatservice.domain.naming import enter_book, leave_book, rename_in_book
from chatservice.domain.permissions import (
    abilities,
    is_invited,
    is_nobody_yet,
    is_the_same,
    may_come_in,
    may_stay,
    may_use,
    room_name,
)
from chatservice.domain.ports import Unread
from chatservice.domain.presence import TELL_EACH
from chatservice.domain.promise import Promise, start
from chatservice.domain.rates import Kind, spend
from chatservice.domain.recovery import Resolution
from chatservice.domain.results import Done, Greeting, Joined, Result, RoomList, RoomSeen
from chatservice.domain.room import Gone, Room
from chatservice.domain.roster import Person
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity

KEPT_SESSION_MS = 24 * 3600_000  # while it lives; at its loss two minutes are left. A crash leaves a day.
STATE_DEFAULT = 50  # messages shown when a position does not hold and nobody said how many
STATUSES = ("online", "away", "dnd")


# --- hello ---


def hello(session: Session, command: c.Hello) -> Promise[Result]:
    """Say who one is, and join rooms at once."""
    return start(_hello(session, command))


async def _hello(session: Session, command: c.Hello) -> Result:
    hub = session.hub
    identity, nick = await _identity(session, command)
    person = _arrive(session, identity, nick)
    secret = "sess_" + hub.randomness.token() + hub.randomness.token()
    digest = hashlib.sha256(secret.encode()).digest()
    try:
        spend(session, Kind.RESYNC, 1 + len(command.rooms), person.user.id)  # as many joins as it holds
        if session.gone:
            raise Refused(Code.UNAVAILABLE)
        if hub.guestbook is not None:
            await enter_book(session, hub.guestbook, person, command.nick)
        elif command.nick is not None and command.nick != person.user.nick:
            hub.rename(person, command.nick)
        await _keep_session(session, digest, person)
        if session.gone:
            raise Refused(Code.UNAVAILABLE)
        # Meanwhile all its sessions may have been ended, and another may have come and gone. Nothing is awaited
        # from here until it is known to all who end sessions.
        is_nobody_yet(session)
        token = _token(session, command)
        identity = Identity(person.user.id) if token is None else proved(session, token)
        nick = person.user.nick
        person = _arrive(session, identity, nick)
        if session.booked:
            hub.call(person, nick)
        session.caps = command.caps
        session.introduce(person, 0 if identity is None else identity.until_ms)
    except Exception:
        leave_book(session, person)
        if not person.conns and not person.rooms:
            hub.depart(person)  # it never came in; it may say hello again
        raise
    session.resume_digest = digest
    joined: dict[str, Joined | Refused] = {}
    shared = bulk.Allowance(HELLO_BYTES)
    for name, since in {"@me": None, **command.rooms}.items():
        try:
            joined[name] = await _enter(session, c.Join(name, since=since), shared)
        except Refused as refusal:  # a ban from one room must not keep a person out of all others
            if session.gone:
                raise
            joined[name] = refusal
    guest_token = hub.passes.issue(Identity(person.user.id)) if hub.passes is not None and person.guest else None
    return Greeting(
        secret,
        person.user,
        person.role,
        person.guest,
        guest_token,
        hub.log.durability,
        hub.now_ms,
        joined,
        hub.build,
        hub.messages or MESSAGES,
        hub.log.cid_ttl_s,
    )


def _token(session: Session, command: c.Hello) -> str | None:
    return session.token if command.token is None else command.token


def proved(session: Session, token: str) -> Identity | None:
    """Whom a token proves.

    :raises Refused: for one that proves nothing; it ends the connection.
    """
    passes = session.hub.passes
    try:
        return None if passes is None else passes.read(token)
    except Refused as refusal:
        ends = TOKEN_EXPIRED if refusal.code is Code.TOKEN_EXPIRED else BAD_TOKEN
        raise Refused(refusal.code, refusal.about, ends=ends) from None


async def _keep_session(session: Session, digest: bytes, person: Person) -> None:
    """Where nothing can be written, as on a full disk, one can still come in and read; only this session's secret
    will prove nothing."""
    hub = session.hub
    try:
        await hub.log.keep_session(digest, person.user, hub.now_ms + KEPT_SESSION_MS)
    except Refused as refused:
        if refused.code is not Code.BUSY:
            raise


async def _identity(session: Session, command: c.Hello) -> tuple[Identity | None, str | None]:
    """Whom a hello proves: of a lost session or of a token; None for a new guest. And what it was called."""
    hub = session.hub
    token = _token(session, command)
    identity = None if token is None else proved(session, token)
    nick = None
    if command.resume is not None:
        digest = hashlib.sha256(command.resume.encode()).digest()
        user = await hub.log.session(digest, hub.now_ms)
        # What is resumed is a place, not a right: only a guest's needs no other proof of who one is.
        if user is not None and identity is None and (hub.passes is None or hub.passes.is_guest(user.id)):
            identity = Identity(user.id)
        if user is not None and identity is not None and identity.user_id == user.id:
            nick = user.nick
    return identity, nick


def _arrive(session: Session, identity: Identity | None, nick: str | None = None) -> Person:
    """The person with that identity, alive.

    :raises Refused: if it has too many sessions, or nobody may come without a token; it ends the connection.
    """
    hub = session.hub
    if identity is not None and len(hub.sessions.get(identity.user_id, ())) >= SESSIONS:
        raise Refused(Code.LIMIT, "too_many", ends=TOO_MANY)
    try:
        return hub.arrive(identity, nick)
    except Refused as refusal:
        raise Refused(refusal.code, refusal.about, ends=BAD_TOKEN) from None


def authenticate(session: Session, command: c.Authenticate) -> Result:
    """Prove again who one is, before the last proof ends."""
    identity = proved(session, command.token)
    is_the_same(session, identity)
    assert identity is not None
    session.introduce(session.hub.arrive(identity, by=session), identity.until_ms)
    return Done()


def login(session: Session, command: c.Login) -> Promise[Result]:
    """Be somebody with a password from now on, in the same room."""
    return start(_login(session, command))


async def _login(session: Session, command: c.Login) -> Result:
    hub = session.hub
    if hub.sign_in is None:
        raise Refused(Code.NOT_AVAILABLE)
    identity, _ = await hub.sign_in.login(command.name, command.password, session.address)
    if session.gone:
        raise Refused(Code.UNAVAILABLE)
    was = session.person
    if was is not None and was.user.id == identity.user_id:  # a window that asks again: only the proof is another
        session.introduce(hub.arrive(identity, by=session), identity.until_ms)
        here = session.home if session.current is None else None
    else:
        here = session.home if session.current is None else c.Join(session.current.name, alone=True)
        session.become(_arrive(session, identity), identity.until_ms)
    return Done() if here is None else await _enter(session, here, bulk.Allowance())


# --- rooms ---


def join(session: Session, command: c.Join) -> Promise[Result]:
    """Enter a room."""
    return start(_enter(session, command, bulk.Allowance()))


async def _enter(session: Session, command: c.Join, allowance: bulk.Allowance) -> Joined:
    name = room_name(session, command.room)
    counted = sum(not joined.startswith("@") for joined in session.rooms)  # one's own stream is free
    if name not in session.rooms and not name.startswith("@") and counted >= ROOMS:
        raise Refused(Code.LIMIT, "too_many_rooms", params={"limit": ROOMS})
    room, me = session.hub.room(name), session.user.user.id
    kicks = room.kicks.get(me, 0)
    room.joining += 1
    try:
        mark, unread = await _unread(session, name)
        if command.invite is not None:
            await _accept(session, room, command.invite)
        verdict, entries, state = await missed(session, room, command, allowance)
        if _is_new(room):
            spend(session, Kind.ROOM)
        if session.gone:
            raise Refused(Code.UNAVAILABLE)
        may_come_in(session, room)
        may_stay(session, room, kicks)
        _attach(session, room, command)
        n, epoch, top = room.here.n, room.epoch, room.top
        show_members = n <= TELL_EACH and (session.resume_digest is None or "members" in session.caps)
        users = room.here.users if show_members else None
    finally:
        room.joining -= 1
        session.hub.tidy(room)
    # Nothing is awaited up to here, and the numbers below only describe.
    return Joined(
        room=shown_name(session, name),
        user=session.user.user,
        epoch=epoch,
        seq=top,
        was_recovering=command.since is not None,
        recovered=command.since is not None and verdict.recovered,
        reason=verdict.reason,
        valid=verdict.valid,
        entries=tuple(entries),
        state=state,
        n=n,
        members=users,
        read=mark,
        unread=unread.unread,
        mentions=unread.mentions,
        role=session.role(room),
        can=abilities(session, room),
        topic=room.rules.topic,
        private=room.rules.private,
        locked=room.rules.locked,
        slow_s=room.rules.slow_s,
    )


async def _accept(session: Session, room: Room, token: str) -> None:
    """Become a member of a private room by an invitation; whoever may be in it anyway does not use it up."""
    hub, me = session.hub, session.user.user
    await room.live()
    invitation = is_invited(session, room, token)
    if invitation is None:
        return
    counted = await hub.log.use_invite(invitation.id, invitation.uses, invitation.until_ms)
    if me.id not in room.rules.roles:  # else another window of the same person was faster
        may_use(counted)
        body = Moderated(
            hub.user(invitation.by), "role", me, "member", reason="invitation", cid=f"{invitation.id} {me.id}"
        )
        await hub.log.append(room.name, body)


async def _unread(session: Session, name: str) -> tuple[int, Unread]:
    """How far the person has read, for dialects that can say so."""
    if session.resume_digest is None:
        return 0, Unread(0, 0)
    me, log = session.user.user.id, session.hub.log
    mark = (await log.marks(me)).get(name, 0)
    return mark, await log.unread(name, me, mark)


def _is_new(room: Room) -> bool:
    """Whether the room comes to be by this join: names cost nothing, and there are endlessly many of them."""
    return not room.top and room.here.empty and not room.name.startswith("@")


def _attach(session: Session, room: Room, command: c.Join) -> None:
    here = session.current
    if command.alone and here is not None and here is not room:
        session.leave(here)
    if room.name not in session.rooms:
        session.rooms[room.name] = room
        session.hub.enter(room, session.user, session.peer)
    if command.alone:
        session.current = room


async def missed(
    session: Session, room: Room, command: c.Join, allowance: bulk.Allowance | None = None
) -> tuple[Resolution, list[Entry], tuple[Message, ...]]:
    """What the newcomer is shown first. The caller must not await anything before it attaches."""
    allowance = allowance or bulk.Allowance()
    await room.live()
    last = min(command.last, HISTORY_LIMIT)
    if command.since is None:
        return Resolution("", 0), [], await _state(session, room, last, allowance)
    if session.hub.bus is not ALONE and room.judge(command.since).reason in ("epoch", "ahead"):
        # It may come from another node, which is further than we are: what we have not heard yet is not lost.
        room.read_again()
        await room.live()
    while (verdict := room.judge(command.since)).reason in ("", "truncated"):
        epoch = room.epoch
        try:
            entries = await room.after(verdict.valid, epoch)
            if allowance.take_all(entries, bulk.of_entry):
                return verdict, entries, ()
            verdict = Resolution("too_many", 0)
            break
        except Gone:
            if room.epoch == epoch:
                verdict = Resolution("gone", 0)
                break
    return verdict, [], await _state(session, room, last or STATE_DEFAULT, allowance)


async def _state(session: Session, room: Room, last: int, allowance: bulk.Allowance) -> tuple[Message, ...]:
    """The newest messages in their final form, exactly as of the room's top when this returns."""
    if not last:
        return ()
    viewer = session.user.user.id
    while True:
        top, epoch = room.top, room.epoch
        past = await session.hub.log.history(room.name, viewer, last, before=top + 1)
        try:
            later = await room.after(top, epoch)
        except Gone:
            continue
        messages = catch_up(list(past.messages), later, last, viewer)
        return tuple(allowance.last(messages, bulk.of_message))


def part(session: Session, command: c.Part) -> Result:
    """Leave a room."""
    session.leave(session.room(command.room))
    return Done(command.room)


def rooms(session: Session, _command: c.Rooms) -> Promise[Result]:
    """Which rooms there are."""
    return start(_rooms(session))


async def _rooms(session: Session) -> Result:
    log, me = session.hub.log, session.user.user.id
    only = session.user.only
    named = dict(await log.room_names(HISTORY_LIMIT, me))
    named = {name: top for name, top in named.items() if only is None or name in only}
    opened = await log.read_back("@" + me, None, HISTORY_LIMIT)
    for dm in (entry.body.dm for entry in opened.entries if isinstance(entry.body, Opened)):
        named[dm] = (await log.read(dm, 0, 0)).top
    named |= {name: room.top for name, room in session.rooms.items() if not name.startswith("@")}
    marks = await log.marks(me)
    seen = []
    for name, top in named.items():
        unread = await log.unread(name, me, marks.get(name, 0))
        seen.append(RoomSeen(name, top, unread.unread, unread.mentions, name in session.rooms))
    return RoomList(tuple(seen))


def rename(session: Session, command: c.Rename) -> Promise[Result] | Result:
    """Take another nick. To say the one that one has, as some clients do with every message, costs nothing."""
    if command.nick != session.user.user.nick:
        spend(session, Kind.PRESENCE)
    book = session.hub.guestbook
    if book is not None:
        return start(_rename(session, book, command.nick))
    session.hub.rename(session.user, command.nick)
    return Done()


async def _rename(session: Session, book: Guestbook, wish: str) -> Result:
    await rename_in_book(session, book, wish)
    return Done()


def set_status(session: Session, command: c.SetStatus) -> Result:
    """Be online, away or not to be disturbed."""
    if command.status not in STATUSES:
        raise Refused(Code.BAD_REQUEST, "bad_status")
    person = session.user
    person.status, person.status_text = command.status, clean_words(command.text)
    session.hub.tell_status(person)
    return Done()


# --- names ---


def shown_name(session: Session, name: str) -> str:
    """The name of a room as this session knows it."""
    return "@me" if name == "@" + session.user.user.id else name
