"""Everybody comes back at once: `python -m bench.resume_storm [PEOPLE] [WORKERS]`, 10000 and 2.

A chat on a Redis of its own; people of 100 rooms, each with 20 messages they have missed, connect, say hello
with their position and are told what they missed. Printed are how many a second are back, and the CPU of the
workers for each.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import orjson

from bench.servers import CHAT_V1_REDIS, running

ROOMS, MISSED, AT_ONCE = 100, 20, 256
_HEAD = (
    b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Somebody:
    """One connection of chat.v1."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def come(self, rooms: dict[str, object]) -> dict[str, object]:
        """Connect and say hello; the answer."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        self._writer.write(_HEAD)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return await self.ask({"type": "hello", "v": 1, "id": 1, "rooms": rooms})

    async def ask(self, command: dict[str, object]) -> dict[str, object]:
        """The answer to one command."""
        said = orjson.dumps(command)
        size = bytes((0x80 | len(said),)) if len(said) < 126 else b"\xfe" + len(said).to_bytes(2)
        self._writer.write(b"\x81" + size + b"\0\0\0\0" + said)
        while True:
            _, length = await self._reader.readexactly(2)
            if length >= 126:
                length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8))
            told: dict[str, object] = orjson.loads(await self._reader.readexactly(length))
            if told.get("id") == command["id"] and told["type"] in ("ok", "error"):
                assert told["type"] == "ok", told
                return told


async def storm(port: int, people: int) -> float:
    """Let them all come back; seconds."""
    epochs = []
    for number in range(ROOMS):
        talker = Somebody(port)
        room = f"storm{number}"
        told = await talker.come({room: None})
        epochs.append(told["rooms"][room]["epoch"])  # type: ignore[index]
        for n in range(MISSED):
            await talker.ask({"type": "message", "id": n + 2, "room": room, "text": "x" * 100})
    waiting = iter(range(people))
    there: list[Somebody] = []

    async def one_by_one() -> None:
        for number in waiting:
            somebody, room = Somebody(port), f"storm{number % ROOMS}"
            told = await somebody.come({room: {"epoch": epochs[number % ROOMS], "seq": 0}})
            joined = told["rooms"][room]  # type: ignore[index]
            assert joined["recovered"] and len(joined["events"]) == MISSED, joined
            there.append(somebody)

    begin = time.perf_counter()
    await asyncio.gather(*(one_by_one() for _ in range(AT_ONCE)))
    assert len(there) == people
    return time.perf_counter() - begin


def cpu_of_workers(parent: int) -> float:
    """Seconds that a process and its children have run."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = 0
    for pid in (str(parent), *children):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main(people: int, workers: int) -> None:
    """Measure and print one line."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = replace(CHAT_V1_REDIS, words=("--workers", str(workers)) if workers > 1 else ())
    with running(server, pinned=False) as at:
        before = cpu_of_workers(at.pid)
        took = asyncio.run(storm(at.port, people))
        cpu = cpu_of_workers(at.pid) - before
    sys.stdout.write(
        f"{people:,} resumed by {workers} workers in {took:.1f} s: {people / took:,.0f} a second,"
        f" {cpu / people * 1e3:.2f} ms of the workers each\n"
    )


if __name__ == "__main__":
    people, workers, *_ = (*map(int, sys.argv[1:]), *(10_000, 2)[len(sys.argv) - 1 :])
    main(people, workers)
