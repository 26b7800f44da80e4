"""`chatservice restore FILE`: the log as it was when the copy was made; the archive, if it is a copy of that."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from chatservice.commands.asking import Failed, settings, store_arguments
from chatservice.config import Config
from chatservice.logs.archive_registry import file_of_archive
from chatservice.logs.backup import as_archive, is_of_archive, restore, without_writer
from chatservice.logs.registry import REDIS, database_of, engine_of
from chatservice.preparing import take_lock


def arguments(parser: ArgumentParser) -> None:
    """Where from."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what `chatservice backup` has made")
    parser.add_argument("--force", action="store_true", help="also if there is a log, which is lost then")
    parser.add_argument(
        "--archive", metavar="ARCHIVE", help="of an archive: where it belongs [as the settings say]"
    )
    store_arguments(parser)


def run(args: Namespace) -> int:
    """With the data directory locked: a chat that runs has the log open."""
    config = settings(args)
    if not args.file.is_file():  # or a data directory would be made for nothing
        raise Failed(f"there is no {args.file}")
    if is_of_archive(args.file):
        archive = file_of_archive(args.archive or config.archive, config.data)
        if archive is None:
            raise Failed(f"{args.file} is of an archive: say where that is, such as --archive sqlite:")
        with take_lock(config.data), without_writer(archive):
            restore(args.file, archive, force=args.force, bring=as_archive)
        sys.stdout.write(f"{archive} is what {args.file} holds; Redis is to be restored too (docs/scaling.md)\n")
        return 0
    database = _log_of(config)
    with take_lock(config.data):
        restore(args.file, database, force=args.force)
    sys.stdout.write(f"{database} is what {args.file} holds; every room begins a new epoch with the next start\n")
    return 0


def _log_of(config: Config) -> Path:
    if engine_of(config.store) in REDIS:
        raise Failed(
            "a backup of a log is a file of SQLite, and Redis is restored by its own means (docs/scaling.md,"
            " Backups); with --store sqlite: it becomes a chat on SQLite, which `chatservice move` takes to Redis"
        )
    database = database_of(config.store, config.data)
    if database is None:
        raise Failed("a chat that keeps nothing has no log to be restored")
    return database
