"""`chatservice divide`: every partition onto the server that `--store` gives it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from chatservice.commands.asking import settings, store_arguments
from chatservice.logs.registry import divide_store


def arguments(parser: ArgumentParser) -> None:
    """Which servers."""
    store_arguments(parser)


def run(args: Namespace) -> int:
    """Nobody may use the servers meanwhile; they notice themselves."""
    moved = divide_store(settings(args).store, lambda words: sys.stdout.write(words + "\n"))
    if not moved:
        sys.stdout.write("every partition is where --store has it\n")
    return 0
