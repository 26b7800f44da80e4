"""`chatservice restore FILE`: the log as it was when the copy was made."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from chatservice.commands.asking import Failed, settings, store_arguments
from chatservice.logs.backup import restore
from chatservice.logs.registry import database_of
from chatservice.preparing import take_lock


def arguments(parser: ArgumentParser) -> None:
    """Where from."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what `chatservice backup` has made")
    parser.add_argument("--force", action="store_true", help="also if there is a log, which is lost then")
    store_arguments(parser)


def run(args: Namespace) -> int:
    """With the data directory locked: a chat that runs has the log open."""
    config = settings(args)
    database = database_of(config.store, config.data)
    if database is None:
        raise Failed("a chat that keeps nothing has no log to be restored")
    with take_lock(config.data):
        restore(args.file, database, force=args.force)
    sys.stdout.write(f"{database} is what {args.file} holds; every room begins a new epoch with the next start\n")
    return 0
