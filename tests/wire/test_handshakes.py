"""Which WebSocket handshakes are taken, and how the others are refused."""

from __future__ import annotations

import base64
import hashlib

import pytest

from chatservice.transports.headers import security_headers
from chatservice.transports.origins import NOT_THIS_ORIGIN
from wire.house import KEY, Answer, House, handshake, read_answer, read_frames
from wire.people import SimplePerson, TextPerson, WebSocketPerson

EVIL = "<script>alert(1)</script>"
REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
REASONS |= {426: "Upgrade Required", 505: "HTTP Version Not Supported"}


def ask(house: House, request: bytes) -> Answer:
    transport = house.connect(house.door)
    house.feed(transport, request)
    answer = read_answer(transport.take())
    if answer.status != 101:
        assert transport.disconnecting and len(house.around.farewells) == 1
    transport.lose()
    assert house.hub.rooms == {} and len(house.hub.roster) == 0 and not house.chat.peers
    assert len(house.around.pings) == len(house.around.farewells) == len(house.around.handshakes) == 0
    return answer


def test_an_accepted_handshake(house: House) -> None:
    """RFC 6455 section 4.2.2: 101 and the right answer to the key; no extension, no server named."""
    answer = WebSocketPerson(house).answer
    accept = base64.b64encode(hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    assert (answer.status, answer.headers["sec-websocket-accept"]) == (101, accept.decode())
    assert {"server", "sec-websocket-protocol", "sec-websocket-extensions"}.isdisjoint(answer.headers)


@pytest.mark.parametrize(
    ("offer", "told"),
    [("chat", "chat"), ("chat.text", "chat.text"), ("mqtt, chat.text, chat", "chat.text")],
)
def test_subprotocols(house: House, offer: str, told: str) -> None:
    """The first offered subprotocol that we know is told back, and it is spoken."""
    one = WebSocketPerson(house, "/", f"Sec-WebSocket-Protocol: {offer}")
    assert one.answer.headers["sec-websocket-protocol"] == told
    assert one.texts()[0].startswith("{" if told == "chat" else "user1 comes in")


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate", "permessage-deflate; server_max_window_bits=8", "permessage-deflate; foo=1", "x-none"],
)
def test_no_extension_is_taken(house: House, offer: str) -> None:
    """Compression is offered by every browser and not taken; the handshake goes on."""
    answer = WebSocketPerson(house, "/text", f"Sec-WebSocket-Extensions: {offer}").answer
    assert answer.status == 101 and "sec-websocket-extensions" not in answer.headers


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(handshake("/nowhere"), 404, id="unknown path"),
        pytest.param(handshake(f"/{EVIL}"), 404, id="evil path"),
        pytest.param(handshake("/../../etc/passwd"), 404, id="upwards"),
        pytest.param(handshake("/", f"Sec-WebSocket-Protocol: {EVIL}"), 400, id="unknown subprotocol"),
        pytest.param(handshake("/", "Sec-WebSocket-Protocol: chat, chat"), 400, id="the same subprotocol twice"),
        pytest.param(handshake("/", "Origin: https://evil.example"), 403, id="another origin"),
        pytest.param(handshake("/", f"Origin: https://{EVIL}"), 403, id="evil origin"),
        pytest.param(handshake("/", f"Origin: {EVIL}"), 400, id="no origin at all"),
        pytest.param(handshake("/", "Origin: http://[bad"), 400, id="broken origin"),
        pytest.param(handshake("/", without=("Sec-WebSocket-Key",)), 400, id="no key"),
        pytest.param(handshake("/", f"Sec-WebSocket-Key: {EVIL}"), 400, id="evil key"),
        pytest.param(handshake("/", "Sec-WebSocket-Key: c2hvcnQ="), 400, id="short key"),
        pytest.param(handshake("/", f"Sec-WebSocket-Version: {EVIL}"), 400, id="evil version"),
        pytest.param(handshake("/", "Sec-WebSocket-Version: 8"), 400, id="old version"),
        pytest.param(handshake("/", "Sec-WebSocket-Version: 99"), 400, id="future version"),
        pytest.param(handshake("/", without=("Sec-WebSocket-Version",)), 400, id="no version"),
        pytest.param(handshake("/", without=("Connection",)), 400, id="no connection header"),
        pytest.param(handshake("/", "Connection: keep-alive"), 400, id="connection without upgrade"),
        pytest.param(handshake("/", f"Upgrade: websocket{EVIL}"), 400, id="evil upgrade"),
        pytest.param(handshake("/", without=("Host",)), 400, id="no host"),
        pytest.param(handshake("/", f"Host: localhost:{EVIL}"), 400, id="evil port"),
        pytest.param(handshake("/", "Host: a\r\nHost: b"), 400, id="two hosts"),
        pytest.param(handshake("/", "Origin: null\r\nOrigin: https://evil.example"), 400, id="two origins"),
        pytest.param(handshake("/#part"), 400, id="fragment"),
        pytest.param(handshake(f"/ {EVIL}"), 400, id="space in the path"),
        pytest.param(handshake("/", method="POST"), 405, id="POST"),
        pytest.param(handshake("/", method=EVIL), 405, id="evil method"),
        pytest.param(handshake("/").replace(b"HTTP/1.1", b"HTTP/1.0"), 505, id="HTTP/1.0"),
        pytest.param(handshake("/").replace(b"HTTP/1.1", EVIL.encode()), 505, id="evil version of HTTP"),
    ],
)
def test_refusals(house: House, request_bytes: bytes, status: int) -> None:
    """A handshake that is not taken gets a status, its fixed name, one line of ours, and nothing of the peer's."""
    answer = ask(house, request_bytes)
    assert (answer.status, answer.reason) == (status, REASONS[status])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["connection"] == "close"
    common = {name.decode().lower(): value.decode() for name, value in security_headers().items()}
    assert common.items() <= answer.headers.items()
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.body in {
        b"no WebSocket here; there is one at / /v1 /text /echo /scream /wire\n",
        b"unknown subprotocol; known are chat.v1 superchat chat chat.text\n",
        NOT_THIS_ORIGIN.encode() + b"\n",
        b"this is not a WebSocket handshake\n",
        b"a request has one Host header\n",
    }


