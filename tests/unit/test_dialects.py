"""How each event looks in each dialect: the table of the wire page, to the byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatservice.dialects.base import Outcome, Voice
from chatservice.dialects.registry import DIALECTS, dialect
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Entered, Entry, Event, Greeted, Left, Noticed, Renamed, Said, User
from chatservice.domain.message import Message
from chatservice.domain.ports import Appended
from chatservice.domain.results import Browsed, Done, Joined, Members, Replayed, Told

ONE, EVIL = User("u_1", "user1"), User("u_2", "<b>&'\"")
USER_JSON = {"id": "u_1", "nick": "user1"}
EVIL_JSON = {"id": "u_2", "nick": "<b>&'\""}
TS = 1_795_000_000_123


def entry(text: str, user: User = ONE, action: bool = False) -> Entry:
    return Entry("lobby", 1261, "k3f9", TS, Said(user, text, action, cid="secret"))


def joined(**how: Any) -> Joined:
    """A newcomer's answer: alone, without a position, unless said otherwise."""
    plain = {"was_recovering": False, "recovered": False, "reason": "", "valid": 0, "entries": (), "state": ()}
    plain |= {"room": "lobby", "user": ONE, "epoch": "k3f9", "seq": 1260, "members": (ONE, EVIL), "n": 2}
    return Joined(**(plain | how))


# What happens, and what is answered to the one who asked.
EVENTS: dict[str, Event | Outcome] = {
    "greeted": Greeted(ONE, "127.0.0.1:5123"),
    "entered": Entered("lobby", ONE, 2),
    "welcomed": joined(),
    "message": entry("hi"),
    "action": entry("waves", action=True),
    "lines": entry("a\nb"),
    "left": Left("lobby", ONE, 1),
    "renamed": Renamed("lobby", ONE, "Ann"),
    "members": Members("lobby", (ONE, EVIL), 3),
    "refused": Refused(Code.RATE_LIMITED, params={"seconds": 1.34}),
    "notice": Noticed("no_history"),
    "told": Told("no_history"),
    "evil message": entry("<i>&'\"", EVIL),
    "evil entered": Entered("lobby", EVIL, 2),
    "evil refused": Refused(Code.UNKNOWN_TYPE, "unknown_command", params={"name": "<b>"}),
}

EN_SPOKEN = {
    "entered": "user1 comes in",
    "action": "* user1 waves",
    "left": "user1 left",
    "renamed": "* Ann is now user1",
    "members": "* 3 in lobby: user1, <b>&'\", and 1 more",
    "refused": "* slow down: 1.3 s",
    "notice": "* nothing there yet",
    "told": "* nothing there yet",
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
    "told": "* 还没有人说过话",
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
    "told": ("message", {"notice": True, "code": "no_history"}),
    "evil message": ("message", SAID | {"from": EVIL_JSON, "text": "<i>&'\""}),
    "evil entered": ("enter", {"room": "lobby", "user": EVIL_JSON, "n": 2}),
    "evil refused": ("message", {"notice": True, "code": "unknown_type"}),
}


