"""The table of options as flags of a command."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from chatservice.config import GROUPS, OPTIONS, Given
from chatservice.flags import metavar


def add_flags(parser: ArgumentParser) -> None:
    """Add all of them, by group."""
    parser.usage = "%(prog)s [options]"
    for name in GROUPS:
        group = parser.add_argument_group(name)
        for option in (option for option in OPTIONS if option.group == name):
            flag, text = f"--{option.name}", option.described.replace("%", "%%")
            if option.kind == "flag":
                group.add_argument(flag, action="store_true", help=text)
            elif option.kind == "list":
                group.add_argument(flag, action="append", metavar=metavar(option), help=text)
            else:
                group.add_argument(flag, metavar=metavar(option), help=text)


def given_by(args: Namespace) -> Given:
    """What was said."""
    said = {option.name: getattr(args, option.name.replace("-", "_")) for option in OPTIONS}
    return {name: value for name, value in said.items() if value not in (None, False)}