def test_the_version_we_speak_is_named(house: House) -> None:
    """A client of another version is told ours, as RFC 6455 section 4.4 wants it."""
    assert ask(house, handshake("/", "Sec-WebSocket-Version: 8")).headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("origin", ["null", "file:///home/ann/page.html", "http://localhost:3000", ""])
def test_pages_of_this_computer(origin: str) -> None:
    """On a loopback listener a page from a file or from another port may connect; on a public one it may not."""
    lines = [f"Origin: {origin}"] if origin else []
    assert ask_status(House(), *lines) == 101
    assert ask_status(House(loopback=False), "Host: chat.example.org", *lines) == (403 if origin else 101)


def ask_status(house: House, *lines: str) -> int:
    transport = house.connect(house.door)
    house.feed(transport, handshake("/text", *lines))
    return read_answer(transport.take()).status


def test_our_own_pages(house: House) -> None:
    """A page of the same host may connect, whatever its port and case."""
    public = House(loopback=False)
    for origin, status in (
        ("https://chat.example.org", 101),
        ("https://CHAT.example.org:8443", 101),
        ("https://chat.example.org.evil.net", 403),
        ("https://xchat.example.org", 403),
    ):
        assert ask_status(public, "Host: chat.example.org", f"Origin: {origin}") == status
    assert ask_status(house, "Host: [::1]:8080", "Origin: http://[::1]:8080") == 101


def test_a_refused_peer_that_stays(house: House) -> None:
    """Whoever does not go after a refusal is cut off after 5 s; what it sends is not heard."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/nowhere"))
    transport.take()
    house.feed(transport, handshake("/text"))
    assert transport.take() == b"" and house.hub.rooms == {}
    house.wait(5)
    assert transport.aborted


def test_the_address(house: House) -> None:
    """Room, nick, history and language are taken from the address."""
    first = TextPerson(house, room="a b", nick="Ann Lee")
    assert first.heard() == ["Ann Lee comes in"]
    first.say("one")
    first.say("two")
    other = SimplePerson(house, room="a b", nick="阿宝", last="1", lang="zh")
    assert other.heard() == ["Ann Lee 说：two", "阿宝 进来了"]
    assert first.heard() == ["one", "two", "阿宝 comes in"]


def test_a_taken_or_impossible_nick(house: House) -> None:
    """The peer stays userN, is in, and is told why."""
    TextPerson(house, nick="Ann")
    other = SimplePerson(house, nick="ANN")
    notice, welcome = other.messages()
    assert (notice["code"], notice["data"]) == ("nick_taken", "* the name ANN is taken")
    assert welcome["data"] == "user2 comes in"
    third = TextPerson(house, nick="\x1b[2J")
    assert [words.split()[-1] for words in third.heard()] == ["front", "in"]


def test_an_impossible_room(house: House) -> None:
    """A room that cannot be counts as not given."""
    assert TextPerson(house, room="@ann").heard() == ["user1 comes in"]
    assert set(house.hub.rooms) == {"lobby"}


@pytest.mark.parametrize(("loopback", "query", "is_escaped"), [(True, {}, False), (False, {}, True)])
@pytest.mark.parametrize("wish", [None, "html", "off"])
def test_escaping(loopback: bool, query: dict[str, str], is_escaped: bool, wish: str | None) -> None:
    """Where strangers may be, what is shown is escaped, unless the page says otherwise; `text` never is."""
    house = House(loopback=loopback)
    if wish is not None:
        query, is_escaped = {"escape": wish}, wish == "html"
    one = SimplePerson(house, None, "Host: chat.example.org", **query)
    plain = TextPerson(house, None, "Host: chat.example.org", **query)
    one.heard(), plain.heard()
    one.say("<img src=x onerror=alert(1)>")
    (message,) = one.messages()
    assert message["text"] == "<img src=x onerror=alert(1)>"
    assert ("<img" in message["data"], "<img" in plain.heard()[0]) == (not is_escaped, not is_escaped)


def test_resuming(house: House) -> None:
    """Whoever comes back with a position gets exactly what it missed; one that is unknown is told why."""
    one = SimplePerson(house)
    epoch = one.messages()[0]["epoch"]
    for text in ("a", "b", "c"):
        one.say(text)
    back = SimplePerson(house, since="1", epoch=epoch)
    assert [message.get("seq") for message in back.messages()] == [2, 3, 3]
    lost = SimplePerson(house, since="1", epoch="other", last="1")
    notice, message, welcome = lost.messages()
    assert (notice["code"], notice["reason"], message["seq"], welcome["you"]) == (
        "position_lost",
        "epoch",
        3,
        True,
    )


def test_speaking_before_the_answer_is_read(house: House) -> None:
    """Frames right behind the handshake are heard after the welcome."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/text") + b"\x81\x82\x00\x00\x00\x00hi")
    assert read_frames(transport.take().partition(b"\r\n\r\n")[2]) == [(1, b"user1 comes in"), (1, b"hi")]
