"""For whom a request is, and which page asks."""

from __future__ import annotations

import pytest

from chatservice.transports.networks import Networks
from chatservice.transports.origins import Origins, read_origin
from wire.house import House, handshake, read_answer

OWN = frozenset({"ann-laptop", "chat.example.org"})
TRUSTED = Networks.read(["127.0.0.1"])


def ask(house: House, *lines: str, path: str = "/", upgrade: bool = False) -> tuple[int, str]:
    """Status and words of the answer to one request."""
    transport = house.connect(house.door)
    if upgrade:
        house.feed(transport, handshake(path, *lines))
    else:
        house.feed(transport, ("\r\n".join([f"GET {path} HTTP/1.1", *lines]) + "\r\n\r\n").encode("latin-1"))
    answer = read_answer(transport.take().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    transport.lose()
    return answer.status, answer.reason


@pytest.mark.parametrize("upgrade", [False, True], ids=["page", "upgrade"])
@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("app.localhost:1", True),
        ("127.0.0.1:8080", True),
        ("127.0.1.1", True),
        ("[::1]:8080", True),
        ("Ann-Laptop:8080", True),
        ("chat.example.org", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("192.168.1.5:8080", False),
        ("", False),
    ],
)
def test_names_of_this_computer(upgrade: bool, host: str, is_ours: bool) -> None:
    """On a loopback listener a page whose own name points to this computer is not our own page."""
    house = House(hosts=OWN)
    status, _ = ask(house, f"Host: {host}", f"Origin: http://{host}", upgrade=upgrade)
    assert (status == 421) is not is_ours
    assert house.around.counted.refused_by_host == (0 if is_ours else 1)


def test_what_to_do_is_said() -> None:
    """Who reaches it through a proxy reads which option makes it known."""
    house = House(hosts=OWN)
    transport = house.connect(house.door)
    house.feed(transport, handshake("/", "Host: chat.other.example"))
    words = read_answer(transport.take()).body.decode()
    assert "--public-url" in words and "--trusted-proxy" in words and "other.example" not in words


def test_on_a_kept_alive_connection(house: House) -> None:
    """The second request is asked like the first."""
    house = House(hosts=OWN)
    transport = house.connect(house.door)
    for host, status in (("localhost", 200), ("evil.example", 421)):
        house.feed(transport, f"GET /robots.txt HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert read_answer(transport.take()).status == status
    assert transport.disconnecting


def test_a_trusted_proxy_may_name_us_as_it_likes() -> None:
    """What a known proxy passes on as Host is the public's name for us."""
    house = House(hosts=OWN, trusted=TRUSTED, loopback=False)
    for upgrade in (False, True):
        line = ("Host: any.example", "Origin: https://any.example", "X-Forwarded-For: 203.0.113.9")
        assert ask(house, *line, upgrade=upgrade)[0] == (101 if upgrade else 200)


def test_elsewhere_any_name_will_do() -> None:
    """A listener that others can reach has whatever names they give it."""
    assert ask(House(loopback=False), "Host: whatever.example")[0] == 200


ROUTES = [("/", True), ("/v1", True), ("/socket.io/?EIO=4&transport=websocket", True)]
ROUTES += [("/socket.io/?EIO=4&transport=polling", False), ("/api/rooms/lobby/events", False)]


@pytest.mark.parametrize(("path", "upgrade"), ROUTES)
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example.org", True),
        ("https://www.example.org", True),
        ("https://evil.example", False),
        ("http://chat.example.org", False),
        ("https://chat.example.org:8443", False),
        ("null", False),
        ("file:///x", False),
    ],
)
def test_one_policy_for_all(path: str, upgrade: bool, origin: str, allowed: bool) -> None:
    """WebSocket, Socket.IO both ways and the API ask the same of a page, and what is refused is counted once."""
    listed, public = read_origin("https://www.example.org"), read_origin("https://chat.example.org")
    assert listed is not None
    house = House(loopback=False, origins=Origins(frozenset({listed}), public))
    status, _ = ask(house, "Host: chat.example.org", f"Origin: {origin}", path=path, upgrade=upgrade)
    assert status == ((101 if upgrade else 200) if allowed else 403)
    assert house.around.counted.refused_by_origin == (0 if allowed else 1)


def test_a_listed_page_may_read_the_api() -> None:
    """The browser asks beforehand for a POST with JSON or a token, and is told which pages may read the answer."""
    listed = read_origin("https://www.example.org")
    assert listed is not None
    house = House(loopback=False, origins=Origins(frozenset({listed})))
    for origin, allowed in (("https://www.example.org", True), ("https://evil.example", False), (None, False)):
        lines = ["Host: chat.example.org", *([f"Origin: {origin}"] if origin else [])]
        for method, path in (("OPTIONS", "messages"), ("GET", "events")):
            transport = house.connect(house.door)
            head = "\r\n".join([f"{method} /api/rooms/lobby/{path} HTTP/1.1", *lines])
            house.feed(transport, f"{head}\r\n\r\n".encode())
            answer = read_answer(transport.take())
            transport.lose()
            assert answer.headers["vary"] == "Origin"
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            if method == "OPTIONS":
                assert answer.status == (204 if allowed else 405)
                assert ("Authorization" in answer.headers.get("access-control-allow-headers", "")) is allowed
            else:
                assert answer.status == (403 if origin and not allowed else 200)


def test_files_are_for_everybody() -> None:
    """The client library may be fetched from any page: it does nothing."""
    house = House(loopback=False)
    assert ask(house, "Host: x", "Origin: https://evil.example", path="/robots.txt")[0] == 200
    assert house.around.counted.refused_by_origin == 0


@pytest.mark.parametrize("header", ["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"])
@pytest.mark.parametrize(("path", "upgrade"), ROUTES)
def test_a_proxy_nobody_told_us_of(header: str, path: str, upgrade: bool) -> None:
    """Behind an unknown proxy everybody seems to be at this computer; pages of nobody are refused then."""
    house = House()
    assert ask(house, "Host: localhost", "Origin: null", path=path, upgrade=upgrade)[0] == (
        101 if upgrade else 200
    )
    assert ask(house, "Host: localhost", "Origin: null", header, path=path, upgrade=upgrade)[0] == 403
    own = ask(house, "Host: localhost", "Origin: http://localhost", header, path=path, upgrade=upgrade)
    assert own[0] == (101 if upgrade else 200)
