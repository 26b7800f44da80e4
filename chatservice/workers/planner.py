"""Asking the application, in a process of its own, what the settings say now."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

from chatservice.workers.plan import Plan
from chatservice.workers.spawning import spawn

MODULE = "chatservice.commands.plan"
"""What makes plans; it is not imported here."""

MOST_BYTES = 1_000_000


class NoPlan(Exception):
    """The settings cannot be used; its text is one line for the operator."""


class Planner:
    """One question.

    :ivar pid: of the process that works it out.
    :ivar number: the descriptor from which its answer is read.
    :raises OSError: if there is no room for another process.
    """

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], sockets: Sequence[tuple[str, int]]
    ) -> None:
        self.number, told = os.pipe()
        try:
            self.pid = spawn([sys.executable, "-m", MODULE, *words], environment, sockets, told, 2)
        except OSError:
            os.close(self.number)
            raise
        finally:
            os.close(told)
        self._said = b""

    def read(self) -> bool:
        """To be called when there is something to read; whether that was all."""
        more = os.read(self.number, 65_536)
        self._said += more[: MOST_BYTES - len(self._said)]
        if not more:
            os.close(self.number)
        return not more

    def plan(self) -> Plan:
        """What it has said.

        :raises NoPlan: if the settings cannot be used.
        """
        try:
            said = json.loads(self._said)
            if "error" in said:
                raise NoPlan(str(said["error"]))
            return Plan.from_json(said["plan"])
        except (ValueError, TypeError, KeyError) as error:
            raise NoPlan("they could not be worked out") from error
