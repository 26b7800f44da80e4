"""What every HTTP answer says about what a browser may do with it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_POLICY = b"Content-Security-Policy"

HSTS: tuple[bytes, bytes] = (b"Strict-Transport-Security", b"max-age=15552000")
"""Half a year, this host only (RFC 6797). Only where TLS is ours with a real certificate: behind a proxy it is the
proxy's to say, and a self-signed one or this computer's own name would lock people out of what else is there."""


def security_headers(public_url: str = "") -> Mapping[bytes, bytes]:
    """Everything a page needs comes from here; nothing else may run in it or be fetched by it.

    :param public_url: where people find the page. Safari before 15.4 does not count WebSocket as `'self'` (WebKit
        bug 201591), so it has to be named; a Host header could be anybody's word.
    """
    address = urlsplit(public_url)
    scheme = "wss" if address.scheme == "https" else "ws"
    connect = f"'self' {scheme}://{address.netloc}" if address.netloc else "'self'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self';"
        f" media-src 'self' blob:; connect-src {connect}; manifest-src 'self'; worker-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types chat-sw"
    )
    return {
        _POLICY: policy.encode("ascii"),
        b"X-Content-Type-Options": b"nosniff",
        b"Referrer-Policy": b"no-referrer",
        b"Cross-Origin-Opener-Policy": b"same-origin",
        b"Permissions-Policy": b"camera=(), microphone=(), geolocation=()",
    }


def naming(headers: Mapping[bytes, bytes], script: str) -> Mapping[bytes, bytes]:
    """The policy of one page that has a script in its own HTML: it names that one's digest, so that nothing else
    that stands there ever runs (CSP Level 3 section 8.3).

    :param headers: what every answer carries.
    :param script: its hash source, such as `sha256-…`; empty if there is none.
    :returns: what differs from `headers`.
    """
    own = b"script-src 'self'"
    policy = headers[_POLICY].replace(own, b"%s '%s'" % (own, script.encode("ascii")))
    return {_POLICY: policy} if script else {}


def refusal(status: bytes, why: bytes, headers: Mapping[bytes, bytes]) -> bytes:
    """A whole answer that ends its connection, for where there is no request object.

    :param status: code and reason.
    :param why: one line, or nothing.
    """
    lines = [b"HTTP/1.1 " + status, *(name + b": " + value for name, value in headers.items())]
    if why:
        lines.append(b"Content-Type: text/plain; charset=utf-8")
    body = why and why + b"\n"
    lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", body]
    return b"\r\n".join(lines)
