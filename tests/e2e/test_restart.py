"""Stop and start under an inherited socket, with everybody there: all come back, at a rate this node can take."""

from __future__ import annotations

import asyncio
import re
import resource
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from e2e.crowd import Crowd
from e2e.manager import Manager, listening, managed
from e2e.raw import exchange
from e2e.server import Server

DEADLINE_S = 30.0
PER_ROOM = 20
TALKERS = 60
TOLERANCE = 1.15  # who comes back is a program with timers too, on a machine that does other things


def raise_file_limit(people: int) -> None:
    """This process has a descriptor for each of them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= people + 500, f"only {hard} descriptors are allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.mark.parametrize("people", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_restart_with_everybody_there(tmp_path: Path, people: int) -> None:
    """People of three dialects, some of them talking, through stop and start: within 30 s all are back; nothing
    that was acknowledged is lost or there twice, nobody misses a number; everybody was told when to come back, and
    in no second more came than the node had said it could take."""
    raise_file_limit(people)
    manager = Manager(("web", listening()), directory=tmp_path)
    options = ("--listen=systemd:web", "--line=none", "--insecure-no-limits")
    with manager, managed(tmp_path / "s", manager, *options) as server:
        with ThreadPoolExecutor(1) as thread:  # Playwright's loop may be running in this one
            crowd = thread.submit(lambda: asyncio.run(through_a_restart(server, people))).result()
        promised = re.search(r"telling (\d+) people .* from ([0-9.]+) s on, (\d+) a second", server.log)
        assert promised and int(promised[1]) == people, server.log
        rate, busiest = int(promised[3]), crowd.busiest_second(crowd.stopped_at)
        check_the_log(server, crowd)
    sys.stdout.write(
        f"{people} people: stopped in {crowd.stop_s:.1f} s, all back {crowd.back_s:.1f} s after SIGTERM,"
        f" {busiest} in the busiest second of {rate} allowed,"
        f" {sum(len(member.acked) for member in crowd.members)} acknowledged\n"
    )
    assert [fault for member in crowd.members for fault in member.faults] == []
    assert crowd.untold == crowd.refused == 0
    assert busiest <= rate * TOLERANCE + 1


class Watched(Crowd):
    """With the times that are measured, in seconds."""

    stopped_at = stop_s = back_s = 0.0


async def through_a_restart(server: Server, people: int) -> Watched:
    """The whole story; the crowd that has seen it."""
    loop = asyncio.get_running_loop()
    crowd = Watched(server.web_port, people, PER_ROOM)
    await crowd.come()
    await crowd.all_in(1)
    async with crowd.talking(TALKERS):
        await asyncio.sleep(1.5)  # the node measures by the second
        crowd.stopped_at = loop.time()
        await loop.run_in_executor(None, server.stop)
        crowd.stop_s = loop.time() - crowd.stopped_at
        await loop.run_in_executor(None, server.start)
        await asyncio.wait_for(crowd.all_in(2), DEADLINE_S - (loop.time() - crowd.stopped_at))
        crowd.back_s = loop.time() - crowd.stopped_at
    await asyncio.wait_for(crowd.all_acknowledged(), 10)
    crowd.leave()
    await asyncio.sleep(0)
    return crowd


def check_the_log(server: Server, crowd: Crowd) -> None:
    """Hold what everybody knows against what the server has."""
    for room in sorted({member.room for member in crowd.members}):
        path = f"/api/rooms/{room}/export"
        head = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
        lines = exchange(server.web_port, head).partition(b"\r\n\r\n")[2].splitlines()
        entries = [orjson.loads(line) for line in lines]
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        texts = {entry["seq"]: entry["text"] for entry in entries}
        twice = [text for text, n in Counter(texts.values()).items() if n > 1]
        assert twice == []
        there = set(texts.values())
        for member in crowd.members:
            if member.room == room:
                assert all(texts.get(seq) == text for text, seq in member.acked.items())
                said = [line for line in member.heard if " says " in line]
                assert there.issuperset(said)
