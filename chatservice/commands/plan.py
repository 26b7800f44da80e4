"""`python -m chatservice.commands.plan FLAGS`: a plan for the parent of several workers, or what is wrong, as
JSON.

The parent asks so at SIGHUP: it does not know the settings itself, and must know them to be good before it
touches a worker.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace

from chatservice.commands.flags import add_flags, given_by
from chatservice.config import FILES, read_config
from chatservice.logbook import is_json
from chatservice.planning import BAD, make_plan, words_of
from chatservice.transports.inherited import Inherited


def say_plan(words: list[str], write: Callable[[str], object]) -> int:
    """Write the plan for these flags; the exit status."""
    from twisted.internet import reactor

    parser = ArgumentParser("chatservice.commands.plan", allow_abbrev=False)
    add_flags(parser)
    given = given_by(parser.parse_args(words))
    try:
        config = read_config(given, os.environ, FILES)
        _, plan = make_plan(config, Inherited.take(os.environ), reactor)
    except BAD as error:
        write(json.dumps({"error": str(error)}))
        return 1
    plan = replace(plan, words=words_of(given), json=is_json(config.log_format, sys.stderr))
    write(json.dumps({"plan": plan.to_json()}))
    return 0


if __name__ == "__main__":
    sys.exit(say_plan(sys.argv[1:], sys.stdout.write))
