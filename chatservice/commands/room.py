"""`chatservice room`: which rooms there are, and orders that hold for everybody in one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from chatservice.commands.asking import Ask, asking, settings, store_arguments


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
    expire.add_argument("value", metavar="SECONDS")
    for command in (listing, lock, unlock, topic, expire):
        store_arguments(command)


def run(args: Namespace) -> int:
    """Do it, while the chat runs or not."""
    with asking(settings(args)) as ask:
        if args.command == "list":
            _list(ask)
            return 0
        done = ask({"room": args.room, **_order(args)})
    sys.stdout.write(f"{done['room']}: entry {done['seq']}\n")
    return 0


def _order(args: Namespace) -> dict[str, Any]:
    if args.command in ("lock", "unlock"):
        return {"command": "room lock", "value": "on" if args.command == "lock" else "off"}
    return {"command": f"room {'expires' if args.command == 'expire' else 'topic'}", "value": args.value}


def _list(ask: Ask) -> None:
    for room in ask({"command": "room list"})["rooms"]:
        holds = ", ".join(word for word in ("locked", "private") if room[word])
        sys.stdout.write(f"{room['top']:>9}  {room['name']}{f'  ({holds})' if holds else ''}\n")
