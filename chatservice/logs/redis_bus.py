"""What the workers on one Redis tell each other: entries, presence, signals, accounts.

A channel carries, by the first letter: m an entry, k an entry for people who have not the room open, p how far
the room was pruned, e a signal, j and l who came and went by a worker, a an account, q a question about somebody;
and that of one worker alone: r an answer to it, c the nick that another worker gave to somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chatservice.domain.bus import BusSink, Known
from chatservice.domain.events import Entry, Event, User
from chatservice.domain.ports import LogSink
from chatservice.domain.promise import Promise, resolved
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_codec import read_told
from chatservice.logs.redis_guestbook import RedisGuestbook
from chatservice.logs.redis_keys import Keys
from chatservice.logs.redis_presence import COUNT, Presence
from chatservice.logs.redis_shared import Questions, read_tops
from chatservice.logs.redis_signals import encode_signal, read_present, read_signal
from chatservice.logs.redis_told import Followed, Once
from chatservice.redis.errors import Lost, NotConnected
from chatservice.redis.handshake import pairs


class RedisBus:
    """See `chatservice.domain.bus.Bus`.

    :param node: this worker's own word.
    :param call_soon: calls a function at the end of the turn; gathers subscriptions.
    :param account: is given the JSON of an account that has changed.
    :param hears: called when such changes are heard from here on.
    """

    def __init__(
        self,
        asking: Asking,
        keys: Keys,
        node: str,
        call_soon: Callable[[Callable[[], None]], object],
        account: Callable[[bytes], object],
        hears: Callable[[], object],
    ) -> None:
        self._hears = hears
        self.node = node
        self.written = 0
        self.sharing: Callable[[bool], object] | None = None  # is told instead of the sink whether Redis is away
        self.log_sink: LogSink | None = None
        self._sink: BusSink | None = None
        self._asking = asking
        self._keys = keys
        self._own = keys.node(node)
        self._call_soon = call_soon
        self._account = account
        self._followed: dict[str, Followed] = {}
        self._by_channel: dict[bytes, str] = {}
        self._overheard: dict[str, None] = {}  # people whose own stream is on another server
        self._new: dict[str, None] = {}  # followed since the turn began, not subscribed yet
        self._once = Once()
        self.guestbook = RedisGuestbook(asking, keys, node)
        self._questions = Questions(asking, keys, node)
        self.presence = Presence(asking, keys, node, self._gone, self.guestbook.assert_all)

    def join(self, sink: BusSink) -> None:
        """See `Bus.join`."""
        self._sink = sink

    # --- following ---

    def follow(self, room: str) -> None:
        """See `Bus.follow`."""
        if room in self._followed:
            return
        self._followed[room] = Followed()
        self._by_channel[self._keys.room(room).channel] = room
        if not self._new:
            self._call_soon(self._subscribe_new)
        self._new[room] = None

    def unfollow(self, room: str) -> None:
        """See `Bus.unfollow`."""
        followed = self._followed.pop(room, None)
        if followed is None:
            return
        self._new.pop(room, None)
        channel = self._keys.room(room).channel
        self._by_channel.pop(channel, None)
        self._asking.wire.unsubscribe([channel])
        followed.interrupt()
        followed.release()

    def overhear(self, room: str) -> None:
        """Somebody is here whose own stream is on another server: what is said to it in direct conversations
        that are on this one is told on this one."""
        self._overheard[room] = None
        channel = self._keys.room(room).channel
        self._by_channel[channel] = room
        self._asking.wire.subscribe([channel], lambda _: None)  # if it is lost, `up` does it again

    def overhear_no_more(self, room: str) -> None:
        """It is not here any more."""
        if room in self._overheard:
            del self._overheard[room]
            channel = self._keys.room(room).channel
            self._by_channel.pop(channel, None)
            self._asking.wire.unsubscribe([channel])

    def ready(self, room: str) -> Promise[None]:
        """Answers when the room's channel is heard; at once if it is not followed."""
        followed = self._followed.get(room)
        if followed is None or followed.ready:
            return resolved(None)
        promise: Promise[None] = Promise()
        followed.waiting.append(lambda: promise.resolve(None))
        return promise

    def _subscribe_new(self) -> None:
        rooms, self._new = list(self._new), {}
        self._subscribe(rooms)

    def _subscribe(self, rooms: list[str]) -> None:
        if self._asking.wire.server is None:
            return  # `up` does it for all
        wanted = [(room, self._followed[room]) for room in rooms if room in self._followed]
        channels = [self._keys.room(room).channel for room, _ in wanted]
        self._asking.wire.subscribe(channels, lambda answer: self._subscribed(wanted, answer))

    def _subscribed(self, wanted: list[tuple[str, Followed]], answer: object) -> None:
        if isinstance(answer, Exception):
            return  # the connection is gone; `up` does it again
        for room, followed in wanted:
            if self._followed.get(room) is followed:
                self._ask_attending(room, followed)

    def _ask_attending(self, room: str, followed: Followed) -> None:
        names = self._keys.room(room)

        def answered(answer: Any) -> None:
            if self._followed.get(room) is not followed or isinstance(answer, Lost | NotConnected):
                return
            if self._sink is not None and not isinstance(answer, Exception):
                by_node = self._by_node(answer)
                self._sink.attending(room, {node: users for node, (users, _) in by_node.items()})
                for node, (_, more) in by_node.items():
                    self._sink.counted(room, node, more)
            followed.ready = True
            followed.release()
            if followed.was_ready and self._sink is not None:
                self._sink.missed(room)
            followed.was_ready = True

        self._asking.wire.run("attending", (names.workers, self._keys.workers), (names.present,), answered)

    def _by_node(self, answer: list[Any]) -> Mapping[str, tuple[Mapping[str, User], int]]:
        """The users of each other node, and how many it has besides."""
        nodes: dict[str, tuple[Mapping[str, User], int]] = {}
        for node, of in pairs(answer):
            told = [read_present(user) for _, user in pairs(of)]
            users = {user.id: user for user in told if isinstance(user, User)}
            nodes[node.decode()] = (users, sum(user for user in told if isinstance(user, int)))
        nodes.pop(self.node, None)
        for node in nodes:
            self.presence.saw(node)
        return nodes

    # --- the wire ---

    def up(self) -> None:
        """It is there, and nothing is subscribed."""
        self._asking.wire.subscribe([self._keys.everybody], self._hears_everybody)
        self._new.clear()
        self.presence.up()
        self.guestbook.assert_all()
        self._subscribe(list(self._followed))
        self._asking.wire.subscribe([self._keys.room(room).channel for room in self._overheard], lambda _: None)

    def _hears_everybody(self, answer: object) -> None:
        if not isinstance(answer, Exception):  # else the connection is gone; `up` does it again
            self._hears()

    def _gone(self, node: str) -> None:
        if self._sink is not None:
            self._sink.node_gone(node)

    def down(self) -> None:
        """It is not there."""
        for followed in list(self._followed.values()):
            followed.interrupt()

    def heard(self, channel: bytes, message: bytes) -> None:
        """A message on a channel."""
        kind, rest = message[:1], message[1:]
        if channel == self._keys.everybody:
            if kind == b"a":
                self._account(rest)
            elif kind == b"q" and self._sink is not None:
                self._questions.asked(rest, self._sink.who)
            return
        if channel == self._own:
            if kind == b"c":
                self.guestbook.renamed(rest)
            elif kind == b"r":
                self._questions.answered(rest)
            return
        room = self._by_channel.get(channel)
        if room is None:
            return  # it was on its way when we left
        if kind == b"m":
            self._committed(room, rest)
        elif kind == b"k":
            name, _, told = rest.decode("utf-8", "surrogateescape").partition("\x1f")
            self._knocked(name, told.encode("utf-8", "surrogateescape"))
        elif kind == b"p" and self.log_sink is not None:
            self.log_sink.pruned(room, int(rest))
        elif self._sink is not None:
            node, _, what = rest.partition(b"\x1f")
            if kind == b"e":
                event = read_signal(room, what) if node.decode() != self.node else None
                if event is not None:
                    self._sink.heard(room, event)
            elif node.decode() == self.node:
                return
            elif kind == b"j":
                self.presence.saw(node.decode())
                user = read_present(what)
                if isinstance(user, User):
                    self._sink.came(room, node.decode(), user)
                else:
                    self._sink.counted(room, node.decode(), user)
            elif kind == b"l" and what == COUNT.encode():
                self._sink.counted(room, node.decode(), 0)
            elif kind == b"l":
                self._sink.went(room, node.decode(), what.decode())

    # --- entries ---

    def _committed(self, room: str, told: bytes) -> None:
        followed = self._followed[room]
        seq, epoch, _ = told.split(b" ", 2)
        if not followed.is_told(int(seq), epoch.decode()):
            self._tell(read_told(room, told), followed)
        followed.catch_up()

    def _knocked(self, room: str, told: bytes) -> None:
        if room not in self._followed:
            entry = read_told(room, told)
            if self._once.first_time(entry):
                self._tell(entry, None)

    def appended(self, entry: Entry, then: Callable[[], None]) -> None:
        """An entry of ours was stored. The hub is told, in the room's order, and then `then` is called."""
        self.written += 1
        followed = self._followed.get(entry.room)
        if followed is None or not followed.ready:
            if followed is not None or self._once.first_time(entry):
                self._tell(entry, None)
        elif followed.is_next(entry.seq, entry.epoch):
            self._tell(entry, followed)
            then()
            followed.catch_up()
            return
        elif not followed.is_told(entry.seq, entry.epoch):
            followed.wait_for(entry.seq, then)
            return
        then()

    def _tell(self, entry: Entry, followed: Followed | None) -> None:
        if followed is not None:
            followed.told(entry)
        if self.log_sink is not None:
            self.log_sink.committed(entry)

    # --- signals and presence ---

    def tell(self, room: str, event: Event) -> None:
        """See `Bus.tell`."""
        signal = encode_signal(event)
        if signal is not None:
            words = (b"PUBLISH", self._keys.room(room).channel, b"e%s\x1f%s" % (self.node.encode(), signal))
            self._asking.wire.call(words, lambda _: None)

    def who(self, user_id: str) -> Promise[Known]:
        """See `Bus.who`."""
        return self._questions.who(user_id)

    def tops(self, rooms: Iterable[str]) -> Promise[Mapping[str, tuple[str, int]]]:
        """See `Bus.tops`."""
        return read_tops(self._asking, self._keys, rooms)

    def away(self, is_away: bool) -> None:
        """Redis has been away for a moment, or is there again."""
        if self.sharing is not None:
            self.sharing(is_away)
        elif self._sink is not None:
            self._sink.away(is_away)

    def attend(self, room: str, user: User) -> None:
        """See `Bus.attend`."""
        self.presence.attend(room, user)

    def absent(self, room: str, user_id: str) -> None:
        """See `Bus.absent`."""
        self.presence.absent(room, user_id)
