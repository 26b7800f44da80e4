"""HTTP answers that are files or words: content codings, validators, how long they may be kept."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.web import http as responses
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from chatservice.transports.assets import StaticFile

ASK_EACH_TIME = b"no-cache"
FOR_EVER = b"public, max-age=31536000, immutable"
"""For names that tell their content (RFC 8246)."""


def best_coding(accepted: bytes, offered: Mapping[bytes, bytes]) -> bytes | None:
    """The first offered coding that an Accept-Encoding takes (RFC 9110 section 12.5.3); None: as it is."""
    weights = {}
    for item in accepted.lower().split(b","):
        coding, _, parameters = item.partition(b";")
        name, _, value = parameters.partition(b"=")
        try:
            weight = float(value) if name.strip() == b"q" else 1.0
        except ValueError:
            weight = 0.0
        weights[coding.strip()] = weight
    anything = weights.get(b"*", 0.0)
    return next((coding for coding in offered if weights.get(coding, anything) > 0), None)


def has_it(if_none_match: bytes, etag: bytes) -> bool:
    """Whether a browser has this already (RFC 9110 section 13.1.2). Proxies that pack weaken tags."""
    tags = {tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")}
    return etag in tags or b"*" in tags


class FileResource(Resource):
    """Serves one file.

    :param kept: the Cache-Control of it.
    """

    isLeaf = True

    def __init__(
        self, file: StaticFile, headers: Mapping[bytes, bytes] | None = None, *, kept: bytes = ASK_EACH_TIME
    ) -> None:
        super().__init__()
        self._file = file
        self._headers = {b"Cache-Control": kept, b"Vary": b"Accept-Encoding", **(headers or {})}

    def render(self, request: Request) -> bytes | int:
        """Only to be read. Twisted's own page for other methods shows the peer's words."""
        if request.method in (b"GET", b"HEAD"):
            return super().render(request)  # type: ignore[no-any-return]
        return _READ_ONLY.render(request)

    def render_GET(self, request: Request) -> bytes | int:
        """The file, or 304 when the browser has it."""
        for name, value in self._headers.items():
            request.setHeader(name, value)
        file = self._file
        coding = best_coding(request.getHeader(b"Accept-Encoding") or b"", file.packed)
        # A strong tag is of these very bytes, so each coding has its own.
        etag = b'"%s%s"' % (file.digest[:20].encode(), b"" if coding is None else b"-" + coding)
        request.setHeader(b"ETag", etag)
        if has_it(request.getHeader(b"If-None-Match") or b"", etag):
            request.setResponseCode(304)
            request.finish()  # what is returned would be given a length, which a 304 has not
            return NOT_DONE_YET
        request.setHeader(b"Content-Type", file.content_type)
        body = file.plain if coding is None else file.packed[coding]
        if coding is not None:
            request.setHeader(b"Content-Encoding", coding)
        if request.method == b"HEAD":  # Twisted would log a line for each body it has to throw away
            request.setHeader(b"Content-Length", b"%d" % len(body))
            return b""
        return body


class WordsResource(Resource):
    """A status and a few lines of plain text."""

    isLeaf = True

    def __init__(self, status: int, words: str, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__()
        self._status = status
        self._words = words.encode()
        self._headers = headers or {}

    def render(self, request: Request) -> bytes:
        """The words, whatever the method."""
        request.setResponseCode(self._status, responses.RESPONSES.get(self._status, b"Upgrade Required"))
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        for name, value in self._headers.items():
            request.setHeader(name, value)
        return b"" if request.method == b"HEAD" else self._words


_READ_ONLY = WordsResource(405, "this can only be read: GET or HEAD\n", {b"Allow": b"GET, HEAD"})
