"""How fast the log answers through real sockets: a page, a search and a resume in a room of a million messages,
and messages accepted a second by how many senders pipeline.

    python bench/log_numbers.py [--messages 1000000] [--seconds 5]

It fills a database in a temporary directory, starts `twistd -n chat` on it, and asks over chat.v1. While it asks,
another connection echoes all the time: the longest echo tells how long the reactor was ever blocked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import websockets

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT))

from chatservice.domain.events import Said, User  # noqa: E402
from chatservice.logs.codec import encode  # noqa: E402
from chatservice.logs.migrations import upgrade  # noqa: E402
from chatservice.logs.search import indexed  # noqa: E402

WORDS = [
    "the",
    "of",
    "server",
    "message",
    "重启",
    "服务器",
    "上海",
    "数据库",
    "错误",
    "hello",
    "chat",
    "room",
    "天气",
    "很好",
    "deploy",
    "test",
    "北京",
    "latency",
]


def fill(path: Path, messages: int) -> None:
    """Write a room `big` of so many messages, as the log itself would have."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    upgrade(connection)
    connection.execute("PRAGMA synchronous=OFF")
    rng = random.Random(1)
    user = User("u_filler", "filler")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO room (name, epoch, top, ts, opened_by) VALUES ('big', 'e', 0, 0, 'x')")
    for seq in range(1, messages + 1):
        text = " ".join(rng.choices(WORDS, k=8)) + (" needle" if seq % (messages // 10) == 0 else "")
        body = encode(Said(user, text))
        connection.execute(
            "INSERT INTO entry (room, seq, epoch, ts, user_id, body) VALUES (1, ?, 'e', ?, ?, ?)",
            (seq, seq, user.id, body),
        )
        row = connection.execute(
            "INSERT INTO message (room, seq, ts, user_id, nick, text) VALUES (1, ?, ?, ?, ?, ?)",
            (seq, seq, user.id, user.nick, text),
        )
        connection.execute("INSERT INTO found (rowid, body) VALUES (?, ?)", (row.lastrowid, indexed(1, text)))
    connection.execute("UPDATE room SET top = ?", (messages,))
    connection.execute("COMMIT")
    connection.close()


class Talker:
    """One chat.v1 connection that asks and waits."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.id = 0

    async def ask(self, **command: object) -> dict[str, object]:
        self.id += 1
        await self.socket.send(json.dumps({"id": self.id, **command}))
        while True:
            frame = json.loads(await self.socket.recv())
            if frame.get("id") == self.id:
                assert frame["type"] == "ok", frame
                return dict(frame)


@asynccontextmanager
async def talker(port: int, **rooms: object) -> AsyncIterator[Talker]:
    async with websockets.connect(f"ws://127.0.0.1:{port}/v1", max_size=None) as socket:
        one = Talker(socket)
        await one.ask(type="hello", v=1, rooms=rooms)
        yield one


async def echo_for_ever(port: int, taken: list[float]) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}/echo") as socket:
        while True:
            begin = time.perf_counter()
            await socket.send("x")
            await socket.recv()
            taken.append(time.perf_counter() - begin)
            await asyncio.sleep(0.001)


def row(name: str, taken: list[float], echoes: list[float]) -> None:
    ms = sorted(1000 * value for value in taken)
    longest = 1000 * max(echoes, default=0.0)
    print(f"| {name} | {statistics.median(ms):.1f} | {ms[-1]:.1f} | {longest:.1f} |", flush=True)


async def measure_reading(port: int, messages: int, times: int) -> None:
    print("| what | median ms | longest ms | longest echo meanwhile ms |\n|---|---|---|---|")
    echoes: list[float] = []
    echoing = asyncio.create_task(echo_for_ever(port, echoes))
    rng = random.Random(2)
    async with talker(port, big=None) as one:
        joined = await one.ask(type="join", room="big")
        position = {"epoch": joined["epoch"], "seq": messages - 500}
        asks: dict[str, Callable[[], dict[str, object]]] = {
            "history page of 50, anywhere": lambda: {
                "type": "history",
                "room": "big",
                "before": rng.randint(100, messages),
                "limit": 50,
            },
            "search, 10 hits": lambda: {"type": "search", "room": "big", "q": "needle", "limit": 20},
            "search 上海, very many hits": lambda: {"type": "search", "room": "big", "q": "上海", "limit": 20},
            "search two common words": lambda: {"type": "search", "room": "big", "q": "重启 server", "limit": 20},
            "join with a gap of 500": lambda: {"type": "join", "room": "big", "since": position},
        }
        for name, make in asks.items():
            echoes.clear()
            taken = []
            for _ in range(times):
                begin = time.perf_counter()
                await one.ask(**make())
                taken.append(time.perf_counter() - begin)
            row(name, taken, echoes)
    echoing.cancel()


async def measure_saying(port: int, seconds: float) -> None:
    print("\n| pipelining senders | messages a second, each answered after its commit |\n|---|---|")
    for senders in (1, 16, 256):
        sockets = [await websockets.connect(f"ws://127.0.0.1:{port}/v1", max_size=None) for _ in range(senders)]
        window = 64 if senders == 1 else 16
        counts = await asyncio.gather(
            *(say(socket, number, window, seconds) for number, socket in enumerate(sockets))
        )
        print(f"| {senders} (window {window}) | {sum(counts) / seconds:,.0f} |", flush=True)
        for socket in sockets:
            socket.transport.abort()  # nobody waits for a goodbye


async def say(socket: websockets.ClientConnection, number: int, window: int, seconds: float) -> int:
    """Keep `window` messages under way in a room of one's own; count the answers."""
    room = f"r{number % 64}"
    await socket.send(json.dumps({"type": "hello", "v": 1, "id": 0, "rooms": {room: None}}))
    while json.loads(await socket.recv()).get("id") != 0:
        pass
    end, sent, done = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        while sent - done < window:
            sent += 1
            command = {
                "type": "message",
                "id": sent,
                "room": room,
                "cid": f"{number}-{end}-{sent}",
                "text": "hello " * 8,
            }
            await socket.send(json.dumps(command))
        frame = await socket.recv()
        if b'"type":"ok"' in frame[:16].encode() if isinstance(frame, str) else frame[:16]:
            done += 1
    return done


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=1_000_000)
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--times", type=int, default=20)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "chat-data"
        data.mkdir()
        begin = time.monotonic()
        fill(data / "chat.db", asked.messages)
        size = (data / "chat.db").stat().st_size / 1e6
        print(
            f"{asked.messages:,} messages, {size:.0f} MB, written in {time.monotonic() - begin:.0f} s\n",
            flush=True,
        )
        port = 18_099
        command = [
            *(
                str(Path(sys.executable).with_name("twistd")),
                "-n",
                "chat",
                "--line",
                "none",
                "--insecure-no-limits",
            ),
            *("--listen", f"tcp:{port}:interface=127.0.0.1", "--data", str(data)),
        ]
        log = open(Path(directory) / "log", "w+")  # noqa: SIM115
        server = subprocess.Popen(
            command, cwd=directory, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
        )
        try:
            while "Web " not in (Path(directory) / "log").read_text():
                assert server.poll() is None, (Path(directory) / "log").read_text()
                time.sleep(0.1)
            asyncio.run(measure_reading(port, asked.messages, asked.times))
            asyncio.run(measure_saying(port, asked.seconds))
        finally:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    main()
