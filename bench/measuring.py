"""Running the load: one figure, and many of them interleaved."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from bench.scenarios import Scenario
from bench.servers import LOAD_CORE, Failed, Running, Server, running

Figures = dict[str, float]
"""What the generator printed (see the end of load/main.c), and what follows from it."""

Results = dict[tuple[str, str], Figures | str]
"""(scenario, server) → medians, or why there are none."""


def load(program: Path, at: Running, server: Server, scenario: Scenario, **more: str | int | float) -> Figures:
    """Put the scenario's load on a running server.

    :param more: overrides of the generator's options.
    :raises Failed: with the generator's complaint.
    """
    told: dict[str, str | int | float] = {"clients": 1000, "seconds": 2, "warmup": 0.7}
    if scenario.at == "echo":
        told["path"] = server.echo
    else:
        told.update(server.load)
        told["path"] = server.room
    told.update(scenario.load)
    told.update(more)
    words = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(
        [str(program), "--port", str(at.port), "--pid", str(at.pid), *words],
        capture_output=True,
        text=True,
        timeout=180,
        preexec_fn=_pin,
    )
    if done.returncode:
        raise Failed((done.stderr.strip().splitlines() or ["the generator ended"])[0])
    figures: Figures = json.loads(done.stdout)
    if scenario.load.get("mode") == "crowd":
        joins = float(told["clients"]) / 2
        figures["frames_each"] = figures["frames"] / joins
        figures["bytes_each"] = figures["bytes"] / joins
    elif figures["per_s"] == 0 and scenario.load.get("mode") != "idle":
        raise Failed("nothing was delivered")
    return figures


def measure(
    program: Path,
    scenarios: Iterable[Scenario],
    missing: dict[str, str],
    tell: Callable[[str], None],
    patience: float,
) -> Results:
    """Every scenario on its servers, in turns, so that what slows the machine for a while hits all alike.

    :param missing: packages that are not there, and why.
    :param patience: seconds more that a figure may take while other programs use the two cores.
    """
    results: Results = {}
    for scenario in scenarios:
        taken: dict[str, list[Figures]] = {}
        with ExitStack() as stack:
            # All stand by while one is under load; a server that only waits costs nothing.
            ready: dict[str, Running] = {}
            for repeat in range(scenario.repeats):
                for server in scenario.servers:
                    if (scenario.name, server.name) in results:
                        continue  # it failed before
                    try:
                        if server.package in missing:
                            raise Failed(f"not installed: {missing[server.package]}")
                        if server.name not in ready:
                            ready[server.name] = stack.enter_context(running(server, scenario.flavour))
                        more = {"patience": scenario.load.get("patience", patience)}
                        figures = load(program, ready[server.name], server, scenario, **more)
                    except (Failed, subprocess.TimeoutExpired) as failed:
                        results[scenario.name, server.name] = str(failed)
                        tell(f"{scenario.name} {server.name}: {failed}")
                        continue
                    taken.setdefault(server.name, []).append(figures)
                    shown = " ".join(f"{name}={value:g}" for name, value in figures.items() if value)
                    tell(f"{scenario.name} {server.name} {repeat + 1}/{scenario.repeats}: {shown}")
        for name, figures_of in taken.items():
            if (scenario.name, name) not in results:
                results[scenario.name, name] = median(figures_of)
    return results


def median(many: list[Figures]) -> Figures:
    """Column by column."""
    return {name: statistics.median(figures[name] for figures in many) for name in many[0]}


def _pin() -> None:
    if (os.cpu_count() or 1) > LOAD_CORE:
        os.sched_setaffinity(0, {LOAD_CORE})
