"""The orderly end: whoever is there is answered, told when to come back, and seen out; then the log is closed."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred
from twisted.logger import Logger

from chatservice.config import Config
from chatservice.domain.errors import RESTART
from chatservice.domain.ports import Engine
from chatservice.listening import Listening
from chatservice.transports.surroundings import FAREWELL_S, Surroundings

ANSWERS_S = 5.0
"""What was asked before the end is answered, if the disk takes no longer than this."""

KNOCKERS_S = 1.0
"""Whoever has connected before the listeners closed is heard if it says what it wants within this."""

SLICE = 200
"""So many are told at once; between slices what they were told leaves."""

RELAYS_S = 12.0
"""What clients here have asked other workers is waited for so long. A poll may take longer, but with all else that
is waited for we are to be gone within `workers.crew.LEAVE_S`."""

LOOK_EVERY_S = 0.05

_log = Logger("chatservice")


@inlineCallbacks
def see_out(
    reactor: Any, listening: Listening, log: Engine, around: Surroundings
) -> Generator[Deferred[Any], Any, None]:
    """Stop listening, answer what was asked, tell everybody, and wait until they are gone: seconds, at most 11,
    or 18 where clients wait for answers of other workers.

    What the log has taken is answered before anybody is sent away. Whoever is not answered asks again under the
    same `cid`, and is told what came of it then. An inherited socket stays open: who connects from now on waits in
    the kernel for the next process.
    """
    _let_go(listening.config)
    for port in listening.open:
        yield maybeDeferred(port.stopListening)
    yield answered(reactor, log)
    # Who was let in a moment ago is still saying what it wants; what it is answered leaves a turn later.
    until = reactor.seconds() + KNOCKERS_S
    was_knocked = bool(len(around.handshakes))
    while len(around.handshakes) and reactor.seconds() < until:
        yield later(reactor, LOOK_EVERY_S)
    if was_knocked:
        yield later(reactor, LOOK_EVERY_S)
    everybody = listening.living()
    if everybody:
        comeback = around.comeback
        _log.info(
            "telling {n} people to come back from {first:.1f} s on, {rate:.0f} a second",
            event="people_told_to_come_back",
            n=len(everybody),
            first=comeback.first_s,
            rate=comeback.rate,
        )
    for begin in range(0, len(everybody), SLICE):
        for peer in everybody[begin : begin + SLICE]:
            peer.close(RESTART)
        yield later(reactor, 0)
    around.hub.end_readers(RESTART)
    listening.close_peers(RESTART)  # whoever has come in since, and sessions between two polls
    relays: Collection[object] = ()
    if around.neighbours is not None:
        around.neighbours.leave()
        relays = around.neighbours.relays
    was_relayed = bool(relays)
    began_at = reactor.seconds()
    while (len(around.farewells) + listening.leaving and reactor.seconds() < began_at + FAREWELL_S) or (
        relays and reactor.seconds() < began_at + RELAYS_S
    ):
        yield later(reactor, LOOK_EVERY_S)
    if was_relayed:  # what the last one was answered leaves a turn later
        yield later(reactor, LOOK_EVERY_S)


def _let_go(config: Config) -> None:
    # The ports have copies of these. As long as any process has one open, the kernel gives it connections
    # (SO_REUSEPORT); whoever is to serve it after us has it too. The ports close theirs later, so that nothing
    # is queued between the last accept and the last close.
    for listener in (*config.listeners, *config.self_signed, *config.lines, *config.redirects):
        for descriptor in listener.sockets:
            with suppress(OSError):
                os.close(descriptor)


def answered(reactor: Any, log: Engine) -> Deferred[None]:
    """Fires when the log has answered all that it was given before, or has not for too long."""
    done: Deferred[None] = Deferred()
    timer = reactor.callLater(ANSWERS_S, done.callback, None)

    def come(_: object) -> None:
        if not done.called:
            timer.cancel()
            done.callback(None)

    log.settled().then(come)
    return done


def later(reactor: Any, seconds: float) -> Deferred[None]:
    """Fires after so long."""
    done: Deferred[None] = Deferred()
    reactor.callLater(seconds, done.callback, None)
    return done
