"""Who is alive by any worker, under which nick: see lua/living.lua for what is kept of it."""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from chatservice.domain.errors import Code, Refused
from chatservice.domain.guestbook import GuestbookSink
from chatservice.domain.limits import SESSIONS
from chatservice.domain.promise import Promise, start
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_keys import Keys

BLOCK = 64
"""Numbers that are fetched at once: so many come before an answer does. What a worker has left of them when it
ends nobody gets."""

LOW = 16

LOST_NUMBERS = 16 * BLOCK
"""So many may have been given to others since a worker last learned of it, where the server has lost them."""

FAR = 10**9
"""Above it are the numbers of those who come while there are none."""

REAPED = 500
"""Users of dead workers that are taken away at a time: a millisecond or two of the server."""

_NUMBERED = re.compile("user([0-9]{1,15})")


@dataclass(slots=True)
class _Guest:
    """Somebody who is here by this worker, as the book is to have it."""

    nick: str
    conns: int = 0
    version: int = 0

    def called(self, nick: str, version: int) -> bool:
        """The book calls it so; False if we know of a later nick. Answers and what others tell come apart."""
        if version < self.version:
            return False
        self.nick, self.version = nick, version
        return True


class RedisGuestbook:
    """See `Guestbook`.

    :param node: this worker's own word.
    """

    def __init__(self, asking: Asking, keys: Keys, node: str) -> None:
        self._asking = asking
        self._keys = keys
        self._node = node
        self._sink: GuestbookSink | None = None
        self._guests: dict[str, _Guest] = {}
        self._owed: dict[str, None] = {}  # who is gone, where Redis may not know it
        self._numbers: deque[int] = deque()
        self._highest = 0
        self._is_fetching = False

    def join(self, sink: GuestbookSink) -> None:
        """See `Guestbook.join`."""
        self._sink = sink

    # --- numbers ---

    def begin(self, before: int | None) -> None:
        """The first block of numbers was fetched; `before` is the one below it, None if it could not be."""
        if before is not None:
            self._took(before)

    def number(self) -> int:
        """See `Guestbook.number`."""
        if len(self._numbers) <= LOW:
            self._fetch()
        return self._numbers.popleft() if self._numbers else FAR + random.randrange(9 * FAR)

    def _took(self, before: int) -> None:
        self._numbers.extend(range(before + 1, before + BLOCK + 1))
        self._highest = max(self._highest, before + BLOCK)

    def _fetch(self) -> None:
        if not self._is_fetching and self._asking.wire.server is not None:
            self._is_fetching = True
            values = (BLOCK, self._highest, LOST_NUMBERS)
            self._asking.wire.run("numbers", (self._keys.number,), values, self._fetched)

    def _fetched(self, answer: Any) -> None:
        self._is_fetching = False
        if not isinstance(answer, Exception):
            self._took(answer)

    # --- who is here ---

    def enter(self, user_id: str, nick: str, *, wish: bool) -> Promise[str]:
        """See `Guestbook.enter`."""
        return start(self._enter(user_id, nick, wish, 1))

    def rename(self, user_id: str, nick: str) -> Promise[str]:
        """See `Guestbook.rename`."""
        return start(self._enter(user_id, nick, True, 0))

    async def _enter(self, user_id: str, nick: str, wish: bool, more: int) -> str:
        guest = self._guests.setdefault(user_id, _Guest(nick))
        guest.conns += more
        try:
            keys, values = self._words(user_id, nick, guest.conns, wish=wish, judged=True)
            answer = await self._asking.run("enter", keys, *values)
            if answer[0] == b"many":
                raise Refused(Code.LIMIT, "too_many")
            if answer[0] == b"taken":
                raise Refused(Code.NICK_TAKEN, params={"nick": nick})
        except Refused:
            if more:
                self.part(user_id)  # also where the answer only was lost
            raise
        guest.called(answer[1].decode(), answer[2])
        return guest.nick

    def keep(self, user_id: str, nick: str, conns: int) -> None:
        """See `Guestbook.keep`."""
        guest = self._guests.setdefault(user_id, _Guest(nick))
        guest.nick = nick
        guest.conns += conns
        # Who must be called otherwise than before is so by all nodes.
        self._assert(user_id, guest, wish=not conns)

    def part(self, user_id: str) -> None:
        """See `Guestbook.part`."""
        guest = self._guests.get(user_id)
        if guest is not None:
            guest.conns = max(0, guest.conns - 1)
            self._part(user_id, guest.conns)

    def forget(self, user_id: str) -> None:
        """See `Guestbook.forget`."""
        guest = self._guests.get(user_id)
        if guest is None:
            return
        if guest.conns:
            # It is on its way in again, by another connection.
            return
        del self._guests[user_id]
        self._part(user_id, "")

    def _part(self, user_id: str, conns: int | str) -> None:
        def answered(answer: Any) -> None:
            if isinstance(answer, Exception) and conns == "":
                self._owed[user_id] = None

        self._owed.pop(user_id, None)
        self._asking.wire.run("part", self._living_keys(), (*self._living_values(), user_id, conns), answered)

    # --- saying all ---

    def assert_all(self) -> None:
        """Redis is there: say who is here. It may have been lost, or others may have taken us for dead."""
        for user_id in [user_id for user_id in self._owed if user_id not in self._guests]:
            self._part(user_id, "")
        self._owed.clear()
        if self._highest:
            self._fetch()  # first: who chooses a number must not choose one that was given
        for user_id, guest in self._guests.items():
            guest.version = 0  # it may count anew
            self._assert(user_id, guest, wish=False)

    def _assert(self, user_id: str, guest: _Guest, *, wish: bool) -> None:
        keys, values = self._words(user_id, guest.nick, guest.conns, wish=wish, judged=False)
        nick = guest.nick

        def answered(answer: Any) -> None:
            # Without Redis it is said again when it is back.
            if isinstance(answer, Exception) or self._guests.get(user_id) is not guest or self._sink is None:
                return
            if answer[0] != b"ok":
                if guest.nick == nick:
                    self._sink.unnamed(user_id)
                return
            called = answer[1].decode()
            if guest.called(called, answer[2]):
                self._sink.named(user_id, called)

        self._asking.wire.run("enter", keys, values, answered)

    def _words(
        self, user_id: str, nick: str, conns: int, *, wish: bool, judged: bool
    ) -> tuple[tuple[bytes, ...], tuple[Any, ...]]:
        """As lua/enter.lua takes them."""
        numbered = _NUMBERED.fullmatch(nick) if wish and judged else None
        number = "" if numbered is None else numbered[1]
        limit = SESSIONS if judged else 0
        looks = () if self._sink is None else self._sink.looks(nick)
        asked = (user_id, conns, limit, nick, int(wish), number, self._keys.nodes, *looks)
        return (*self._living_keys(), self._keys.number), (*self._living_values(), *asked)

    def _living_keys(self) -> tuple[bytes, ...]:
        return (self._keys.workers, self._keys.nicks, self._keys.holders)

    def _living_values(self) -> tuple[Any, ...]:
        return (self._node, self._keys.users, self._keys.users_of)

    # --- what happens ---

    def renamed(self, told: bytes) -> None:
        """A worker has renamed somebody who is here: worker, id, nick and its version, split by 0x1F."""
        node, user_id, nick, version = told.decode().split("\x1f")
        guest = self._guests.get(user_id)
        if guest is not None and self._sink is not None and guest.called(nick, int(version)):
            self._sink.renamed(user_id, nick, node)

    def reap(self) -> None:
        """What the dead have left is taken away. To be called every few seconds."""

        def answered(answer: Any) -> None:
            if not isinstance(answer, Exception):
                self._highest = max(self._highest, answer)

        keys = (*self._living_keys(), self._keys.number)
        self._asking.wire.run("reap", keys, (*self._living_values(), REAPED), answered)


def numbers_asked(keys: Keys) -> tuple[bytes | int, ...]:
    """The command that fetches a worker's first numbers, where nothing is connected yet."""
    return (b"INCRBY", keys.number, BLOCK)


def numbers_given(answer: Any) -> int | None:
    """Its answer, as `RedisGuestbook.begin` takes it: None if the server will not; then they come later."""
    return answer - BLOCK if isinstance(answer, int) else None
