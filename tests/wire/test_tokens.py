"""Where a token may stand in a request, and what it does there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatservice.domain.accounts import Account
from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise, rejected, resolved
from chatservice.domain.trust import Identity
from chatservice.transports.credentials import from_cookie, set_cookie
from chatservice.transports.networks import Networks
from wire.house import House, frame, handshake, read_answer, read_frames
from wire.people import LinePerson, Person, SimplePerson, TextPerson

ANN = Account("u_a", "Ann", "mod", "$", 1, 0)
JSON = "Content-Type: application/json"
OWN = ("Host: chat.example:8080", "Origin: http://chat.example:8080")


class FakeSignIn:
    """Knows Ann by one password."""

    def __init__(self, house: House) -> None:
        self._passes = house.passes
        self.tried: list[tuple[str, str, str]] = []

    def login(self, name: str, password: str, address: str) -> Promise[tuple[Identity, str]]:
        self.tried.append((name, password, address))
        if (name, password) != ("Ann", "sesame-open"):
            return rejected(Refused(Code.UNAUTHORIZED, "bad_login"))
        token = self._passes.issue_for(ANN)
        return resolved((self._passes.read(token), token))


def make_house(**how: Any) -> tuple[House, str]:
    house = House(signed=True, **how)
    house.hub.registered(ANN)
    house.hub.sign_in = FakeSignIn(house)
    return house, house.passes.issue_for(ANN)


def came_in(house: House, path: str, *headers: str) -> str:
    """What the first frames say after a handshake, or the status that refused it."""
    transport = house.connect(house.door)
    house.feed(transport, handshake(path, *headers))
    data = transport.take()
    if not data.startswith(b"HTTP/1.1 101"):
        return str(read_answer(data).status)
    frames = read_frames(data.partition(b"\r\n\r\n")[2])
    return " ".join(payload.decode() for _, payload in frames)


WAYS = [
    ("/text", ["Authorization: Bearer TOKEN"]),
    ("/text", ["Authorization: bearer   TOKEN"]),
    ("/", ["Sec-WebSocket-Protocol: chat.text, bearer.TOKEN"]),
    ("/", ["Sec-WebSocket-Protocol: bearer.TOKEN, chat.text"]),
    ("/text?token=TOKEN", []),
    ("/text", [*OWN, "Cookie: other=1; chat=TOKEN"]),
    ("/text", [*OWN, "Cookie: __Host-chat=TOKEN; chat=forged"]),
]


@pytest.mark.parametrize(("path", "headers"), WAYS)
def test_ways_to_say_it(path: str, headers: list[str]) -> None:
    """`Authorization`, a subprotocol, the address, and the cookie of our own page."""
    house, token = make_house()
    assert came_in(house, path.replace("TOKEN", token), *(h.replace("TOKEN", token) for h in headers)) == (
        "Ann comes in"
    )


@pytest.mark.parametrize(("path", "headers"), WAYS[:5])
def test_a_token_that_proves_nothing(path: str, headers: list[str]) -> None:
    """What was said on purpose and is wrong is refused, and nothing of it is repeated."""
    house, _ = make_house()
    path, *headers = (word.replace("TOKEN", "a_FORGED") for word in (path, *headers))
    transport = house.connect(house.door)
    house.feed(transport, handshake(path, *headers))
    data = transport.take()
    answer = read_answer(data)
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer" and b"FORGED" not in data


@pytest.mark.parametrize(
    "headers",
    [
        [*OWN, "Cookie: chat=forged"],
        ["Host: chat.example:8080", "Cookie: chat=TOKEN"],
        ["Host: chat.example:8080", "Origin: http://chat.example:9090", "Cookie: chat=TOKEN"],
        ["Host: localhost:8080", "Origin: null", "Cookie: chat=TOKEN"],
        ["Host: localhost:8080", "Origin: http://127.0.0.1:8080", "Cookie: chat=TOKEN"],
        [*OWN, "Cookie: chat=TOKEN" + "x" * 9000],
    ],
)
def test_a_cookie_that_does_not_count(headers: list[str]) -> None:
    """A cookie counts for a page of this host and port alone; a bad one makes a guest of nobody else's."""
    house, token = make_house()
    assert came_in(house, "/text", *(h.replace("TOKEN", token) for h in headers)) == "user1 comes in"


