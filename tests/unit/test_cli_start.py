"""What a command loads before it does anything: people wait for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_settings_are_read_without_what_serves() -> None:
    """To read the settings neither Autobahn nor Socket.IO nor an HTTP server is loaded."""
    program = "import sys, chatservice.commands.asking; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "chatservice.config.reading" in loaded
    assert not loaded & {"autobahn", "chatservice.socketio", "twisted.web.server"}
