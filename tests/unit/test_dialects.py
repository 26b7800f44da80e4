"""How each event looks in each dialect: the table of the wire page, to the byte."""

from __future__ import annotations

import json

import pytest

from chatservice.dialects.registry import DIALECTS, dialect
from chatservice.domain.events import (
    Entered,
    Entry,
    Event,
    Greeted,
    Left,
    Members,
    Noticed,
    Renamed,
    Said,
    User,
    Welcomed,
)

ONE, EVIL = User("u_1", "user1"), User("u_2", "<b>&'\"")
USER_JSON = {"id": "u_1", "nick": "user1"}
EVIL_JSON = {"id": "u_2", "nick": "<b>&'\""}
TS = 1_795_000_000_123


def entry(text: str, user: User = ONE, action: bool = False) -> Entry:
    return Entry("lobby", 1261, "k3f9", TS, Said(user, text, action, cid="secret"))


EVENTS: dict[str, Event] = {
    "greeted": Greeted(ONE, "127.0.0.1:5123"),
    "entered": Entered("lobby", ONE, 2),
    "welcomed": Welcomed("lobby", ONE, "k3f9", 1260, (ONE, EVIL), 2),
    "message": entry("hi"),
    "action": entry("waves", action=True),
    "lines": entry("a\nb"),
    "left": Left("lobby", ONE, 1),
    "renamed": Renamed("lobby", ONE, "Ann"),
    "members": Members("lobby", (ONE, EVIL), 3),
    "refused": Noticed("rate_limited", {"seconds": 1.34}, "rate_limited"),
    "notice": Noticed("no_history"),
    "evil message": entry("<i>&'\"", EVIL),
    "evil entered": Entered("lobby", EVIL, 2),
    "evil refused": Noticed("unknown_command", {"name": "<b>"}, "unknown_type"),
}

EN_SPOKEN = {
    "entered": "user1 comes in",
    "action": "* user1 waves",
    "left": "user1 left",
    "renamed": "* Ann is now user1",
    "members": "* 3 in lobby: user1, <b>&'\", and 1 more",
    "refused": "* slow down: 1.3 s",
    "notice": "* nothing there yet",
    "evil entered": "<b>&'\" comes in",
    "evil refused": "* /<b> is no command; /help lists them",
}
ZH_SPOKEN = {
    "entered": "user1 进来了",
    "action": "* user1 waves",
    "left": "user1 离开了",
    "renamed": "* Ann 改名为 user1",
    "members": "* lobby 里有 3 人：user1、<b>&'\"、还有 1 人",
    "refused": "* 说得太快了：请等 1.3 秒",
    "notice": "* 还没有人说过话",
    "evil entered": "<b>&'\" 进来了",
    "evil refused": "* 没有 /<b> 这个命令，/help 列出所有命令",
}
TEXT_ONLY = {"greeted": None, "message": "hi", "lines": "a\nb", "evil message": "<i>&'\""}
LINE_ONLY = {
    "greeted": "Hi 127.0.0.1:5123!",
    "message": "user1say:hi",
    "lines": "user1say:a ⏎ b",
    "evil message": "<b>&'\"say:<i>&'\"",
}
TOLD: dict[tuple[str, str], dict[str, str | None]] = {
    ("text", "en"): EN_SPOKEN | TEXT_ONLY | {"welcomed": "user1 comes in"},
    ("text", "zh-CN"): ZH_SPOKEN | TEXT_ONLY | {"welcomed": "user1 进来了"},
    ("line", "en"): EN_SPOKEN
    | LINE_ONLY
    | {"welcomed": "* you are user1 in lobby, 2 here; /help lists the commands"},
    ("line", "zh-CN"): ZH_SPOKEN
    | LINE_ONLY
    | {"welcomed": "* 你是 user1，在 lobby，共 2 人；/help 列出命令", "left": "user1下线了"},
    ("simple", "en"): EN_SPOKEN
    | {
        "greeted": None,
        "welcomed": "user1 comes in",
        "message": "user1 says: hi",
        "lines": "user1 says: a\nb",
        "evil message": "<b>&'\" says: <i>&'\"",
    },
    ("simple", "zh-CN"): ZH_SPOKEN
    | {
        "greeted": None,
        "welcomed": "user1 进来了",
        "message": "user1 说：hi",
        "lines": "user1 说：a\nb",
        "evil message": "<b>&'\" 说：<i>&'\"",
    },
}
# What simple says beside `data`, in the order of the wire page.
SAID = {"room": "lobby", "seq": 1261, "ts": TS, "from": USER_JSON}
BESIDE: dict[str, tuple[str, dict[str, object]]] = {
    "entered": ("enter", {"room": "lobby", "user": USER_JSON, "n": 2}),
    "welcomed": (
        "enter",
        {"room": "lobby", "user": USER_JSON, "n": 2, "you": True, "epoch": "k3f9", "seq": 1260}
        | {"members": [USER_JSON, EVIL_JSON]},
    ),
    "message": ("message", SAID | {"text": "hi"}),
    "action": ("message", SAID | {"text": "waves", "action": True}),
    "lines": ("message", SAID | {"text": "a\nb"}),
    "left": ("leave", {"room": "lobby", "user": USER_JSON, "n": 1}),
    "renamed": ("message", {"notice": True, "code": "renamed", "room": "lobby", "user": USER_JSON}),
    "members": (
        "message",
        {"notice": True, "code": "members", "room": "lobby", "n": 3, "members": [USER_JSON, EVIL_JSON]},
    ),
    "refused": ("message", {"notice": True, "code": "rate_limited"}),
    "notice": ("message", {"notice": True, "code": "no_history"}),
    "evil message": ("message", SAID | {"from": EVIL_JSON, "text": "<i>&'\""}),
    "evil entered": ("enter", {"room": "lobby", "user": EVIL_JSON, "n": 2}),
    "evil refused": ("message", {"notice": True, "code": "unknown_type"}),
}


