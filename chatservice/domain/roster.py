"""Who is alive, under which nick, with how many connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.names import nick_key
from chatservice.domain.rules import rank
from chatservice.domain.trust import Names

NOBODY = ""
"""Whose the words are that only those who keep order may be called."""

_NUMBERED = re.compile("user[0-9]+")
_AS_NUMBERED = str.maketrans("lo", "10")  # a skeleton has letters in the place of these figures


@dataclass(eq=False)
class Person:
    """A living user.

    :ivar only: the only rooms it may be in; None for all that anyone may.
    :ivar conns: connections that speak for it now; 0 while it lingers after a loss.
    :ivar marks_told: how far it has read in each room, as its sessions were told.
    """

    user: User
    role: str = "guest"
    guest: bool = True
    only: frozenset[str] | None = None
    conns: int = 0
    status: str = "online"
    status_text: str = ""
    rooms: set[str] = field(default_factory=set)
    marks_told: dict[str, int] = field(default_factory=dict)


class Roster:
    """The living; a nick belongs to one person at a time, and so does what looks like it.

    :param kept: whose the look of a name is that is kept for somebody, living or not: a user id, `NOBODY` for a
        reserved word; None for all others.
    """

    def __init__(self, names: Names, kept: Callable[[str], str | None] = lambda look: None) -> None:
        self._names = names
        self._kept = kept
        self._by_id: dict[str, Person] = {}
        self._by_nick: dict[str, Person] = {}
        # Of chosen nicks only: that of a `userN` can be told from it, and there is one for each connection.
        self._by_look: dict[str, Person] = {}
        self._counter = 0
        self.number: Callable[[], int] | None = None  # where other nodes give numbers too

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, user_id: str) -> Person | None:
        """The living person with that id."""
        return self._by_id.get(user_id)

    def named(self, nick: str) -> Person | None:
        """The living person with that nick."""
        return self._by_nick.get(nick_key(nick))

    def mistaken(self, nick: str) -> list[Person]:
        """The living whose nicks can be mistaken for that one."""
        return list(dict.fromkeys(holder for look in self._names.looks(nick) if (holder := self._looking(look))))

    def arrive(self, user_id: str, nick: str | None = None) -> Person:
        """The person with that id, made alive if it was not.

        A newcomer is called `nick` if nobody else is or may be mistaken for it, else `userN` after the number of
        arrivals; a taken `userN` is passed over.
        """
        person = self._by_id.get(user_id)
        if person is not None:
            return person
        self._counter += 1
        person = self._by_id[user_id] = Person(User(user_id, ""))
        if nick is None or self._is_taken(nick, person):
            self._number(person)
        else:
            self._call(person, nick)
        return person

    def unname(self, person: Person) -> None:
        """It must give its nick away, and is `userN` again."""
        self._forget_nick(person)
        self._counter += 1
        self._number(person)

    def rename(self, person: Person, wish: str) -> bool:
        """Give the person the nick `wish`; False if it has it already.

        :raises Refused: `bad_request` if no one can have that nick, `nick_taken` if someone living has it or one
            that looks like it, or if it is kept for somebody else.
        """
        nick = self.judge(person, wish)
        if nick == person.user.nick:
            return False
        self.call(person, nick)
        return True

    def judge(self, person: Person, wish: str) -> str:
        """The nick the person would have by that wish, as far as is known here.

        :raises Refused: see `rename`.
        """
        nick = self._names.clean(wish)
        if self._is_taken(nick, person):
            raise Refused(Code.NICK_TAKEN, params={"nick": nick})
        return nick

    def call(self, person: Person, nick: str) -> None:
        """It has that clean nick from now on."""
        self._forget_nick(person)
        self._call(person, nick)

    def looks(self, nick: str) -> frozenset[str]:
        """What nobody else may look like while somebody has that nick."""
        if _NUMBERED.fullmatch(nick) is not None:
            return frozenset({nick})
        looks = self._names.looks(nick)
        return looks | {numbered for look in looks if (numbered := _as_numbered(look)) is not None}

    def depart(self, person: Person) -> None:
        """The person is gone; its nick is free."""
        if self._by_id.get(person.user.id) is person:
            del self._by_id[person.user.id]
            self._forget_nick(person)

    def _is_taken(self, nick: str, person: Person) -> bool:
        ours = {None, person.user.id}
        if rank(person.role) >= rank("mod"):
            ours.add(NOBODY)  # whoever keeps order may say so
        return any(
            (self._looking(look) or person) is not person or self._kept(look) not in ours
            for look in self._names.looks(nick)
        )

    def _looking(self, look: str) -> Person | None:
        numbered = _as_numbered(look)
        return self._by_look.get(look) or (None if numbered is None else self._by_nick.get(numbered))

    def _number(self, person: Person) -> None:
        while (nick := f"user{self._counter if self.number is None else self.number()}") in self._by_nick:
            self._counter += 1
        person.user = User(person.user.id, nick)
        self._by_nick[nick] = person

    def _call(self, person: Person, nick: str) -> None:
        person.user = User(person.user.id, nick)
        self._by_nick[nick_key(nick)] = person
        if _NUMBERED.fullmatch(nick) is None:
            for look in self._names.looks(nick):
                self._by_look[look] = person

    def _forget_nick(self, person: Person) -> None:
        nick = person.user.nick
        # Of two whom other nodes have called alike while nobody could tell us, the later one has it.
        if self._by_nick.get(nick_key(nick)) is person:
            del self._by_nick[nick_key(nick)]
        if _NUMBERED.fullmatch(nick) is None:
            for look in self._names.looks(nick):
                if self._by_look.get(look) is person:
                    del self._by_look[look]


def _as_numbered(look: str) -> str | None:
    """The `userN` that looks so."""
    numbered = look.lower().translate(_AS_NUMBERED)
    return numbered if _NUMBERED.fullmatch(numbered) is not None else None
