"""Where a request has its token: `Authorization`, a subprotocol, a cookie; the address only for WebSockets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.web.server import Request

from chatservice.domain.errors import Code, Refused
from chatservice.domain.trust import Identity, Passes

BEARER = "bearer."
"""A subprotocol that begins so is a token: the one header a script can choose. It is never agreed to."""

COOKIE, SECURE_COOKIE = "chat", "__Host-chat"
"""A subprotocol that begins so is a token: the one header a script may choose. It is never agreed to."""

COOKIE_BYTES = 8192


def from_header(authorization: str) -> str | None:
    """The token of an `Authorization` header (RFC 6750 section 2.1)."""
    kind, _, token = authorization.partition(" ")
    return (token.strip() or None) if kind.lower() == "bearer" else None


def from_cookie(cookies: str, origin: str, host: str, fetch_site: str = "") -> str | None:
    """The token in the cookie of a page of our own; None if another page may have asked.

    A browser adds cookies to whatever any page asks for, so the page must be ours to the port: by `Origin`, or
    where a browser sends none, by `Sec-Fetch-Site`.

    :param host: the Host header as it came.
    """
    if not cookies or len(cookies) > COOKIE_BYTES or not (is_own(origin, host) or fetch_site == "same-origin"):
        return None
    # The standard library's parser gives up all cookies for one that is odd, and the others are not ours to blame.
    jar = dict(pair.strip(" \t").split("=", 1) for pair in cookies.split(";") if "=" in pair)
    return jar.get(SECURE_COOKIE) or jar.get(COOKIE) or None


def is_own(origin: str, host: str) -> bool:
    """Whether that origin is a page of this very host and port."""
    return bool(host) and origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def from_handshake(
    headers: Mapping[str, str], subprotocols: Sequence[str], query: Mapping[str, Sequence[str]]
) -> str | None:
    """The token that a WebSocket handshake says itself.

    :param headers: by names in small letters.
    """
    chosen = next((word.removeprefix(BEARER) for word in subprotocols if word.startswith(BEARER)), None)
    return from_header(headers.get("authorization", "")) or chosen or next(iter(query.get("token", ())), None)


def prove(
    passes: Passes | None,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    query: Mapping[str, Sequence[str]],
) -> tuple[str | None, Identity | None]:
    """The token of a WebSocket handshake, and whom it proves.

    A cookie that proves nothing counts as none: a browser sends it whether its user wants or not.

    :raises Refused: if the token proves nothing.
    """
    said = from_handshake(headers, subprotocols, query)
    if said is not None:
        return said, None if passes is None else passes.read(said)
    kept = from_cookie(headers.get("cookie", ""), headers.get("origin", ""), headers.get("host", ""))
    try:
        return kept, None if passes is None or kept is None else passes.read(kept)
    except Refused:
        return None, None


def header(request: Request, name: str) -> str:
    """A header of a request; empty if it is not there. Twisted's own way raises what nobody expects.

    :raises Refused: `bad_request` for bytes that are no UTF-8.
    """
    try:
        return (request.getHeader(name.encode()) or b"").decode()
    except UnicodeDecodeError:
        raise Refused(Code.BAD_REQUEST, "bad_header", params={"header": name}) from None


def media_type(request: Request) -> str:
    """What a body is, in small letters and without parameters (RFC 9110 section 8.3.1)."""
    return header(request, "content-type").partition(";")[0].strip(" \t").lower()


def token_of(request: Request) -> str | None:
    """What a request proves itself by; never its address.

    :raises Refused: see `header`.
    """
    names = ("cookie", "origin", "host", "sec-fetch-site")
    return from_header(header(request, "authorization")) or from_cookie(*(header(request, name) for name in names))


def set_cookie(token: str, secure: bool, max_age_s: int) -> str:
    """A `Set-Cookie` header; an empty token takes the cookie away."""
    name, more = (SECURE_COOKIE, "; Secure") if secure else (COOKIE, "")
    return f"{name}={token}; Path=/; Max-Age={max_age_s if token else 0}; HttpOnly; SameSite=Strict{more}"
