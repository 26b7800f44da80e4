"""The benchmark still runs: every kind of load, small, against our own server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import servers as s
from bench.goals import judge
from bench.measuring import Figures, Results, load, median
from bench.plot import plot
from bench.prepare import generator
from bench.report import COLUMNS, report
from bench.scenarios import BY_NAME, SCENARIOS, Scenario
from bench.servers import Failed, Running, Server, running

TINY: dict[str, str | int | float] = {"seconds": 0.2, "warmup": 0.2, "patience": 0}


def loaded(program: Path, chat: Running, server: Server, scenario: str, clients: dict[str, int]) -> Figures:
    """A load's figures, from a moment in which something was delivered: both stay on one processor each, where
    others may be busy for longer than the shortest of these."""
    for seconds in (0.2, 2.0, 10.0):
        try:
            figures = load(program, chat, server, BY_NAME[scenario], **{**TINY, **clients, "seconds": seconds})
        except Failed as failed:
            if "nothing was delivered" not in str(failed):
                raise
        else:
            if figures["per_s"] > 0:
                return figures
    raise AssertionError("nothing was delivered")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator, compiled anew."""
    return generator(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def chat() -> object:
    """One chat for all loads without TLS."""
    with running(s.CHAT_V1) as at:
        yield at


@pytest.mark.parametrize(
    ("scenario", "server", "clients"),
    [
        ("fanout-16", s.CHAT_V1, {"clients": 12}),
        ("publishers-16", s.CHAT_TEXT, {"clients": 20}),
        ("rooms", s.CHAT_V1, {"clients": 20, "rooms": 10}),
        ("echo", s.CHAT_ECHO, {"clients": 5}),
        ("quiet", s.CHAT_TEXT, {"clients": 5, "rate": 100}),
        ("storm", s.CHAT_ECHO, {"clients": 5}),
        ("storm-room", s.CHAT_V1, {"clients": 5}),
        ("kilobyte", s.CHAT_V1, {"clients": 5}),
        ("slow", s.CHAT_TEXT, {"clients": 12, "slow": 4}),
    ],
)
def test_loads(program: Path, chat: Running, scenario: str, server: Server, clients: dict[str, int]) -> None:
    """The generator understands the chat, and counts."""
    figures = loaded(program, chat, server, scenario, clients)
    assert figures["per_s"] > 0
    assert figures["connected"] <= clients["clients"]
    if "storm" not in scenario:
        assert figures["p99_ms"] >= figures["p50_ms"] > 0


def test_deliveries_are_counted_right(program: Path, chat: Running) -> None:
    """At a fixed rate everyone in the room hears each message exactly once."""
    told: dict[str, str | int | float] = {"clients": 10, "rate": 50, "seconds": 1.0}
    for server in (s.CHAT_V1, s.CHAT_TEXT):
        figures = load(program, chat, server, BY_NAME["quiet"], **{**TINY, **told})
        # Neither half of them nor each twice; a busy computer is somewhat late.
        assert 300 < figures["per_s"] < 800, server.name


def test_crowd(program: Path) -> None:
    """Those who come to a small room are told of one by one, to 11 up to 20 who are there."""
    with running(s.CHAT_TEXT_MEMORY) as at:
        figures = load(program, at, s.CHAT_TEXT_MEMORY, BY_NAME["crowd"], **{**TINY, "clients": 20})
    assert figures["frames_each"] == sum(range(11, 21)) / 10


def test_tls(program: Path) -> None:
    """The generator speaks TLS."""
    with running(s.CHAT_TEXT_MEMORY, "tls") as at:
        figures = load(program, at, s.CHAT_TEXT_MEMORY, BY_NAME["wss-16"], **{**TINY, "clients": 5})
    assert figures["per_s"] > 0


def test_failures_are_told(program: Path) -> None:
    """A server that ends at once, or refuses, is reported with its reason."""
    broken = replace(s.CHAT_V1, words=("--store", "nothing:"))
    with pytest.raises(Failed, match="store"), running(broken):
        pass
    with running(s.CHAT_V1) as at, pytest.raises(Failed, match="404"):
        load(program, at, replace(s.CHAT_V1, room="/nowhere"), BY_NAME["fanout-1"], **TINY)


FIGURES: Figures = dict.fromkeys((*COLUMNS, "connected", "frames", "bytes"), 2.0)


def everything(scenarios: tuple[Scenario, ...]) -> Results:
    """A figure for every row."""
    return {(scenario.name, server.name): FIGURES for scenario in scenarios for server in scenario.servers}


def test_every_goal_is_measured() -> None:
    """Each goal finds its figures, in the full run and in the quick one."""
    for scenarios in (SCENARIOS, tuple(scenario for scenario in SCENARIOS if scenario.quick)):
        assert [verdict.why for verdict in judge(everything(scenarios)) if verdict.measured is None] == []


def test_report_and_plot() -> None:
    """They hold every row; what failed is there with its reason, and nothing stands unescaped in the picture."""
    results = everything(SCENARIOS)
    results["fanout-1", s.PICOWS.name] = "not installed: no wheel"
    page = report(results, ["a machine"], {"picows": "no wheel"})
    assert "| picows (Cython) | not installed: no wheel |" in page
    assert all(scenario.title in page for scenario in SCENARIOS)
    picture = plot(results)
    assert picture.count("<rect") == len(BY_NAME["fanout-1"].servers) + len(BY_NAME["fanout-16"].servers) - 1
    assert s.UWEBSOCKETS.name in picture


def test_median() -> None:
    """Column by column."""
    assert median([{"a": 1, "b": 9}, {"a": 5, "b": 2}, {"a": 3, "b": 4}]) == {"a": 3, "b": 4}
