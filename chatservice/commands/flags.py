"""The table of options as flags of a command."""

from __future__ import annotations

import shutil
import sys
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import Any

from chatservice.config import GROUPS, OPTIONS, Given
from chatservice.flags import MORE, help_text, metavar


class _HelpAll(Action):
    def __call__(self, parser: ArgumentParser, *_: Any) -> None:
        parser.print_usage()
        sys.stdout.write("\n" + help_text(shutil.get_terminal_size().columns, whole=True))
        parser.exit()


def add_flags(parser: ArgumentParser) -> None:
    """Add all of them, by group."""
    parser.usage = "%(prog)s [options]"
    parser.epilog = MORE
    parser.add_argument("--help-all", action=_HelpAll, nargs=0, help="show all options, also those that few need")
    for name in GROUPS:
        group = parser.add_argument_group(name)
        for option in (option for option in OPTIONS if option.group == name):
            flag = f"--{option.name}"
            text = SUPPRESS if option.seldom else option.described.replace("%", "%%")
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