def test_a_subprotocol_is_agreed_to_without_the_token() -> None:
    """The answer names the dialect only; offered alone, a token chooses none."""
    house, token = make_house()
    transport = house.connect(house.door)
    house.feed(transport, handshake("/", f"Sec-WebSocket-Protocol: chat.text, bearer.{token}"))
    head = transport.take().partition(b"\r\n\r\n")[0]
    assert b"Sec-WebSocket-Protocol: chat.text" in head and token.encode() not in head
    assert '"data":"Ann comes in"' in came_in(house, "/", f"Sec-WebSocket-Protocol: bearer.{token}")


def hello(house: House, *headers: str, **members: Any) -> dict[str, Any]:
    """What hello is answered after a handshake."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/v1", *headers))
    transport.take()
    house.feed(transport, frame(json.dumps({"type": "hello", "id": 1, **members})))
    reply: dict[str, Any] = json.loads(read_frames(transport.take())[0][1])
    return reply


def test_hello_takes_the_handshakes_token() -> None:
    """On chat.v1 the token of the handshake is the one of a hello without; a hello's own wins."""
    house, token = make_house()
    assert hello(house, f"Authorization: Bearer {token}")["user"]["id"] == "u_a"
    assert hello(house, *OWN, f"Cookie: chat={token}")["user"]["id"] == "u_a"
    guest = hello(house)["guest_token"]
    assert hello(house, f"Authorization: Bearer {token}", token=guest)["user"]["guest"]
    assert hello(house, "Authorization: Bearer a_FORGED")["code"] == "unauthorized"


@pytest.mark.parametrize("path", ["/text", "/", "/text?nick=Bob"])
def test_without_guests_a_handshake_needs_a_token(path: str) -> None:
    """Where guests are not let in the handshake is refused; echo is nobody's business."""
    house, token = make_house(guests=False)
    assert came_in(house, path) == "401"
    assert came_in(house, path, f"Authorization: Bearer {house.passes.issue(Identity('u_g'))}") == "401"
    assert "Ann" in came_in(house, path.replace("?nick=Bob", ""), f"Authorization: Bearer {token}")
    assert came_in(house, "/echo") == ""


def api(house: House, request: str, *headers: str) -> int:
    """The status a request is answered with."""
    transport = house.connect(house.door)
    lines = [f"{request} HTTP/1.1", *headers, *(() if any("Host" in h for h in headers) else ("Host: localhost",))]
    house.feed(transport, "\r\n".join([*lines, "", ""]).encode())
    return read_answer(transport.take()).status


def test_http_takes_no_token_from_an_address() -> None:
    """There it would stand in histories and logs: it counts as not said."""
    house, token = make_house()
    house.hub.guests = False
    path = "/api/rooms/lobby/events"
    assert api(house, f"GET {path}?token={token}") == 401
    assert api(house, f"GET {path}", f"Authorization: Bearer {token}") == 200
    assert api(house, f"GET {path}", "Host: chat.example", f"Cookie: chat={token}") == 401
    same = ("Host: chat.example", f"Cookie: chat={token}", "Sec-Fetch-Site: same-origin")
    assert api(house, f"GET {path}", *same) == 200
    assert api(house, f"GET {path}", *same[:2], "Sec-Fetch-Site: same-site") == 401


def test_signing_in_on_a_line() -> None:
    """`/login` makes somebody of a guest, in the same room, and the room hears only who goes and comes."""
    house, _ = make_house()
    witness, one = LinePerson(house), LinePerson(house)
    witness.heard(), one.heard()
    one.say("/login Ann wrong")
    assert one.heard() == ["* that name and that password do not belong together"]
    one.say("/login Ann")
    assert one.heard() == ["* usage: /login NAME PASSWORD"]
    one.say("/login Ann sesame-open")
    assert one.heard() == ["* you are Ann in lobby, 2 here; /help lists the commands"]
    heard = witness.heard()
    assert heard == ["user2 left", "Ann comes in"] and "sesame" not in str(heard)
    one.say("hello")
    assert witness.heard() == ["Annsay:hello"]


