"""What a person sees at the start: where to go, where the data is, how to stop."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from chatservice import __version__
from chatservice.config import Config
from chatservice.logs.registry import shown_store
from chatservice.transports.endpoints import Listener

Ports = Mapping[Listener, int]
"""The port each listener really got."""


def banner(config: Config, listeners: tuple[Listener, ...], ports: Ports, notes: list[str]) -> str:
    """Several lines for stderr.

    :param listeners: all that serve the page and WebSocket, TLS ones with their key set.
    :param notes: lines of their own at the end, such as warnings.
    """
    rows = [f"chatservice {__version__} · Python {platform.python_version()}"]
    for number, listener in enumerate(listeners):
        port = ports.get(listener)
        hint = "   <- open this" if number == 0 else ""
        rows.append(f"  Web        {listener.url('http', port)}{hint}")
        rows.append(f"  WebSocket  {listener.url('ws', port)}   and /v1 /text /echo /scream")
    rows += [f"  TCP lines  {listener.address(ports.get(listener))}" for listener in config.lines]
    memory = "memory, lost at the end" if config.store.startswith("memory") else str(config.data)
    where = shown_store(config.store) or memory
    rows.append(f"  Data       {where}")
    rows.append(f"  Owner      whoever says hello with the token in {config.owner_token_path}")
    if all(listener.loopback for listener in (*listeners, *config.lines)):
        rows.append("  Only this computer can connect. To let others in: --listen tcp:8080")
    elif config.guests:
        rows.append("  Whoever can connect comes in as a guest, reads and writes; see --no-guests.")
    return "\n".join([*rows, *(f"  {note}" for note in notes)]) + "\n"


def background_notes(log_file: str, pid_file: str) -> list[str]:
    """What to know of a service that goes into the background now."""
    return [
        "Running in the background.",
        f"Log        {log_file}",
        f"Stop       kill $(cat {pid_file})",
    ]
