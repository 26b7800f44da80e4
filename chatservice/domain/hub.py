"""Where rooms, living people and the log meet. One hub a process; everything in the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.audience import AtOnce
from chatservice.domain.bus import ALONE, Bus
from chatservice.domain.errors import TOKEN_EXPIRED, Code, Disconnect, Refused
from chatservice.domain.events import Entry, Event, Moderated, Presence, Said, User
from chatservice.domain.limits import Bucket, Rate
from chatservice.domain.ports import Engine, Identity, Passes, Peer, Randomness, SignIn, Turn
from chatservice.domain.presence import TELL_EACH
from chatservice.domain.proofs import Proofs
from chatservice.domain.room import Room, State
from chatservice.domain.roster import Person, Roster

if TYPE_CHECKING:
    from chatservice.domain.session import Session

LINGER_S = 5.0
"""How long a lost session that can be resumed keeps its place: a page reload, a tunnel."""

COUNT_EVERY_S = 5.0
"""How often big rooms are told how many they are, and a room that could not be read is tried again."""


class Hub:
    """The registry of rooms and of the living; the sink into which the log commits.

    :param clock: seconds since 1970.
    :param registry: who has an account; the log fills it.
    :param guests: whether people without a token are let in.
    :param passes: tokens for guests; None where no dialect has a hello.
    :param messages: how fast one session may talk; None for no limit.
    :param turn: when what a room is told in one turn is handed on.
    :param report: is given errors that are ours, not a peer's.
    :param build: which build of the service this is; clients of another one may want to reload.
    """

    def __init__(
        self,
        log: Engine,
        *,
        clock: Callable[[], float],
        randomness: Randomness,
        registry: Registry,
        messages: Rate | None,
        report: Callable[[BaseException], None],
        turn: Turn | None = None,
        passes: Passes | None = None,
        build: str = "",
        guests: bool = True,
    ) -> None:
        self.log = log
        self.clock = clock
        self.report = report
        self.turn: Turn = turn or AtOnce()
        self.randomness = randomness
        self.passes = passes
        self.build = build
        self.registry = registry
        self.sign_in: SignIn | None = None
        self.bus: Bus = ALONE  # with other nodes `Elsewhere` sets both
        self.enforce: Callable[[Room, Moderated], object] | None = None
        self.guests = guests
        self.proofs = Proofs()
        self.roster = Roster(registry.names, registry.whose)
        self.rooms: dict[str, Room] = {}
        self.sessions: dict[str, list[Session]] = {}  # user id -> live sessions
        self._messages = messages
        # Room ("" for the person's very life) and who -> when the place is given up; the next one due comes first.
        self._lingering: dict[tuple[str, Person], float] = {}
        self._counted_at = 0.0

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock() * 1000)

    def committed(self, entry: Entry) -> None:
        """An entry is in the log for good: those who are in its room are told."""
        room = self.rooms.get(entry.room)
        if room is not None:
            room.committed(entry)
        if entry.room.startswith("dm:") and isinstance(entry.body, Said):
            self._knock(entry)

    def _knock(self, entry: Entry) -> None:
        """A direct message also reaches those sessions of its two people that have not joined the conversation."""
        for user_id in entry.room.split(":")[1:]:
            for session in self.sessions.get(user_id, ()):
                if session.resume_digest is not None and entry.room not in session.rooms:
                    session.peer.deliver(entry)

    def pruned(self, room: str, first: int) -> None:
        """See `LogSink.pruned`."""
        known = self.rooms.get(room)
        if known is not None:
            known.pruned(first)

    def registered(self, account: Account) -> None:
        """See `LogSink.registered`: its name is its own from now on, and the living learn what has changed."""
        before = self.registry.put(account)
        for person in self.roster.mistaken(account.name):
            if person.user.id != account.id:
                was = person.user.nick
                self.roster.unname(person)
                self._tell_name(person, was)
        living = self.roster.find(account.id)
        if living is not None:
            living.role = account.role
        if before is not None and before.generation != account.generation:
            self.end_sessions(account.id, TOKEN_EXPIRED)

    def end_sessions(self, user_id: str, why: Disconnect) -> None:
        """End all that a user has open."""
        for session in list(self.sessions.get(user_id, ())):
            session.peer.close(why)
        for room in list(self.rooms.values()):
            room.here.end_readers(why, user_id)

    def user(self, user_id: str) -> User:
        """Who that is, as far as we know."""
        known = self.roster.find(user_id)
        if known is not None:
            return known.user
        for room in self.rooms.values():
            other = room.here.elsewhere(user_id)
            if other is not None:
                return other
        account = self.registry.find(user_id)
        return User(user_id, account.name if account is not None else user_id)

    def new_id(self) -> str:
        """A fresh user id."""
        return "u_" + self.randomness.token()

    def bucket(self) -> Bucket | None:
        """A session's own allowance of messages."""
        return None if self._messages is None else Bucket(self._messages, self.clock())

    # --- rooms ---

    def room(self, name: str) -> Room:
        """The room of that name, made when nobody is in it yet."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, self.log, self.report, self.turn)
            room.enforce, room.here.bus = self.enforce, self.bus
            self.bus.follow(name)
        return room

    def enter(self, room: Room, person: Person, peer: Peer) -> None:
        """`peer` is told what happens in the room from here on."""
        self._lingering.pop((room.name, person), None)
        room.here.attach(person.user, peer)
        person.rooms.add(room.name)

    def leave(self, room: Room, person: Person, peer: Peer, *, linger: bool = False) -> None:
        """`peer` leaves; a room that nobody is in costs nothing."""
        if room.here.detach(person.user.id, peer, linger=linger):
            self._keep_place(room.name, person)
        elif not room.here.peers(person.user.id):
            person.rooms.discard(room.name)
        self.tidy(room)

    def tidy(self, room: Room) -> None:
        """Forget the room if nobody is in it or on the way into it."""
        if room.here.empty and not room.joining and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            self.bus.unfollow(room.name)

    # --- people ---

    def arrive(self, identity: Identity | None, nick: str | None = None) -> Person:
        """The person whom a token proves; a new guest without one.

        :param nick: what a newcomer was called before.
        :raises Refused: `unauthorized` if guests are not let in.
        """
        if not self.guests and (identity is None or identity.guest):
            raise Refused(Code.UNAUTHORIZED, "no_guests")
        if identity is None:
            return self.roster.arrive(self.new_id(), nick)
        person = self.roster.arrive(identity.user_id, nick or identity.nick)
        person.role, person.guest, person.only = identity.role, identity.guest, identity.rooms
        return person

    def connect(self, session: Session, person: Person) -> None:
        """One more connection speaks for the person."""
        person.conns += 1
        self._lingering.pop(("", person), None)
        self.sessions.setdefault(person.user.id, []).append(session)

    def disconnect(self, session: Session, person: Person, *, linger: bool) -> None:
        """One connection less. With the last one the person is gone, at once or after a while."""
        person.conns -= 1
        self.proofs.remove(session.peer)
        sessions = self.sessions[person.user.id]
        sessions.remove(session)
        if not sessions:
            del self.sessions[person.user.id]
        if not person.conns:
            if linger:
                self._keep_place("", person)
            else:
                self.roster.depart(person)

    def rename(self, person: Person, wish: str) -> None:
        """Give the person another nick and tell its rooms.

        :raises Refused: see `Roster.rename`.
        """
        was = person.user.nick
        if self.roster.rename(person, wish):
            self._tell_name(person, was)

    def _tell_name(self, person: Person, was: str) -> None:
        for name in person.rooms:
            if name in self.rooms:
                self.rooms[name].here.rename(person.user, was)

    def tell_status(self, person: Person) -> None:
        """Tell the person's rooms its status."""
        event = Presence(person.user, person.status, person.conns, person.status_text)
        told: set[Peer] = set()  # it names no room, so who shares two is told once
        for name in person.rooms:
            room = self.rooms.get(name)
            if room is not None and not name.startswith("@") and room.here.n <= TELL_EACH:
                room.here.fan_out(event, told=told)
                self.bus.tell(name, event)

    def tell_own(self, user_id: str, event: Event, *, but: Peer | None = None) -> None:
        """Tell a user's own sessions, except one."""
        for session in self.sessions.get(user_id, ()):
            if session.peer is not but:
                session.peer.deliver(event)

    def end_readers(self, why: Disconnect) -> None:
        """End all who only read: there is no session that would."""
        for room in list(self.rooms.values()):
            room.here.end_readers(why)

    # --- time ---

    def tick(self) -> None:
        """To be called about once a second: places that were kept long enough are given up, counts are told, rooms
        that could not be read are tried again."""
        now = self.clock()
        self.proofs.tick(self.now_ms)
        while self._lingering:
            (name, person), due = next(iter(self._lingering.items()))
            if now < due <= now + LINGER_S:  # later than that: the clock was set back
                break
            del self._lingering[name, person]
            if name:
                self._expire(name, person)
            elif not person.conns:
                self.roster.depart(person)
        if not now - COUNT_EVERY_S < self._counted_at <= now:
            self._counted_at = now
            for room in list(self.rooms.values()):
                room.here.tell_count()
                if room.state is State.STALE:
                    room.read_again()

    def _keep_place(self, name: str, person: Person) -> None:
        self._lingering.pop((name, person), None)  # to the end
        self._lingering[name, person] = self.clock() + LINGER_S

    def _expire(self, name: str, person: Person) -> None:
        room = self.rooms.get(name)
        if room is not None and not room.here.peers(person.user.id):
            room.here.expire(person.user.id)
            person.rooms.discard(name)
            self.tidy(room)
