"""Packages from npm that only the tests use: locked with their directory, installed when they are wanted."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path


def installed(directory: Path) -> Path:
    """`node_modules` of a directory, as its lockfile says.

    :param directory: holds package.json and package-lock.json.
    """
    npm = shutil.which("npm")
    assert npm, "npm is not installed; tests/install-tools tells what is needed"
    lockfile, modules = directory / "package-lock.json", directory / "node_modules"
    with lockfile.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs may begin at once
        done = modules / ".package-lock.json"
        if not done.exists() or done.stat().st_mtime < lockfile.stat().st_mtime:
            subprocess.run([npm, "ci", "--silent"], cwd=directory, check=True, timeout=300)
            done.touch()
    return modules
