"""Messages and names that mean no good, a table: what each must be answered.

The numbers are those of the list of bad inputs this was built against (76 to 104: messages, identity, lines).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import said
from twisted.logger import globalLogPublisher

from chatservice.domain.events import Moderated, User
from chatservice.domain.limits import DEAF, MESSAGES, ROOMS
from chatservice.domain.rates import RATES, Kind
from chatservice.domain.trust import Identity
from chatservice.identity.passes import SignedPasses
from chatservice.transports.surroundings import LINE_GRACE_S, LINE_NUDGE_S
from wire.house import House, read_answer
from wire.people import LinePerson, SimplePerson, TextPerson, WebSocketPerson

DEEP = "[" * 60_000
HUGE = 2**63
RLO, ZWSP, SHY, FILLER, TAG = "\u202e", "\u200b", "\u00ad", "\u3164", "\U000e0061"


class FullPerson(WebSocketPerson):
    """On chat.v1, in the lobby."""

    def __init__(self, house: House, *rooms: str, **members: Any) -> None:
        super().__init__(house, "/v1")
        self.events: list[dict[str, Any]] = []
        self.greeting = self.ask("hello", rooms=dict.fromkeys(rooms or ("lobby",)), **members)

    def send(self, frame: str) -> dict[str, Any]:
        """The answer to a frame; empty if there is none."""
        self.say(frame)
        frames = [json.loads(text) for text in self.texts()]
        self.events += [told for told in frames if told["type"] not in ("ok", "error")]
        return next((told for told in frames if told["type"] in ("ok", "error")), {})

    def ask(self, type: str, **members: Any) -> dict[str, Any]:
        """The answer to a command."""
        return self.send(json.dumps({"type": type, "id": 1, **members}))

    def code(self, type: str, **members: Any) -> str:
        """`ok`, or why it was refused."""
        return str(self.ask(type, **members).get("code", "ok"))

    @property
    def close_code(self) -> int | None:
        self.frames()
        return None if self.closed is None else self.closed[0]


@pytest.fixture
def house() -> Iterator[House]:
    """A service with the limits of every day and with tokens; at the end it must have found no fault in itself."""
    house = House(messages=MESSAGES)
    house.hub.passes = SignedPasses(b"k" * 32, house.hub.clock)
    yield house
    assert house.troubles == []


def row(number: int, *values: Any, id: str = "") -> Any:
    return pytest.param(*values, id=f"row{number}-{id}" if id else f"row{number}")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        row(76, "hello?", "bad_json", id="words"),
        row(76, "17", "bad_json", id="number"),
        row(76, '"x"', "bad_json", id="string"),
        row(76, "[]", "bad_json", id="array"),
        row(76, "", "bad_json", id="nothing"),
        row(77, DEEP, "bad_json", id="deep"),
        row(77, DEEP + "]" * 5000, "bad_json", id="deep-and-back"),
        row(
            77, '{"type":"message","id":1,"room":"lobby","text":' + DEEP[:1000] + "}", "bad_json", id="deep-inside"
        ),
        row(78, '{"type":"history","id":1,"room":"lobby","limit":NaN}', "bad_json", id="nan"),
        row(78, '{"type":"history","id":1,"room":"lobby","limit":-Infinity}', "bad_json", id="infinity"),
        row(78, '{"type":"history","id":1,"room":"lobby","limit":1e999}', "bad_json", id="1e999"),
        row(80, f'{{"type":"read","id":1,"room":"lobby","seq":{2**53}}}', "bad_request", id="2^53"),
        row(80, f'{{"type":"read","id":1,"room":"lobby","seq":{HUGE}}}', "bad_request", id="2^63"),
        row(80, f'{{"type":"history","id":1,"room":"lobby","before":{HUGE**3}}}', "bad_request", id="2^189"),
        row(80, f'{{"type":"history","id":{HUGE},"room":"lobby"}}', "bad_request", id="id"),
        row(83, '{"type":"dance","id":1}', "unknown_type", id="type"),
        row(83, '{"type":7,"id":1}', "unknown_type", id="no-word"),
        row(83, '{"id":1}', "unknown_type", id="none"),
        row(83, '{"type":"message","id":1,"room":"lobby"}', "bad_request", id="missing"),
        row(83, '{"type":"message","id":1,"room":"lobby","text":["x"]}', "bad_request", id="wrong"),
        row(83, '{"type":"typing","id":1,"room":"lobby","on":1}', "bad_request", id="one-is-not-true"),
    ],
)
def test_frames_that_are_no_commands(house: House, frame: str, code: str) -> None:
    """They are refused, each with its code, and the conversation goes on."""
    ann = FullPerson(house)
    assert ann.send(frame)["code"] == code
    assert ann.code("message", room="lobby", text="still here") == "ok" and ann.close_code is None


def test_no_json_again_and_again(house: House) -> None:
    """row 76: the third frame that is no JSON object ends the connection."""
    ann = FullPerson(house)
    codes = [ann.send("[]").get("code") for _ in range(3)]
    assert codes == ["bad_json", "bad_json", None] and ann.close_code == 4501


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        row(79, r"half \ud83d of a pair", "half \ufffd of a pair", id="half"),
        row(79, r"\ude00", "\ufffd", id="other-half"),
        row(81, r"a\u0000b\u0007\u001b[2Jc\u007fd\u0085e", "ab[2Jcde", id="controls"),
        row(81, r"a\r\nb\u2028c\u2029d\te", "a\nb\nc\nd\te", id="breaks"),
        row(100, "<img src=x onerror=alert(1)><svg/onload=x> javascript:x", None, id="markup"),
    ],
)
def test_texts(house: House, typed: str, told: str | None) -> None:
    """What is said is said: controls leave it, breaks become one kind, half a character is marked, no more."""
    ann, bob = FullPerson(house), FullPerson(house)
    assert ann.send(f'{{"type":"message","id":1,"room":"lobby","text":"{typed}"}}')["seq"] == 1
    bob.ask("history", room="lobby")
    assert [event["text"] for event in bob.events if event["type"] == "message"] == [told or typed]


def test_markup_where_a_page_may_trust_it(house: House) -> None:
    """row 100: where the taught pages put sentences into innerHTML, no tag of a stranger's arrives there."""
    evil = "<img src=x onerror=alert(1)>"
    text, simple = TextPerson(house, escape="html"), SimplePerson(house, escape="html")
    ann = SimplePerson(house)
    ann.say("/nick <b>Ann</b>")
    ann.say(evil)
    for told in (*text.heard(), *simple.heard()):
        assert "<" not in told


