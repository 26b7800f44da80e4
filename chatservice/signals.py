"""What the process does at the signals an operator sends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

_Handler = Callable[[int, FrameType | None], object]


def on_hangup(reactor: Any, reload: Callable[[], object]) -> None:
    """At SIGHUP, which service managers send for "read it again", call `reload` in the reactor's turn.

    The same signal comes when the terminal is closed in which the process runs: then it ends, as it would have.
    Twisted uses SIGHUP for nothing.
    """
    had_terminal = _has_terminal()

    def hangup(_number: int, _frame: FrameType | None) -> None:
        if had_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            reactor.callFromThread(reload)  # the one thing a signal handler may do with a reactor

    reactor.callWhenRunning(signal.signal, signal.SIGHUP, hangup)


def stop_only_once(reactor: Any) -> None:
    """The second SIGTERM or SIGINT says what the first has said; Twisted would log a traceback."""

    def install() -> None:
        heard: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, _once(handler, heard))

    reactor.callWhenRunning(install)


def _once(handler: _Handler, heard: list[int]) -> _Handler:
    def first(number: int, frame: FrameType | None) -> None:
        if not heard:
            heard.append(number)
            handler(number, frame)

    return first


def _has_terminal() -> bool:
    return any(os.isatty(number) for number in (0, 1, 2))
