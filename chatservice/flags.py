"""`twistd chat`'s command line, made from the table of options."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable

from twisted.python import usage

from chatservice.config import FILES, GROUPS, OPTIONS, BadConfig, Given, Option
from chatservice.config.settings import gather
from chatservice.logbook import OF_THE_LOG, write_for

COLUMN = 30
"""Where what an option does begins."""

MORE = f"--help-all shows {sum(option.seldom for option in OPTIONS)} more that few need."


def spelling(option: Option) -> str:
    """How it is said: `--listen LISTEN`."""
    return f"--{option.name}" if option.kind == "flag" else f"--{option.name} {metavar(option)}"


def metavar(option: Option) -> str:
    """What stands for its value."""
    words = {"number": "N", "list": "…"}
    return {"config": "FILE", "data": "DIR", "public-url": "URL", "self-signed": "PORT"}.get(
        option.name, words.get(option.kind, "…")
    )


def help_text(width: int, *, whole: bool = False) -> str:
    """Options by group, a paragraph each.

    :param whole: also those that few need.
    """
    rows: list[str] = []
    for group in GROUPS:
        shown = [option for option in OPTIONS if option.group == group and (whole or not option.seldom)]
        rows += ["", f"{group}:"] if shown else []
        for option in shown:
            said = "  " + spelling(option)
            lines = textwrap.wrap(option.described, max(20, width - COLUMN), break_on_hyphens=False)
            if len(said) + 2 > COLUMN:
                rows.append(said)
                said = ""
            rows.append(said.ljust(COLUMN) + lines[0])
            rows += [" " * COLUMN + line for line in lines[1:]]
    rows += [] if whole else ["", MORE]
    return "\n".join(rows[1:]) + "\n"


class Options(usage.Options):
    """What may stand after `twistd chat`."""

    synopsis = "Usage: twistd [options] chat [options]"
    longdesc = (
        "A chat that speaks every dialect: page, WebSocket, TCP lines; one room list, one log. CHAT_NAME in the"
        " environment and name in chat.toml say the same as --name."
    )
    optParameters = [
        [option.name, None, None, option.described] for option in OPTIONS if option.kind in ("value", "number")
    ]
    optFlags = [[option.name, None, option.help] for option in OPTIONS if option.kind == "flag"]

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[str]] = {}

    def getUsage(self, width: int | None = None, *, whole: bool = False) -> str:
        """Grouped, which Twisted's own is not."""
        columns = width or shutil.get_terminal_size().columns
        options = help_text(columns, whole=whole)
        return f"{self.synopsis}\n\n{textwrap.fill(self.longdesc, columns)}\n\n{options}"

    def opt_help_all(self) -> None:
        """Show all options, also those that few need."""
        sys.stdout.write(self.getUsage(whole=True))
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Let what was said about the log hold for whoever runs us; see `logbook.write_for`."""
        if self.parent is None:
            return
        try:
            said = gather(self.given(), os.environ, FILES).by_name
        except BadConfig:
            return  # `make_service` will say so
        if any(said[name].source != "default" for name in OF_THE_LOG):
            write_for(self.parent, str(said["log-format"].value))

    def given(self) -> Given:
        """What was said on the command line."""
        return {name: value for name, value in {**self, **self.lists}.items() if value not in (None, 0)}


def _repeatable(name: str, text: str) -> Callable[[Options, str], None]:
    def option(self: Options, value: str) -> None:
        self.lists.setdefault(name, []).append(value)

    option.__doc__ = text
    return option


for _option in OPTIONS:
    if _option.kind == "list":
        # usage.Options finds its repeatable options by methods of this name.
        setattr(Options, "opt_" + _option.name, _repeatable(_option.name, _option.described))