def test_members_twice_and_unknown(house: House) -> None:
    """row 82: the last of two members of one name counts; those nobody knows are ignored."""
    ann = FullPerson(house)
    frame = '{"type":"message","id":1,"room":"lobby","text":"a","colour":{"x":[1]},"text":"b"}'
    assert ann.send(frame)["type"] == "ok" and ann.events[-1]["text"] == "b"


@pytest.mark.parametrize(
    ("type", "members", "code"),
    [
        row(84, "message", {"text": "x" * 4001}, "too_large", id="text"),
        row(84, "message", {"text": "x" * 4000}, "ok", id="just-fits"),
        row(84, "message", {"text": "x", "cid": "c" * 65}, "bad_request", id="cid"),
        row(84, "message", {"text": "x", "meta": {"x": "y" * 4100}}, "bad_request", id="meta"),
        row(84, "join", {"room": "r" * 65}, "no_room", id="room"),
        row(84, "join", {"room": "房" * 64 + "间"}, "no_room", id="room-of-cjk"),
        row(84, "nick", {"nick": "n" * 33}, "bad_request", id="nick"),
        row(84, "search", {"q": "q" * 201}, "bad_request", id="query"),
        row(87, "message", {"room": "attic", "text": "x"}, "not_joined", id="not-joined"),
        row(87, "message", {"room": "dm:u_x:u_y", "text": "x"}, "forbidden", id="private"),
        row(87, "join", {"room": "dm:u_x:u_y"}, "forbidden", id="join-private"),
        row(87, "history", {"room": "dm:u_x:u_y"}, "forbidden", id="read-private"),
        row(87, "join", {"room": "dm:u_y:u_x"}, "no_room", id="not-canonical"),
        row(90, "history", {"before": -1}, "bad_request", id="before-all"),
        row(90, "history", {"limit": -1}, "bad_request", id="less-than-none"),
        row(101, "join", {"room": "a\r\n2026-11-21 forged"}, "no_room", id="room"),
        row(101, "join", {"room": "a\x1b[2J"}, "no_room", id="escape"),
        row(101, "nick", {"nick": "a\u2028b"}, "bad_request", id="nick"),
    ],
)
def test_too_much_and_too_far(house: House, type: str, members: dict[str, Any], code: str) -> None:
    """Each bound has its code, and the conversation goes on."""
    ann = FullPerson(house)
    assert ann.code(type, **{"room": "lobby", **members}) == code
    assert ann.code("message", room="lobby", text="still here") == "ok"


