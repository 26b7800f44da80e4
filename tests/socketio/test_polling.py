"""The twisted.web side: what HTTP adds to a session."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource
from zope.interface import directlyProvides

from chatservice.socketio import EngineIOServer, Options, SocketSite, any_origin, same_origin, these_origins
from chatservice.socketio.census import household

from .web import Browser

URL = "/engine.io/?EIO={}&transport=polling"


class World:
    """An Engine.IO echo behind a site in memory."""

    def __init__(self, root: Resource | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.errors: list[BaseException] = []
        self.server = EngineIOServer(
            Options(path="/engine.io/", **options), reactor=self.clock, report=self.errors.append
        )
        self.server.on("message")(lambda session, data: session.send(data))
        self.site = SocketSite(self.server, root=root, reactor=self.clock, timeout=None)

    def browser(self) -> Browser:
        return Browser(self.site, self.clock)

    def fetch(self, address: str, method: str = "GET", body: bytes = b"", **headers: str) -> Any:
        browser = self.browser()
        browser.ask(address, method, body, **headers)
        return browser.get()

    def open(self, version: int, more: str = "") -> str:
        """The address of a new session."""
        address = URL.format(version) + more
        self.fetch(address)
        return f"{address}&sid={list(self.server.house.sessions)[-1]}"


def test_jsonp() -> None:
    """With the option on a version 3 client may poll by scripts; only the digits of its index come back."""
    world = World(jsonp=True)
    status, headers, body = world.fetch(URL.format(3) + "&j=0<script>7")
    assert status == 200 and headers["content-type"].startswith("text/javascript")
    assert headers["x-content-type-options"] == "nosniff"
    assert body.startswith(b'___eio[07]("') and body.endswith(b'");')
    address = f"{URL.format(3)}&j=1&sid={next(iter(world.server.house.sessions))}"
    form = b"d=4%3A4a%5Cnb"
    answer = world.fetch(address, "POST", form, Content_Type="application/x-www-form-urlencoded")
    assert answer[2] == b"ok"
    assert world.fetch(address)[2] == b'___eio[07]("4:4a\\nb");'
    assert world.fetch(address, "POST", b"x=1", Content_Type="application/x-www-form-urlencoded")[0] == 400
    assert world.fetch(URL.format(4) + "&j=0")[0] == 400


def test_jsonp_is_always_base64() -> None:
    """Scripts cannot carry bytes."""
    world = World(jsonp=True)
    address = world.open(3, "&j=0")
    world.fetch(address, "POST", b"d=8%3Ab4AQID")
    assert world.fetch(address)[0] == 400  # "8:" was wrong
    address = world.open(3, "&j=0")
    world.fetch(address, "POST", b"d=6%3Ab4AQID")
    assert world.fetch(address)[2] == b'___eio[0]("6:b4AQID");'


def test_cookie() -> None:
    """With the option on the handshake sets a cookie with the session id, for load balancers."""
    world = World(cookie="io")
    _, headers, _ = world.fetch(URL.format(4))
    (sid,) = world.server.house.sessions
    assert headers["set-cookie"] == f"io={sid}; Path=/; HttpOnly; SameSite=lax"


def test_origins() -> None:
    """A page of another origin is refused with 403 and may not read the answer; its own and no page are not."""
    world = World()
    for origin in (
        "https://evil.example",
        "null",
        "http://chat.example:81",
        "http://chat.example@evil.example",
        "x:y:z",
    ):
        status, headers, body = world.fetch(URL.format(4), Origin=origin)
        assert (status, orjson.loads(body)["code"]) == (403, 4), origin
        assert "access-control-allow-origin" not in headers
    status, headers, _ = world.fetch(URL.format(4), Origin="http://chat.example")
    assert (status, headers["access-control-allow-origin"]) == (200, "http://chat.example")
    assert "access-control-allow-origin" not in world.fetch(URL.format(4))[1]
    address = world.open(4)
    assert world.fetch(address, "POST", b"4x", Origin="https://evil.example")[0] == 403


def test_kinds_of_origin_lists() -> None:
    """An origin is compared as browsers send it."""
    assert same_origin("http://a.example", "a.example") and same_origin("https://a.example", "a.example:443")
    assert not same_origin("ftp://a.example", "a.example") and not same_origin("http://[", "a.example")
    assert any_origin("null", "")
    listed = these_origins(["https://a.example"])
    assert listed("https://a.example", "x") and not listed("https://a.example.evil", "x")


def test_compressed_answers_differ_by_form() -> None:
    """Compressed answers are for those who take gzip; payloads of bytes are compressed as well."""
    world = World()
    address = world.open(3)
    world.server.house.sessions[address.rpartition("=")[2]].send(b"x" * 3000)
    status, headers, body = world.fetch(address, Accept_Encoding="br, gzip;q=0.5")
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert gzip.decompress(body).endswith(b"x" * 3000)
    world.server.house.sessions[address.rpartition("=")[2]].send("x" * 3000)
    assert "content-encoding" not in world.fetch(address, Accept_Encoding="gzip;q=0")[1]


@pytest.mark.parametrize(
    ("offered", "is_taken"),
    [("gzip", True), ("br;q=0, GZIP ; q=0.001", True), ("gzip;q=1", True), ("gzip;q=0.0, br", False)]
    + [(offered, False) for offered in ("gzip; q=0", "gzip;q=0.000", "x-gzip", "gzipped", "br", "")],
)
def test_who_takes_gzip(tmp_path: Path, offered: str, is_taken: bool) -> None:
    """Files and answers are compressed for those who say that they take it."""
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "socket.io.js").write_text("four")
    world = World(clients=tmp_path, zip_bytes=1)
    for address in ("/engine.io/socket.io.js", URL.format(4)):
        assert ("content-encoding" in world.fetch(address, Accept_Encoding=offered)[1]) == is_taken


def test_sessions_of_one_address() -> None:
    """One address gets so many sessions without a WebSocket; those that end or upgrade make room."""
    world = World(max_polling=2)
    browser = world.browser()
    addresses = [world.open(3), world.open(4)]
    browser.ask(URL.format(3))
    status, headers, body = browser.get()
    assert status == 503 and headers["content-type"] == "application/json"
    assert orjson.loads(body) == {"code": 4, "message": "Too many sessions"}
    assert world.fetch(addresses[1], "POST", b"1")[0] == 200
    world.open(4)
    assert world.fetch(URL.format(4))[0] == 503
    direct = world.browser()
    direct.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    assert direct.transport.value().startswith(b"HTTP/1.1 101 ")
    upgrading = world.browser()
    upgrading.ask(addresses[0].replace("polling", "websocket"), **UPGRADE)
    upgrading.send(b"\x81\x86" + bytes(4) + b"2probe" + b"\x81\x81" + bytes(4) + b"5")
    assert world.fetch(URL.format(4))[0] == 200
    assert world.fetch(URL.format(4))[0] == 503
    upgrading.lose()
    assert world.fetch(URL.format(4))[0] == 503
    world.server.close()
    for _ in range(130):
        world.clock.advance(0.25)
    assert world.server.house.sessions == {} and world.fetch(URL.format(4))[0] == 200
    assert World(max_polling=None, max_sessions=None).open(4)


def test_sessions_of_all() -> None:
    """There are so many sessions at most, whatever carries them."""
    world = World(max_sessions=2)
    world.open(4)
    direct = world.browser()
    direct.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    assert world.fetch(URL.format(4))[0] == 503
    refused = world.browser()
    refused.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    assert refused.get()[0] == 503
    direct.lose()
    assert world.fetch(URL.format(4))[0] == 200


def test_what_counts_as_one_address() -> None:
    """A household has one IPv4 address, however it is written, or a /64 of IPv6."""
    assert household("192.0.2.1") == household("::ffff:192.0.2.1") != household("192.0.2.2")
    assert household("2001:db8::1") == household("2001:db8:0:0:ffff::2%eth0") != household("2001:db8:0:1::1")
    assert household("") == "" and household("a:socket") == "a:socket"


@pytest.mark.parametrize("is_secure", [True, False])
def test_cookie_under_tls(is_secure: bool) -> None:
    """The cookie is kept from scripts and other sites, and under TLS from the open wire."""
    world = World(cookie="io")
    browser = world.browser()
    if is_secure:
        directlyProvides(browser.transport, ISSLTransport)
    browser.ask(URL.format(4))
    cookie = browser.get()[1]["set-cookie"]
    assert ("; Secure" in cookie) == is_secure
    assert "; HttpOnly" in cookie and "; SameSite=lax" in cookie and "; Path=/" in cookie


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_headers_are_read_in_one_way(transport: str) -> None:
    """Both transports show the same request alike: bytes as they are, several values with commas."""
    world = World()
    asked: list[Any] = []
    world.server.on("open")(lambda session: asked.append(session.handshake))
    more = UPGRADE if transport == "websocket" else {}
    world.browser().ask(f"/engine.io/?EIO=4&transport={transport}&a=&b=1", **more, X_Name="é", X="1\r\nX: 2")
    (found,) = asked
    assert found.headers["x-name"] == "é".encode().decode("latin-1")
    assert [value.strip() for value in found.headers["x"].split(",")] == ["1", "2"]
    assert found.query == {"EIO": "4", "transport": transport, "a": "", "b": "1"}
    assert found.address == "192.0.2.1" and not found.is_secure


def test_two_origins() -> None:
    """Who names a stranger's origin beside ours is no page of ours."""
    world = World()
    both = "https://evil.example\r\nOrigin: http://chat.example"
    assert world.fetch(URL.format(4), Origin="http://chat.example")[0] == 200
    assert world.fetch(URL.format(4), Origin=both)[0] == 403


