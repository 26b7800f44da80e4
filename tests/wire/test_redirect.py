"""The listener that sends plain http to https."""

from __future__ import annotations

import pytest

from chatservice.transports.headers import security_headers
from chatservice.transports.redirect import RedirectFactory, Secured, by_names, by_public_url
from wire.house import Answer, House, handshake, read_answer

NAMES = frozenset({"chat.example.org", "*.example.net", "192.0.2.1", "2001:db8::1"})


def ask(elsewhere: Secured, request: bytes) -> Answer:
    house = House()
    transport = house.connect(RedirectFactory(house.around, elsewhere))  # type: ignore[arg-type]
    house.feed(transport, request)
    answer = read_answer(transport.take())
    assert transport.disconnecting and len(house.around.farewells) == 1
    transport.lose()
    assert len(house.around.handshakes) == len(house.around.farewells) == 0
    wanted = {name.decode().lower(): value.decode() for name, value in security_headers().items()}
    assert wanted.items() <= answer.headers.items()
    return answer


def get(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("chat.example.org", "https://chat.example.org/a?b=c"),
        ("Chat.Example.ORG:80", "https://chat.example.org/a?b=c"),
        ("tea.example.net", "https://tea.example.net/a?b=c"),
        ("192.0.2.1:8080", "https://192.0.2.1/a?b=c"),
        ("[2001:db8::1]:80", "https://[2001:db8::1]/a?b=c"),
        ("evil.example", None),
        ("chat.example.org.evil.example", None),
        ("a.b.example.net", None),
        ("example.net", None),
        ("evil.example/.example.net", None),
        ("evil/.example.net", None),
        ("ann@x.example.net", None),
        ("", None),
    ],
)
def test_to_a_name_of_ours(host: str, location: str | None) -> None:
    """A host that our certificate is good for gets the same address under https; no other is sent anywhere."""
    answer = ask(by_names(lambda: NAMES, lambda: 443), get("/a?b=c", host))
    assert (answer.status, answer.headers.get("location")) == (
        (421, None) if location is None else (308, location)
    )


def test_another_port() -> None:
    """The port of https is named where it is not the usual one."""
    answer = ask(by_names(lambda: NAMES, lambda: 8443), get("/", "chat.example.org"))
    assert answer.headers["location"] == "https://chat.example.org:8443/"


@pytest.mark.parametrize("host", ["chat.example.org", "evil.example", "127.0.0.1:80"])
def test_to_the_public_address(host: str) -> None:
    """Where that is known everybody is sent there."""
    answer = ask(by_public_url("https://chat.example.org:8443"), get("//evil.example/x", host))
    assert (answer.status, answer.headers["location"]) == (308, "https://chat.example.org:8443//evil.example/x")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /\x0bX HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
        b"GET /\xe4 HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
        b"GET evil.example HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
        b"GET @evil.example HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
        b'GET /"<script> HTTP/1.1\r\nHost: chat.example.org\r\n\r\n',
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: chat.example.org\r\nHost: evil.example\r\n\r\n",
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_cannot_be_sent_on(request_bytes: bytes) -> None:
    """What is no plain path is 400, and nothing of it stands in the answer."""
    answer = ask(by_names(lambda: NAMES, lambda: 443), request_bytes)
    assert answer.status == 400 and "location" not in answer.headers and b"evil" not in answer.body


@pytest.mark.parametrize(
    "request_bytes", [handshake("/v1", "Host: chat.example.org"), get("/", "chat.example.org")]
)
def test_nothing_else_is_there(request_bytes: bytes) -> None:
    """A WebSocket is not opened there either, and a POST is not read."""
    post = request_bytes.replace(b"GET ", b"POST ").replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\nhi")
    for sent in (request_bytes, post):
        assert ask(by_names(lambda: NAMES, lambda: 443), sent).status == 308
