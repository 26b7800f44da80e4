"""The request that opened a WebSocket, as it may be shown to whoever sent it; and how it was answered. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha1

from chatservice.wires.handshake import GUID

SHOWN = frozenset(
    (
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "dnt",
        "host",
        "origin",
        "pragma",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-storage-access",
        "sec-gpc",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
        "user-agent",
    )
)
"""Headers whose values a page may see. A browser keeps cookies from scripts, and a proxy before us may add what
not even the browser knows: what is not known to be harmless is not shown."""

_ONLY_VALUES = re.compile(r"(?<==)[^&#]+")
_HARMLESS = re.compile(r"(?:^|(?<=[?&]))(lang|nick|room|deflate|escape)=[^&#]*")


def shown_head(head: bytes) -> tuple[str, list[str]]:
    """The request, what could be secret replaced by how long it is; and the names of the headers this befell.

    :param head: as it came, up to its empty line.
    """
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    lines, hidden = [_shown_target(line)], []
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() in SHOWN:
            lines.append(field)
        else:
            hidden.append(name)
            lines.append(f"{name}: {_hidden(value.strip())}")
    return "\r\n".join(lines) + "\r\n\r\n", hidden


def accept_steps(key: str) -> dict[str, str]:
    """How Sec-WebSocket-Accept comes out of Sec-WebSocket-Key (RFC 6455 section 4.2.2), step by step."""
    joined = key + GUID
    digest = sha1(joined.encode())
    return {
        "key": key,
        "guid": GUID,
        "joined": joined,
        "sha1": digest.hexdigest(),
        "accept": b64encode(digest.digest()).decode(),
    }


def _shown_target(line: str) -> str:
    method, _, rest = line.partition(" ")
    target, _, version = rest.rpartition(" ")
    path, mark, query = target.partition("?")
    parts = [
        part if _HARMLESS.fullmatch(part) else _ONLY_VALUES.sub(lambda found: _hidden(found[0]), part, count=1)
        for part in query.split("&")
    ]
    return f"{method} {path}{mark}{'&'.join(parts)} {version}"


def _hidden(value: str) -> str:
    return f"({len(value)} octets not shown)"