@pytest.mark.parametrize("kind", [LinePerson, TextPerson, SimplePerson])
def test_signing_in_twice(kind: type[Person]) -> None:
    """Whoever is that account already is it still: it stays where it is, the room hears nothing, and nobody is
    left behind when it goes."""
    house, _ = make_house()
    witness, one = kind(house), kind(house)
    one.say("/login Ann sesame-open")
    one.heard(), witness.heard()
    one.say("/login Ann sesame-open")
    one.heard()
    assert witness.heard() == []
    (session,) = house.hub.sessions["u_a"]
    assert house.hub.roster.find("u_a") is session.person is house.hub.roster.named("Ann")
    one.say("still here")
    assert witness.heard() == [witness.said("Ann", "still here")]
    one.leave()
    assert "u_a" not in house.hub.sessions and house.hub.roster.find("u_a") is None
    assert house.hub.rooms["lobby"].here.n == 1 and house.troubles == []


@pytest.mark.parametrize(
    ("request_line", "header"),
    [
        ("POST /api/rooms/lobby/messages", "Idempotency-Key"),
        ("POST /api/rooms/lobby/messages", "Content-Type"),
        ("POST /api/rooms/lobby/messages", "Authorization"),
        ("GET /api/rooms/lobby/events", "Origin"),
        ("GET /api/rooms/lobby/events", "Accept"),
        ("GET /api/rooms/lobby/events", "Cookie"),
        ("GET /api/rooms/lobby/events", "Last-Event-ID"),
        ("GET /api/rooms/lobby/export", "Sec-Fetch-Site"),
        ("POST /v1/login", "Origin"),
        ("POST /v1/login", "Content-Type"),
        ("POST /v1/logout", "Authorization"),
    ],
)
def test_headers_that_are_no_text(request_line: str, header: str) -> None:
    """Bytes that are no UTF-8 are refused with 400 in plain words, and are no fault of ours."""
    house, _ = make_house()
    body = '{"everywhere":true}' if "v1" in request_line else "hi" if "POST" in request_line else ""
    more = [JSON] if "v1" in request_line and header != "Content-Type" else []
    lines = [f"{request_line} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *more]
    transport = house.connect(house.door)
    raw = "\r\n".join([*lines, f"{header}: caf\xe9", "", ""]).encode("latin-1") + body.encode()
    house.feed(transport, raw)
    answer = read_answer(transport.take())
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_request")
    assert header.lower() in json.loads(answer.body)["message"] and house.troubles == []


def test_a_password_does_not_pass_in_the_clear() -> None:
    """From another computer and without TLS nobody may sign in, and the password is not even looked at."""
    house, _ = make_house()
    one = LinePerson(house)
    one.transport.peerAddr = type(one.transport.peerAddr)("TCP", "192.0.2.7", 5123)
    one.heard()
    one.say("/login Ann sesame-open")
    (told,) = one.heard()
    assert "others could read your password" in told
    assert house.hub.sign_in.tried == []  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("proxy", "passes"), [("10.0.0.1", True), ("10.9.9.9", False)], ids=["one of ours", "somebody's"]
)
def test_a_password_passes_through_a_proxy_of_ours(proxy: str, passes: bool) -> None:
    """Which has taken the TLS off; whose way from here to there is its operator's own network."""
    house, _ = make_house(trusted=Networks.read(["10.0.0.1"]), loopback=False)
    transport = house.connect(house.door, proxy)
    house.feed(transport, handshake("/text", "X-Forwarded-For: 192.0.2.7"))
    house.feed(transport, frame("/login Ann sesame-open"))
    assert [tried[:2] for tried in house.hub.sign_in.tried] == ([("Ann", "sesame-open")] if passes else [])  # type: ignore[union-attr]


def test_a_line_without_guests() -> None:
    """Nobody is anywhere until they have signed in; then they are where newcomers are."""
    house, _ = make_house(guests=False)
    one = LinePerson(house)
    (told,) = one.heard()
    assert "only people with an account" in told
    one.say("hello")
    one.say("/who")
    assert all("only people with an account" in told for told in one.heard())
    one.say("/login Ann sesame-open")
    assert one.heard() == ["* you are Ann in lobby, 1 here; /help lists the commands"]


