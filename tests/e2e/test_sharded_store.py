"""A real chat on two real Redis servers, and its rooms divided anew by the command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from redis_server import RedisServer

from e2e.server import Server, clean_environment, eventually
from e2e.v1peer import V1Peer

ROOMS = {"hall": None, "lobby": None}  # partitions 63 and 247


def health(server: Server, which: str = "health") -> dict[str, Any]:
    """What a probe is told with status 200."""
    with urllib.request.urlopen(server.page_url + which, timeout=20) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def post(server: Server, room: str) -> tuple[int, str]:
    """Say something in a room in which nobody is, over HTTP; status and error."""
    where = f"{server.page_url}api/rooms/{room}/messages"
    request = urllib.request.Request(where, b"hello", {"Content-Type": "text/plain"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["code"]


def chatservice(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, run as an operator would."""
    command = [sys.executable, "-m", "chatservice.cli", *words]
    return subprocess.run(
        command, cwd=directory, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )


def test_two_servers(tmp_path: Path) -> None:
    """Rooms of both servers; one that is away is named and the other goes on; with other ranges the start is
    refused until the rooms were moved, and then everybody goes on where it was."""
    with RedisServer() as first, RedisServer() as second:
        equal, other = f"{first.url} {second.url}", f"0-255={first.url} none={second.url}"
        with Server(tmp_path / "chat", f"--store={equal}") as server:
            with V1Peer(server, "Ann", rooms=ROOMS) as ann:
                epochs = {room: ann.hello["rooms"][room]["epoch"] for room in ROOMS}
                for room in ROOMS:
                    assert ann.ask("message", room=room, text=f"in {room}")["seq"] == 1
                assert health(server)["status"] == "ok"
                second.kill9()
                eventually(lambda: health(server).get("away") == ["1"], "the server being named")
                assert ann.ask("message", room="lobby", text="refused")["code"] == "unavailable"
                assert ann.ask("message", room="hall", text="goes on")["seq"] == 2
                assert health(server, "health/ready")["status"] == "degraded"
                began = time.monotonic()
                assert post(server, "attic") == (503, "unavailable") and post(server, "room1") == (201, "")
                assert time.monotonic() - began < 2.0  # what is asked waits 3 s, what is said does not
                assert ann.ask("join", room="attic")["code"] == "unavailable"
                assert "internal_error" not in server.log
                second.start()
                eventually(lambda: health(server)["status"] == "ok", "its return")
            running = chatservice(tmp_path, "divide", f"--store={other}")
            assert running.returncode == 1 and "stop all of them first" in running.stderr
        refused = chatservice(tmp_path, "run", f"--store={other}", "--line=none", "--listen=tcp:0")
        assert refused.returncode == 1 and "partitions 128-255 are at" in refused.stderr
        assert "Traceback" not in refused.stderr
        moved = chatservice(tmp_path, "divide", f"--store={other}")
        assert (moved.returncode, moved.stderr) == (0, "") and "partitions 128-255 moved" in moved.stdout
        with Server(tmp_path / "chat", f"--store={first.url}") as server:
            since = {room: {"epoch": epoch, "seq": 0} for room, epoch in epochs.items()}
            with V1Peer(server, "Bob", rooms=since) as bob:
                told = {room: [event["text"] for event in bob.hello["rooms"][room]["events"]] for room in ROOMS}
                assert told == {"hall": ["in hall", "goes on"], "lobby": ["in lobby"]}
                assert bob.ask("message", room="lobby", text="on")["seq"] == 2
