"""What the benchmark needs before it can begin: the compiled generator, the peers' packages, a certificate."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from chatservice.transports.tls import self_signed

HERE = Path(__file__).parent
BUILD = HERE / "build"
PEERS = HERE / "peers"
PEERS_PYTHON = HERE / ".venv" / "bin" / "python"


class Missing(Exception):
    """Something cannot be built or installed; its text is one line for the reader."""


def generator(into: Path = BUILD) -> Path:
    """Compile the load generator unless it is newer than its sources.

    :raises Missing: without a C compiler or the headers of OpenSSL and zlib.
    """
    sources = sorted((HERE / "load").glob("*.[ch]"))
    program = into / "load"
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return program
    into.mkdir(parents=True, exist_ok=True)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Missing("the load generator needs a C compiler: apt-get install gcc libc6-dev libssl-dev zlib1g-dev")
    files = [str(path) for path in sources if path.suffix == ".c"]
    command = [compiler, "-std=gnu11", "-O2", "-Wall", "-o", str(program), *files, "-lssl", "-lcrypto", "-lz"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        hint = "apt-get install libssl-dev zlib1g-dev" if "No such file" in made.stderr else made.stderr
        raise Missing(f"the load generator does not compile: {hint}")
    return program


def certificate(into: Path = BUILD) -> tuple[Path, Path]:
    """A self-signed certificate and its key for the servers under TLS."""
    return self_signed(into, "localhost")


def install_peers() -> dict[str, str]:
    """Install the peers' pinned packages, each Python one by itself, so that one that fails hides no other.

    :returns: the reason for each package that could not be installed.
    """
    failed = {}
    if not PEERS_PYTHON.exists():
        _try([sys.executable, "-m", "venv", str(HERE / ".venv")])
    for line in (PEERS / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            why = _try([str(PEERS_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", line])
            if why:
                failed[line.partition("==")[0]] = why
    if not shutil.which("node") or not shutil.which("npm"):
        failed["npm"] = "node and npm are not installed"
    elif not _is_newer(PEERS / "node_modules", PEERS / "package-lock.json"):
        why = _try(["npm", "ci", "--no-audit", "--no-fund", "--prefix", str(PEERS)])
        if why:
            failed["npm"] = why
        else:
            (PEERS / "node_modules").touch()
    return failed


def _is_newer(made: Path, source: Path) -> bool:
    return made.exists() and made.stat().st_mtime >= source.stat().st_mtime


def _try(command: Sequence[str]) -> str | None:
    """Run it; one line of why it failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit status {done.returncode}"
