"""`chatservice version`: what to say in a bug report."""

from __future__ import annotations

import platform
import sqlite3
import ssl
import sys
from argparse import ArgumentParser, Namespace
from importlib.metadata import version

from chatservice import __version__


def arguments(parser: ArgumentParser) -> None:
    """Nothing may stand after `version`."""


def run(args: Namespace) -> int:
    """Say it."""
    sys.stdout.write(
        f"chatservice {__version__}\n"
        f"Python {platform.python_version()}, Twisted {version('twisted')}, Autobahn {version('autobahn')},"
        f" SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}\n"
    )
    return 0
