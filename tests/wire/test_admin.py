"""`/admin/`: who may look, who may act, and what is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import FakeTransport
from twisted.logger import LogLevel

from chatservice.domain.accounts import Account
from chatservice.transports.admin_live import EVERY_S, MOST, PATIENCE
from chatservice.transports.desk import COMPLAINTS, Shown
from wire.house import Answer, House, frame, handshake, read_answer
from wire.people import LinePerson, TextPerson, WebSocketPerson

HOST = "localhost:8080"
OWNER = Account("u_o", "Olga", "owner", "$", 1, 0)
MOD = Account("u_m", "Max", "mod", "$", 1, 0)
MEMBER = Account("u_b", "Bob", "member", "$", 1, 0)

Fields = dict[str, Any]


@pytest.fixture
def house() -> House:
    """A house with an owner, a moderator and a member."""
    house = House(signed=True)
    for account in (OWNER, MOD, MEMBER):
        house.hub.registered(account)
    return house


def ask(
    house: House,
    path: str,
    who: Account | None = None,
    *headers: str,
    fields: Fields | None = None,
    method: str = "",
) -> Answer:
    """One request, as the page of that account makes it."""
    body = b"" if fields is None else json.dumps(fields).encode()
    own = [f"Host: {HOST}", f"Origin: http://{HOST}", f"Content-Length: {len(body)}"]
    if who is not None:
        own.append(f"Cookie: chat={house.passes.issue_for(who)}")
    if fields is not None and not any("Content-Type" in line for line in headers):
        own.append("Content-Type: application/json")
    names = {line.partition(":")[0] for line in headers}
    lines = [line for line in own if line.partition(":")[0] not in names] + [
        line for line in headers if line[-1] != ":"
    ]
    transport = house.connect(house.door)
    method = method or ("GET" if fields is None else "POST")
    house.feed(transport, ("\r\n".join([f"{method} {path} HTTP/1.1", *lines]) + "\r\n\r\n").encode() + body)
    answer = read_answer(transport.take())
    transport.lose()
    house.pump.run()
    return answer


def state(house: House, who: Account = OWNER) -> Fields:
    """How the house stands."""
    answer = ask(house, "/admin/api/state", who)
    assert answer.status == 200
    found: Fields = json.loads(answer.body)
    return found


class Onlooker:
    """A page that is open."""

    def __init__(self, house: House, who: Account = OWNER) -> None:
        self.transport: FakeTransport = house.connect(house.door)
        token = house.passes.issue_for(who)
        lines = [
            "GET /admin/api/live HTTP/1.1",
            f"Host: {HOST}",
            f"Cookie: chat={token}",
            "Sec-Fetch-Site: same-origin",
        ]
        head = "\r\n".join(lines) + "\r\n\r\n"
        house.feed(self.transport, head.encode())

    def told(self) -> list[tuple[str, Fields]]:
        """Name and data of the events since the last call."""
        text = self.transport.take().decode()
        return [
            (block.split("event: ")[1].split("\n")[0], json.loads(block.split("data: ")[1].split("\n")[0]))
            for block in text.split("\n\n")
            if "event: " in block
        ]


# --- who may look ---


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/api/me", "/admin/api/state", "/admin/api/live"])
def test_there_is_none_without_an_owner(path: str) -> None:
    """Until somebody is the owner, nothing tells that there is such a page; then there is."""
    house = House(signed=True)
    house.hub.registered(MOD)
    assert ask(house, path, MOD).body == ask(house, "/nowhere", MOD).body
    house.hub.registered(OWNER)
    assert ask(house, path).status != 404


def test_the_page(house: House) -> None:
    """It is served with the policy of all pages; `/admin` leads to it."""
    page = ask(house, "/admin/")
    assert page.status == 200 and b"admin.js" in page.body
    assert "require-trusted-types-for 'script'" in page.headers["content-security-policy"]
    assert (ask(house, "/admin").status, ask(house, "/admin").headers["location"]) == (308, "admin/")
    assert ask(house, "/admin/nothing").status == 404


@pytest.mark.parametrize(
    ("who", "status", "looks"),
    [(None, 401, None), (MEMBER, 403, False), (MOD, 200, True), (OWNER, 200, True)],
    ids=["nobody", "member", "mod", "owner"],
)
def test_who_may_look(house: House, who: Account | None, status: int, looks: bool | None) -> None:
    """Those who keep order; the page learns who somebody is without an error."""
    assert ask(house, "/admin/api/state", who).status == status
    me = json.loads(ask(house, "/admin/api/me", who).body)["you"]
    assert (None if me is None else me["looks"]) == looks


@pytest.mark.parametrize("origin", ["Origin: http://elsewhere.example", "Origin: null"])
def test_other_pages(house: House, origin: str) -> None:
    """A page of another origin has nothing of it, whatever cookies its browser sends along."""
    for path, fields in (("/admin/api/state", None), ("/admin/api/mod", {"action": "kick"})):
        assert ask(house, path, OWNER, origin, fields=fields).status in (401, 403)


# --- what is told ---


def test_the_state(house: House) -> None:
    """Connections by dialect, rooms, people and figures; nothing that anybody said."""
    house.around.desk.settings = lambda: [Shown("lang", "en", "default")]
    ann, bob = TextPerson(house, nick="Ann"), WebSocketPerson(house, "/?nick=Bea")
    LinePerson(house)
    WebSocketPerson(house, "/echo")
    WebSocketPerson(house, "/wire")
    ann.say("a secret word")
    bob.texts()
    found = state(house)
    by_dialect = {row["dialect"]: row["n"] for row in found["connections"]["by_dialect"]}
    assert by_dialect == {"text": 1, "simple": 1, "line": 1, "echo": 1, "wire": 1}
    assert found["rooms"]["list"] == [
        {"name": "lobby", "n": 3, "seq": 1, "state": "live", "private": False, "locked": False}
    ]
    people = {one["nick"]: one for one in found["people"]["list"]}
    assert people["Ann"]["rooms"] == ["lobby"] and people["Ann"]["dialects"] == ["text"]
    assert found["messages"] == 1 and found["memory"]["resident"] > 1_000_000
    assert found["you"] == {"id": "u_o", "nick": "Olga", "role": "owner", "looks": True, "acts": True}
    assert found["settings"] == [{"name": "lang", "value": "en", "source": "default"}]
    assert "secret" not in json.dumps(found)


def test_who_does_not_read(house: House) -> None:
    """What waits for a peer is counted at its dialect and at its person."""
    ann = TextPerson(house, nick="Ann")
    ann.transport.producer.pauseProducing()
    TextPerson(house).say("x" * 1000)
    found = state(house)
    (row,) = found["connections"]["by_dialect"]
    assert row["waiting"] == row["most"] >= 1000 and row["lagging"] == 0
    assert next(one for one in found["people"]["list"] if one["nick"] == "Ann")["waiting"] == row["waiting"]


def test_private_conversations(house: House) -> None:
    """Of conversations of two only the number is told, of streams nothing."""
    with_token = handshake("/v1")
    transport = house.connect(house.door)
    house.feed(transport, with_token)
    transport.take()
    house.feed(transport, frame(json.dumps({"type": "hello", "id": 1, "v": 1, "nick": "Ann"})))
    house.feed(transport, frame(json.dumps({"type": "join", "id": 2, "room": "@u_b"})))
    found = state(house)
    assert found["rooms"]["list"] == [] and found["rooms"]["direct"] == 1
    assert all(not room.startswith(("@", "dm:")) for one in found["people"]["list"] for room in one["rooms"])


def test_what_went_wrong(house: House) -> None:
    """The log's last warnings and errors are told, cut to a length; what is only information is not."""
    desk = house.around.desk
    for number in range(COMPLAINTS + 5):
        desk.hear({"log_level": LogLevel.warn, "log_time": 1.0, "log_format": "number {n}", "n": number})
    desk.hear({"log_level": LogLevel.info, "log_time": 2.0, "log_format": "all is well"})
    desk.hear({"log_level": LogLevel.error, "log_time": 3.0, "log_format": "{n}", "n": "x" * 1000})
    complaints = state(house)["complaints"]
    assert len(complaints) == COMPLAINTS and complaints[-2]["words"] == f"number {COMPLAINTS + 4}"
    assert len(complaints[-1]["words"]) == 300 and complaints[-1]["level"] == "error"


