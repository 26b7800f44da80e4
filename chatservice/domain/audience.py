"""Those of one room that take the same bytes. What they are told in one turn goes to each in one write.

The system call is nearly all that a delivery costs, so fewer of them is all that helps: each event is encoded once
for its audience, and all frames of a reactor turn are joined once and handed to every peer. That adds no delay
when little happens and grows by itself when much does.

Thousands of such writes take longer than others should wait. So a big audience is told in slices, each in a turn
of its own; what comes meanwhile is gathered for its next round. Whoever comes, goes or is told something alone
between two slices is where it would be if all had been told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from chatservice.domain.events import Event
from chatservice.domain.limits import BIG_ROOMS
from chatservice.domain.ports import Flushable, Format, Frames, Peer, Sliced, Turn

GATHER_S = 0.3e-6
"""Seconds a peer for which a round of several events waits for the next: a sixteenth of what it took. Where many
talk it would otherwise begin with those who come first, and another one with the rest: see transports/turn.py."""


UNCUT = 2
"""So many slices are told at once: to cut a thousand in two saves others 3 ms and costs talkers a tenth."""


class AtOnce:
    """A turn that ends at once, where nothing is to be gained by gathering. See `Turn`."""

    def add(self, what: Flushable) -> None:
        """See `Turn.add`."""
        what.flush()

    def go_on(self, what: Sliced) -> None:
        """See `Turn.go_on`."""
        while what.go_on():
            pass

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """See `Turn.later`: it is as if the time had passed."""
        call()

    def handed_out(self, format: Format, frames: Sequence[Frames], peers: int) -> None:
        """See `Turn.handed_out`."""


class Round:
    """What a big audience is being told, slice by slice.

    :ivar joined: all of `frames` in one piece.
    :ivar rest: those who have not been told yet; the last one is next.
    """

    __slots__ = ("events", "frames", "joined", "rest")

    def __init__(
        self, frames: Sequence[Frames], events: Sequence[Event], joined: Frames, rest: dict[Peer, None]
    ) -> None:
        self.frames = frames
        self.events = events
        self.joined = joined
        self.rest = rest


class Audience:
    """Peers with one format, and the frames of this turn that they have not been given yet.

    :param slice_peers: see `BigRooms`.
    :ivar every_s: see `BigRooms`; 0 where the room is not hot.
    """

    __slots__ = (
        "_ahead",
        "_events",
        "_frames",
        "_rests",
        "_round",
        "_slice_peers",
        "_turn",
        "every_s",
        "format",
        "handed",
        "peers",
    )

    def __init__(self, format: Format, turn: Turn, slice_peers: int = BIG_ROOMS.slice_peers) -> None:
        self.format = format
        self.peers: dict[Peer, None] = {}
        self.every_s = 0.0
        self._slice_peers = slice_peers
        self._turn = turn
        self._round: Round | None = None
        self._rests = False  # the last round of a hot room began only a moment ago
        self._frames: list[Frames] = []
        self._events: list[Event] = []
        # Peers that have been given some of this turn's frames by themselves already, and how many.
        self._ahead: dict[Peer, int] = {}
        self.handed = 0  # each peer's part is the difference between its beginning and its end

    def add(self, peer: Peer) -> None:
        """`peer` is told what comes from here on, not what is pending: it has that from elsewhere."""
        self.peers[peer] = None
        peer.audiences.append(self)
        peer.handed -= self.handed
        if self._frames:
            self._ahead[peer] = len(self._frames)

    def remove(self, peer: Peer) -> None:
        """`peer` is told what is pending and nothing more."""
        self.catch_up(peer)
        del self.peers[peer]
        peer.audiences.remove(self)
        peer.handed += self.handed
        self._ahead.pop(peer, None)

    def tell(self, event: Event, but: Collection[Peer] = ()) -> None:
        """Tell everyone at the end of the turn.

        :param but: peers that are not told, or told otherwise by the caller after this.
        """
        frames = self.format.frames(event)
        if frames is None:
            return
        for peer in but:
            if peer in self.peers:
                self.catch_up(peer)
                self._ahead[peer] = len(self._frames) + 1
                peer.handed -= 1
        self._frames.append(frames)
        self._events.append(event)
        self.handed += 1
        if self._round is None and not self._rests:  # else it is looked at when that is over
            self._turn.add(self)

    def catch_up(self, peer: Peer) -> None:
        """Give one peer what is pending: something for it alone must not overtake what came before."""
        round = self._round
        if round is not None and peer in round.rest:
            del round.rest[peer]
            self.format.hand_out((peer,), round.joined, round.frames, round.events)
        if not self._frames:
            return
        for i in range(self._ahead.get(peer, 0), len(self._frames)):
            peer.send(self._frames[i], self._events[i])
        self._ahead[peer] = len(self._frames)

    def flush(self) -> None:
        """Give everyone what is pending, or begin to. Called at the end of the turn."""
        if self._round is not None or self._rests:
            return
        frames, self._frames = self._frames, []
        events, self._events = self._events, []
        ahead, self._ahead = self._ahead, {}
        if not frames:
            return
        self._turn.handed_out(self.format, frames, len(self.peers))
        for peer, begin in ahead.items():
            for i in range(begin, len(frames)):
                peer.send(frames[i], events[i])
        joined = self.format.join(frames, events, is_batch=self.every_s > 0)
        if self.every_s or len(self.peers) > UNCUT * self._slice_peers:
            self._begin(Round(frames, events, joined, dict.fromkeys(reversed(self.peers))), ahead)
            return
        for peer in ahead:
            del self.peers[peer]  # for a moment: looking at a thousand for the sake of a few is what costs
        try:
            self.format.hand_out(self.peers, joined, frames, events)
        finally:
            self.peers.update(dict.fromkeys(ahead))

    def _begin(self, round: Round, ahead: Iterable[Peer]) -> None:
        for peer in ahead:
            del round.rest[peer]
        self._round = round
        if self.every_s:
            self._rest(self.every_s)
        self._turn.go_on(self)

    def go_on(self) -> bool:
        """Give the next slice of the audience what this round holds. See `Sliced.go_on`."""
        round = self._round
        if round is None:
            return False
        rest = round.rest
        peers = [rest.popitem()[0] for _ in range(min(self._slice_peers, len(rest)))]
        try:
            self.format.hand_out(peers, round.joined, round.frames, round.events)
        finally:
            if not rest:
                self._round = None
                if not self._rests and len(round.frames) > 1:
                    self._rest(GATHER_S * len(self.peers))
                self.flush()  # what was gathered meanwhile
        return self._round is not None

    def _rest(self, seconds: float) -> None:
        self._rests = True
        self._turn.later(seconds, self._rested)

    def _rested(self) -> None:
        self._rests = False
        if self._frames and self._round is None:
            self._turn.add(self)


class Hearer:
    """What every peer needs to belong to audiences; a base class for them.

    :ivar handed: see `Peer.handed`.
    :ivar direct: hands bytes on at once and tells how many were taken; None while anything waits that has to come
        before, and where there is no such way. It is looked at for every delivery, and is the reason why a
        delivery looks at so little else: a thousand peers do not fit into a processor's cache.
    """

    reads_as: str | None = None
    handed = 0
    direct: Callable[[Any], int] | None = None
    _audiences: list[Audience] | None = None

    @property
    def is_private(self) -> bool:
        """See `Peer.is_private`; unless a wire knows better."""
        return False

    @property
    def audiences(self) -> list[Audience]:
        """See `Peer.audiences`."""
        if self._audiences is None:
            self._audiences = []
        return self._audiences

    def hold(self) -> None:
        """Keep what is sent until `release`; answers go out meanwhile."""

    def release(self) -> None:
        """Send what was kept."""

    def send(self, frames: Frames, event: Event | None = None) -> None:
        """See `Peer.send`."""

    def send_all(self, joined: Frames, frames: Sequence[Frames], events: Sequence[Event]) -> None:
        """`send` for several at once.

        :param joined: all of `frames` in one piece, shared by everyone who gets them.
        """
        for frame, event in zip(frames, events, strict=True):
            self.send(frame, event)


def join_nothing(frames: Sequence[Frames], events: Sequence[Event], *, is_batch: bool) -> None:
    """`Format.join` where joining gains nothing."""


def hand_out_singly(
    peers: Iterable[Peer], joined: None, frames: Sequence[Frames], events: Sequence[Event]
) -> None:
    """`Format.hand_out` where joining gains nothing."""
    for peer in peers:
        for frame, event in zip(frames, events, strict=True):
            peer.send(frame, event)