def test_cookies() -> None:
    """No script sees it, no other site gets it sent, and over TLS no other host can set it."""
    plain, secure = set_cookie("T", False, 60), set_cookie("T", True, 60)
    for cookie in (plain, secure):
        assert "; HttpOnly" in cookie and "; SameSite=Strict" in cookie and "; Path=/;" in cookie
    assert secure.startswith("__Host-chat=T;") and secure.endswith("; Secure") and "Domain" not in secure
    assert plain.startswith("chat=T;") and "Secure" not in plain and "Max-Age=0" in set_cookie("", True, 60)
    assert from_cookie('odd; json={"a": 1,;=; chat=T', "http://h", "h") == "T"
    assert from_cookie("chat=", "http://h", "h") is None and from_cookie("chat=T", "http://h", "") is None


def post(house: House, path: str, body: str, *headers: str, method: str = "POST") -> Any:
    """What a request to sign in is answered."""
    transport = house.connect(house.door)
    lines = [f"{method} {path} HTTP/1.1", "Host: chat.example", f"Content-Length: {len(body)}", *headers]
    house.feed(transport, ("\r\n".join([*lines, "", ""]) + body).encode())
    return read_answer(transport.take())


LOGIN = '{"name":"Ann","password":"sesame-open"}'


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (LOGIN, [JSON], 200),
        (LOGIN, [JSON, "Origin: http://chat.example"], 200),
        (LOGIN, [JSON, "Origin: http://evil.example"], 403),
        (LOGIN, ["Content-Type: Application/JSON ; charset=utf-8"], 200),
        (LOGIN, ["Content-Type: text/plain"], 403),
        (LOGIN, ["Content-Type: text/plain; of=application/json"], 403),
        (LOGIN, ["Content-Type: application/json-patch+json"], 403),
        (LOGIN, ["Content-Type: application/x-www-form-urlencoded"], 403),
        (LOGIN, [], 403),
        ("{", [JSON], 400),
        ("[]", [JSON], 400),
        ("{}", [JSON], 400),
        ('{"name":"Ann"}', [JSON], 400),
        ('{"name":7,"password":"x"}', [JSON], 400),
        ('{"name":"Ann","password":"' + "x" * 1025 + '"}', [JSON], 400),
        ('{"name":"Ann","password":"sesame"}', [JSON], 401),
        ('{"name":"Ann","password":"sesame-open","cookie":1}', [JSON], 400),
    ],
)
def test_posting_a_password(body: str, headers: list[str], status: int) -> None:
    """Only our own page may send one, and only as JSON; whatever is wrong with it is said, and never repeated."""
    house, _ = make_house()
    answer = post(house, "/v1/login", body, *headers)
    assert (
        answer.status == status and b"sesame" not in answer.body and answer.headers["cache-control"] == "no-store"
    )
    assert (b'"token"' in answer.body) is (status == 200)


def test_a_cookie_instead_of_a_token() -> None:
    """With `cookie` the answer has no token; it is `Secure` where the page came by https; logout takes it away."""
    house, _ = make_house()
    body = LOGIN.replace("}", ',"cookie":true}')
    for origin, name in (("http://chat.example", "chat="), ("https://chat.example", "__Host-chat=")):
        answer = post(house, "/v1/login", body, JSON, f"Origin: {origin}")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(name) and ("; Secure" in cookie) is origin.startswith("https")
        assert b"token" not in answer.body
        out = post(house, "/v1/logout", "{}", JSON, f"Origin: {origin}")
        assert out.status == 200 and out.headers["set-cookie"].startswith(f"{name}; ")


def test_what_needs_a_token() -> None:
    """Without one nobody signs out everywhere or changes a password; other methods are not there."""
    house, _ = make_house()
    assert post(house, "/v1/logout", '{"everywhere":true}', JSON).status == 401
    assert post(house, "/v1/password", '{"password":"x","new":"y"}', JSON).status == 401
    refused = post(house, "/v1/login", "", method="GET")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")
    house.hub.sign_in = None
    assert post(house, "/v1/login", LOGIN, JSON).status == 400
    assert house.troubles == []