def test_endless_empty_fragments() -> None:
    """A message may come in 128 pieces, also empty ones; one in more is closed, and takes no memory."""
    world = World()
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    browser.transport.clear()
    protocol: Any = browser.transport.protocol  # type: ignore[attr-defined]
    begun = b"\x01\x82" + bytes(4) + b"4h" + (b"\x00\x80" + bytes(4)) * 126
    browser.send(begun + b"\x80\x81" + bytes(4) + b"i")
    assert browser.transport.value() == b"\x81\x034hi"
    browser.transport.clear()
    browser.send(begun + (b"\x00\x80" + bytes(4)) * 10_000)
    assert sys.getsizeof(protocol.message_data) < 1000
    assert browser.transport.value()[:4] == b"\x88%\x03\xf0"


@pytest.mark.parametrize("pieces", [b"\x01\x86" + bytes(4) + b"4hello", b"\x81\x8b" + bytes(4) + b"4hello"])
def test_message_longer_than_it_may_be(pieces: bytes) -> None:
    """The limit of the options holds for whole frames and for pieces together."""
    world = World(max_payload=10)
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    browser.transport.clear()
    browser.send(pieces + b"\x80\x86" + bytes(4) + b"world!")
    assert browser.transport.value()[:4] == b"\x88" + browser.transport.value()[1:2] + b"\x03\xf1"
    assert world.server.house.sessions == {}


