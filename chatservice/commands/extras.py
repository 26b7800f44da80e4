"""`python -m chatservice.commands.extras [FILE]`: what `pip install chatservice` must have in brackets for those
settings, such as `[redis,postgres]`; an empty line for nothing.

deploy/install asks so. Settings that cannot be read need nothing: the service itself says what is wrong with them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chatservice.config import BadConfig
from chatservice.config.settings import Settings, gather
from chatservice.logs.registry import REDIS, engine_of


def extras_of(settings: Settings) -> tuple[str, ...]:
    """The extras, by their names in setup.cfg."""
    store, archive = (str(settings.by_name[name].value) for name in ("store", "archive"))
    wanted = {
        "redis": engine_of(store) in REDIS or settings.by_name["socketio-emitters"].value != (),
        "postgres": archive.partition(":")[0] in ("postgresql", "postgres"),
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted)


def main(files: list[str]) -> int:
    """Say it; the exit status."""
    try:
        settings = gather({}, os.environ, map(Path, files))
    except BadConfig as error:
        sys.stderr.write(f"chatservice: {error}\n")
        return 1
    extras = ",".join(extras_of(settings))
    sys.stdout.write(f"[{extras}]\n" if extras else "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
