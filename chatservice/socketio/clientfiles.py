"""The client's own files, for pages that load `/socket.io/socket.io.js` from the server they talk to."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from twisted.web.server import Request

NAMES = {
    "socket.io.js": "4/socket.io.js",
    "socket.io.min.js": "4/socket.io.min.js",
    "4/socket.io.js": "4/socket.io.js",
    "4/socket.io.min.js": "4/socket.io.min.js",
    "2/socket.io.js": "2/socket.io.js",
}
"""What may be asked for after the mount point, and which file it is. No other path ever meets a disk."""


PACKAGED = Path(__file__).parent / "clients"
"""Where the build puts them if it has npm; for `Options.clients`."""


class ClientFiles:
    """Serves them from a directory.

    :param directory: where `4/` and `2/` are; None if there are none.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def render(self, request: Request) -> bytes:
        """The file that the end of the request's path names."""
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            request.setHeader(b"Allow", b"GET, HEAD")
            request.setResponseCode(405)
            return b"this can only be read: GET or HEAD\n"
        parts = request.path.decode("latin-1").split("/")
        name = NAMES.get("/".join(parts[-2:])) or NAMES.get(parts[-1])
        found = None
        if name is not None and self._directory is not None:
            found = _read(self._directory / name)
        if found is None:
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            request.setResponseCode(404)
            return (
                b"404: this server was built without the Socket.IO client files (that takes node and npm);\n"
                b"load socket.io.js from where your page comes from\n"
            )
        plain, zipped, etag = found
        request.setHeader(b"Content-Type", b"text/javascript; charset=utf-8")
        request.setHeader(b"Cache-Control", b"no-cache")
        vary = request.responseHeaders.getRawHeaders(b"Vary") or []
        request.responseHeaders.setRawHeaders(b"Vary", [*vary, b"Accept-Encoding"])
        if request.setETag(etag):
            return b""
        if takes_gzip(request):
            request.setHeader(b"Content-Encoding", b"gzip")
            return zipped
        return plain


_NEVER = re.compile(rb"q=0(?:\.0{0,3})?\Z")


def takes_gzip(request: Request) -> bool:
    """The client names gzip, and not with a weight of nothing (RFC 9110 section 12.5.3)."""
    offered = (request.getHeader(b"Accept-Encoding") or b"").lower()
    for part in offered.split(b","):
        coding, *parameters = (word.strip() for word in part.split(b";"))
        if coding == b"gzip":
            return not any(map(_NEVER.match, parameters))
    return False


@lru_cache(maxsize=8)
def _read(path: Path) -> tuple[bytes, bytes, bytes] | None:
    try:
        plain = path.read_bytes()
    except OSError:
        return None
    return plain, gzip.compress(plain, 9, mtime=0), b'"' + hashlib.sha256(plain).hexdigest()[:20].encode() + b'"'