def test_extensions_are_not_read() -> None:
    """An offer of extensions that nobody can read is no reason to refuse a WebSocket; none is taken."""
    world = World()
    browser = world.browser()
    more = {"Sec_WebSocket_Extensions": 'x; a="b, c", ;;='}
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE, **more)
    head = browser.transport.value()
    assert head.startswith(b"HTTP/1.1 101 ") and b"Extensions" not in head


def test_ping_of_the_websocket() -> None:
    """A ping frame is answered, unless the peer reads nothing."""
    world = World()
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    browser.transport.clear()
    ping = b"\x89\x82" + bytes(4) + b"hi"
    browser.send(ping)
    assert browser.transport.value() == b"\x8a\x02hi"
    browser.transport.protocol.pauseProducing()  # type: ignore[attr-defined]
    browser.send(ping)
    assert browser.transport.value() == b"\x8a\x02hi"


def test_client_files(tmp_path: Path) -> None:
    """The client files are served from the directory given, nothing else of it is."""
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "socket.io.js").write_text("four")
    (tmp_path / "secret.js").write_text("secret")
    world = World(clients=tmp_path)
    status, headers, body = world.fetch("/engine.io/socket.io.js", Accept_Encoding="gzip")
    assert status == 200 and gzip.decompress(body) == b"four"
    assert headers["content-type"].startswith("text/javascript")
    assert world.fetch("/engine.io/socket.io.js", If_None_Match=headers["etag"])[0] == 304
    assert world.fetch("/engine.io/socket.io.js")[2] == b"four"
    assert b"without the Socket.IO client files" in world.fetch("/engine.io/2/socket.io.js")[2]
    for path in ("secret.js", "../secret.js", "4/../secret.js", "%2e%2e/secret.js"):
        assert world.fetch(f"/engine.io/{path}")[0] == 404
    assert world.fetch("/engine.io/socket.io.js", "POST")[0] == 405


def test_a_strangers_tree() -> None:
    """The resource works as a child in any tree, beside other things; so do the WebSocket and the site's root."""
    root = Resource()
    root.putChild(b"hello", Words())
    world = World(root)
    assert world.fetch("/hello")[2] == b"hello"
    assert World().fetch("/nothing")[0] == 404
    tree = Resource()
    tree.putChild(b"engine.io", world.server.resource)
    from twisted.web.server import Site

    for address in ("/engine.io", "/engine.io/"):
        browser = Browser(Site(tree, reactor=world.clock, timeout=None), world.clock)
        browser.ask(f"{address}?EIO=4&transport=polling")
        status, _, body = browser.get()
        assert status == 200 and body[:1] == b"0"
    browser = Browser(Site(tree, reactor=world.clock, timeout=None), world.clock)
    body = b"4" + b"x" * 1_000_001
    browser.ask(f"/engine.io/?EIO=4&transport=polling&sid={list(world.server.house.sessions)[-1]}", "POST", body)
    assert browser.get()[0] == 413


