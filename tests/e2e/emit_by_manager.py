"""python emit_by_manager.py SOCKET CHANNEL CALLS: emits by python-socketio, as back ends do. A program of its own:
in the tests' process `socketio` is the directory of our tests."""

from __future__ import annotations

import json
import sys
from typing import Any

from socketio import RedisManager  # type: ignore[attr-defined]


def main(path: str, channel: str, calls: str) -> None:
    manager = RedisManager(f"unix://{path}", channel=channel, write_only=True)
    for call in json.loads(calls):
        data: list[Any] = [b"\0\xff" if one == "BYTES" else one for one in call.get("data", [])]
        to = call.get("to") or None
        if call.get("order"):
            manager.close_room(to[0])
        else:
            manager.emit(call["name"], tuple(data), room=to, skip_sid=call.get("except"))


main(*sys.argv[1:])
