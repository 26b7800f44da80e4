"""Where rooms, living people and the log meet. One hub a process; everything in the reactor's thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from chatservice.domain.accounts import Account, Registry
from chatservice.domain.audience import AtOnce
from chatservice.domain.bus import ALONE, Bus
from chatservice.domain.enforcing import enforce
from chatservice.domain.errors import KICKED, TOKEN_EXPIRED, Code, Disconnect, Refused
from chatservice.domain.events import Entry, Event, Moderated, Presence, Said, Stalled, User
from chatservice.domain.guestbook import Guestbook
from chatservice.domain.limits import BIG_ROOMS, BigRooms, Rate
from chatservice.domain.permissions import has_a_place, may_be_in
from chatservice.domain.ports import Engine, Peer, Randomness, Turn
from chatservice.domain.presence import TELL_EACH
from chatservice.domain.proofs import Proofs
from chatservice.domain.rates import RATES, Kind, Rates
from chatservice.domain.room import Room, State
from chatservice.domain.roster import Person, Roster
from chatservice.domain.trust import Audit, Identity, Passes, SignIn
from chatservice.domain.whereabouts import Whereabouts, network_of

if TYPE_CHECKING:
    from chatservice.domain.session import Session

T = TypeVar("T")

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
    :ivar messages: how fast one user may talk; None lifts this and all other rates, and floods of comings
        and goings are told one by one.
    :param audit: notes what moderators do.
    :param turn: when what a room is told in one turn is handed on.
    :param report: is given errors that are ours, not a peer's.
    :param sizes: from where on rooms are big.
    :param build: which build of the service this is; clients of another one may want to reload.
    :ivar committed_count: entries since the start, in all rooms.
    :ivar network_of: what of an address a ban goes by, empty where it says nothing about who it is.
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
        audit: Audit | None = None,
        guests: bool = True,
        sizes: BigRooms = BIG_ROOMS,
    ) -> None:
        self.log = log
        self.clock = clock
        self.report = report
        self.turn: Turn = turn or AtOnce()
        self.randomness = randomness
        self.passes = passes
        self.build = build
        self.audit = audit
        self.rates = self._rates_of(messages)
        self.counts: Counter[str] = Counter()  # what happened how often, for whoever measures
        self.whereabouts = Whereabouts()
        self.network_of: Callable[[str], str] = network_of
        self.registry = registry
        self.sign_in: SignIn | None = None
        self.bus: Bus = ALONE  # with other nodes `Elsewhere` sets these
        self.guestbook: Guestbook | None = None
        self.look: Callable[[float], object] | None = None
        self.is_away = False  # what all nodes share
        self._away_at = 0.0
        self.guests = guests
        self._sizes = sizes
        self.proofs = Proofs()
        self.roster = Roster(registry.names, registry.whose)
        self.rooms: dict[str, Room] = {}
        self.sessions: dict[str, list[Session]] = {}  # user id -> live sessions
        self.messages = messages
        # Room ("" for the person's very life) and who -> when the place is given up; the next one due comes first.
        self._lingering: dict[tuple[str, Person], float] = {}
        self._counted_at = 0.0
        self.committed_count = 0
        self._crowded: dict[Room, None] = {}  # rooms with comings and goings to be summed up

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock() * 1000)

    def committed(self, entry: Entry) -> None:
        """An entry is in the log for good: those who are in its room are told."""
        self.committed_count += 1
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
        self.for_each(
            [person for person in self.roster.mistaken(account.name) if person.user.id != account.id], self.unname
        )
        living = self.roster.find(account.id)
        if living is not None:
            self._entitle(living, account.role, living.only)
        if before is not None and before.generation != account.generation:
            self.end_sessions(account.id, TOKEN_EXPIRED)

    def unname(self, person: Person) -> None:
        was = person.user.nick
        self.roster.unname(person)
        self._tell_name(person, was)
        if self.guestbook is not None:
            self.guestbook.keep(person.user.id, person.user.nick, 0)

    def _entitle(self, person: Person, role: str, only: frozenset[str] | None, by: Session | None = None) -> None:
        """The person has these rights now, by all its connections: where it may not be any more, it leaves."""
        if (person.role, person.only) == (role, only):
            return
        person.role, person.only = role, only
        self.for_each(self.sessions.get(person.user.id, ()), lambda session: self._review(session, session is by))
        self.for_each(self.rooms.values(), lambda room: self._review_readers(room, person))

    def _review(self, session: Session, stays: bool) -> None:
        for room in list(session.rooms.values()):
            try:
                may_be_in(session, room)
            except Refused:
                if stays:
                    session.leave(room)
                else:
                    session.send_away(room, KICKED)

    def _review_readers(self, room: Room, person: Person) -> None:
        try:
            has_a_place(person, room, self.now_ms)
        except Refused:
            self.end_readers(KICKED, room, person.user.id)

    def for_each(self, them: Iterable[T], do: Callable[[T], object]) -> None:
        """Do it to every one. What goes wrong with one is reported, and does not save the others."""
        for one in list(them):
            try:
                do(one)
            except Exception as error:
                self.report(error)

    def end_sessions(self, user_id: str, why: Disconnect) -> None:
        """End all that a user has open."""
        self.for_each(self.sessions.get(user_id, ()), lambda session: session.peer.close(why))
        self.end_readers(why, user_id=user_id)

    def user(self, user_id: str) -> User:
        """Who that is, as far as we know."""
        known, account = self.roster.find(user_id), self.registry.find(user_id)
        if known is not None:
            return known.user
        for room in self.rooms.values():
            other = room.here.elsewhere(user_id)
            if other is not None:
                return other
        seen = self.whereabouts.find(user_id)
        if account is None and seen is not None:
            return seen.user
        return User(user_id, account.name if account is not None else user_id)

    def networks(self, user_id: str) -> tuple[str, ...]:
        """Whence the user comes by this node, or came when it left; see `network_of`."""
        addresses = [session.address for session in self.sessions.get(user_id, ())]
        seen = self.whereabouts.find(user_id)
        if not addresses and seen is not None:
            addresses = [seen.address]
        return tuple(sorted({network for address in addresses if (network := self.network_of(address))}))

    def away(self, is_away: bool) -> None:
        """What all nodes share is away, or there again: everybody is told."""
        if is_away != self.is_away:
            self.is_away, self._away_at = is_away, self.clock()
            everybody = [session for sessions in self.sessions.values() for session in sessions]
            self.for_each(everybody, lambda session: session.peer.deliver(Stalled(is_away)))

    @property
    def away_s(self) -> float:
        """For how long it has been away, in seconds; 0 if it is there."""
        return max(0.001, self.clock() - self._away_at) if self.is_away else 0.0

    def new_id(self) -> str:
        """A fresh user id."""
        return "u_" + self.randomness.token()

    def limit(self, messages: Rate | None) -> None:
        """Users may talk as fast as that from now on, those that are there too; None lifts this and all other
        rates."""
        if messages != self.messages:
            self.messages = messages
            self.rates = self._rates_of(messages)

    def _rates_of(self, messages: Rate | None) -> Rates | None:
        return None if messages is None else Rates(self.clock, {**RATES, Kind.MESSAGE: messages})

    # --- rooms ---

    def room(self, name: str) -> Room:
        """The room of that name, made when nobody is in it yet."""
        room = self.rooms.get(name)
        if room is None:
            clock = None if self.rates is None else self.clock
            room = self.rooms[name] = Room(name, self.log, self.report, self.turn, clock, self._sizes)
            room.enforce, room.here.bus = self._enforce, self.bus
            self.bus.follow(name)
        return room

    def _enforce(self, room: Room, body: Moderated | None) -> None:
        enforce(self, room, body)

    def enter(self, room: Room, person: Person, peer: Peer) -> None:
        """`peer` is told what happens in the room from here on."""
        self._lingering.pop((room.name, person), None)
        room.here.attach(person.user, peer)
        self._note_crowd(room)
        person.rooms.add(room.name)

    def leave(self, room: Room, person: Person, peer: Peer, *, linger: bool = False) -> None:
        """`peer` leaves; a room that nobody is in costs nothing."""
        if room.here.detach(person.user.id, peer, linger=linger):
            self._keep_place(room.name, person)
        elif not room.here.peers(person.user.id):
            person.rooms.discard(room.name)
        self._note_crowd(room)
        self.tidy(room)

    def tidy(self, room: Room) -> None:
        """Forget the room if nobody is in it or on the way into it."""
        if room.here.empty and not room.joining and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            self.bus.unfollow(room.name)

    def _note_crowd(self, room: Room) -> None:
        if room.here.is_crowded:
            self._crowded[room] = None

    # --- people ---

    def arrive(self, identity: Identity | None, nick: str | None = None, by: Session | None = None) -> Person:
        """The person whom a token proves; a new guest without one.

        :param nick: what a newcomer was called before.
        :param by: the session that proves it: whatever rooms it loses by that, it is not ended.
        :raises Refused: `unauthorized` if guests are not let in.
        """
        if not self.guests and (identity is None or identity.guest):
            raise Refused(Code.UNAUTHORIZED, "no_guests")
        if identity is None:
            return self.roster.arrive(self.new_id(), nick)
        person = self.roster.arrive(identity.user_id, nick or identity.nick)
        person.guest = identity.guest
        self._entitle(person, identity.role, identity.rooms, by)
        return person

    def connect(self, session: Session, person: Person) -> None:
        """One more connection speaks for the person."""
        person.conns += 1
        self._lingering.pop(("", person), None)
        self.sessions.setdefault(person.user.id, []).append(session)
        if self.guestbook is not None and not session.booked:
            session.booked = True
            self.guestbook.keep(person.user.id, person.user.nick, 1)
        if self.is_away:
            session.peer.deliver(Stalled(True))

    def disconnect(self, session: Session, person: Person, *, linger: bool) -> None:
        """One connection less. With the last one the person is gone, at once or after a while."""
        person.conns -= 1
        self.proofs.remove(session.peer)
        if self.guestbook is not None and session.booked:
            session.booked = False
            self.guestbook.part(person.user.id)
        sessions = self.sessions[person.user.id]
        sessions.remove(session)
        if not sessions:
            del self.sessions[person.user.id]
        if not person.conns:
            if linger:
                self._keep_place("", person)
            else:
                self.depart(person)

    def depart(self, person: Person) -> None:
        """The person is not here any more; its nick is free, unless it is by another node."""
        if self.roster.find(person.user.id) is person and self.guestbook is not None:
            self.guestbook.forget(person.user.id)
        self.roster.depart(person)

    def rename(self, person: Person, wish: str) -> None:
        """Give the person another nick and tell its rooms.

        :raises Refused: see `Roster.rename`.
        """
        was = person.user.nick
        if self.roster.rename(person, wish):
            self._tell_name(person, was)

    def call(self, person: Person, nick: str, by: str | None = None) -> None:
        """The person has that clean nick now, whoever else had it here; its rooms are told.

        :param by: the node that gave it, if it was another one.
        """
        was = person.user.nick
        if nick != was:
            self.roster.call(person, nick)
            self._tell_name(person, was, by)

    def _tell_name(self, person: Person, was: str, by: str | None = None) -> None:
        for name in person.rooms:
            if name in self.rooms:
                self.rooms[name].here.rename(person.user, was, by)

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

    def end_readers(self, why: Disconnect, room: Room | None = None, user_id: str | None = None) -> None:
        """End those who only read: there is no session that would. Of one room or of all, one user's or all."""
        rooms = list(self.rooms.values()) if room is None else [room]
        readers = [reader for room in rooms for reader in room.here.readers(user_id)]
        self.for_each(readers, lambda reader: reader.close(why))

    # --- time ---

    def tick(self) -> None:
        """To be called about once a second: places that were kept long enough are given up, counts are told,
        floods of comings and goings are summed up, rooms that could not be read are tried again."""
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
                self.depart(person)
        crowded, self._crowded = self._crowded, {}
        for room in crowded:
            room.here.tell_crowd()
        if not now - COUNT_EVERY_S < self._counted_at <= now:
            self._counted_at = now
            for room in list(self.rooms.values()):
                room.here.tell_count()
                if room.state is State.STALE:
                    room.read_again()
        if self.look is not None:
            self.look(now)

    def _keep_place(self, name: str, person: Person) -> None:
        self._lingering.pop((name, person), None)  # to the end
        self._lingering[name, person] = self.clock() + LINGER_S

    def _expire(self, name: str, person: Person) -> None:
        room = self.rooms.get(name)
        if room is not None and not room.here.peers(person.user.id):
            room.here.expire(person.user.id)
            self._note_crowd(room)
            person.rooms.discard(name)
            self.tidy(room)
