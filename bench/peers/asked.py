"""What a peer is asked on its command line: PORT [--tls CERTIFICATE KEY] [--deflate] [--uvloop]."""

from __future__ import annotations

import argparse
import asyncio
import ssl
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

_parser = argparse.ArgumentParser()
_parser.add_argument("port", type=int)
_parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
_parser.add_argument("--deflate", action="store_true")
_parser.add_argument("--uvloop", action="store_true")
_parser.add_argument("--prepared", action="store_true", help="Autobahn: sendPreparedMessage")
asked = _parser.parse_args()

rooms: defaultdict[str, set[Any]] = defaultdict(set)
"""The peers of each path."""


def secure() -> ssl.SSLContext | None:
    """The context for `--tls`."""
    if not asked.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*asked.tls)
    return context


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it until the process is ended."""
    if asked.uvloop:
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)