class Words(Resource):
    """Another thing in the tree."""

    def render_GET(self, request: object) -> bytes:
        return b"hello"


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
}


def test_websocket_through_the_tree() -> None:
    """An upgrade that comes through twisted.web is a WebSocket; text and what comes in two pieces is echoed."""
    world = World()
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    assert browser.transport.value().startswith(b"HTTP/1.1 101 ")
    browser.transport.clear()
    frame = b"\x81\x83" + bytes(4) + b"4hi"
    browser.send(frame + frame[:4])
    assert browser.transport.value() == b"\x81\x034hi"
    browser.send(frame[4:] + b"\x82\x81" + bytes(4) + b"x")
    assert browser.transport.value() == b"\x81\x034hi" * 2 + b"\x82\x01x"
    browser.lose()
    assert world.server.house.sessions == {}


def test_websocket_without_twisted_web() -> None:
    """Who reads request heads itself hands the connection to the factory, head and all."""
    world = World()
    transport = StringTransport()
    transport.registerProducer(world, True)  # unlike this one, a real transport lets go of none as well
    protocol = world.server.websocket_factory.buildProtocol(None)
    protocol.makeConnection(transport)
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in UPGRADE.items()]
    head = f"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.example\r\n{''.join(lines)}\r\n"
    protocol.dataReceived(head.encode())
    world.clock.advance(0)
    assert transport.value().startswith(b"HTTP/1.1 101 ") and b'0{"sid":' in transport.value()
    assert world.server.serves(b"/engine.io") and world.server.serves(b"/engine.io/")
    assert not world.server.serves(b"/engine.iox") and not world.server.serves(b"/")


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("/engine.io/?EIO=4&transport=websocket", {"Origin": "https://evil.example"}, 403),
        ("/engine.io/?EIO=4&transport=websocket&sid=nobody", {}, 400),
        ("/engine.io/?EIO=4&transport=polling", {}, 400),
        ("/engine.io/?EIO=5&transport=websocket", {}, 400),
        ("/engine.io/?EIO=4&transport=websocket", {"Sec_WebSocket_Version": "8"}, 400),
    ],
)
def test_refused_upgrades(address: str, headers: dict[str, str], status: int) -> None:
    """A WebSocket is refused as polling would be, before it is one."""
    world = World()
    browser = world.browser()
    browser.ask(address, **{**UPGRADE, **headers})
    answered, _, body = browser.get()
    assert answered == status
    assert b"evil" not in body
    assert world.server.house.sessions == {}


def test_forged_header() -> None:
    """An upgrade with a character that Autobahn would take for the end of a header line is no upgrade."""
    world = World()
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE, X="a\x0bOrigin: http://chat.example")
    assert browser.get()[0] == 400


def test_slow_end() -> None:
    """A peer that does not answer the close is cut; one whose connection ended meanwhile costs nothing more."""
    world = World()
    browser = world.browser()
    browser.ask("/engine.io/?EIO=4&transport=websocket", **UPGRADE)
    world.server.close()
    assert browser.transport.value().endswith(b"\x88\x02\x03\xe8")
    assert not browser.transport.disconnected
    for _ in range(30):
        world.clock.advance(0.25)
    assert browser.transport.disconnected


def test_refused_body_is_not_kept() -> None:
    """A peer that goes on sending after its 413 is cut after a while."""
    world = World(max_payload=10)
    browser = world.browser()
    browser.send(b"POST /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
    assert browser.transport.value().startswith(b"HTTP/1.1 413 ") and browser.transport.disconnecting
    browser.send(b"x" * 11)
    for _ in range(30):
        world.clock.advance(0.25)
    assert world.clock.getDelayedCalls() == [] and world.errors == []


def test_answer_to_nobody() -> None:
    """A session that speaks to a client that has just gone raises nothing."""
    world = World()
    address = world.open(4)
    browser = world.browser()
    browser.ask(address)
    session = next(iter(world.server.house.sessions.values()))
    session.send("x")
    browser.lose()
    assert session.closed and world.errors == []


def test_functions() -> None:
    """A bare server tells of opening, messages, pressure and the end, and of nothing else."""
    world = World(high_water=10)
    told: list[object] = []
    world.server.on("open")(lambda session: told.append("open"))
    world.server.on("close")(lambda session, reason: told.append(reason))
    world.server.on("pressure")(lambda session, pressed: told.append(pressed))
    address = world.open(4)
    world.fetch(address, "POST", b"4" + b"x" * 100)
    world.clock.advance(0)
    world.fetch(address)
    world.fetch(address, "POST", b"1")
    assert told == ["open", True, False, "transport close"]
    with pytest.raises(ValueError):
        world.server.on("massage")
