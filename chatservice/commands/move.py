"""`chatservice move --to redis://…`: a chat on SQLite becomes one that several processes share."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from chatservice.commands.asking import REMEDY, Failed, settings, store_arguments
from chatservice.config import checks
from chatservice.identity.passes import load_key
from chatservice.logs.archive_registry import NONE, database_of_archive
from chatservice.logs.registry import database_of, redis_address
from chatservice.preparing import take_lock


def arguments(parser: ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("--to", metavar="STORE", required=True, help="an empty Redis, as --store of the service")
    parser.add_argument(
        "--archive", metavar="ARCHIVE", default=NONE, help="an empty archive for what is older [none]"
    )
    parser.add_argument(
        "--redis-keep", metavar="N", default="", help="entries of a room in Redis [as the settings say]"
    )
    store_arguments(parser)


def run(args: Namespace) -> int:
    """With the data directory locked: a chat that runs has the log open."""
    config = settings(args)
    source = database_of(config.store, config.data)
    if source is None:
        raise Failed("only a chat on SQLite is moved; say its --store sqlite:[PATH] and --data")
    target = checks.store("--to", args.to)
    archive = database_of_archive(
        checks.archive("--archive", args.archive, target), config.data, config.archive_password
    )
    keep = checks.kept("--redis-keep", args.redis_keep) if args.redis_keep else config.redis_keep
    address = redis_address(target)
    from chatservice.logs.moving import move  # which needs the library that the line above has asked for

    if not source.exists():
        raise Failed(f"there is no {source}{REMEDY}")
    with take_lock(config.data):
        moved = move(source, address, load_key(config.guest_key_path), archive, keep=keep)
    sys.stdout.write(
        f"moved {moved.rooms} rooms with {moved.entries} entries and {moved.accounts} accounts; "
        f"{source} is as it was\n"
    )
    if moved.left:
        sys.stdout.write(
            f"{moved.left} older entries are in {source} only: with --archive they would have come along\n"
        )
    return 0
