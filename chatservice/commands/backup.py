"""`chatservice backup [FILE]`: one file that holds the whole log, made while the chat runs or not; with Redis
one that holds the archive."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from chatservice.backups import DIRECTORY
from chatservice.commands.asking import Failed, asking, settings, store_arguments

PATIENCE_S = 3600.0
"""A big log on a slow disk takes its time, and nobody waits for it but the operator."""


def arguments(parser: ArgumentParser) -> None:
    """Where to."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="where to [backup/chat-TIME.db in the data directory]"
    )
    parser.add_argument("--force", action="store_true", help="also if there is a file of that name")
    store_arguments(parser)


def run(args: Namespace) -> int:
    """The service makes the copy where it may write; from there it is taken away."""
    wanted: Path | None = args.file
    if wanted is not None and wanted.exists() and not args.force:
        raise Failed(f"there is {wanted} already; --force puts the copy in its place")
    config = settings(args)
    with asking(config, PATIENCE_S) as ask:
        told = ask({"command": "backup"})
    # Only a name is believed: the service may have fewer rights than whoever asks.
    made = config.data / DIRECTORY / Path(told["path"]).name
    if made.is_symlink() or made.parent.is_symlink():
        raise Failed(f"{made} is reached by a symbolic link")
    if wanted is not None:
        try:
            move(made, wanted)
        except OSError as error:
            raise Failed(f"the copy is at {made}; it could not be moved: {error}") from error
    sys.stdout.write(f"{wanted or made} ({told['bytes']:,} bytes)\n")
    if told.get("archive"):  # a service that still runs an older version does not say
        sys.stderr.write(
            "chatservice: that is the archive; Redis has all the rest, and is copied before it: redis-cli --rdb"
            " (docs/scaling.md, Backups)\n"
        )
    return 0


def move(made: Path, wanted: Path) -> None:
    """It has its new name only when it is whole and on disk, also on another file system."""
    partial = wanted.with_name(wanted.name + ".partial")
    partial.unlink(missing_ok=True)  # by one that was cut off
    try:
        with (
            made.open("rb") as source,
            open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as to,
        ):
            shutil.copyfileobj(source, to)
            to.flush()
            os.fsync(to.fileno())
        os.replace(partial, wanted)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    directory = os.open(wanted.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    made.unlink()
