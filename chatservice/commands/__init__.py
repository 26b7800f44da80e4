"""The commands of `chatservice`: rows of name and module, loaded when named.

A module has `arguments(parser)`, which says what may stand after the command, and `run(args)`, which does it and
answers the exit status: 0 if it was done, 1 if not. What it raises of `REFUSALS` is told in one line, status 1.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast


class Command(Protocol):
    """What a command's module has."""

    def arguments(self, parser: ArgumentParser) -> None: ...
    def run(self, args: Namespace) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One command.

    :ivar help: what it does, in half a line.
    """

    module: str
    help: str

    def load(self) -> Command:
        """Its module."""
        return cast(Command, import_module(f"chatservice.commands.{self.module}"))


COMMANDS: Mapping[str, Row] = {
    "run": Row("serve", "run the chat here, in the foreground (what is done without a command)"),
    "check-config": Row(
        "check_config", "say what is wrong with the settings, or what holds and where it was said"
    ),
    "user": Row("user", "look after accounts: add, passwd, role, list"),
    "room": Row("room", "look after rooms: list, lock, unlock, topic, expire"),
    "export": Row("export", "write everything that was said in a room to stdout, a JSON object a line"),
    "backup": Row("backup", "copy the log into one file, while the chat runs or not"),
    "restore": Row("restore", "put such a copy in the log's place, while the chat does not run"),
    "divide": Row("divide", "move rooms to the Redis servers that --store gives them, while no chat runs"),
    "move": Row("move", "copy a log on SQLite into an empty Redis, while the chat does not run"),
    "doctor": Row("doctor", "look at a chat through its public address, and say what a proxy does to it"),
    "version": Row("version", "say which version this is, and of what it is made"),
}
