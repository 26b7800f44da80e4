"""Our own reading of a handshake against Autobahn's."""

from __future__ import annotations

import re

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from fakes import FakeTransport
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from wire.house import KEY

from chatservice.wires.handshake import Denied, Handshake, read_handshake

FIELDS = {
    "Host": ["localhost:8080", "localhost", "[::1]:8080", "[::1]", "chat.example.org:x", "::1", "", "a:123456"],
    "Upgrade": ["websocket", "WebSocket", "h2c, websocket", "websocketx", ""],
    "Connection": ["Upgrade", "keep-alive, Upgrade", "upgrade", "close", ""],
    "Sec-WebSocket-Version": ["13", "8", "013", "x", "13, 8"],
    "Sec-WebSocket-Key": [KEY, "c2hvcnQ=", KEY[:-2] + "AA", "=" * 24, "é" * 24, ""],
    "Sec-WebSocket-Protocol": ["chat", "chat, chat.text", "chat, chat", " chat ,x"],
    "Origin": ["http://localhost", "null", "file:///page.html", "http://[bad", "nonsense", "https://a:99999", ""],
    "Sec-WebSocket-Extensions": ["permessage-deflate", ";;="],
    "User-Agent": ["a browser: or not", ""],
}
LINES = st.sampled_from(
    [
        "GET / HTTP/1.1",
        "GET /text?nick=A%20b&nick=c&room= HTTP/1.1",
        "GET //x/y?q HTTP/1.1",
        "GET /#f HTTP/1.1",
        "GET http://[bad/ HTTP/1.1",
        "GET /%FF?a=%FF HTTP/1.1",
        "GET * HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET HTTP/1.1",
        "POST / HTTP/1.1",
        "get / HTTP/1.1",
        "GET / HTTP/1.0",
        "GET / HTTP/2",
    ]
)
GOOD = {name: values[0] for name, values in FIELDS.items() if name not in ("Origin", "Sec-WebSocket-Protocol")}
CHANGES = st.lists(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda name: st.tuples(st.just(name), st.one_of(st.none(), st.sampled_from(FIELDS[name])), st.booleans())
    ),
    max_size=3,
)


class Theirs(WebSocketServerProtocol):
    """Autobahn's own, which notes whom it lets in."""

    def onConnect(self, request: object) -> None:
        self.admitted = request

    def onOpen(self) -> None: ...


def theirs(head: bytes) -> object | None:
    """What Autobahn reads; None when it refuses."""
    factory = WebSocketServerFactory(reactor=Clock())
    factory.setProtocolOptions(versions=[13], openHandshakeTimeout=0, allowedOrigins=["*"], webStatus=False)
    protocol = Theirs()
    protocol.factory, protocol.admitted, protocol.allowedOriginsPatterns = factory, None, [re.compile("")]
    factory.allowNullOrigin = True
    protocol.makeConnection(FakeTransport())
    protocol.dataReceived(head)
    return protocol.admitted


def ours(head: bytes) -> Handshake | None:
    """What we read; None when we refuse."""
    try:
        return read_handshake(head)
    except Denied as denied:
        assert denied.status in (400, 405, 505)
        return None


@settings(deadline=None, max_examples=400)
@given(st.one_of(st.just("GET / HTTP/1.1"), LINES), CHANGES)
@example("GET /text?nick=A%20b&nick=c&room= HTTP/1.1", [("Origin", "https://chat.example.org:8443", False)])
def test_the_same_as_autobahn(line: str, changes: list[tuple[str, str | None, bool]]) -> None:
    """Whatever is changed or said twice, the same requests are let in, and the same is read in them."""
    fields = list(GOOD.items())
    for name, value, is_added in changes:
        if not is_added:
            fields = [field for field in fields if field[0] != name]
        if value is not None:
            fields.append((name, value))
    head = "\r\n".join([line, *(f"{name}: {value}" for name, value in fields), "", ""]).encode("latin-1")
    us, them = ours(head), theirs(head)
    twice = {name for name, _ in fields if [one for one, _ in fields].count(name) > 1}
    if us is None and them is None:
        return
    if them is None:
        # RFC 6455 section 9.1 allows the extensions in several lines.
        assert "Sec-WebSocket-Extensions" in twice
        return
    if us is None:
        # RFC 6455 section 4.3: a version has no leading zero. RFC 3986 section 3.2: an IPv6 address stands in
        # brackets, and no port has six digits.
        last = dict(fields)
        assert last["Sec-WebSocket-Version"] == "013" or last["Host"] in ("::1", "a:123456")
        return
    assert (us.path, us.query, us.host) == (them.path, them.params, them.host)  # type: ignore[attr-defined]
    assert (us.origin, list(us.subprotocols)) == (them.origin, them.protocols)  # type: ignore[attr-defined]


@given(st.binary(max_size=300))
def test_any_head_at_all(junk: bytes) -> None:
    """Any bytes are either read or refused with a status."""
    ours(junk + b"\r\n\r\n")
    ours(b"GET / HTTP/1.1\r\n" + junk + b"\r\n\r\n")