def escaped(text: str) -> str:
    """By hand, so that the test does not trust what it tests."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return text


@pytest.mark.parametrize("escape", [False, True], ids=["plain", "escape"])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("name", "lang"), TOLD)
def test_fidelity(name: str, lang: str, event: str, escape: bool) -> None:
    """Every event in every dialect, in both languages, escaped and not, is told as the wire page says."""
    sentence = TOLD[name, lang][event]
    payload = dialect(name).voice(lang, escape).encode(EVENTS[event])
    if sentence is None:
        assert payload is None
        return
    shown = escaped(sentence) if escape else sentence
    if name != "simple":
        assert payload is not None and payload.decode() == shown
        return
    kind, beside = BESIDE[event]
    wanted = {"type": kind, "data": shown} | beside
    assert payload == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(("name", "lang"), TOLD)
def test_the_table_is_complete(name: str, lang: str) -> None:
    """No event and no dialect is missing above."""
    assert set(TOLD[name, lang]) == set(EVENTS)
    assert {dialect for dialect, _ in TOLD} == set(DIALECTS) - {"echo", "scream"}


def test_the_members_of_a_lost_position() -> None:
    """The notice of a lost position carries what a client needs to act upon it."""
    event = Noticed("position_lost", {"reason": "truncated", "valid": 5, "room": "lobby"})
    told = json.loads(dialect("simple").voice("en", False).encode(event) or b"")
    assert {k: told[k] for k in ("code", "reason", "valid", "room")} == {
        "code": "position_lost",
        "reason": "truncated",
        "valid": 5,
        "room": "lobby",
    }


def test_a_long_list_of_members() -> None:
    """Fifty names are listed, the rest is counted, and simple carries them all."""
    users = tuple(User(f"u_{n}", f"n{n}") for n in range(60))
    for name in ("text", "simple", "line"):
        told = (dialect(name).voice("en", False).encode(Members("lobby", users, 60)) or b"").decode()
        assert "n49, and 10 more" in told
        assert ('"nick":"n59"' in told) == (name == "simple")


def test_peers_of_one_voice_share_it() -> None:
    """The same dialect, language and escaping is one object: that is what makes an audience."""
    for name in DIALECTS:
        spoken = dialect(name)
        assert spoken.voice("en", True) is spoken.voice("en", True)
        assert spoken.voice("en", True) is not spoken.voice("en", False)
        assert spoken.voice("en", True) is not spoken.voice("zh-CN", True)


def test_a_line_is_one_line() -> None:
    """No message can look like somebody else's line."""
    told = dialect("line").voice("en", False).encode(entry("a\nadminsay:b\n")) or b""
    assert b"\n" not in told and told.decode() == "user1say:a ⏎ adminsay:b ⏎ "
