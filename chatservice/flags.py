"""`twistd chat`'s command line, made from the table of options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python import usage

from chatservice.config import OPTIONS


class Options(usage.Options):
    """`twistd chat`'s command line, made from the table in `config.py`."""

    synopsis = "[options]"
    longdesc = "A chat that speaks every dialect: page, WebSocket, TCP lines; one room list, one log."
    optParameters = [
        [option.name, None, None, f"{option.help}{f' [{option.default}]' if option.default else ''}"]
        for option in OPTIONS
        if option.kind == "value"
    ]
    optFlags = [[option.name, None, option.help] for option in OPTIONS if option.kind == "flag"]

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[str]] = {}

    def given(self) -> dict[str, Any]:
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
        setattr(Options, "opt_" + _option.name, _repeatable(_option.name, f"{_option.help} [{_option.default}]"))
