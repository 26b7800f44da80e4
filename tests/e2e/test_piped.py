"""Lines that come from a pipe."""

from __future__ import annotations

import subprocess

from .server import Server


def test_piped_lines_are_said(server: Server) -> None:
    """`printf 'one\\ntwo\\n' | nc` says both lines and hears them, though it closes its side at once."""
    done = subprocess.run(
        ["nc", "-N", "127.0.0.1", str(server.line_port)],
        input=b"one\ntwo\n/who\n",
        capture_output=True,
        timeout=20,
    )
    heard = done.stdout.decode().splitlines()
    assert [line.partition(":")[2] for line in heard if "say:" in line] == ["one", "two"]
    assert heard[-1] == "* bye"
