"""What the parent is to do, as the application has worked it out of the settings: plain values, for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

VARIABLE = "CHATSERVICE_PLAN"
"""The environment variable in which the process that becomes the parent leaves itself the plan."""

LIFELINE = "lifeline"
"""The name of the pipe that a worker inherits: its end is the parent's."""

CONTROL = "control"
"""The name of the listening socket of `control.sock`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One place to listen at.

    :ivar name: what the worker knows its descriptor by.
    :ivar host: the interface, `""` for all; with `port`, or else there is a `path`.
    :ivar path: of a UNIX socket. Those are shared by all workers: the kernel spreads TCP alone.
    :ivar mode: the file mode of that socket.
    :ivar step: how far apart the ports of neighbouring workers are: 0 where all share one.
    :ivar optional: whether the chat is as good without.
    """

    name: str
    host: str = ""
    port: int = 0
    backlog: int = 4096
    path: str = ""
    mode: int = 0o666
    step: int = 0
    optional: bool = False

    @property
    def shown(self) -> str:
        """Where that is, in words."""
        return self.path or f"port {self.port} on {self.host or 'all interfaces'}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything.

    :ivar workers: how many there are to be.
    :ivar data: the data directory, which all share.
    :ivar words: what follows `chatservice run` on a worker's command line.
    :ivar inherited: sockets of the service manager with their names: every worker gets all of them.
    :ivar log: where lines go: `stderr`, `stdout` or the path of a file.
    :ivar json: whether they are JSON.
    :ivar says: whether somebody wants to read on stderr where the chat is.
    :ivar pid_file: to be removed at the end; empty for none.
    """

    workers: int
    wanted: tuple[Wanted, ...]
    data: str
    words: tuple[str, ...] = ()
    inherited: tuple[tuple[str, int], ...] = ()
    log: str = "stderr"
    json: bool = False
    says: bool = False
    pid_file: str = ""

    def to_json(self) -> dict[str, Any]:
        """As an object of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Plan:
        """What `to_json` made.

        :raises TypeError, KeyError: for anything else.
        """
        return cls(
            **{
                **said,
                "wanted": tuple(Wanted(**one) for one in said["wanted"]),
                "words": tuple(said["words"]),
                "inherited": tuple((name, number) for name, number in said["inherited"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Handed:
    """What the process that becomes the parent leaves itself.

    :ivar sockets: descriptors that are open, each with its slot and its place in the plan.
    :ivar kept: descriptors that are only to stay open: the lock.
    """

    plan: Plan
    sockets: tuple[tuple[int, int, int], ...] = ()
    kept: tuple[int, ...] = ()

    def dump(self) -> str:
        """For `VARIABLE`."""
        return json.dumps({"plan": self.plan.to_json(), "sockets": self.sockets, "kept": self.kept})

    @classmethod
    def load(cls, text: str) -> Handed:
        """What `dump` made."""
        said = json.loads(text)
        return cls(
            Plan.from_json(said["plan"]),
            tuple((slot, place, number) for slot, place, number in said["sockets"]),
            tuple(said["kept"]),
        )