def test_a_flood(house: House) -> None:
    """row 85: the eleventh message at once is refused, the hundred and first refusal ends it."""
    ann = FullPerson(house)
    codes = [ann.code("message", room="lobby", text="x") for _ in range(MESSAGES.burst + DEAF.burst + 1)]
    assert codes == ["ok"] * MESSAGES.burst + ["rate_limited"] * (DEAF.burst + 1)
    assert ann.close_code == 4013
    text = TextPerson(house)
    for _ in range(MESSAGES.burst + DEAF.burst + 1):
        text.say("x")
    text.frames()
    assert text.closed is not None and text.closed[0] == 1008


def test_too_many_rooms(house: House) -> None:
    """row 86: one session is in at most so many rooms; joins beyond the rate are refused, and cost nobody else."""
    ann = FullPerson(house, *(f"r{n}" for n in range(ROOMS)))
    answer = ann.ask("join", room="one-more")
    assert (answer["code"], answer["temporary"]) == ("limit", False)
    rooms = {f"r{n}": {} for n in range(ROOMS + 1)}
    eve = WebSocketPerson(house, "/v1")
    eve.say(json.dumps({"type": "hello", "id": 1, "rooms": rooms}))
    assert json.loads(eve.texts()[-1])["code"] == "limit"
    bob = FullPerson(house)
    codes = [bob.code("join", room="lobby") for _ in range(RATES[Kind.RESYNC].burst)]
    assert codes.count("rate_limited") == 2 and bob.close_code is None
    assert FullPerson(house).greeting["rooms"]["lobby"]["n"] == 2


def test_the_same_message_again(house: House) -> None:
    """rows 88, 89: the same `cid` is the first message again, from another connection too; with another text it is
    refused; there is one copy."""
    ann = FullPerson(house)
    twin = FullPerson(house, token=ann.greeting["guest_token"])
    answers = [one.ask("message", room="lobby", cid="c", text="x") for one in (ann, ann, twin)]
    assert [(answer["seq"], answer["dup"]) for answer in answers] == [(1, False), (1, True), (1, True)]
    assert twin.code("message", room="lobby", cid="c", text="y") == "cid_conflict"
    assert len(ann.ask("history", room="lobby")["messages"]) == 1


