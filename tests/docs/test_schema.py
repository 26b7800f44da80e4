"""The JSON Schema of chat.v1 and the code say the same, in both directions."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from world import World

from chatservice.dialects import full, full_voice
from chatservice.dialects.base import Unreadable
from chatservice.domain import events as e
from chatservice.domain import results as r
from chatservice.domain.errors import TEMPORARY, Code, Ended, Refused
from chatservice.domain.message import Message, Tally
from chatservice.domain.ports import Appended, Hit

Frame = dict[str, Any]

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "wire" / "chat.v1.schema.json").read_text("utf-8"))
VOICE = full_voice.full_voice("en")

ANN, BOB = e.User("u_1", "Ann"), e.User("u_2", "Bob")
SAID = e.Said(ANN, "hi", True, "cid", 1, ("u_2",), {"a": [1]})
BODIES: list[e.Body] = [
    e.Said(ANN, "hi"),
    SAID,
    e.Said(ANN, "", True, None, 1, erased=True),
    e.Edited(ANN, 1, "ho", 1),
    e.Edited(ANN, 1, "", 1, erased=True),
    e.Deleted(ANN, 1),
    e.Deleted(ANN, 1, "rude"),
    e.Reacted(ANN, 1, "👍", True, 3),
    e.Moderated(ANN, "lock", None, "on"),
    e.Moderated(ANN, "mute", BOB, "", 1_795_000_000_000, "rude"),
    e.Opened(ANN, "dm:u_1:u_2", BOB),
]


def entry(body: e.Body, room: str = "tea") -> e.Entry:
    return e.Entry(room, 7, "e1", 1_795_000_000_000, body)


ENTRIES = tuple(entry(body) for body in BODIES)
EVENTS: list[e.Event] = [
    *ENTRIES,
    e.Entered("tea", ANN, 2),
    e.Left("tea", ANN, 1),
    e.Renamed("@u_1", ANN, "user1"),
    e.Counted("tea", 201),
    e.Presence(ANN, "away", 2, "tea time"),
    e.Typing("tea", ANN, True),
    e.ReadElsewhere("@u_1", 7, 0, 0),
    e.Truncated("tea", None, "e2", 0),
    e.Truncated("tea", 5, "e2", 5),
    e.EpochChanged("tea", "e2"),
    e.Lagged("tea", 3, 9, "e1"),
    e.Expiring(1_795_000_000_000),
    e.Stalled(True),
    e.Stalled(False),
    e.Pinged(1_795_000_000_000, {"tea": 9, "@u_1": 0}),
    e.Bye("shutdown", True, 3170),
]
MESSAGES = (
    Message(1, 1, ANN, "hi"),
    Message(2, 2, ANN, "ho", 2, False, True, 1, ("u_2",), {"a": 1}, {"👍": Tally(2, True)}),
    Message(3, 3, ANN, "", 1, True, True, 1),
)
JOINED = r.Joined("tea", ANN, "e1", 7, False, False, "", 0, (), MESSAGES, 2, (ANN, BOB), can=("write", "react"))
RECOVERED = r.Joined(
    "tea", ANN, "e1", 7, True, True, "", 0, ENTRIES, (), 2, None, 5, 2, 1, "owner", ("mod",), "tea", True
)
LOST = [
    r.Joined("tea", ANN, "e2", 7, True, False, reason, 5, (), (), 2, None)
    for reason in ("epoch", "ahead", "truncated", "gone", "too_many")
]
NO_ENTRY = Refused(Code.FORBIDDEN, "banned")
GREETING = r.Greeting("sess_1", ANN, "guest", True, "g_1", "disk", 1, {"tea": JOINED, "milk": NO_ENTRY})
RESULTS: dict[str, list[Any]] = {
    "join": [JOINED, RECOVERED, *LOST],
    "hello": [GREETING, r.Greeting("sess_1", ANN, "owner", False, None, "cache", 1)],
    "accepted": [Appended("tea", 7, "e1", 7), Appended("tea", 7, "e1", 7, True), Appended("tea", 0, "e1", 7)],
    "done": [r.Done(), r.Done("tea")],
    "rooms": [r.RoomList((r.RoomSeen("tea", 7, 2, 1, True),)), r.RoomList(())],
    "read": [r.Marked("tea", 7, 0, 0)],
    "history": [r.Browsed("tea", MESSAGES, True, "e1"), r.Browsed("tea", MESSAGES, True, "e1", True)],
    "events": [r.Replayed("tea", ENTRIES, False, "e1", 7)],
    "search": [r.Hits((Hit("tea", MESSAGES[0], 18), Hit("tea", MESSAGES[1], 17)), 17), r.Hits((), None)],
    "members": [r.Members("tea", (ANN, BOB), 2), r.Members("tea", (ANN,), 2, "u_1")],
    "invite": [r.Invited("tea", "i_1", 1, 1)],
}


def checker(name: str, schema: Frame = SCHEMA) -> Draft202012Validator:
    """Checks against one definition of the schema."""
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})


def strict() -> Frame:
    """The schema with no member allowed that it does not name, where that can be said."""
    schema = copy.deepcopy(SCHEMA)
    for name, definition in schema["$defs"].items():
        if name not in ("refusal", "message", "ok"):  # these are parts of others
            close(definition)
    return schema


def close(part: Any) -> None:
    if isinstance(part, list):
        for item in part:
            close(item)
    elif isinstance(part, dict):
        if "properties" in part and "type" in part:
            part["unevaluatedProperties"] = False
        for item in part.values():
            close(item)


FRAME, STRICT = checker("frame"), strict()


def told(event: e.Event) -> list[Frame]:
    """The frames of one event: for everyone, and for its own author."""
    payloads = [VOICE.encode(event), VOICE.encode_own(event) if isinstance(event, e.Entry) else None]
    return [json.loads(payload) for payload in payloads if payload is not None]


def answered(outcome: Any, id: Any = 1) -> Frame:
    (payload,) = VOICE.answer(id, outcome)
    frame: Frame = json.loads(payload)
    return frame


def test_the_schema_is_one() -> None:
    """It is a valid schema, and every definition is used."""
    Draft202012Validator.check_schema(SCHEMA)
    text = json.dumps(SCHEMA)
    unused = [name for name in SCHEMA["$defs"] if f'"#/$defs/{name}"' not in text]
    assert unused == []


# --- from the server ---


def test_there_is_a_sample_of_everything() -> None:
    """Whoever adds an event, a body, a result or a code must add it here, and so to the schema."""
    assert {type(event) for event in EVENTS} == set(full_voice._EVENTS)
    assert {type(body) for body in BODIES} == set(full_voice._BODIES)
    assert {type(result) for results in RESULTS.values() for result in results} == set(full_voice._ANSWERS)
    defined = {name.removeprefix("event-") for name in SCHEMA["$defs"] if name.startswith("event-")}
    assert {frame["type"] for event in EVENTS for frame in told(event)} == defined - {"skip"}
    assert {"result-" + name for name in RESULTS} == {n for n in SCHEMA["$defs"] if n.startswith("result-")}
    assert SCHEMA["$defs"]["refusal"]["properties"]["code"]["enum"] == [code.value for code in Code]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(getattr(event, "body", event)).__name__)
def test_events(event: e.Event) -> None:
    """Every event is as the schema says, and has no member that the schema does not name."""
    frames = told(event)
    assert frames
    for frame in frames:
        FRAME.validate(frame)
        checker("event-" + frame["type"], STRICT).validate(frame)


@pytest.mark.parametrize(("name", "result"), [(name, result) for name, all in RESULTS.items() for result in all])
def test_results(name: str, result: Any) -> None:
    """Every result is as the schema says, and has no member that the schema does not name."""
    frame = answered(result)
    FRAME.validate(frame)
    members = {key: value for key, value in frame.items() if key not in ("type", "id")}
    checker("result-" + name, STRICT).validate(members)


def test_batches() -> None:
    """A batch of all that a whole room may be told is as the schema says; there is none of one event, and none in
    another."""
    to_one = e.Expiring | e.ReadElsewhere | e.Lagged | e.Pinged | e.Bye | e.Stalled
    events = [event for event in EVENTS if not isinstance(event, to_one)]
    (payload,) = full_voice.BatchingVoice("en").batches(events)
    frame = json.loads(payload)
    assert frame["events"] == [told(event)[0] for event in events]
    FRAME.validate(frame)
    checker("batch", STRICT).validate(frame)
    assert not FRAME.is_valid({"type": "batch", "events": [frame, frame["events"][0]]})
    assert not FRAME.is_valid({"type": "batch", "events": frame["events"][:1]})


def test_messages_in_their_final_form() -> None:
    """The same for messages as history, state and search show them."""
    definitions = {**SCHEMA["$defs"], "message": copy.deepcopy(SCHEMA["$defs"]["message"])}
    close(definitions["message"])
    for message in MESSAGES:
        checker("message", {"$defs": definitions}).validate(full_voice.message(message))


@pytest.mark.parametrize("code", Code)
def test_errors(code: Code) -> None:
    """Every refusal is as the schema says, with and without an id."""
    params = dict.fromkeys(("seconds", "nick", "limit", "name", "rev", "field"), 1)
    params |= {"kind": "message"} if code is Code.RATE_LIMITED else {}
    for id in (1, "x", None):
        frame = answered(Refused(code, params=params, retry_ms=7 if code in TEMPORARY else 0), id)
        FRAME.validate(frame)
        checker("error", STRICT).validate(frame)
        assert frame["temporary"] is (code in TEMPORARY) and ("id" in frame) is (id is not None)


def test_the_schema_refuses() -> None:
    """A known member of another type, or one that is missing, is found."""
    message, ping = told(entry(SAID))[0], told(EVENTS[-2])[0]
    bad = [
        {},
        {"type": "message"},
        {**message, "seq": 0},
        {**message, "from": {"nick": "Ann"}},
        {**message, "text": None},
        {**message, "deleted": True},
        {**ping, "tops": {"tea": "9"}},
        {"type": "weather", "degrees": 21},
        {"type": "error", "id": 1, "code": "unheard", "message": "", "temporary": False},
        {"type": "ok"},
    ]
    assert [frame for frame in bad if FRAME.is_valid(frame)] == []
    truncated = answered(LOST[2])
    assert checker("result-join").is_valid(truncated)
    assert not checker("result-join").is_valid({**truncated, "valid": None})


# --- from the client ---

COMMANDS: dict[str, tuple[Frame, Frame]] = {
    "hello": (
        {},
        {
            "v": 1,
            "token": "g_1",
            "nick": "Ann",
            "lang": "zh-CN",
            "client": "web/1.0",
            "caps": ["members"],
            "resume": "sess_1",
            "rooms": {"tea": {"epoch": "e1", "seq": 7}, "milk": {}, "bread": None},
        },
    ),
    "join": ({"room": "tea"}, {"room": "tea", "since": {"epoch": "e1", "seq": 7}, "last": 50, "invite": "i_1"}),
    "part": ({"room": "tea"}, {"room": "tea"}),
    "rooms": ({}, {}),
    "message": (
        {"room": "tea", "text": "hi"},
        {"room": "tea", "text": "hi", "cid": "c", "reply": 1, "action": True, "meta": {"a": 1}},
    ),
    "edit": ({"room": "tea", "ref": 1, "text": "ho", "rev": 0}, {"room": "tea", "ref": 1, "text": "ho", "rev": 0}),
    "delete": ({"room": "tea", "ref": 1}, {"room": "tea", "ref": 1, "reason": "rude"}),
    "react": ({"room": "tea", "ref": 1, "emoji": "👍"}, {"room": "tea", "ref": 1, "emoji": "👍", "on": False}),
    "read": ({"room": "tea", "seq": 1}, {"room": "tea", "seq": 1}),
    "history": ({"room": "tea"}, {"room": "tea", "before": 1, "after": 1, "around": 1, "limit": 50}),
    "events": ({"room": "tea", "after": 1}, {"room": "tea", "after": 1, "limit": 50}),
    "search": ({"q": "上海"}, {"q": "上海", "room": "tea", "before": 1, "limit": 20}),
    "status": ({"status": "away"}, {"status": "dnd", "text": "tea time"}),
    "typing": ({"room": "tea"}, {"room": "tea", "on": False}),
    "nick": ({"nick": "Ann"}, {"nick": "Ann"}),
    "members": ({"room": "tea"}, {"room": "tea", "after": "u_1", "limit": 50}),
    "mod": (
        {"room": "tea", "action": "lock"},
        {"room": "tea", "action": "mute", "user": "u_2", "for_s": 60, "value": "on", "reason": "rude"},
    ),
    "invite": ({"room": "tea"}, {"room": "tea", "for_s": 60, "uses": 2}),
    "auth": ({"token": "a_1"}, {"token": "a_1"}),
    "pong": ({}, {"t": 1}),
}
COMMAND = checker("command")

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.5, 2**53 - 1, 2**53, 2**63, "", "x", [], {}, [1], ["x"], {"a": 1}),
    *("x" * size for limit in (16, 32, 64, 256, 4096, 65_536) for size in (limit, limit + 1)),
    *(["x"] * 64, ["x"] * 65),
    *({"tea": at} for at in (0, "", [], False, {"epoch": "e1"}, {"seq": 7}, {"epoch": "e1", "seq": -1})),
    *({"epoch": epoch, "seq": seq} for epoch in ("e1", "e" * 65, 1) for seq in (0, -1, 1.5, "1", 2**53)),
    *({str(number): {} for number in range(size)} for size in (128, 129)),
]
"""Values to put in the place of any member."""

WORDS = {("status", "status"), ("mod", "action")}
"""Members of which the schema knows all values; the parser leaves that to the domain."""


def parses(frame: Frame) -> bool:
    try:
        full.FullParser().parse(json.dumps(frame).encode(), False)
    except (Unreadable, Ended):
        return False
    return True


def variations() -> Iterator[tuple[str, str, Frame]]:
    """Every command with every member, one after the other, replaced or missing."""
    for kind, (_, complete) in COMMANDS.items():
        frame = {"type": kind, "id": 1, **complete}
        for name in frame.keys() - {"type"}:
            yield kind, name, {key: value for key, value in frame.items() if key != name}
            for value in ODD:
                yield kind, name, {**frame, name: value}


def test_there_is_an_example_of_every_command() -> None:
    """Whoever adds a command must add it here, and so to the schema; the complete example has every member."""
    defined = {name.removeprefix("command-") for name in SCHEMA["$defs"] if name.startswith("command-")}
    assert set(COMMANDS) == set(full.TYPES) == defined
    for kind, (_, complete) in COMMANDS.items():
        assert {"type", "id", *complete} == SCHEMA["$defs"]["command-" + kind]["properties"].keys()


@pytest.mark.parametrize("kind", COMMANDS)
def test_good_commands(kind: str) -> None:
    """The shortest and the complete form of each command pass schema and parser, also with more members."""
    for members in COMMANDS[kind]:
        for id in ({}, {"id": 1}, {"id": "x" * 64}, {"id": None}, {"unheard": 1}):
            frame = {"type": kind, **id, **members}
            COMMAND.validate(frame)
            assert parses(frame)


def test_schema_and_parser_agree() -> None:
    """Whatever stands in the place of a member, both take it or both refuse it."""
    checkers = {kind: checker("command-" + kind) for kind in COMMANDS}
    differ = [
        (kind, name, frame.get(name))
        for kind, name, frame in variations()
        if (kind, name) not in WORDS and checkers[kind].is_valid(frame) != parses(frame)
    ]
    assert differ == []


def test_where_they_cannot_agree() -> None:
    """Bytes and the shape of 1.0 are not for a schema to see: there the parser is stricter."""
    for frame in (
        {"type": "message", "room": "tea", "text": "hi", "meta": {"a": "x" * 4096}},
        {"type": "read", "room": "tea", "seq": 1.0},
    ):
        assert COMMAND.is_valid(frame) and not parses(frame)


@pytest.mark.parametrize(("kind", "name"), sorted(WORDS))
def test_words_are_known_to_the_domain(kind: str, name: str) -> None:
    """What the schema does not list the parser or the domain refuses as a bad request; what it lists is known."""
    world = World(1)
    world.settle()
    (pipe,) = world.pipes
    assert pipe is not None
    words = SCHEMA["$defs"][f"command-{kind}"]["properties"][name]["enum"]
    for value in (*ODD, *words):
        frame = {"type": kind, "id": 1, "room": "tea", name: value}
        pipe.conversation.receive(json.dumps(frame).encode())
        world.pump.run()
        reply = json.loads(pipe.down.pop())
        pipe.down.clear()
        if value not in words:
            assert (reply["type"], reply["code"]) == ("error", "bad_request"), value
        elif kind == "status":
            assert reply["type"] == "ok"