# --- looking on ---


def test_every_two_seconds(house: House) -> None:
    """First who one is, then how things stand, again and again, with the rate of messages of the last while."""
    one = Onlooker(house)
    assert [name for name, _ in one.told()] == ["about", "state"]
    ann = TextPerson(house)
    for _ in range(4):
        ann.say("hi")
    house.wait(2 * EVERY_S)
    (_, first), (_, second) = one.told()
    assert first["messages"] == 4 and first["per_s"] == 2.0 and second["per_s"] == 1.0
    one.transport.lose()
    house.wait(EVERY_S)
    assert [call for call in house.clock.getDelayedCalls() if "admin" in str(call)] == []


def test_one_who_does_not_read(house: House) -> None:
    """Nothing is kept for it; it is told again when it reads, and is gone after a while."""
    one = Onlooker(house)
    one.told()
    one.transport.producer.pauseProducing()
    house.wait(3 * EVERY_S)
    assert one.told() == []
    one.transport.producer.resumeProducing()
    house.wait(EVERY_S)
    assert len(one.told()) == 1
    one.transport.producer.pauseProducing()
    house.wait((PATIENCE + 2) * EVERY_S)
    assert one.transport.aborted


def test_a_right_that_ends(house: House) -> None:
    """Who is no moderator any more sees nothing more."""
    one = Onlooker(house, MOD)
    one.told()
    house.hub.registered(Account("u_m", "Max", "member", "$", 2, 0))
    house.wait(EVERY_S)
    assert one.told() == [] and one.transport.take() == b""