@pytest.mark.parametrize(
    ("members", "seqs"),
    [
        row(90, {"limit": 10**9}, range(101, 301), id="a-billion"),
        row(90, {"limit": 0}, [300], id="none"),
        row(90, {"before": 0}, [], id="before-the-first"),
        row(90, {"before": 2**53 - 1, "limit": 2}, [299, 300], id="from-the-future"),
        row(90, {"after": 2**53 - 1}, [], id="after-the-future"),
        row(90, {"around": 2**53 - 1, "limit": 4}, [298, 299, 300], id="around-the-future"),
    ],
)
def test_history_out_of_range(house: House, members: dict[str, Any], seqs: Any) -> None:
    """What is asked beyond the ends is clamped, or there is nothing there."""

    for n in range(300):
        house.hub.log.append("lobby", said(str(n)))
    house.pump.run()
    ann = FullPerson(house)
    assert [message["seq"] for message in ann.ask("history", room="lobby", **members)["messages"]] == list(seqs)


def forged(house: House, how: str) -> str:
    """A token that is not ours."""
    passes = house.hub.passes
    assert isinstance(passes, SignedPasses)
    good = passes.issue(Identity("u_x", "owner", False))
    none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1X3gifQ."  # a JWT of algorithm `none`
    kid = "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIn0.eyJzdWIiOiJ1X3gifQ.x"
    other = SignedPasses(b"j" * 32, house.hub.clock).issue(Identity("u_x", "owner", False))
    return {
        "none": none,
        "kid": kid,
        "other-key": other,
        "changed": good[:12] + "A" + good[13:],
        "cut": good[:-2],
    }[how]


@pytest.mark.parametrize("how", [row(91, how, id=how) for how in ("none", "kid", "other-key", "changed", "cut")])
def test_forged_tokens(house: House, how: str) -> None:
    """A token that we did not sign ends the connection for good, whatever it says about itself."""
    ann = WebSocketPerson(house, "/v1")
    ann.say(json.dumps({"type": "hello", "id": 1, "token": forged(house, how)}))
    assert json.loads(ann.texts()[-1])["code"] == "unauthorized"
    assert ann.closed is not None and ann.closed[0] == 4500 and len(house.hub.roster) == 0


def test_an_endless_token(house: House) -> None:
    """row 91: a token of 20 KB is refused before anybody looks into it."""
    ann = WebSocketPerson(house, "/v1")
    ann.say(json.dumps({"type": "hello", "id": 1, "token": "g_" + "x" * 20_000}))
    assert json.loads(ann.texts()[-1])["code"] == "bad_request" and len(house.hub.roster) == 0


def test_an_expired_token(house: House) -> None:
    """row 92: a token whose time is over says so, and its owner may come back with another."""
    token = FullPerson(house).greeting["guest_token"]
    house.clock.rightNow += 91 * 24 * 3600
    ann = WebSocketPerson(house, "/v1")
    ann.say(json.dumps({"type": "hello", "id": 1, "token": token}))
    assert json.loads(ann.texts()[-1])["code"] == "token_expired"
    assert ann.closed is not None and ann.closed[0] == 4005


def test_the_banned(house: House) -> None:
    """row 93: all connections of somebody who is banned end in the same turn, by whatever dialect."""
    eve = FullPerson(house)
    twin = FullPerson(house, token=eve.greeting["guest_token"])
    user = eve.greeting["user"]
    mod = FullPerson(house)
    target = User(user["id"], user["nick"])
    promoted = mod.greeting["user"]
    house.hub.log.append("lobby", Moderated(target, "role", User(promoted["id"], promoted["nick"]), "mod"))
    house.pump.run()
    assert mod.code("mod", room="lobby", action="ban", user=user["id"]) == "ok"
    assert eve.close_code == twin.close_code == 4505


