"""The log: one line an event, for people or for machines.

Each of our own log calls names its `event`, a stable word in snake_case. Fields are scalars. What peers have said
is never among them; what else comes from outside, such as an address or a path, is made harmless for terminals.
"""

from __future__ import annotations

import re
import signal
import sys
from abc import abstractmethod
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from io import TextIOBase
from typing import Any, TextIO, cast

import orjson
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from twisted.python.logfile import LogFile
from zope.interface import implementer

LEVELS = {"debug": LogLevel.debug, "info": LogLevel.info, "warn": LogLevel.warn, "error": LogLevel.error}

OF_THE_LOG = ("log-format", "log-level")
"""The settings that somebody has to obey who writes it."""

# C0 and C1 (what terminals obey), line separators, and what turns the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OURS = frozenset({"event", "format", "isError", "message", "time", "system", "why", "failure", "logLevel"})


class Threshold:
    """What matters enough to be written; it can be changed while the service runs.

    :ivar is_heard: whether something writes by it; under `twistd --syslog`, say, nothing does.
    """

    def __init__(self, name: str = "info") -> None:
        self.is_heard = False
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


def is_json(form: str, out: TextIO) -> bool:
    """Whether a log of that form is of JSON objects where it goes to `out`; see `observer`."""
    # Twisted's log files do not know the question.
    return form == "json" or (form == "auto" and not (isinstance(out, TextIOBase) and out.isatty()))


def observer(form: str, threshold: Threshold, out: TextIO | None = None, worker: str = "") -> ILogObserver:
    """What writes the log.

    :param form: `human`, `json`, or `auto`: JSON unless it goes to a terminal.
    :param worker: see `Lines`.
    """
    out = out or sys.stderr
    threshold.is_heard = True
    lines: type[Lines] = JSONLines if is_json(form, out) else HumanLines
    observer: ILogObserver = lines(out, threshold, worker)
    return observer


def json_lines() -> ILogObserver:
    """For `twistd --logger chatservice.logbook.json_lines chat`: the same lines on stderr."""
    return observer("json", THRESHOLD)


class ForTwistd:
    """Makes what writes the log where twistd would write it; twistd finds it by its name.

    :ivar form: see `observer`.
    :ivar file: where to, as `--logfile` says it; `-` is standard output.
    """

    name = "chatservice.logbook.FOR_TWISTD"

    def __init__(self) -> None:
        self.form, self.file = "auto", "-"

    def __call__(self) -> ILogObserver:
        """SIGUSR1 begins a new file, as with twistd's own."""
        if self.file == "-":
            return observer(self.form, THRESHOLD, sys.stdout)
        file = LogFile.fromFullPath(self.file)
        signal.signal(signal.SIGUSR1, lambda *_: file.rotate())
        return observer(self.form, THRESHOLD, cast(TextIO, file))


def write_for(runner: MutableMapping[str, Any], form: str) -> None:
    """Let the log of `twistd` or `twist` have this form and the threshold, where it would be anyway, unless twistd
    was told who is to write it.

    :param runner: its options, before it makes use of them.
    """
    if "syslog" not in runner:  # twist, which takes a function of the file
        runner["fileLogObserverFactory"] = lambda out: observer(form, THRESHOLD, out)
        THRESHOLD.is_heard = True  # it is made only after the chat has started
    elif not (runner["syslog"] or runner["logger"]):
        FOR_TWISTD.form = form
        FOR_TWISTD.file = runner["logfile"] or ("-" if runner["nodaemon"] else "twistd.log")
        runner["logger"] = ForTwistd.name


THRESHOLD = Threshold()
"""That of the process."""

FOR_TWISTD = ForTwistd()
