"""Who is in which room by this worker, as the others know it, and which workers live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.domain.events import User
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_signals import encode_user

COUNT = ""
"""Under which id a worker's count stands among its users."""

BEAT_S = 5.0
LEASE_MS = 15_000
"""A worker that has not said for so long that it lives is dead: three beats."""

NAMED = 200
"""So many of a room's members each worker tells the others by name. Of those above it tells only how many, once
a beat: each of a thousand that come is a message to every worker otherwise."""


class Presence:
    """This worker's part of it, told as it is and not as it changes.

    :param gone: is given each worker that does not live any more.
    :param forgotten: called when it turns out that others have taken us for dead.
    :param named: see `NAMED`.
    """

    def __init__(
        self,
        asking: Asking,
        keys: Keys,
        node: str,
        gone: Callable[[str], object],
        forgotten: Callable[[], object] = lambda: None,
        named: int = NAMED,
    ) -> None:
        self.node = node
        self._asking = asking
        self._keys = keys
        self._gone = gone
        self._named = named
        self._here: dict[str, dict[str, User]] = {}  # who is where by this worker, and told by name
        self._more: dict[str, dict[str, User]] = {}  # who is there besides
        self._recount: dict[str, None] = {}  # rooms where that is another number than was told
        self._forgotten = forgotten
        self._up_at = 0  # the beat that is sent together with all that is said again
        self._owed: dict[tuple[str, str], None] = {}  # who is gone, where Redis may not know it
        self._beats = 0  # that were asked
        self._seen: dict[str, int] = {}  # other workers -> how many beats were asked when we first knew of them

    def up(self) -> None:
        """Redis is there: say all."""
        self._up_at = self._beats + 1
        self.beat()  # first: who is not known to live is not shown to anybody
        self._assert_all()

    def saw(self, node: str) -> None:
        """Something was heard of another worker."""
        self._seen.setdefault(node, self._beats)

    def attend(self, room: str, user: User) -> None:
        """See `Bus.attend`."""
        if room.startswith("@"):  # nobody else is ever in one's own stream
            return
        here = self._here.setdefault(room, {})
        if user.id in here or len(here) < self._named:
            here[user.id] = user
            self._assert(room, user.id, encode_user(user))
            return
        more = self._more.setdefault(room, {})
        if user.id not in more:
            self._recount[room] = None
        more[user.id] = user

    def absent(self, room: str, user_id: str) -> None:
        """See `Bus.absent`."""
        here, more = self._here.get(room), self._more.get(room)
        if here is not None and here.pop(user_id, None) is not None:
            self._assert(room, user_id, b"")
            if more:
                id, user = more.popitem()
                here[id] = user
                self._assert(room, id, encode_user(user))
                self._recount[room] = None
            elif not here:
                del self._here[room]
        elif more is not None and more.pop(user_id, None) is not None:
            self._recount[room] = None
        if more is not None and not more:
            del self._more[room]

    def _tell_count(self, room: str) -> None:
        """One absolute number, in the place of a user without an id."""
        names, n = self._keys.room(room), len(self._more.get(room, ()))
        keys = (names.workers, names.present + self.node.encode())

        def answered(answer: Any) -> None:
            if isinstance(answer, Exception):
                self._recount[room] = None

        values = (self.node, COUNT, b"%d" % n if n else b"", names.channel)
        self._asking.wire.run("attend", keys, values, answered)

    def _assert(self, room: str, user_id: str, user: bytes) -> None:
        names = self._keys.room(room)
        keys = (names.workers, names.present + self.node.encode())
        self._owed.pop((room, user_id), None)

        def answered(answer: Any) -> None:
            if isinstance(answer, Exception) and not user:
                self._owed[room, user_id] = None

        self._asking.wire.run("attend", keys, (self.node, user_id, user, names.channel), answered)

    def _assert_all(self) -> None:
        """Say all again: it may have been lost, or others may have taken us for dead."""
        for room, user_id in list(self._owed):
            if user_id not in self._here.get(room, ()):
                self._assert(room, user_id, b"")
        self._recount |= dict.fromkeys(self._more)
        self._tell_counts()
        for room, users in self._here.items():
            for user in users.values():
                self._assert(room, user.id, encode_user(user))

    def beat(self) -> None:
        """Say that we live and how many are where, and learn who lives. To be called every `BEAT_S`."""
        self._tell_counts()
        self._beats += 1
        asked = self._beats
        values = (self.node, LEASE_MS)
        self._asking.wire.run("beat", (self._keys.workers,), values, lambda answer: self._beaten(answer, asked))

    def _tell_counts(self) -> None:
        rooms, self._recount = self._recount, {}
        for room in rooms:
            self._tell_count(room)

    def leave(self) -> None:
        """We end. Others learn of it by their next beat: until then people have come back to one of them."""
        self._asking.call(b"ZREM", self._keys.workers, self.node)

    def _beaten(self, answer: Any, asked: int) -> None:
        if isinstance(answer, Exception):
            return
        known, *nodes = answer
        alive = {node.decode() for node in nodes}
        # One of which we heard while this was on its way may have come after it was answered.
        for node in [node for node, since in self._seen.items() if since < asked and node not in alive]:
            del self._seen[node]
            self._gone(node)
        if not known and asked != self._up_at:
            self._assert_all()
            self._forgotten()
