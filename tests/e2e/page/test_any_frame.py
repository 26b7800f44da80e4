"""UI-30: whatever the server says, the page complains about nothing and goes on."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ARCHIVED, ThePage, Wire
from e2e.server import Server, eventually

PERSON = {"id": "u_other", "nick": "Other"}
COUNT = 300
ANYTHING: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    7,
    1e308,
    "",
    "words",
    "__proto__",
    [],
    [None],
    ["a"],
    {},
    {"id": 1},
]

# One of each kind, with what belongs to it.
KNOWN: list[dict[str, Any]] = [
    {"type": "message", "from": PERSON, "text": "hi *you*", "mentions": ["u_1"], "reply": 1},
    {"type": "message", "from": PERSON, "text": "```js\nlet a\n```", "action": True},
    {"type": "edit", "ref": 1, "by": "u_other", "text": "changed", "rev": 1},
    {"type": "delete", "ref": 2, "by": "u_other"},
    {"type": "react", "ref": 1, "emoji": "👍", "n": 3, "by": "u_other", "on": True},
    {"type": "mod", "action": "mute", "user": PERSON, "by": "u_other", "for_s": 60},
    {"type": "mod", "action": "topic", "value": "about tea", "by": "u_other"},
    {"type": "mod", "action": "role", "value": "mod", "user": PERSON, "by": "u_other"},
    {"type": "enter", "user": PERSON, "n": 3},
    {"type": "leave", "user": PERSON, "n": 2},
    {"type": "nick", "user": PERSON, "was": "Another"},
    {"type": "typing", "user": PERSON, "on": True},
    {"type": "count", "n": 12},
    {"type": "presence", "user": PERSON, "status": "away", "text": "at lunch", "room": None},
    {"type": "dm", "dm": "dm:u_1:u_2", "with": PERSON, "room": "@me"},
    {"type": "read", "seq": 1, "unread": 0, "mentions": 0},
    {"type": "state", "state": "online", "user": PERSON, "room": None},
    {"type": "joined", "n": 1, "seq": 1, "members": [PERSON]},
]
NUMBERED = {"message", "edit", "delete", "react", "mod"}


def told(chance: random.Random, seq: int) -> tuple[str, int]:
    """A frame, more or less as it should be; and the last number that was given."""
    frame = json.loads(json.dumps(chance.choice(KNOWN)))
    frame.setdefault("room", "lobby")
    if frame["type"] in NUMBERED or (frame["room"] == "lobby" and chance.random() < 0.1):
        seq += 1
        frame |= {"seq": seq, "ts": 1_795_000_000_000 + seq}
    # A nick without its user is no frame to the library: see below.
    kept = {"seq", "ts", "room", "type", *(["user"] if frame["type"] == "nick" else [])}
    free = [name for name in frame if name not in kept]
    for _ in range(chance.choice([0, 1, 1, 2])):
        what = chance.random()
        if what < 0.35:
            frame.pop(chance.choice(free), None)
        elif what < 0.8:
            frame[chance.choice(free)] = chance.choice(ANYTHING)
        elif what < 0.9:
            frame["type"] = chance.choice(["poll", "constructor", "toString", "valueOf", "hasOwnProperty"])
        else:
            frame["of-tomorrow"] = chance.choice(ANYTHING)
    return json.dumps({name: value for name, value in frame.items() if (name, value) != ("room", None)}), seq


@pytest.mark.parametrize("seed", [1, 2])
def test_any_frame(server: Server, browsing: Browsing, seed: int) -> None:
    """Frames that lack something, hold something else, or are of a type nobody knows yet: nothing is thrown, what
    is whole is shown, and people can go on talking."""
    wire = Wire()
    ann = ThePage(browsing, server, "Ann", wire=wire)
    ann.say("one")
    ann.say("two")
    ann.shows("one", "two")
    # A role told of nobody makes the page ask, within 5 s, whether it may stay: the answer would undo these lies.
    wire.catch = lambda frame: frame["type"] == "join" and frame["room"] == "lobby"
    chance = random.Random(seed)
    seq = 2
    for _ in range(COUNT):
        text, seq = told(chance, seq)
        wire.tell(text)
    last = {"room": "lobby", "from": PERSON, "ts": 1_795_000_001_000}
    wire.tell(json.dumps({**last, "type": "message", "seq": seq + 1, "text": "still here"}))
    expect(ann.row("still here")).to_be_visible()
    assert wire.connections == 1  # nothing has broken it
    for name in ("Settings", "Room menu"):
        ann.page.get_by_role("button", name=name).first.click()
        expect(ann.page.get_by_role("dialog")).to_be_visible()
        ann.page.keyboard.press("Escape")
    eventually(lambda: any(not kept.get("from") for kept in ann.page.evaluate(ARCHIVED)), "lies in the archive")
    wire.pull()
    ann.page.reload()
    expect(ann.row("still here")).to_be_visible()  # what was kept, for as long as there is no connection
    wire.catch, wire.cut = (lambda frame: False), False
    ann.say("three")
    ann.shows("one", "two", "three")


@pytest.mark.parametrize("text", ["{", '{"type":"nick","room":"odd"}'])
def test_no_frame(shared_server: Server, browsing: Browsing, text: str) -> None:
    """What is no frame at all ends the connection; the page comes back by itself, and nothing is thrown."""
    wire = Wire()
    ann = ThePage(browsing, shared_server, f"Ann {len(text)}", query="?room=odd", wire=wire)
    wire.tell(text)
    ann.say(f"after {text or 'nothing'}")
    expect(ann.row(f"after {text or 'nothing'}").last).to_be_visible()
    expect(ann.pending).to_have_count(0)
