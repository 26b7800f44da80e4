"""Who is alive, and under which nick."""

from __future__ import annotations

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.names import clean_nick, nick_key


class Roster:
    """The living users; a nick belongs to one of them at a time."""

    def __init__(self) -> None:
        self._living: dict[str, User] = {}  # nick key -> user
        self._counter = 0

    def __len__(self) -> int:
        return len(self._living)

    def arrive(self, user_id: str) -> User:
        """A newcomer, called `userN` after the connection's number; a taken `userN` is passed over."""
        while True:
            self._counter += 1
            user = User(user_id, f"user{self._counter}")
            if self._living.setdefault(nick_key(user.nick), user) is user:
                return user

    def rename(self, user: User, wish: str) -> User:
        """`user` under the nick `wish`.

        :raises Refused: `bad_request` if no one can have that nick, `nick_taken` if someone living has it.
        """
        nick = clean_nick(wish)
        key = nick_key(nick)
        holder = self._living.get(key)
        if holder is not None and holder.id != user.id:
            raise Refused(Code.NICK_TAKEN, params={"nick": nick})
        self._living.pop(nick_key(user.nick), None)
        renamed = User(user.id, nick)
        self._living[key] = renamed
        return renamed

    def depart(self, user: User) -> None:
        """`user` is gone; its nick is free."""
        self._living.pop(nick_key(user.nick), None)