def test_so_many_look_on(house: House) -> None:
    """Above sixteen the oldest is sent away; at a restart all are."""
    pages = [Onlooker(house) for _ in range(MOST + 1)]
    for page in pages:
        page.told()
    house.wait(EVERY_S)
    assert [bool(page.told()) for page in pages] == [False] + [True] * MOST
    house.around.desk.close()
    house.wait(EVERY_S)
    assert not any(page.told() for page in pages)


# --- acting ---


def test_an_owner_throws_out(house: House) -> None:
    """It is the command of chat.v1: the room is told by whom and why, and it stands in the log."""
    ann, bob = TextPerson(house, nick="Ann"), TextPerson(house, nick="Bea")
    user_id = next(one["id"] for one in state(house)["people"]["list"] if one["nick"] == "Ann")
    bob.texts()
    done = ask(house, "/admin/api/mod", OWNER, fields={"room": "lobby", "action": "kick", "user": user_id})
    assert (done.status, json.loads(done.body)["seq"]) == (200, 1)
    ann.frames()
    assert ann.closed is not None and ann.closed[0] == 1008
    assert bob.texts()[0] == "* Olga threw Ann out"


def test_muted_for_a_while(house: House) -> None:
    """A mute ends by itself."""
    ann = TextPerson(house, nick="Ann")
    user_id = next(one["id"] for one in state(house)["people"]["list"] if one["nick"] == "Ann")
    fields = {"room": "lobby", "action": "mute", "user": user_id, "for_s": 600, "reason": "noise"}
    assert ask(house, "/admin/api/mod", OWNER, fields=fields).status == 200
    ann.texts()
    ann.say("hi")
    assert "hi" not in ann.texts()
    assert ask(house, "/admin/api/mod", OWNER, fields={**fields, "action": "unmute", "for_s": 0}).status == 200
    ann.texts()
    ann.say("hi")
    assert "hi" in ann.texts()


@pytest.mark.parametrize(
    ("who", "headers", "fields", "status"),
    [
        (None, (), {}, 401),
        (MEMBER, (), {}, 403),
        (MOD, (), {}, 403),
        (OWNER, ("Content-Type: text/plain",), {}, 403),
        (OWNER, (), {"action": "role"}, 400),
        (OWNER, (), {"action": "topic"}, 400),
        (OWNER, (), {"user": 7}, 400),
        (OWNER, (), {"room": ""}, 404),
        (OWNER, (), {"for_s": -1}, 400),
    ],
)
def test_what_is_refused(
    house: House, who: Account | None, headers: tuple[str, ...], fields: Fields, status: int
) -> None:
    """Only owners act, only with JSON, only what is on the page; nothing is kept of what was refused."""
    TextPerson(house, nick="Ann")
    whole = {"room": "lobby", "action": "kick", "user": "u_x", **fields}
    assert ask(house, "/admin/api/mod", who, *headers, fields=whole).status == status
    assert house.hub.committed_count == 0


def test_methods(house: House) -> None:
    """Each has its own."""
    assert ask(house, "/admin/api/mod", OWNER).status == 405
    assert ask(house, "/admin/api/state", OWNER, fields={}).status == 405
