"""chat.v1: keeping order. Who may do what to whom, and what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat import Chat, Tab, code
from stores import Store

from chatservice.domain.errors import BANNED, FLOOD, KICKED
from chatservice.domain.events import Moderated, User
from chatservice.domain.limits import DEAF, MESSAGES
from chatservice.domain.rules import ROLES, check, may
from chatservice.domain.trust import Deed

WHO = {"mute", "unmute", "kick", "ban", "unban", "role"}
VALUES = {"slow": "5", "expires": "60", "role": "member", "lock": "on", "topic": "tea", "private": "on"}
TARGET = User("u_x", "x")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("target_role", ROLES)
@pytest.mark.parametrize("action", sorted(WHO | set(VALUES)))
def test_who_may(action: str, role: str, target_role: str) -> None:
    """Moderators keep order among those below them; owners do so among all, give roles and let messages expire."""
    check(Moderated(TARGET, action, TARGET if action in WHO else None, VALUES.get(action, "")))
    ranks = {name: n for n, name in enumerate(ROLES)}
    allowed = role == "owner" or (
        role == "mod"
        and action not in ("role", "expires")
        and (action not in WHO or ranks[target_role] < ranks["mod"])
    )
    assert may(action, role, target_role if action in WHO else None) is allowed


@pytest.mark.parametrize(
    "members",
    [
        {"action": "fly"},
        {"action": "mute"},
        {"action": "lock", "user": "u_ann", "value": "on"},
        {"action": "lock", "value": "perhaps"},
        {"action": "lock"},
        {"action": "slow"},
        {"action": "slow", "value": "-1"},
        {"action": "slow", "value": "٣"},
        {"action": "slow", "value": "9" * 20},
        {"action": "expires", "value": "9" * 20},
        {"action": "role", "user": "u_ann", "value": "king"},
        {"action": "mute", "user": "u_ann", "for_s": 2**53 - 1},
        {"action": "mute", "user": "ann"},
        {"action": "mute", "user": ""},
        {"action": "mute", "user": "u_ann", "for_s": -1},
        {},
    ],
)
def test_what_makes_no_sense(chat: Chat, members: dict[str, object]) -> None:
    """An unknown action, a missing or needless user, a value out of its range: refused, and no entry."""
    owner = chat.enter("owner", "lobby", role="owner")
    chat.enter("ann", "lobby")
    assert code(owner.ask("mod", room="lobby", **members)) == "bad_request"
    assert owner.ask("events", room="lobby", after=0)["seq"] == 0


def write(tab: Tab) -> str:
    return code(tab.ask("message", room="lobby", text="x"))


def test_muting(chat: Chat) -> None:
    """The muted read but do not write, react or edit: for a while, for ever, until it is lifted."""
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    assert write(ann) == "ok"
    reply = mod.ask("mod", room="lobby", action="mute", user="u_ann", for_s=60, reason="noise")
    (event,) = ann.told("mod")
    assert event == {
        "type": "mod",
        "room": "lobby",
        "seq": reply["seq"],
        "ts": reply["ts"],
        "action": "mute",
        "by": "u_mod",
        "user": {"id": "u_ann", "nick": "ann"},
        "until": chat.hub.now_ms + 60_000,
        "reason": "noise",
    }
    assert write(ann) == "muted"
    assert code(ann.ask("react", room="lobby", ref=1, emoji="👍")) == "muted"
    assert code(ann.ask("edit", room="lobby", ref=1, text="y", rev=0)) == "muted"
    assert code(ann.ask("history", room="lobby")) == "ok" and write(mod) == "ok"
    assert ann.ask("join", room="lobby")["you"]["can"] == []
    chat.restart()
    ann, mod = chat.enter("ann", "lobby"), chat.enter("mod", "lobby", role="mod")
    assert write(ann) == "muted"
    chat.clock.now += 60
    assert write(ann) == "ok"
    mod.ask("mod", room="lobby", action="mute", user="u_ann")
    chat.clock.now += 10**6
    assert write(ann) == "muted"
    mod.ask("mod", room="lobby", action="unmute", user="u_ann")
    assert write(ann) == "ok"


def test_the_lock(chat: Chat) -> None:
    """In a locked room only those who keep order write; all others may come in and read."""
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    member = chat.enter("bob", "lobby", role="member")
    mod.ask("mod", room="lobby", action="lock", value="on")
    assert (write(ann), write(mod), write(member)) == ("forbidden", "ok", "forbidden")
    assert ann.ask("join", room="lobby")["you"]["can"] == []
    assert mod.ask("join", room="lobby")["you"]["can"] == ["write", "react", "delete", "mod"]
    mod.ask("mod", room="lobby", action="lock", value="off")
    assert code(ann.ask("join", room="lobby")) == write(ann) == "ok"


class Notes(list[Deed]):
    """An audit log in memory."""

    note = list.append


def test_what_is_put_on_record(chat: Chat) -> None:
    """Every deed of a moderator, with what is needed to answer for it; not what was refused, nor what anybody may
    do, nor a word that was said."""
    chat.hub.audit = notes = Notes()
    owner, mod = chat.enter("o", "lobby", role="owner"), chat.enter("mod", "lobby", role="mod")
    ann = chat.enter("ann", "lobby")
    for text in ("secret words", "more"):
        ann.ask("message", room="lobby", text=text)
    ann.ask("mod", room="lobby", action="kick", user="u_mod")
    ann.ask("delete", room="lobby", ref=1)
    mod.ask("message", room="lobby", text="mine")
    mod.ask("delete", room="lobby", ref=3)
    mod.ask("delete", room="lobby", ref=99)
    assert notes == []
    mod.ask("delete", room="lobby", ref=2, reason="spam")
    mod.ask("mod", room="lobby", action="mute", user="u_ann", for_s=60, reason="again")
    owner.ask("mod", room="lobby", action="role", user="u_ann", value="member")
    mod.ask("mod", room="lobby", action="slow", value="5")
    now = chat.hub.now_ms
    assert notes == [
        Deed(now, "lobby", "u_mod", "delete", 5, "u_ann", ref=2, reason="spam"),
        Deed(now, "lobby", "u_mod", "mute", 6, "u_ann", until=now + 60_000, reason="again"),
        Deed(now, "lobby", "u_o", "role", 7, "u_ann", value="member"),
        Deed(now, "lobby", "u_mod", "slow", 8, value="5"),
    ]
    assert chat.hub.counts["mod_mute"] == chat.hub.counts["mod_delete"] == 1


def test_a_ban_by_address(chat: Chat) -> None:
    """It names the addresses of all the person's connections, outlives a restart and ends with the ban. Strangers
    from there may come into other rooms; who has a role there comes in."""
    mod, eve, twin = (
        chat.enter("mod", "lobby", role="mod"),
        chat.enter("eve", "lobby"),
        chat.enter("eve", "lobby"),
    )
    for tab, address in ((eve, "192.0.2.7:1"), (twin, "[2001:db8::7]:2"), (mod, "192.0.2.7:3")):
        tab.near.session.address = address
    mod.ask("mod", room="lobby", action="ban", user="u_eve", for_s=60)
    room = chat.hub.rooms["lobby"]
    assert room.rules.networks == {"u_eve": ("192.0.2.7", "2001:db8::/64")}
    assert write(mod) == "ok"
    chat.restart()

    def come(user: str, role: str = "guest") -> str:
        tab = Tab(chat)
        tab.near.session.address = "192.0.2.7:9"
        hello = tab.ask("hello", token=chat.token("u_" + user, role), rooms={"lobby": None, "attic": None})
        assert "error" not in hello["rooms"]["attic"]
        return str(hello["rooms"]["lobby"].get("error", {}).get("code", "ok"))

    assert (come("new"), come("old", "member"), come("mod", "mod")) == ("forbidden", "ok", "ok")
    chat.clock.now += 60
    assert come("newer") == "ok"


def test_slow_mode(chat: Chat) -> None:
    """In a slow room each person waits between messages; another device or connection is no way around it."""
    mod, ann, bob = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    mod.ask("mod", room="lobby", action="slow", value="30")
    assert (write(ann), write(bob), write(ann)) == ("ok", "ok", "rate_limited")
    twin = chat.enter("ann", "lobby")
    assert write(twin) == "rate_limited"
    assert (write(mod), write(mod)) == ("ok", "ok")
    assert code(ann.ask("message", room="lobby", text="x", action=True)) == "rate_limited"
    mod.ask("mod", room="lobby", action="slow", value="0")
    assert (write(ann), write(ann)) == ("ok", "ok")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_slow_mode_ends(kind: str, tmp_path: Path) -> None:
    """Coming back is no way around it, other rooms are open, and a clock that is set back holds nobody up. (Of
    Redis, whose own clock it is, tests/nodes/test_pace.py.)"""
    chat = Chat(Store(kind, tmp_path))
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    mod.ask("mod", room="lobby", action="slow", value="30")
    assert (write(ann), write(ann)) == ("ok", "rate_limited")
    ann.lose()
    chat.wait(10)
    ann = chat.enter("ann", "lobby", "attic")
    refused = ann.ask("message", room="lobby", text="x")
    assert refused["code"] == "rate_limited" and 19_000 < refused["retry_ms"] <= 20_000
    assert code(ann.ask("message", room="attic", text="x")) == "ok"
    chat.clock.now += 20
    assert (write(ann), write(ann)) == ("ok", "rate_limited")
    chat.clock.now -= 3600  # set back
    assert write(ann) == "ok"
    chat.stop()


def test_kicking(chat: Chat) -> None:
    """Whoever is kicked hears of it, is out of the room with all devices, and may come back; who is nowhere else
    is told to go."""
    mod, eve = chat.enter("mod", "lobby", role="mod"), chat.enter("eve", "lobby")
    twin = chat.enter("eve", "lobby", "attic")
    mod.told()
    assert code(mod.ask("mod", room="lobby", action="kick", user="u_eve")) == "ok"
    assert [event["type"] for event in mod.told()] == ["mod", "leave"]
    assert eve.near.ended is KICKED and KICKED.own_code == 4503 and not KICKED.reconnect
    assert twin.near.ended is None and [event["action"] for event in twin.told("mod")] == ["kick"]
    mod.ask("message", room="lobby", text="gone?")
    assert twin.told() == [] and write(twin) == "not_joined"
    assert code(twin.ask("join", room="lobby")) == "ok" and write(twin) == "ok"


def test_banning(chat: Chat) -> None:
    """Whoever is banned is out and stays out, also after a restart, until it is over or lifted; others rooms do
    not care."""
    mod, eve = chat.enter("mod", "lobby", role="mod"), chat.enter("eve", "lobby")
    mod.ask("mod", room="lobby", action="ban", user="u_eve", for_s=60)
    assert eve.near.ended is BANNED and BANNED.own_code == 4505 and not BANNED.reconnect
    for _ in range(2):
        eve = Tab(chat)
        rooms = eve.ask("hello", token=chat.token("u_eve"), rooms={"lobby": None, "attic": None})["rooms"]
        assert rooms["lobby"]["error"]["code"] == "forbidden" and rooms["attic"]["n"] == 1
        assert code(eve.ask("join", room="lobby")) == "forbidden" and write(eve) == "not_joined"
        assert "eve" not in str(chat.enter("mod", "lobby", role="mod").ask("members", room="lobby"))
        chat.restart()
    chat.clock.now += 60
    eve, mod = chat.enter("eve", "lobby"), chat.enter("mod", "lobby", role="mod")
    assert write(eve) == "ok"
    mod.ask("mod", room="lobby", action="ban", user="u_eve")
    assert eve.near.ended is BANNED
    mod.ask("mod", room="lobby", action="unban", user="u_eve")
    assert write(chat.enter("eve", "lobby")) == "ok"


def test_roles(chat: Chat) -> None:
    """An owner makes a moderator, who may do what moderators do, in that room only and after a restart too."""
    owner, ann, bob = (
        chat.enter("o", "lobby", role="owner"),
        chat.enter("ann", "lobby"),
        chat.enter("bob", "lobby"),
    )
    bob.ask("message", room="lobby", text="x")
    assert code(ann.ask("delete", room="lobby", ref=1)) == "forbidden"
    assert code(ann.ask("mod", room="lobby", action="mute", user="u_bob")) == "forbidden"
    owner.ask("mod", room="lobby", action="role", user="u_ann", value="mod")
    assert code(ann.ask("delete", room="lobby", ref=1)) == "ok"
    chat.restart()
    ann, bob = chat.enter("ann", "lobby", "attic"), chat.enter("bob", "lobby", "attic")
    joined = ann.ask("join", room="lobby")
    assert joined["you"] == {"role": "mod", "can": ["write", "react", "delete", "mod"]}
    assert code(ann.ask("mod", room="lobby", action="mute", user="u_bob")) == "ok"
    assert code(ann.ask("mod", room="attic", action="mute", user="u_bob")) == "forbidden"
    assert code(ann.ask("mod", room="lobby", action="role", user="u_bob", value="mod")) == "forbidden"
    assert code(ann.ask("mod", room="nowhere", action="lock", value="on")) == "not_joined"


def test_one_word_of_a_moderator_in_a_direct_conversation(chat: Chat) -> None:
    """In a direct conversation nobody stands above the other."""
    ann = chat.enter("ann")
    chat.enter("bob")
    assert code(ann.ask("mod", room="@u_bob", action="mute", user="u_bob")) == "forbidden"
    boss = chat.enter("boss", role="owner")
    for room in ("@u_bob", "@me"):
        assert code(boss.ask("mod", room=room, action="lock", value="on")) == "forbidden"


@pytest.mark.parametrize(
    "silence",
    [{"action": "mute", "user": "u_ann"}, {"action": "lock", "value": "on"}],
    ids=["mute", "lock"],
)
def test_a_retry_of_the_silenced(chat: Chat, silence: dict[str, str]) -> None:
    """Who was silenced before the answer came learns by the retry that the message is stored; nothing new is."""
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    first = ann.ask("message", room="lobby", text="x", cid="c1")
    assert code(mod.ask("mod", room="lobby", **silence)) == "ok"
    again = ann.ask("message", room="lobby", text="x", cid="c1")
    assert (code(again), again["seq"], again["dup"]) == ("ok", first["seq"], True)
    assert code(ann.ask("message", room="lobby", text="y", cid="c1")) == "cid_conflict"
    assert code(ann.ask("message", room="lobby", text="y", cid="c2")) in ("muted", "forbidden")
    assert mod.ask("events", room="lobby", after=0)["seq"] == 2


def test_the_topic(chat: Chat) -> None:
    """A moderator says what a room is about: on one line, at most 200 characters, kept over a restart."""
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    assert "topic" not in ann.ask("join", room="lobby")
    assert code(ann.ask("mod", room="lobby", action="topic", value="mine")) == "forbidden"
    assert code(mod.ask("mod", room="lobby", action="topic", value="茶 &\n<b>tea</b>\x1b")) == "ok"
    assert ann.told("mod")[0]["value"] == "茶 & <b>tea</b>"
    chat.restart()
    mod = chat.enter("mod", "lobby", role="mod")
    assert mod.ask("join", room="lobby")["topic"] == "茶 & <b>tea</b>"
    assert code(mod.ask("mod", room="lobby", action="topic", value="x" * 201)) == "bad_request"
    mod.ask("mod", room="lobby", action="topic", value="x" * 200)
    assert mod.ask("join", room="lobby")["topic"] == "x" * 200
    mod.ask("mod", room="lobby", action="topic", value="")
    assert "topic" not in mod.ask("join", room="lobby")


def test_the_deaf(tmp_path: Path) -> None:
    """Who goes on through a hundred refusals for being too fast is told once more, then ended with 4013; who waits
    as long as it was told is not."""
    chat = Chat(Store("memory", tmp_path), messages=MESSAGES)
    loud, calm = chat.enter("loud", "lobby"), chat.enter("calm", "lobby")
    refusals = 0
    while not loud.ended:
        answer = loud.ask("message", room="lobby", text="x")
        refusals += code(answer) == "rate_limited"
        assert refusals <= DEAF.burst + 1
    assert loud.near.ended is FLOOD and FLOOD.own_code == 4013 and refusals == DEAF.burst + 1
    for _ in range(300):
        answer = calm.ask("message", room="lobby", text="x")
        if code(answer) == "rate_limited":
            chat.wait(answer["retry_ms"] / 1000)
    assert calm.ended == ""
    chat.stop()
    assert chat.troubles == []
