"""What a server holds: its rooms' logs, its descriptors, its memory."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Sequence

from e2e.server import Server


def logs_of(server: Server, rooms: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """(seq, text) of all that was said in each room, as the export has it."""
    found = {}
    for room in rooms:
        with urllib.request.urlopen(f"{server.page_url}api/rooms/{room}/export", timeout=60) as answer:
            entries = [json.loads(line) for line in answer]
        found[room] = [(entry["seq"], entry["text"]) for entry in entries if entry.get("type") == "message"]
    return found


def sockets(server: Server) -> int:
    """How many sockets it has open. Of other files a reader of the log opens some when it is first needed."""
    directory = f"/proc/{server.pid}/fd"
    return sum(_target(f"{directory}/{number}").startswith("socket:") for number in os.listdir(directory))


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:  # closed meanwhile
        return ""
