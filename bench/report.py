"""RESULTS.md: goals, then a table for each scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.goals import judge
from bench.measuring import Results
from bench.scenarios import SCENARIOS, Scenario
from bench.servers import WS

COLUMNS = {
    "per_s": "a second",
    "ratio": "× `ws`",
    "us_each": "server CPU µs each",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "server_cpu": "server CPU",
    "load_cpu": "generator CPU",
    "others_cpu": "others' CPU",
    "kib_each": "KiB each",
    "rss_kib": "memory MiB",
    "rss_growth_kib": "growth MiB",
    "frames_each": "frames a join",
    "bytes_each": "bytes a join",
    "joined_s": "all joined after s",
}


def report(results: Results, machine: Sequence[str], missing: dict[str, str]) -> str:
    """The whole page.

    :param machine: lines about where and when it was measured.
    """
    parts = [
        "# What `make bench` measured\n",
        "One load generator in C for all servers; the server has core 0, the generator core 1; loopback; text of"
        " 64 bytes from one publisher to 1 000 clients in one room unless said otherwise. Medians of repeats"
        " in turns, each after a warm-up. *Window*: messages under way. The chat runs as"
        " `twistd chat --insecure-no-limits` with everything else as always: numbering, log (SQLite with a full"
        " sync before anyone is told, or memory), bounded queues, and on chat.v1 JSON and an answer to each"
        " message. The peers only broadcast. *Others' CPU*: what other programs took of the two cores meanwhile;"
        " moments in which they did are left out as long as there are enough others.\n",
        "\n".join(f"- {line}" for line in machine) + "\n",
        *(f"- **{name}** was not installed: {why}\n" for name, why in missing.items()),
        "![Fan-out and its cost](fanout.svg)\n",
        goals(results),
    ]
    parts += [table(scenario, results) for scenario in SCENARIOS if _measured(scenario, results)]
    return "\n".join(parts)


def goals(results: Results) -> str:
    """The goals' table."""
    lines = ["## Goals\n", "| goal | wanted | measured | by server CPU each | |", "|---|---|---|---|---|"]
    for verdict in judge(results):
        unit = verdict.goal.unit
        measured = f"{verdict.measured:.2f} {unit}" if verdict.measured is not None else verdict.why
        by_cpu = f"{verdict.by_cpu:.2f} {unit}" if verdict.by_cpu is not None else ""
        said = "met" if verdict.met else "**missed**" if verdict.measured is not None else "open"
        lines.append(f"| {verdict.goal.what} | {verdict.goal.wanted} | {measured} | {by_cpu} | {said} |")
    return "\n".join(lines) + "\n"


def table(scenario: Scenario, results: Results) -> str:
    """One scenario."""
    columns = scenario.columns
    base = results.get((scenario.name, WS.name))
    per_s = base["per_s"] if isinstance(base, dict) else None
    if per_s is None:
        columns = tuple(column for column in columns if column != "ratio")
    lines = [
        f"## {scenario.title}\n",
        *((scenario.note + "\n",) if scenario.note else ()),
        "| server | " + " | ".join(COLUMNS[column] for column in columns) + " |",
        "|---|" + "--:|" * len(columns),
    ]
    for server in scenario.servers:
        figures = results.get((scenario.name, server.name), "not measured")
        if isinstance(figures, str):
            lines.append(f"| {server.name} | {figures} |{' |' * (len(columns) - 1)}")
            continue
        more = figures | {"ratio": figures["per_s"] / per_s} if per_s else figures
        lines.append(f"| {server.name} | " + " | ".join(shown(column, more[column]) for column in columns) + " |")
    return "\n".join(lines) + "\n"


def shown(column: str, value: float) -> str:
    """A figure as a reader wants it."""
    if column in ("server_cpu", "load_cpu", "others_cpu"):
        return f"{value:.0%}"
    if column in ("rss_kib", "rss_growth_kib"):
        return f"{value / 1024:.0f}"
    if column in ("per_s", "bytes_each"):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _measured(scenario: Scenario, results: Results) -> Iterable[bool]:
    return [True for name, _ in results if name == scenario.name]
