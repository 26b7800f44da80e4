"""python -m bench [--quick] [--only SCENARIO …]: measure, and write RESULTS.md and fanout.svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from importlib.metadata import version

from bench.measuring import Results, measure
from bench.plot import plot
from bench.prepare import BUILD, HERE, PEERS, Missing, generator, install_peers
from bench.report import goals, report
from bench.scenarios import BY_NAME, SCENARIOS, shrunk

QUICK_REPEATS, QUICK_SECONDS = 3, 0.8
PATIENCE_S, QUICK_PATIENCE_S = 4.0, 0.8


def main() -> int:
    """Measure what was asked for."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer scenarios, three short repeats")
    arguments.add_argument(
        "--only", nargs="+", choices=sorted(BY_NAME), metavar="SCENARIO", help=", ".join(BY_NAME)
    )
    arguments.add_argument(
        "--patience",
        type=float,
        help="seconds more a figure may take on a machine that does other things too [4; 0.8]",
    )
    asked = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # else the servers would outlive us
    try:
        program = generator()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    failed = install_peers()
    chosen = [scenario for scenario in SCENARIOS if not asked.only or scenario.name in asked.only]
    if asked.quick:
        quick = [scenario for scenario in chosen if scenario.quick or asked.only]
        chosen = [shrunk(scenario, repeats=QUICK_REPEATS, seconds=QUICK_SECONDS) for scenario in quick]
    patience = asked.patience if asked.patience is not None else QUICK_PATIENCE_S if asked.quick else PATIENCE_S
    begin = time.monotonic()
    results = {**(_before() if asked.only else {}), **measure(program, chosen, failed, _tell, patience)}
    _keep(results)
    took = f"{time.monotonic() - begin:.0f} s{', the quick way' if asked.quick else ''}"
    if asked.only:
        took += f" for {', '.join(asked.only)}; the rest is of earlier runs"
    (HERE / "RESULTS.md").write_text(report(results, _machine(took), failed))
    (HERE / "fanout.svg").write_text(plot(results))
    print(goals(results))
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


def _keep(results: Results) -> None:
    rows = [[scenario, server, figures] for (scenario, server), figures in results.items()]
    (BUILD / "results.json").write_text(json.dumps(rows, indent=1))


def _before() -> Results:
    """What an earlier run found; `--only` replaces a part of it."""
    file = BUILD / "results.json"
    if not file.exists():
        return {}
    return {(scenario, server): figures for scenario, server, figures in json.loads(file.read_text())}


def _machine(took: str) -> list[str]:
    ours = ", ".join(f"{name} {version(name)}" for name in ("twisted", "autobahn", "orjson", "pyopenssl"))
    pinned = [line for line in (PEERS / "requirements.txt").read_text().splitlines() if "==" in line]
    npm = json.loads((PEERS / "package.json").read_text())["dependencies"]
    peers = ", ".join([line.replace("==", " ") for line in pinned] + [f"{name} {npm[name]}" for name in npm])
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return [
        f"{time.strftime('%Y-%m-%d')}, {took}; {_processor()}, {os.cpu_count()} cores, Linux {_kernel()};"
        f" load average at the end {load}",
        f"Python {platform.python_version()}, {ours}",
        f"Node {_node()}; {peers}",
    ]


def _kernel() -> str:
    """Its version, without what a distributor added."""
    return ".".join(platform.release().split(".")[:2])


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _node() -> str:
    try:
        return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    except OSError:
        return "is not installed"


sys.exit(main())
