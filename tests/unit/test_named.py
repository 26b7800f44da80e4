"""The dialects of named events: what the lessons' pages hear under which name, and chat.v1 as events."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from chatservice.dialects.base import SILENT, Asked, Speak, Unreadable
from chatservice.dialects.named import (
    Emitted,
    FullNamedParser,
    TaughtParser,
    full_named_voice,
    taught_voice,
)
from chatservice.domain import commands as c
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import (
    Counted,
    Deleted,
    Edited,
    Entered,
    Entry,
    Greeted,
    Left,
    Pinged,
    Reacted,
    Renamed,
    Said,
    Typing,
    User,
)
from chatservice.domain.message import Message
from chatservice.domain.ports import Appended
from chatservice.domain.results import Joined, Members

ONE, EVIL = User("u_1", "user1"), User("u_2", "<b>")
TAUGHT, ESCAPED, FULL = taught_voice("en", False), taught_voice("en", True), full_named_voice("en")


def emitted(event: list[Any], id: int | None = None) -> Emitted:
    return Emitted(event[0], event[1:], id)


def entry(body: Any) -> Entry:
    return Entry("lobby", 7, "e1", 1000, body)


def joined(**how: Any) -> Joined:
    plain = {"was_recovering": False, "recovered": False, "reason": "", "valid": 0, "entries": (), "state": ()}
    plain |= {"room": "lobby", "user": ONE, "epoch": "e1", "seq": 7, "members": (ONE,), "n": 1}
    return Joined(**(plain | how))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Greeted(ONE, "127.0.0.1:1"), [("news", {"hello": "world"})]),
        (Entered("lobby", ONE, 2), [("enter", "user1 comes in")]),
        (Left("lobby", ONE, 1), [("leave", "user1 left")]),
        (entry(Said(ONE, "hi")), [("mes", "user1 says: hi"), ("message", "hi")]),
        (entry(Said(ONE, "waves", action=True)), [("mes", "* user1 waves"), ("message", "waves")]),
        (entry(Said(ONE, "", erased=True)), []),
        (Renamed("lobby", ONE, "Ann"), [("notice", "* Ann is now user1")]),
        (Typing("lobby", ONE, True), []),
        (Counted("lobby", 900), []),
        (Pinged(1, {}), []),
    ],
)
def test_what_is_taught(event: Any, told: list[object]) -> None:
    """Each event under the lessons' names, in sentences; what they have no name for is a notice or nothing."""
    assert list(TAUGHT.events(event)) == told


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (Edited(ONE, 3, "ho", 1), {"type": "edit", "ref": 3, "text": "ho", "rev": 1}),
        (Deleted(ONE, 3), {"type": "delete", "ref": 3}),
        (Reacted(ONE, 3, "👍", True, 2), {"type": "react", "ref": 3, "emoji": "👍", "on": True, "n": 2}),
    ],
)
def test_changes_are_objects(body: Any, fields: dict[str, object]) -> None:
    """Edits, deletions and reactions go out as chat.v1's objects under their own names."""
    ((name, told),) = TAUGHT.events(entry(body))
    assert name == fields["type"] and isinstance(told, dict) and fields.items() <= told.items()


def test_the_sender_hears_only_mes() -> None:
    """`message` is for the others; other entries are the same for everybody."""
    assert TAUGHT.own_events(entry(Said(ONE, "hi"))) == (("mes", "user1 says: hi"),)
    assert TAUGHT.own_events(entry(Deleted(ONE, 3))) is None


def test_strangers_words_in_a_page() -> None:
    """What those pages put into innerHTML is escaped where strangers can connect."""
    assert ESCAPED.events(entry(Said(EVIL, "<i>"))) == (
        ("mes", "&lt;b&gt; says: &lt;i&gt;"),
        ("message", "&lt;i&gt;"),
    )
    assert ESCAPED.events(Entered("lobby", EVIL, 1)) == (("enter", "&lt;b&gt; comes in"),)


