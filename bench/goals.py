"""What the chat has to reach, judged in one run on one machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import servers as s
from bench.measuring import Figures, Results
from bench.servers import Server


class Unknown(Exception):
    """A figure that the goal needs is not there."""


Look = Callable[[str, Server, str], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """:ivar measure: computes the figure that is judged, given a way to look up (scenario, server, column).
    :ivar by_cpu: the same ratio by the server's CPU each, which other programs on the machine disturb less.
    """

    what: str
    bound: float
    at_least: bool
    unit: str
    measure: Callable[[Look], float]
    by_cpu: Callable[[Look], float] | None = None

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a goal; `measured` is None when a figure is missing."""

    goal: Goal
    measured: float | None
    by_cpu: float | None = None
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        if self.measured is None:
            return False
        return self.measured >= self.goal.bound if self.goal.at_least else self.measured <= self.goal.bound


def _ratio(what: str, bound: float, scenario: str, ours: Server, theirs: Server) -> Goal:
    return Goal(
        what,
        bound,
        True,
        "×",
        lambda look: look(scenario, ours, "per_s") / look(scenario, theirs, "per_s"),
        lambda look: look(scenario, theirs, "us_each") / look(scenario, ours, "us_each"),
    )


def _column(scenario: str, server: Server, column: str) -> Callable[[Look], float]:
    return lambda look: look(scenario, server, column)


def _cost(a: str, b: str, server: Server) -> Callable[[Look], float]:
    return lambda look: look(a, server, "us_each") / look(b, server, "us_each")


OURS = s.CHAT_V1
GOALS: tuple[Goal, ...] = (
    _ratio("fan-out, window 1, against `ws`", 1.3, "fanout-1", OURS, s.WS),
    _ratio("fan-out, window 16, against `ws`", 8, "fanout-16", OURS, s.WS),
    _ratio("fan-out, 16 publishers, against `ws`", 8, "publishers-16", OURS, s.WS),
    _ratio("fan-out, window 16, against uWebSockets", 0.8, "fanout-16", OURS, s.UWEBSOCKETS),
    _ratio("fan-out, 16 publishers, against uWebSockets", 0.8, "publishers-16", OURS, s.UWEBSOCKETS),
    _ratio("fan-out, window 1, against plain Autobahn", 3.5, "fanout-1", OURS, s.AUTOBAHN),
    _ratio("fan-out, window 16, against plain Autobahn", 15, "fanout-16", OURS, s.AUTOBAHN),
    _ratio("wss fan-out, window 16, against `https` + `ws`", 1.0, "wss-16", OURS, s.WS),
    _ratio("echo, against `ws`", 0.8, "echo", s.CHAT_ECHO, s.WS),
    _ratio("handshakes a second, against `ws`", 0.8, "storm", s.CHAT_ECHO, s.WS),
    Goal("memory of an idle WebSocket", 8, False, "KiB", _column("idle", s.CHAT_ECHO, "kib_each")),
    Goal("memory of a chat.v1 session in a room", 10, False, "KiB", _column("idle-room", OURS, "kib_each")),
    Goal("CPU a delivery, 10 000 clients against 100", 1.5, False, "×", _cost("scale-10000", "scale-100", OURS)),
    Goal("CPU a delivery, compressed against uncompressed", 2, False, "×", _cost("deflate", "kilobyte", OURS)),
    Goal("p99 latency, 1 000 clients, 20 messages a second", 25, False, "ms", _column("quiet", OURS, "p99_ms")),
)


def judge(results: Results) -> list[Verdict]:
    """Every goal."""
    return [_judge(goal, results) for goal in GOALS]


def _judge(goal: Goal, results: Results) -> Verdict:
    def look(scenario: str, server: Server, column: str) -> float:
        figures: Figures | str = results.get((scenario, server.name), "not measured")
        if isinstance(figures, str):
            raise Unknown(f"{server.name} {figures}")
        return figures[column]

    try:
        return Verdict(goal, goal.measure(look), goal.by_cpu(look) if goal.by_cpu else None)
    except Unknown as unknown:
        return Verdict(goal, None, why=str(unknown))
    except ZeroDivisionError:
        return Verdict(goal, None, why="too little to measure")