def test_a_token_in_the_address(house: House) -> None:
    """row 94: what stands in a query is in no log, and pages send no Referer that would tell it."""
    logged: list[str] = []

    def observe(event: Any) -> None:
        logged.append(repr(event))

    globalLogPublisher.addObserver(observe)
    try:
        for path in ("/?token=o_topsecret", "/v1?token=o_topsecret", "/nowhere?token=o_topsecret"):
            WebSocketPerson(house, path)
        transport = house.connect(house.door)
        house.feed(transport, b"GET /lite?token=o_topsecret HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
        answer = read_answer(transport.take())
    finally:
        globalLogPublisher.removeObserver(observe)
    assert answer.status == 200 and answer.headers["referrer-policy"] == "no-referrer"
    assert "topsecret" not in "".join(logged)


@pytest.mark.parametrize(
    ("nick", "code"),
    [
        *(
            row(95, f"a{hidden}b", "bad_request", id=f"{ord(hidden):x}")
            for hidden in (RLO, "\u2066", ZWSP, SHY, FILLER, TAG)
        ),
        row(95, "adm\ufe0fin", "bad_request", id="fe0f-imitates-nobody"),
        row(97, "ＡＤＭＩＮ", "nick_taken", id="wide"),
        row(97, "𝐚𝐝𝐦𝐢𝐧", "nick_taken", id="mathematical"),
        row(97, " admin ", "nick_taken", id="spaces"),
        row(97, "ADMIN", "nick_taken", id="capitals"),
        row(98, "a" + "\u0301" * 300, "bad_request", id="marks"),
    ],
)
def test_nicks_that_deceive(house: House, nick: str, code: str) -> None:
    """A nick nobody can see, or that is another's in other clothes, is not to be had."""
    FullPerson(house).send('{"type":"nick","nick":"admin"}')
    assert FullPerson(house).code("nick", nick=nick) == code


@pytest.mark.parametrize(
    "head",
    [
        row(101, b"GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n", id="path"),
        row(101, b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\x1b]0;y\x07\r\n\r\n", id="agent"),
        row(101, b"GET /nowhere HTTP/1.1\r\nHost: a\r\nReferer: \xe2\x80\xa8 forged\r\n\r\n", id="separator"),
    ],
)
def test_controls_in_a_request(house: House, head: bytes) -> None:
    """Whatever a request is answered, nothing of it comes into a log."""
    logged: list[Any] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        transport = house.connect(house.door)
        house.feed(transport, head)
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert read_answer(transport.take()).status in (200, 400, 404) and logged == []


# --- lines ---


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        row(102, b"x" * 8193, "* a line has at most 8192 bytes", id="endless"),
        row(
            102,
            b"\xff\xf4caf\xe9\n",
            "* this is not UTF-8; please set your client to it",
            id="no UTF-8 behind what telnet says",
        ),
        row(103, b"GET / HTTP/1.1\r\n", "* this port speaks lines of chat, not HTTP", id="get"),
        row(
            103,
            b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n/me spoke\n",
            "* this port speaks lines of chat, not HTTP",
            id="post",
        ),
        row(103, b"OPTIONS * HTTP/1.1\r\n", "* this port speaks lines of chat, not HTTP", id="options"),
    ],
)
def test_lines_that_end_it(house: House, sent: bytes, last: str) -> None:
    """They are explained in a line, the connection ends at once, and nobody hears a word of it."""
    other = TextPerson(house)
    line = LinePerson(house)
    other.heard()
    line.feed(sent)
    assert line.heard()[-1] == last and line.transport.disconnecting
    assert other.heard() == ["user2 left"]


def test_lines_that_do_not(house: House) -> None:
    """row 102: a newline alone ends a line, and NUL is taken out of one."""
    other, line = TextPerson(house), LinePerson(house)
    other.heard()
    line.feed(b"a\0b\nc\r\n")
    assert other.heard() == ["ab", "c"]


def test_a_silent_line(house: House) -> None:
    """row 104: nobody has to say a name, but whoever says nothing at all is asked, and ended."""
    line = LinePerson(house)
    house.wait(LINE_NUDGE_S + 1)
    assert line.heard()[-1].startswith("* still there?")
    house.wait(LINE_GRACE_S)
    assert line.heard()[-1] == "* timed out" and line.transport.disconnecting
