"""A wheel and a source distribution of the checkout, and the wheel installed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BARE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with wheel and sdist, built once, whichever worker of pytest needs it first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    out = shared / "dist"
    with (shared / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            made = build(tmp_path_factory)
            made.rename(out)
    return out


def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From what git knows or could know of the checkout, and the bundle."""
    subprocess.run(["make", "--no-print-directory", "web"], cwd=CHECKOUT, check=True)
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    bundle = [str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "chatservice/static/app").iterdir()]
    for name in [*filter(None, listed.split("\0")), *bundle]:
        if (CHECKOUT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((CHECKOUT / name).read_bytes())
            target.chmod((CHECKOUT / name).stat().st_mode)
    subprocess.run([source / "web" / "socketio-clients" / "build"], check=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", out, source], check=True, env=BARE, capture_output=True
    )
    return out


@pytest.fixture(scope="package")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of an empty virtual environment with nothing but the wheel."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=True)
    wheel = next(built.glob("*.whl"))
    subprocess.run(
        [home / "bin" / "pip", "install", "-q", "--disable-pip-version-check", wheel], check=True, env=BARE
    )
    return home / "bin"