def escaped(text: str) -> str:
    """By hand, so that the test does not trust what it tests."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return text


def tell(voice: Voice, what: Event | Outcome) -> list[bytes]:
    """The messages in which that is told."""
    if isinstance(what, Event):
        payload = voice.encode(what)
        return [] if payload is None else [payload]
    return list(voice.answer(None, what))


@pytest.mark.parametrize("escape", [False, True], ids=["plain", "escape"])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("name", "lang"), TOLD)
def test_fidelity(name: str, lang: str, event: str, escape: bool) -> None:
    """Every event in every dialect, in both languages, escaped and not, is told as the wire page says."""
    sentence = TOLD[name, lang][event]
    told = tell(dialect(name).voice(lang, escape), EVENTS[event])
    if sentence is None:
        assert told == []
        return
    (payload,) = told
    shown = escaped(sentence) if escape else sentence
    if name != "simple":
        assert payload.decode() == shown
        return
    kind, beside = BESIDE[event]
    wanted = {"type": kind, "data": shown} | beside
    assert payload == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(("name", "lang"), TOLD)
def test_the_table_is_complete(name: str, lang: str) -> None:
    """No event and no dialect is missing above."""
    assert set(TOLD[name, lang]) == set(EVENTS)
    assert {dialect for dialect, _ in TOLD} == set(DIALECTS) - {"echo", "scream", "full"}


def test_the_members_of_a_lost_position() -> None:
    """The notice of a lost position comes first and carries what a client needs to act upon it."""
    voice = dialect("simple").voice("en", False)
    lost, *rest, arrival = tell(
        voice, joined(was_recovering=True, reason="truncated", valid=5, entries=(entry("hi"),))
    )
    told = json.loads(lost)
    assert {k: told[k] for k in ("code", "reason", "valid", "room")} == {
        "code": "position_lost",
        "reason": "truncated",
        "valid": 5,
        "room": "lobby",
    }
    assert rest == tell(voice, entry("hi")) and json.loads(arrival)["you"] is True
    held = joined(was_recovering=True, recovered=True, entries=(entry("hi"),))
    assert tell(voice, held) == [*rest, arrival]


def test_a_refusal_names_its_time() -> None:
    """Simple carries the milliseconds after which it is worth to try again."""
    refusal = Refused(Code.RATE_LIMITED, params={"seconds": 1.34}, retry_ms=1340)
    (payload,) = tell(dialect("simple").voice("en", False), refusal)
    assert json.loads(payload)["retry_ms"] == 1340


@pytest.mark.parametrize("name", ["text", "simple", "line"])
def test_the_past_is_told_as_it_stands(name: str) -> None:
    """What was said before is shown as if it were said now, in its final words; what was deleted is not shown."""
    voice = dialect(name).voice("en", False)
    state = (
        Message(1, TS, ONE, "edited", rev=2),
        Message(2, TS, ONE, "", deleted=True),
        Message(3, TS, EVIL, "waves", action=True),
    )
    first = Entry("lobby", 1, "k3f9", TS, Said(ONE, "edited"))
    third = Entry("lobby", 3, "k3f9", TS, Said(EVIL, "waves", action=True))
    shown = [*tell(voice, first), *tell(voice, third)]
    assert tell(voice, Browsed("lobby", state, False, "k3f9")) == shown
    assert tell(voice, joined(state=state)) == [*shown, *tell(voice, joined())]
    assert tell(voice, Replayed("lobby", (first, third), False, "k3f9", 3)) == shown


@pytest.mark.parametrize("name", ["text", "simple", "line"])
def test_what_needs_no_answer(name: str) -> None:
    """Whoever speaks or renames sees it happen; no message says so again."""
    voice = dialect(name).voice("en", False)
    assert tell(voice, Done()) == tell(voice, Appended("lobby", 1, "k3f9", TS)) == []


def test_a_long_list_of_members() -> None:
    """Fifty names are listed, the rest is counted, and simple carries them all."""
    users = tuple(User(f"u_{n}", f"n{n}") for n in range(60))
    for name in ("text", "simple", "line"):
        (payload,) = tell(dialect(name).voice("en", False), Members("lobby", users, 60))
        told = payload.decode()
        assert "n49, and 10 more" in told
        assert ('"nick":"n59"' in told) == (name == "simple")


def test_peers_of_one_voice_share_it() -> None:
    """The same dialect, language and escaping is one object: that is what makes an audience."""
    for name in DIALECTS:
        spoken = dialect(name)
        assert spoken.voice("en", True) is spoken.voice("en", True)
        # chat.v1 is data, and never escaped.
        assert (spoken.voice("en", True) is spoken.voice("en", False)) == (name == "full")
        assert spoken.voice("en", True) is not spoken.voice("zh-CN", True)


def test_a_line_is_one_line() -> None:
    """No message can look like somebody else's line."""
    told = dialect("line").voice("en", False).encode(entry("a\nadminsay:b\n")) or b""
    assert b"\n" not in told and told.decode() == "user1say:a ⏎ adminsay:b ⏎ "
