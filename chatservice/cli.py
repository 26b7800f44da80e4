"""The command `chatservice`: see `commands`."""

from __future__ import annotations

import difflib
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from chatservice import __version__
from chatservice.commands import COMMANDS
from chatservice.commands.asking import REFUSALS

_WORDS = """\
usage: chatservice [COMMAND] [OPTIONS]

A chat that speaks every dialect: web page, WebSocket, Socket.IO, TCP lines.

commands:
{rows}

`chatservice COMMAND --help` says more. Settings are also read from chat.toml and the environment (CHAT_*).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 if it was done, 1 if not, 2 if it was not understood."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] in (["-h"], ["--help"], ["help"]):
        rows = "\n".join(f"  {name:<14}{row.help}" for name, row in COMMANDS.items())
        sys.stdout.write(_WORDS.format(rows=rows))
        return 0
    if words[:1] == ["--version"]:
        sys.stdout.write(f"chatservice {__version__}\n")
        return 0
    name = words.pop(0) if words and not words[0].startswith("-") else "run"
    row = COMMANDS.get(name)
    if row is None:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there is {', '.join(COMMANDS)}"
        sys.stderr.write(f"chatservice: there is no command {name!a}{hint}\n")
        return 2
    command = row.load()
    parser = ArgumentParser(
        f"chatservice {name}", description=row.help[0].upper() + row.help[1:] + ".", allow_abbrev=False
    )
    command.arguments(parser)
    args = parser.parse_args(words)
    try:
        return command.run(args)
    except REFUSALS as error:
        sys.stderr.write(f"chatservice: {error}\n")
    except BrokenPipeError:  # whoever read what we write has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
