"""What every HTTP answer says about what a browser may do with it: exactly this, wherever it comes from."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from wire.house import House, read_answer
from wire.test_page_files import STATIC, get

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types chat-sw"
)
EXACT = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
ABOUT_THE_BODY = {
    "access-control-allow-origin",
    "allow",
    "cache-control",
    "chat-recovered",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "transfer-encoding",
    "upgrade",
    "vary",
    "x-accel-buffering",
}


PAGE = STATIC / "app" / "index.html"


def with_its_script(policy: str) -> str:
    """The policy of the page at /: where it is built, the digest of the one script in its HTML is named."""
    for script in re.findall(r"<script>(.*?)</script>", PAGE.read_text("utf-8") if PAGE.exists() else "", re.S):
        digest = b64encode(sha256(script.encode()).digest()).decode()
        policy = policy.replace("script-src 'self'", f"script-src 'self' 'sha256-{digest}'")
    return policy


OF_THE_PAGE = {**EXACT, "content-security-policy": with_its_script(POLICY)}


def is_exact(headers: dict[str, str], expected: dict[str, str] = EXACT) -> bool:
    """Whether these are all of them, with nothing beside what describes the body."""
    return {name: value for name, value in headers.items() if name not in ABOUT_THE_BODY} == expected


ROUTES = [
    ("GET", "/"),
    ("GET", "/lite"),
    ("GET", "/static/lite.css"),
    ("GET", "/client.js"),
    ("GET", "/sw.js"),
    ("GET", "/robots.txt"),
    ("GET", "/v1"),
    ("GET", "/nothing"),
    ("GET", "/api/rooms/lobby/export"),
    ("GET", "/api/rooms/lobby/events"),
    ("GET", "/api/nothing"),
    ("GET", "/widget"),
    ("POST", "/api/rooms/lobby/messages"),
    ("PUT", "/api/rooms/lobby/messages"),
    ("GET", "/api/rooms/%20/export"),
    ("DELETE", "/"),
    ("HEAD", "/"),
    ("OPTIONS", "/client.js"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_every_route(house: House, method: str, path: str) -> None:
    """UI-21: page, files, API and refusals carry the same headers, no cookie, not the server's name; only the page
    names the script in itself."""
    answer = get(house, path, method=method, body="hi" if method == "POST" else "")
    assert is_exact(answer.headers, OF_THE_PAGE if path == "/" and answer.status == 200 else EXACT), answer


def test_unchanged(house: House) -> None:
    """So does a 304."""
    tag = get(house, "/").headers["etag"]
    answer = get(house, "/", f"If-None-Match: {tag}")
    assert answer.status == 304 and is_exact(answer.headers, OF_THE_PAGE)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\x0bEvil: 1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413),
    ],
    ids=["head too long", "forged", "body too long"],
)
def test_before_there_is_a_request(house: House, sent: bytes, status: int) -> None:
    """What is refused at the door carries them too."""
    transport = house.connect(house.door)
    house.feed(transport, sent)
    answer = read_answer(transport.take())
    transport.lose()
    house.wait(6)
    assert answer.status == status and is_exact(answer.headers), answer


def test_a_known_address() -> None:
    """With a public address its WebSocket may be reached by name: not all browsers count it as their own."""
    answer = get(House(public_url="https://chat.example.org:8443/chat/"), "/")
    policy = POLICY.replace("connect-src 'self'", "connect-src 'self' wss://chat.example.org:8443")
    assert answer.headers["content-security-policy"] == with_its_script(policy)


@pytest.mark.parametrize("host", ["evil.example", "evil.example; script-src *"])
def test_a_host_header_is_anybodys_word(house: House, host: str) -> None:
    """What a request says of our name is believed nowhere."""
    transport = house.connect(house.door)
    house.feed(transport, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    told = transport.take().decode("latin-1")
    transport.lose()
    assert "evil" not in told.partition("\r\n\r\n")[0]