def test_a_newcomer() -> None:
    """A newcomer is shown what it asked for, then hears of itself."""
    state = (Message(5, 1000, EVIL, "before"), Message(6, 1000, EVIL, "", deleted=True))
    later = (entry(Said(ONE, "then")),)
    assert list(TAUGHT.answered(joined(state=state, entries=later))) == [
        ("mes", "<b> says: before"),
        ("mes", "user1 says: then"),
        ("message", "then"),
        ("enter", "user1 comes in"),
    ]
    assert TAUGHT.answered(Members("lobby", (ONE,), 1)) == [("notice", "* 1 in lobby: user1")]


def test_refusals() -> None:
    """A refusal is in the acknowledgement if one was asked for, else an event."""
    slow = Refused(Code.RATE_LIMITED, params={"seconds": 1.3}, retry_ms=1300)
    fields = {"code": "rate_limited", "message": "slow down: 1.3 s", "temporary": True, "retry_ms": 1300}
    assert TAUGHT.answered(slow) == (("chat_error", fields),)
    assert TAUGHT.acknowledgement(slow) == {"error": fields}
    ((name, told),) = FULL.answered(slow)
    assert name == "chat_error" and json.loads(orjson.dumps(told))["code"] == "rate_limited"
    assert FULL.answered(Appended("lobby", 1, "e1", 2)) == ()


def test_acknowledgements() -> None:
    """What was done is acknowledged with chat.v1's answer, in both."""
    done = Appended("lobby", 7, "e1", 1000)
    for voice in (TAUGHT, FULL):
        told = json.loads(orjson.dumps(voice.acknowledgement(done)))
        assert told == {"type": "ok", "room": "lobby", "seq": 7, "ts": 1000, "dup": False}


def test_full_events() -> None:
    """chat.v1's objects under their own names; the sender's carries the cid, of a ping the tops are left."""
    said = entry(Said(ONE, "hi", cid="c1"))
    ((name, told),) = FULL.events(said)
    assert name == "message" and isinstance(told, dict) and told["text"] == "hi" and "cid" not in told
    own = FULL.own_events(said)
    assert own is not None and own[0][1] == {**told, "cid": "c1"}
    assert FULL.events(Pinged(1, {"lobby": 7})) == (("tops", {"lobby": 7}),)


def test_what_taught_pages_emit() -> None:
    """A string or an object with `content`, which may bring a name; commands by slash; unknown events pass."""
    parse = TaughtParser().parse
    assert parse(emitted(["message", "hi"]), False) == (Asked(None, c.Say("hi")),)
    assert parse(emitted(["message", "/nick Ann"]), False) == (Asked(None, c.Rename("Ann")),)
    assert parse(emitted(["message", {"content": "hi"}]), False) == (Asked(None, c.Say("hi")),)
    named = parse(emitted(["message", {"username": "Ann", "content": "/hi"}]), False)
    assert named == (Asked(SILENT, c.Rename("Ann")), Asked(None, c.Say("/hi")))
    assert parse(emitted(["my other event", {"my": "data"}]), False) == parse(emitted(["login"]), False) == ()
    assert parse(emitted(["history", {"room": "lobby"}]), False) == (
        Asked(None, c.Browse("lobby", None, None, None, 50)),
    )


@pytest.mark.parametrize("said", [None, 7, ["hi"], {}, {"content": 7}, b"hi"])
def test_what_is_no_message(said: Any) -> None:
    """A message that is neither text nor an object with text is refused."""
    for payload in (["message", said], ["message"]):
        with pytest.raises(Unreadable) as error:
            TaughtParser().parse(emitted(payload), False)
        assert error.value.refusal.code is Code.BAD_REQUEST


def test_full_commands() -> None:
    """The event's name is the type; what is no command or no object is refused."""
    parse = FullNamedParser().parse
    asked = Asked(None, c.Say("hi", False, "lobby", "c1"))
    assert parse(emitted(["message", {"room": "lobby", "text": "hi", "cid": "c1"}]), False) == (asked,)
    hello = parse(emitted(["hello", {"lang": "zh-CN", "nick": "Ann"}]), False)
    assert hello[0] == Speak("zh-CN") and isinstance(hello[1], Asked) and isinstance(hello[1].command, c.Hello)
    assert parse(emitted(["dance", {}]), False) == (Asked(None, c.Unknown("dance")),)
    for payload in (["message", "hi"], ["message", {"room": 7}], ["hello", [1]]):
        with pytest.raises(Unreadable):
            parse(emitted(payload), False)
