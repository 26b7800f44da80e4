"""The log: one line an event, for people or for machines.

Each of our own log calls names its `event`, a stable word in snake_case. Fields are scalars. What peers have said
is never among them; what else comes from outside, such as an address or a path, is made harmless for terminals.
"""

from __future__ import annotations

import re
import sys
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

LEVELS = {"debug": LogLevel.debug, "info": LogLevel.info, "warn": LogLevel.warn, "error": LogLevel.error}

# C0 and C1 (what terminals obey), line separators, and what turns the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OURS = frozenset({"event", "format", "isError", "message", "time", "system", "why", "failure", "logLevel"})


class Threshold:
    """What matters enough to be written; it can be changed while the service runs."""

    def __init__(self, name: str = "info") -> None:
        self.set(name)

    def set(self, name: str) -> None:
        """By name, one of `LEVELS`."""
        self.least = LEVELS[name]

    def passes(self, event: LogEvent) -> bool:
        """Whether it is to be written."""
        level = event.get("log_level") or LogLevel.info
        return bool(level >= self.least)


def neutral(text: str) -> str:
    """The text without what a terminal or a log reader would obey: `\\x1b` is four harmless characters then."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def fields_of(event: LogEvent) -> Mapping[str, Any]:
    """What our own code has given the event beside its words."""
    found = {}
    for name, value in event.items():
        if name.startswith("log_") or name in _OURS or value is None:
            continue
        found[name] = value if isinstance(value, bool | int | float) else neutral(str(value))
    return found


def _words(event: LogEvent) -> str:
    failure = event.get("log_failure")
    words = formatEvent(event).rstrip("\n")
    return neutral(words or ("" if failure is None else failure.getErrorMessage()))


def _stamp(event: LogEvent) -> datetime:
    return datetime.fromtimestamp(event.get("log_time", 0.0), UTC)


def _trace(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return "" if failure is None else str(failure.getTraceback())


@implementer(ILogObserver)
class Lines:
    """Writes what passes; a subclass says how it looks.

    :param worker: which of several processes writes it; empty where there is one.
    """

    def __init__(self, out: TextIO, threshold: Threshold, worker: str = "") -> None:
        self._out = out
        self._threshold = threshold
        self._worker = worker

    def __call__(self, event: LogEvent) -> None:
        """Write it."""
        if self._threshold.passes(event):
            _write(self._out, self.line(event))

    @abstractmethod
    def line(self, event: LogEvent) -> str:
        """It, without the end of the line."""


class JSONLines(Lines):
    """One JSON object a line: `ts` (RFC 3339, UTC, milliseconds), `level`, `event`, `msg`, then fields."""

    def line(self, event: LogEvent) -> str:
        """See `Lines.line`."""
        level = event.get("log_level") or LogLevel.info
        line: dict[str, Any] = {
            "ts": _stamp(event).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "level": "error" if level is LogLevel.critical else level.name,
            "event": event.get("event", "library"),  # Twisted's own words have no name of ours
            "msg": _words(event),
        }
        if self._worker:
            line["worker"] = self._worker
        line |= {name: value for name, value in fields_of(event).items() if name not in line}
        trace = _trace(event)
        if trace:
            line["traceback"] = trace
        return orjson.dumps(line).decode()


class HumanLines(Lines):
    """Time, level and words; a traceback where there is one."""

    def line(self, event: LogEvent) -> str:
        """See `Lines.line`."""
        level = (event.get("log_level") or LogLevel.info).name
        when = _stamp(event).astimezone().strftime("%H:%M:%S")
        trace = "\n".join(neutral(line) for line in _trace(event).splitlines())
        who = f"{self._worker}: " if self._worker else ""
        return f"{when} {level:<5} {who}{_words(event)}" + (f"\n{trace}" if trace else "")


def _write(out: TextIO, line: str) -> None:
    try:
        out.write(line + "\n")
        out.flush()
    except (OSError, ValueError):  # nobody reads it any more, which is no reason to end the chat
        pass


def observer(form: str, threshold: Threshold, out: TextIO | None = None, worker: str = "") -> ILogObserver:
    """What writes the log.

    :param form: `human`, `json`, or `auto`: JSON unless it goes to a terminal.
    :param worker: see `Lines`.
    """
    out = out or sys.stderr
    if form == "auto":
        form = "human" if out.isatty() else "json"
    lines: type[Lines] = HumanLines if form == "human" else JSONLines
    observer: ILogObserver = lines(out, threshold, worker)
    return observer


def json_lines() -> ILogObserver:
    """For `twistd --logger chatservice.logbook.json_lines chat`: the same lines on stderr."""
    return observer("json", THRESHOLD)


THRESHOLD = Threshold()
"""That of the process."""
