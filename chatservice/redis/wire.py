"""Both connections to one server, kept alive together: one for commands, one for what is heard.

They are one thing: a log on one server and a bus on another, after a fail-over that only one of them has seen,
would be silence that nobody notices. So both must show the same identity, and the loss of one is the loss of
both.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from chatservice.redis.address import Address
from chatservice.redis.connection import Connection
from chatservice.redis.dial import ask, dial
from chatservice.redis.errors import Lost, NotConnected, RedisError, Refusal, Unusable
from chatservice.redis.scripts import Script
from chatservice.redis.server import Server
from chatservice.redis.subscriber import Subscriber
from chatservice.redis.words import DEADLINE_S, Answer, Done, Word

PROBE_S = 5.0
"""How often it is proved that what is published is heard. A connection to a server that was demoted, or one that a
firewall has forgotten, looks healthy and is deaf."""

PROBE = b"probe"

FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 2.0
"""Between tries the wait doubles from the first to the longest, and of it a random part is waited (full jitter):
all workers lose the server in the same moment, and must not come back in the same moment."""


class Wire:
    """The way to one server.

    :param probe: a channel of our own, on which nobody else publishes `PROBE`.
    :param check: may raise `Unusable` for a server that must not be used.
    :param greeting: a script, its keys and values, run before anything else; `greeted` is given its answer, or an
        error as a value, and may raise `Unusable` too.
    :param up: both connections are there; nothing is subscribed.
    :param down: both are gone; the reason, also after each try that failed.
    :param heard: a message on a channel.
    :ivar server: who is there; None while nobody is.
    """

    server: Server | None = None

    def __init__(
        self,
        reactor: Any,
        address: Address,
        *,
        scripts: Mapping[str, Script],
        probe: bytes,
        up: Callable[[Server], object],
        down: Callable[[RedisError], object],
        heard: Callable[[bytes, bytes], object],
        check: Callable[[Server], object] = lambda _: None,
        greeting: tuple[str, Sequence[Word], Sequence[Word]] | None = None,
        greeted: Callable[[Answer], object] = lambda _: None,
        chance: Callable[[], float] = random.random,
        deadline_s: float = DEADLINE_S,
        probe_s: float = PROBE_S,
    ) -> None:
        self.address = address
        self._reactor = reactor
        self._scripts = scripts
        self._probe = probe
        self._up, self._down, self._heard, self._check = up, down, heard, check
        self._greeting, self._greeted = greeting, greeted
        self._chance = chance
        self._deadline_s, self._probe_s = deadline_s, probe_s
        self._commands: Connection | None = None
        self._subscriber: Subscriber | None = None
        self._tries = 0
        self._timer: IDelayedCall | None = None  # the next try, or the next probe
        self._probed = 0  # probes that have not come back
        self._is_stopped = True

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._is_stopped = False
        self._try()

    def stop(self) -> None:
        """Hang up for good. What is under way fails."""
        self._is_stopped = True
        self._give_up(Lost("we have hung up"))

    @property
    def in_flight(self) -> int:
        """Commands without an answer."""
        return 0 if self._commands is None else self._commands.in_flight

    # --- asking ---

    def call(self, words: Sequence[Word], done: Done) -> None:
        """Send a command. Without a connection `done` is given `NotConnected` at once."""
        if self.server is None or self._commands is None:
            done(NotConnected("not connected"))
        else:
            self._commands.send(words, done)

    def run(self, name: str, keys: Sequence[Word], values: Sequence[Word], done: Done) -> None:
        """Run a script."""
        script = self._scripts[name]
        rest = (len(keys), *keys, *values)

        def answered(answer: Answer) -> None:
            if isinstance(answer, Refusal) and answer.code == "NOSCRIPT":  # SCRIPT FLUSH: it was not run
                self.call((b"EVAL", script.source, *rest), done)
            else:
                done(answer)

        self.call((b"EVALSHA", script.digest, *rest), answered)

    def subscribe(self, channels: Iterable[bytes], done: Done) -> None:
        """See `Subscriber.subscribe`."""
        if self.server is None or self._subscriber is None:
            done(NotConnected("not connected"))
        else:
            self._subscriber.subscribe(channels, done)

    def subscribe_patterns(self, patterns: Iterable[bytes], done: Done) -> None:
        """See `Subscriber.subscribe_patterns`."""
        if self.server is None or self._subscriber is None:
            done(NotConnected("not connected"))
        else:
            self._subscriber.subscribe_patterns(patterns, done)

    def unsubscribe(self, channels: Iterable[bytes]) -> None:
        """See `Subscriber.unsubscribe`."""
        if self.server is not None and self._subscriber is not None:
            self._subscriber.unsubscribe(channels)

    # --- staying connected ---

    def _try(self) -> None:
        self._timer = None
        ensureDeferred(self._connect()).addErrback(self._failed)

    async def _connect(self) -> None:
        commands = self._commands = Connection(self._reactor, lambda: None, self._lost, self._deadline_s)
        server = await dial(self._reactor, self.address, commands)
        self._check(server)
        loading = [ask(commands, "SCRIPT", "LOAD", script.source) for script in self._scripts.values()]
        for answer in [await loaded for loaded in loading]:
            if isinstance(answer, RedisError):
                raise answer
        if self._greeting is not None:
            name, keys, values = self._greeting
            words = ("EVALSHA", self._scripts[name].digest, len(keys), *keys, *values)
            self._greeted(await ask(commands, *words))
        subscriber = self._subscriber = Subscriber(
            self._reactor, lambda: None, self._lost, self._told, self._deadline_s
        )
        if (await dial(self._reactor, self.address, subscriber)).identity != server.identity:
            raise Unusable("two connections show two servers")
        confirmed: Deferred[Answer] = Deferred()
        subscriber.subscribe([self._probe], confirmed.callback)
        if isinstance(await confirmed, RedisError) or not (commands.is_open and subscriber.is_open):
            raise Lost("the connection was lost")
        if self._is_stopped:
            raise Lost("we have hung up")
        self._tries = self._probed = 0
        self.server = server
        self._timer = self._reactor.callLater(self._probe_s, self._prove)
        self._up(server)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        self._give_up(error if isinstance(error, RedisError) else Unusable(f"{type(error).__name__}: {error}"))

    def _lost(self, why: str) -> None:
        if self.server is not None:  # else `_connect` hears of it by its own question
            self._give_up(Lost(why))

    def _give_up(self, why: RedisError) -> None:
        self.server = None
        commands, self._commands = self._commands, None
        subscriber, self._subscriber = self._subscriber, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in (subscriber, commands):
            if connection is not None:
                connection.abort(str(why))
        if not self._is_stopped:
            # Before `down` is told: it may stop us.
            self._timer = self._reactor.callLater(self._wait_s(), self._try)
        self._down(why)

    def _wait_s(self) -> float:
        most = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._tries, 10))
        self._tries += 1
        return self._chance() * most

    def _prove(self) -> None:
        """Is what we publish heard?"""
        self._timer = None
        if self._probed >= 2:
            self._give_up(Lost(f"nothing is heard of what is published since {2 * self._probe_s:g} s"))
            return
        self._probed += 1
        self._timer = self._reactor.callLater(self._probe_s, self._prove)
        self.call((b"PUBLISH", self._probe, PROBE), lambda _: None)

    def _told(self, channel: bytes, message: bytes) -> None:
        if channel == self._probe and message == PROBE:
            self._probed = 0
        else:
            self._heard(channel, message)
