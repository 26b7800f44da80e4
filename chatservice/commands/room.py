"""`chatservice room`: which rooms there are, and orders that hold for everybody in one."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from chatservice.commands.asking import Ask, Failed, asking, settings, store_arguments
from chatservice.domain.orders import read_duration

_SECONDS = re.compile("[0-9]{1,9}")  # up to 31 years, as much as a room's rules take


def arguments(parser: ArgumentParser) -> None:
    """What may stand after `room`."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|lock|unlock|topic|expire")
    listing = commands.add_parser("list", help="show all rooms, the last used first: how many entries, what holds")
    lock = commands.add_parser("lock", help="let moderators alone write there")
    unlock = commands.add_parser("unlock", help="let everybody write there again")
    topic = commands.add_parser("topic", help="say what it is about; without words it has no topic")
    expire = commands.add_parser("expire", help="forget for good what is older; 0 keeps everything")
    for command in (lock, unlock, topic, expire):
        command.add_argument("room", metavar="ROOM")
    topic.add_argument("value", metavar="WORDS", nargs="?", default="")
    expire.add_argument("value", metavar="TIME", help="seconds, or such as 90m, 12h, 7d, 2w")
    for command in (listing, lock, unlock, topic, expire):
        store_arguments(command)


def run(args: Namespace) -> int:
    """Do it, while the chat runs or not."""
    order = {} if args.command == "list" else {"room": args.room, **_order(args)}
    with asking(settings(args)) as ask:
        if not order:
            _list(ask)
            return 0
        done = ask(order)
    sys.stdout.write(f"{done['room']}: entry {done['seq']}\n")
    return 0


def _order(args: Namespace) -> dict[str, Any]:
    if args.command in ("lock", "unlock"):
        return {"command": "room lock", "value": "on" if args.command == "lock" else "off"}
    if args.command == "topic":
        return {"command": "room topic", "value": args.value}
    return {"command": "room expires", "value": read_seconds(args.value)}


def read_seconds(said: str) -> str:
    """How long entries are kept, in seconds; `0` for ever.

    :raises Failed: if it says no time.
    """
    seconds = int(said) if _SECONDS.fullmatch(said) else read_duration(said)
    if seconds is None or not _SECONDS.fullmatch(str(seconds)):
        raise Failed(f"{said!a} is no time: say seconds, or such as 90m, 12h, 7d, 2w; 0 keeps everything")
    return str(seconds)


def _list(ask: Ask) -> None:
    for room in ask({"command": "room list"})["rooms"]:
        holds = ", ".join(word for word in ("locked", "private") if room[word])
        sys.stdout.write(f"{room['top']:>9}  {room['name']}{f'  ({holds})' if holds else ''}\n")
