"""A reactor whose time never jumps, whatever becomes of the computer's clock."""

from __future__ import annotations

import time
from typing import Any

from twisted.python import runtime


def keep_steady(reactor: Any) -> None:
    """Let `reactor` count the seconds of a clock that nobody sets (`time.monotonic`).

    Twisted's own reactors ask the wall clock when a call is due: set forward by a day, every deadline would be
    over at once; set back by a day, nothing that is due would be done for a day, and nobody be told anything.
    What counts dates asks `time.time` by itself. Reactors with another clock, as in tests, keep theirs.
    """
    if reactor.seconds is not runtime.seconds:
        return
    pending = [(call, call.getTime() - reactor.seconds()) for call in reactor.getDelayedCalls()]
    reactor.seconds = time.monotonic
    for call, left_s in pending:
        call.seconds = time.monotonic  # it asks the reactor once, when it is made
        call.reset(max(0.0, left_s))
