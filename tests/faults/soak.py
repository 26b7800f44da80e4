"""`make soak`: people talk, are cut and come back, for 20 minutes; memory, lag and losses are printed.

python -m faults.soak [SECONDS]
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from e2e.measuring import resident_kib
from e2e.server import CHECKOUT, Server, clean_environment, eventually

from faults.crew import Crew
from faults.reading import logs_of, sockets

ROOMS = [f"soak-{n}" for n in range(5)]
MEMBERS = 60
CUTS_PER_S = 3  # of so many that come back politely, after their backoff
MESSAGES_PER_S = 20
LINES = 20  # so many lines are printed, however long it takes
GROWTH_KIB = 4096
"""From the middle of the run to its end. What people say goes to the disk, of each room 256 entries stay in
memory; what grows with the number of messages would be far above this."""


@dataclass
class Lag:
    """What the probe has seen, in milliseconds."""

    all: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)

    def hear(self, process: subprocess.Popen[str]) -> None:
        """Until it ends."""
        assert process.stdout is not None
        for line in process.stdout:
            values = [float(word) for word in line.split()]
            self.all += values
            self.new += values

    def told(self) -> str:
        """Of the time since it was asked last."""
        values, self.new = self.new, []
        return shown(values)


def shown(values: list[float]) -> str:
    """Median, 99 of 100, and the longest."""
    if not values:
        return "-"
    values = sorted(values)
    return f"{values[len(values) // 2]:.1f}/{values[len(values) * 99 // 100]:.1f}/{values[-1]:.0f}"


def main(seconds: float) -> None:
    """Run it; raises `AssertionError` for a broken promise."""
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory), "--insecure-no-limits") as server:
        command = [sys.executable, "-m", "faults.probe", str(server.web_port)]
        path = {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'tests'}"}
        with (
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(path)
            ) as probe,
            Crew([server.socket_url("/v1")], MEMBERS, ROOMS) as crew,
        ):
            lag = Lag()
            ears = threading.Thread(target=lag.hear, args=(probe,), daemon=True)
            ears.start()
            memory = soak(server, crew, lag, seconds)
            assert probe.stdin is not None
            probe.stdin.close()
            ears.join(20)
            finish(server, crew, lag, memory)


def soak(server: Server, crew: Crew, lag: Lag, seconds: float) -> list[int]:
    """Talk and cut; the memory at each line, in KiB."""
    eventually(crew.is_settled, "everybody is in", seconds=60)
    sys.stdout.write("   s    MiB  sockets  came back  messages    heard   lag ms p50/p99/max\n")
    memory: list[int] = []
    began = told = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        crew.call(lambda: speak(crew))
        if now - told >= seconds / LINES:
            told = now
            memory.append(resident_kib(server.pid))
            ledger = crew.ledger
            sys.stdout.write(
                f"{now - began:4.0f} {memory[-1] / 1024:6.1f} {sockets(server):8} {crew.came_online - MEMBERS:10}"
                f" {ledger.acknowledgements:9} {ledger.entries:8}   {lag.told()}\n"
            )
            sys.stdout.flush()
        time.sleep(max(0.0, now + 1 - time.monotonic()))  # the load: once a second
    return memory


def speak(crew: Crew) -> None:
    """What happens in a second."""
    for member in random.sample(crew.members, MESSAGES_PER_S):
        if member.core.unsent < 20:
            crew.say(member, random.choice(ROOMS))
    for member in random.sample(crew.members, CUTS_PER_S):
        member.cut()


def finish(server: Server, crew: Crew, lag: Lag, memory: list[int]) -> None:
    """See whether the promises were kept."""
    eventually(crew.is_settled, "everybody is in and has their answers", seconds=90)
    logs = logs_of(server, ROOMS)
    eventually(
        lambda: all(
            crew.ledger.has_heard(m.number, room) >= len(logs[room]) for m in crew.members for room in ROOMS
        ),
        "everybody has heard everything",
        seconds=60,
    )
    crew.ledger.check(logs, everybody=MEMBERS)
    half = memory[len(memory) // 2 :]
    growth = half[-1] - half[0] if half else 0
    sys.stdout.write(
        f"lost 0, doubled 0, out of order 0 of {sum(map(len, logs.values()))} messages;"
        f" {crew.ledger.resets.total()} views begun anew;"
        f" memory {growth:+} KiB in the second half; lag ms {shown(lag.all)}\n"
    )
    assert not crew.ledger.refusals and not crew.ledger.truncations
    assert growth < GROWTH_KIB, "memory grows"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1200.0)
