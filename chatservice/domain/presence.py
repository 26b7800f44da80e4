"""Who is in a room, and who is told what happens there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from heapq import nsmallest
from operator import attrgetter

from chatservice.domain.audience import Audience
from chatservice.domain.bus import ALONE, Bus
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Counted, Crowded, Entered, Entry, Event, Left, Renamed, User
from chatservice.domain.limits import BIG_ROOMS, BigRooms, Bucket, Rate
from chatservice.domain.names import nick_key
from chatservice.domain.ports import Format, Peer, Turn

TELL_EACH = 200
"""Above so many members comings and goings are only counted: told one by one they would cost N squared."""

TYPING_SEEN = 100
"""Above so many members nobody is told who is writing."""

COMINGS = Rate(burst=20, per_s=4.0)
"""Comings and goings a room tells one by one in sentences. A class that arrives is still greeted; above that
nobody could read them, and they would push everything else off the screen."""

FEW = 3
"""So few, at the end, are told one by one nevertheless, if a little late."""


class Attendance:
    """The members of one room, and their peers by audience: those that take the same bytes.

    Members may be here by other nodes too; who is here by any is here, and is told of once.

    :param clock: seconds; None where floods are not summed up.
    :param sizes: from where on a room is big.
    """

    bus: Bus = ALONE
    # On the class: there are many rooms, and in most of them nobody is here by another node.
    _others: dict[str, dict[str, User]] = {}
    _named: dict[str, User] | None = None  # those by their nick's key, once somebody has asked
    _apart = 0  # how many are here by other nodes only
    _counts: dict[str, int] = {}  # how many more are, by node, whom nobody names to us
    _is_hot = False
    _sizes = BIG_ROOMS

    def __init__(
        self,
        room: str,
        turn: Turn,
        clock: Callable[[], float] | None = None,
        sizes: BigRooms = BIG_ROOMS,
    ) -> None:
        self.room = room
        if sizes is not BIG_ROOMS:
            self._sizes = sizes
        self._turn = turn
        self._clock = clock
        self._pace: Bucket | None = None
        self._came = self._left = 0  # since a flood began and was last summed up
        self._few: list[Entered | Left] = []  # the first of them
        self.count_changed = False  # a `Counted` is due; the hub sends it at most every few seconds
        self._members: dict[str, tuple[User, list[Peer]]] = {}
        self._audiences: dict[Format, Audience] = {}

    @property
    def n(self) -> int:
        """How many users are here."""
        n = len(self._members) + self._apart
        return n + sum(self._counts.values()) if self._counts else n

    @property
    def users(self) -> tuple[User, ...]:
        """Who is here, in the order of arrival; those who are by other nodes only come last, as far as we know
        them."""
        here = tuple(user for user, _ in self._members.values())
        if not self._apart:
            return here
        return here + tuple(
            next(iter(nodes.values())) for id, nodes in self._others.items() if id not in self._members
        )

    def page(self, after: str | None, limit: int) -> tuple[tuple[User, ...], str | None]:
        """Who is here, by pages. A room that fits into one is shown in the order of arrival, others by user id: so
        nobody who stays is left out, whoever comes and goes meanwhile.

        :param after: what an earlier page said about the next one.
        :returns: and the `after` of the next page, None if there is none.
        """
        users: Iterable[User] = self.users
        if after is not None:
            users = [user for user in users if user.id > after]
        elif self.n <= limit:
            return tuple(users), None
        shown = tuple(nsmallest(limit + 1, users, key=attrgetter("id")))
        return shown[:limit], shown[limit - 1].id if len(shown) > limit else None

    def peers(self, user_id: str) -> Collection[Peer]:
        """The peers of one user."""
        known = self._members.get(user_id)
        return () if known is None else tuple(known[1])

    def __contains__(self, user_id: object) -> bool:
        """Whether the user is here, or its place is kept."""
        return user_id in self._members

    @property
    def is_crowded(self) -> bool:
        """Whether comings and goings wait to be summed up."""
        return bool(self._few)

    @property
    def empty(self) -> bool:
        """Whether nobody is here and nobody listens."""
        return not self._members and not self._audiences

    def listen(self, peer: Peer) -> None:
        """`peer` is told everything from here on, and nobody is told of it."""
        audience = self._audiences.get(peer.format)
        if audience is None:
            audience = Audience(peer.format, self._turn, self._sizes.slice_peers)
            self._audiences[peer.format] = audience
            if self._is_hot:
                audience.every_s = self._sizes.every_s
        audience.add(peer)

    def unlisten(self, peer: Peer) -> None:
        """`peer` is told nothing more."""
        audience = self._audiences.get(peer.format)
        if audience is not None and peer in audience.peers:
            audience.remove(peer)
            if not audience.peers:
                del self._audiences[peer.format]

    def readers(self, user_id: str | None = None) -> list[Peer]:
        """Those who only read, all or one user's."""
        peers = [peer for audience in self._audiences.values() for peer in audience.peers]
        return [peer for peer in peers if peer.reads_as is not None and user_id in (None, peer.reads_as)]

    def by_transport(self, transport: str) -> list[Peer]:
        """Those who are reached by that kind of transport."""
        mine = (audience for audience in self._audiences.values() if audience.format.transport == transport)
        return [peer for audience in mine for peer in audience.peers]

    def attach(self, user: User, peer: Peer) -> None:
        """`peer` is told everything from here on. The others learn of a user's first connection."""
        known = self._members.get(user.id)
        if known is None:
            self._members[user.id] = (user, [peer])
            self.bus.attend(self.room, user)
            if user.id in self._others:
                self._apart -= 1
            else:
                self._tell_presence(Entered(self.room, user, self.n))
        else:
            known[1].append(peer)
        self.listen(peer)

    def detach(self, user_id: str, peer: Peer, *, linger: bool = False) -> bool:
        """`peer` is told nothing more. The others learn that a user's last connection is gone.

        :param linger: the user may be back in a moment; keep its place. `expire` ends that.
        :returns: whether its place is kept without a peer now.
        """
        audience = self._audiences.get(peer.format)
        if audience is None or peer not in audience.peers:
            return False
        self.unlisten(peer)
        peers = self._members[user_id][1]
        peers.remove(peer)
        if peers:
            return False
        if not linger:
            self.expire(user_id)
        return linger

    def expire(self, user_id: str) -> None:
        """The user's place is given up, unless a connection has come back to it."""
        known = self._members.get(user_id)
        if known is not None and not known[1]:
            del self._members[user_id]
            self.bus.absent(self.room, user_id)
            if user_id in self._others:
                self._apart += 1
            else:
                self._tell_presence(Left(self.room, known[0], self.n))

    # --- those who are here by other nodes ---

    def elsewhere(self, user_id: str) -> User | None:
        """That user, if it is here by another node."""
        return next(iter(self._others.get(user_id, {}).values()), None)

    def named_elsewhere(self, nick: str) -> User | None:
        """Who is here by another node under that nick."""
        if not self._others:
            return None
        if self._named is None:
            self._named = {}
            for nodes in self._others.values():
                for user in nodes.values():
                    self._named.setdefault(nick_key(user.nick), user)
        return self._named.get(nick_key(nick))

    def came(self, node: str, user: User) -> None:
        """See `BusSink.came`."""
        if not self._others:
            self._others = {}
        known = self._others.setdefault(user.id, {})
        is_new = not known
        if known.get(node) != user:
            self._named = None
        known[node] = user
        if is_new and user.id not in self._members:
            self._apart += 1
            self._tell_presence(Entered(self.room, user, self.n))

    def went(self, node: str, user_id: str) -> None:
        """See `BusSink.went`."""
        known = self._others.get(user_id, {})
        user = known.pop(node, None)
        if user is not None:
            self._named = None
        if user is None or known:
            return
        del self._others[user_id]
        if user_id not in self._members:
            self._apart -= 1
            self._tell_presence(Left(self.room, user, self.n))

    def counted(self, node: str, n: int) -> None:
        """See `BusSink.counted`."""
        if n != self._counts.get(node, 0):
            self._counts = {**self._counts, node: n}
            if not n:
                del self._counts[node]
            self.count_changed = True
            self._weigh()

    def attending(self, by_node: Mapping[str, Mapping[str, User]]) -> None:
        """See `BusSink.attending`."""
        for node in self._counts.keys() - by_node.keys():
            self.counted(node, 0)
        for user_id, nodes in list(self._others.items()):
            for node in [node for node in nodes if user_id not in by_node.get(node, ())]:
                self.went(node, user_id)
        for node, users in by_node.items():
            for user in users.values():
                self.came(node, user)

    def node_gone(self, node: str) -> None:
        """See `BusSink.node_gone`."""
        self.counted(node, 0)
        for user_id in [user_id for user_id, nodes in self._others.items() if node in nodes]:
            self.went(node, user_id)

    def rename(self, user: User, was: str, by: str | None = None) -> None:
        """A user of this room has a new nick.

        :param by: the node that gave it; where the user is by that one too, the others hear it from there.
        """
        known = self._members.get(user.id)
        if known is not None:
            self._members[user.id] = (user, known[1])
            self.bus.attend(self.room, user)
            if self.n <= TELL_EACH:
                renamed = Renamed(self.room, user, was)
                self.fan_out(renamed)
                if by is None or by not in self._others.get(user.id, ()):
                    self.bus.tell(self.room, renamed)

    def tell_count(self) -> None:
        """Tell how many are here, if that has changed since it was told."""
        if self.count_changed:
            self.count_changed = False
            self.fan_out(Counted(self.room, self.n))

    def tell_crowd(self) -> None:
        """Sum up the comings and goings that were not told in sentences. To be called about once a second."""
        few, self._few = self._few, []
        came, self._came, left, self._left = self._came, 0, self._left, 0
        if len(few) == came + left:
            for one in few:
                self.fan_out(Crowded(self.room, 0, 0, self.n, one))
        else:
            self.fan_out(Crowded(self.room, came, left, self.n))

    def close(self, why: Disconnect) -> None:
        """End the connections of all who are told what happens here."""
        for audience in list(self._audiences.values()):
            for peer in list(audience.peers):
                peer.close(why)

    def _tell_presence(self, event: Entered | Left) -> None:
        if self._is_hot or self.n > self._sizes.hot_users:
            self._weigh()
        if self.n > TELL_EACH:
            self.count_changed = True
        elif self.n > isinstance(event, Entered) and self._is_flood():  # else nobody is there to be told
            if isinstance(event, Entered):
                self._came += 1
            else:
                self._left += 1
            if len(self._few) < FEW:
                self._few.append(event)
            self.fan_out(replace(event, summed_up=True))
        else:
            self.fan_out(event)

    def _weigh(self) -> None:
        """Whether the room is hot. One that has cooled a little is still: it would be told now so, now so."""
        bound = self._sizes.hot_users
        is_hot = self.n > (bound - bound // 10 if self._is_hot else bound)
        if is_hot != self._is_hot:
            self._is_hot = is_hot
            for audience in self._audiences.values():
                audience.every_s = self._sizes.every_s if is_hot else 0.0

    def _is_flood(self) -> bool:
        """Whether this coming or going is one too many. Once some wait, all others wait behind them: nobody may be
        seen to go who was not seen to come."""
        if self._clock is None:
            return False
        if self._pace is None:
            self._pace = Bucket(COMINGS, self._clock())
        return self._pace.take(self._clock()) > 0 or bool(self._few)

    def fan_out(self, event: Event, *, but: str | None = None, told: set[Peer] | None = None) -> None:
        """Tell every audience; the frame is made once for each.

        :param but: a user id whose own peers are not told.
        :param told: peers that know it already; those that are told now are added.
        """
        known = self._members.get(but) if but is not None else None
        left_out: Collection[Peer] = known[1] if known is not None else ()
        for audience in self._audiences.values():
            audience.tell(event, left_out if told is None else told & audience.peers.keys())
            if told is not None:
                told.update(audience.peers)

    def fan_out_entry(self, entry: Entry) -> None:
        """Like `fan_out`; the sessions of the entry's own author may be told otherwise (with their `cid`)."""
        known = self._members.get(entry.body.user.id)
        authors: Collection[Peer] = known[1] if known is not None else ()
        for audience in self._audiences.values():
            own = [peer for peer in authors if peer in audience.peers]
            own_frames = audience.format.own_frames(entry) if own else None
            if own_frames is None:
                audience.tell(entry)
                continue
            audience.tell(entry, own)
            for peer in own:
                peer.handed += 1
                peer.send(own_frames, entry)
