"""The build step that fetches the Socket.IO browser clients."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
STEP = CHECKOUT / "web" / "socketio-clients"


def test_clients_are_copied_with_their_licences(tmp_path: Path) -> None:
    """Both clients are there, of the versions in the lockfile, each beside its licence."""
    subprocess.run([STEP / "build", tmp_path], check=True)
    lock = json.loads((STEP / "package-lock.json").read_text())["packages"]
    for major in ("2", "4"):
        version = lock[f"node_modules/client-{major}"]["version"]
        assert version.startswith(major)
        assert f"v{version}" in (tmp_path / major / "socket.io.js").read_text()[:200]
        assert "MIT" in (tmp_path / major / "LICENSE").read_text()
    assert (tmp_path / "4" / "socket.io.min.js").stat().st_size > 10_000


def test_without_npm_it_says_so(tmp_path: Path) -> None:
    """Without npm nothing is copied, which is said and is no failure."""
    done = subprocess.run(
        ["/bin/sh", STEP / "build", tmp_path / "to"], env={**os.environ, "PATH": str(_few_tools(tmp_path))},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "404" in done.stderr and not (tmp_path / "to").exists()


def test_lockfiles_name_no_download_addresses() -> None:
    """Where packages come from is the business of whoever builds."""
    for lock in (STEP / "package-lock.json", CHECKOUT / "tests" / "js" / "package-lock.json"):
        assert '"resolved"' not in lock.read_text() and '"integrity"' in lock.read_text()


def _few_tools(tmp_path: Path) -> Path:
    """A PATH with what every system has, and no npm."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "mktemp", "cp", "rm", "mkdir"):
        found = next(Path(place) / name for place in ("/usr/bin", "/bin") if (Path(place) / name).exists())
        (tools / name).symlink_to(found)
    return tools
