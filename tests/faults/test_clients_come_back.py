"""Whatever ends connections: nothing acknowledged is lost or doubled, the order is kept, all is given back."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable

import pytest
from e2e.measuring import resident_kib
from e2e.server import Server, eventually

from faults.crew import Crew
from faults.reading import logs_of, sockets

ROOMS = [f"room-{n}" for n in range(4)]
Serve = Callable[..., Server]


def chance() -> random.Random:
    """A source of choices whose seed is told."""
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**9))
    sys.stdout.write(f"TEST_SEED={seed} makes the same choices again\n")
    return random.Random(seed)


def talk(crew: Crew, choices: random.Random, times: int) -> None:
    """Somebody says something somewhere, so often."""

    def say() -> None:
        for _ in range(times):
            member = choices.choice(crew.members)
            if member.core.unsent < 20:
                crew.say(member, choices.choice(ROOMS))

    crew.call(say)


def end_well(server: Server, crew: Crew) -> int:
    """Everything has its answer and was heard by all; how many messages there are."""
    eventually(crew.is_settled, "everybody is online and has their answers", seconds=90)
    logs = logs_of(server, ROOMS)
    total = sum(map(len, logs.values()))
    ledger = crew.ledger

    def all_heard() -> bool:
        return all(
            ledger.has_heard(m.number, room) >= len(log) for m in crew.members for room, log in logs.items()
        )

    eventually(all_heard, "everybody has heard everything", seconds=60)
    crew.ledger.check(logs, everybody=len(crew.members))
    assert not crew.ledger.refusals, crew.ledger.refusals
    return total


@pytest.mark.parametrize(
    ("members", "times"), [(60, 400), pytest.param(120, 10_000, marks=pytest.mark.slow)], ids=["short", "full"]
)
def test_reconnects_in_a_minute(serve: Serve, members: int, times: int) -> None:
    """Everybody is cut again and again, 10 000 times in a minute, in the middle of what they say."""
    server, choices = serve("--insecure-no-limits"), chance()
    with Crew([server.socket_url("/v1")], members, ROOMS, impatient=True) as crew:
        eventually(crew.is_settled, "everybody is in")
        before, began = resident_kib(server.pid), time.monotonic()
        files = sockets(server)
        while crew.came_online < members + times:
            victims = choices.sample(crew.members, members // 5)
            came = crew.came_online
            talk(crew, choices, 6)
            crew.call(lambda victims=victims: [member.cut() for member in victims])
            eventually(lambda came=came: crew.came_online >= came + members // 5, "those who were cut are back")
        took = time.monotonic() - began
        total = end_well(server, crew)
        assert not crew.ledger.resets and not crew.ledger.truncations
        assert not any(member.reasons for member in crew.members), "a client did not like what it was told"
        eventually(lambda: sockets(server) <= files, "every socket was given back")
        grown = resident_kib(server.pid) - before
        sys.stdout.write(
            f"{crew.came_online - members} reconnects in {took:.0f} s, {total} messages,"
            f" {crew.ledger.entries} entries heard, memory +{grown} KiB\n"
        )
        assert grown < 24 * 1024


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.slow)], ids=["6 seconds", "60 seconds"])
def test_a_stopped_process(serve: Serve, seconds: float) -> None:
    """SIGSTOP for a minute: who waited goes on, who gave up comes back, and what was said meanwhile is there."""
    server, choices = serve("--insecure-no-limits"), chance()
    with Crew([server.socket_url("/v1")], 40, ROOMS) as crew:
        eventually(crew.is_settled, "everybody is in")
        talk(crew, choices, 200)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                talk(crew, choices, 3)
                time.sleep(0.25)  # this is the fault itself, which lasts so long
        finally:
            os.kill(server.pid, signal.SIGCONT)
        talk(crew, choices, 50)
        total = end_well(server, crew)
        came = crew.came_online - len(crew.members)
        sys.stdout.write(f"{total} messages, {came} came back, refused {crew.ledger.refusals}\n")
        assert total >= 250
        if seconds < 35:
            assert came == 0, "a short stop is no reason to hang up"


@pytest.mark.parametrize(
    ("rounds", "least"), [(3, 0), pytest.param(50, 100_000, marks=pytest.mark.slow)], ids=["short", "full"]
)
def test_kill_9(serve: Serve, rounds: int, least: int) -> None:
    """kill -9 in the middle, again and again: every `ok` that anybody got is true after it."""
    server, choices = serve("--insecure-no-limits"), chance()
    with Crew([server.socket_url("/v1")], 30, ROOMS, impatient=True) as crew:
        for _ in range(rounds):
            eventually(crew.is_settled, "everybody is in", seconds=60)
            wanted = crew.ledger.acknowledgements + max(100, least // rounds) + choices.randrange(100)
            while crew.ledger.acknowledgements < wanted:
                talk(crew, choices, 60)
            server.kill9()
            server.start()
        total = end_well(server, crew)
        sys.stdout.write(
            f"{rounds} kills, {crew.ledger.acknowledgements} acknowledged, {total} kept,"
            f" {crew.ledger.entries} heard\n"
        )
        assert crew.ledger.acknowledgements >= least
