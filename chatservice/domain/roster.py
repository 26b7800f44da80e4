"""Who is alive, under which nick, with how many connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.names import clean_nick, nick_key


@dataclass(eq=False)
class Person:
    """A living user.

    :ivar conns: connections that speak for it now; 0 while it lingers after a loss.
    :ivar marks_told: how far it has read in each room, as its sessions were told.
    """

    user: User
    role: str = "guest"
    guest: bool = True
    conns: int = 0
    status: str = "online"
    status_text: str = ""
    rooms: set[str] = field(default_factory=set)
    marks_told: dict[str, int] = field(default_factory=dict)


class Roster:
    """The living; a nick belongs to one person at a time."""

    def __init__(self) -> None:
        self._by_id: dict[str, Person] = {}
        self._by_nick: dict[str, Person] = {}
        self._counter = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, user_id: str) -> Person | None:
        """The living person with that id."""
        return self._by_id.get(user_id)

    def named(self, nick: str) -> Person | None:
        """The living person with that nick."""
        return self._by_nick.get(nick_key(nick))

    def arrive(self, user_id: str, nick: str | None = None) -> Person:
        """The person with that id, made alive if it was not.

        A newcomer is called `nick` if that is free, else `userN` after the number of arrivals; a taken `userN` is
        passed over.
        """
        person = self._by_id.get(user_id)
        if person is not None:
            return person
        self._counter += 1
        free = nick if nick is not None and nick_key(nick) not in self._by_nick else self._next_nick()
        person = Person(User(user_id, free))
        self._by_id[user_id] = self._by_nick[nick_key(free)] = person
        return person

    def _next_nick(self) -> str:
        while nick_key(nick := f"user{self._counter}") in self._by_nick:
            self._counter += 1
        return nick

    def rename(self, person: Person, wish: str) -> bool:
        """Give the person the nick `wish`; False if it has it already.

        :raises Refused: `bad_request` if no one can have that nick, `nick_taken` if someone living has it.
        """
        nick = clean_nick(wish)
        holder = self._by_nick.get(nick_key(nick))
        if holder is not None and holder is not person:
            raise Refused(Code.NICK_TAKEN, params={"nick": nick})
        if nick == person.user.nick:
            return False
        del self._by_nick[nick_key(person.user.nick)]
        person.user = User(person.user.id, nick)
        self._by_nick[nick_key(nick)] = person
        return True

    def depart(self, person: Person) -> None:
        """The person is gone; its nick is free."""
        if self._by_id.get(person.user.id) is person:
            del self._by_id[person.user.id]
            del self._by_nick[nick_key(person.user.nick)]
