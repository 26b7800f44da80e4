"""`chatservice export ROOM`: the whole log of a room as JSON Lines, as `GET /api/rooms/ROOM/export` has it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

import orjson

from chatservice.commands.asking import asking, settings, store_arguments


def arguments(parser: ArgumentParser) -> None:
    """What may stand after `export`."""
    parser.add_argument("room", metavar="ROOM")
    store_arguments(parser)


def run(args: Namespace) -> int:
    """Write it, up to what was newest when it began."""
    out = sys.stdout.buffer
    with asking(settings(args)) as ask:
        seq, top = 0, None
        while top is None or seq < top:
            page = ask({"command": "room read", "room": args.room, "after": seq})
            top = page["top"] if top is None else top
            for entry in page["entries"]:
                if entry["seq"] <= top:
                    out.write(orjson.dumps(entry) + b"\n")
            seq = page["seq"]
    out.flush()
    return 0
