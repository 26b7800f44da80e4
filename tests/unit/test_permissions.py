"""Every permission is a precondition of a row, and stands in one file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from chat import Chat, Tab, code

from chatservice import domain, transports
from chatservice.domain import commands as c
from chatservice.domain import permissions
from chatservice.domain.conduct import COMMANDS

FORBIDDING = {"FORBIDDEN", "MUTED", "UNAUTHORIZED"}
ELSEWHERE = {
    "message.py": "whose a message is, only the log knows",
    "hub.py": "nobody is there yet who could give a command",
    "session.py": "the same: before hello",
    "api.py": "the page of another host; the table of statuses",
    "websocket.py": "no token at the handshake",
    "sockets.py": "the same",
    "visitors.py": "the same",
    "signin.py": "whose password, before there is a session",
    "admin.py": "who may look at the house, which is no room and has no session",
}


def forbidding(path: Path) -> set[str]:
    """The codes a module names."""
    tree = ast.parse(path.read_text("utf-8"))
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found & FORBIDDING


def test_no_permission_elsewhere() -> None:
    """Only the file of permissions says that somebody may not, but for the few places that have no session."""
    modules = [path for package in (domain, transports) for path in Path(str(package.__path__[0])).glob("*.py")]
    assert len(modules) > 40
    found = {path.name for path in modules if forbidding(path)}
    assert found == {"permissions.py", *ELSEWHERE}
    assert all(reason for reason in ELSEWHERE.values())


def test_every_row_has_its_preconditions() -> None:
    """All commands but a few begin with who one is, and all that concern a room ask whether one may."""
    open_to_all = {kind for kind, row in COMMANDS.items() if permissions.is_known not in row.requires}
    assert open_to_all == {c.Hello, c.Login, c.Pong, c.Leave, c.Unknown}
    for kind, row in COMMANDS.items():
        assert all(require.__module__ == permissions.__name__ for require in row.requires)
        if "room" in getattr(kind, "__dataclass_fields__", ()):
            assert len(row.requires) == 2, kind


def private_room(chat: Chat, *members: str) -> Tab:
    """`den`, private, with the owner in it."""
    owner = chat.enter("owner", "den", role="owner")
    assert code(owner.ask("mod", room="den", action="private", value="on")) == "ok"
    for member in members:
        assert code(owner.ask("mod", room="den", action="role", user=f"u_{member}", value="member")) == "ok"
    return owner


def tries(tab: Tab) -> list[str]:
    """What comes of every way into the room's words."""
    asked = [
        tab.ask("join", room="den"),
        tab.ask("history", room="den"),
        tab.ask("events", room="den", after=0),
        tab.ask("search", room="den", q="secret"),
        tab.ask("message", room="den", text="let me in"),
        tab.ask("message", room="den", text="let me in", cid="c1"),
        tab.ask("members", room="den"),
        tab.ask("typing", room="den"),
        tab.ask("read", room="den", seq=1),
        tab.ask("react", room="den", ref=1, emoji="👍"),
    ]
    return [code(reply) for reply in asked]


def test_a_private_room(chat: Chat) -> None:
    """Nobody but its members reads, finds, or writes in a private room; also after a restart, and on resume."""
    owner = private_room(chat, "ann")
    owner.ask("message", room="den", text="secret")
    bob, ann = chat.enter("bob"), chat.enter("ann")
    assert tries(bob) == ["forbidden", *["not_joined"] * 9]
    assert [seen["room"] for seen in bob.ask("rooms")["rooms"]] == []
    assert bob.ask("search", q="secret")["hits"] == []
    joined = ann.ask("join", room="den")
    assert joined["private"] and joined["you"]["role"] == "member"
    assert [seen["room"] for seen in ann.ask("rooms")["rooms"]] == ["den"]
    session, token, at = ann.greeting["session"], chat.token("u_ann"), {"epoch": joined["epoch"], "seq": 2}
    chat.restart()
    assert tries(chat.enter("bob"))[0] == "forbidden"
    again = Tab(chat)
    reply = again.ask("hello", token=token, resume=session, rooms={"den": at})
    assert reply["rooms"]["den"]["recovered"]
    owner = chat.enter("owner", "den", role="owner")
    owner.ask("mod", room="den", action="role", user="u_ann", value="guest")
    assert again.near.ended is not None and again.near.ended.own_code == 4503, "put out at once"
    late = Tab(chat)
    reply = late.ask("hello", token=token, resume=again.greeting["session"], rooms={"den": at})
    assert reply["rooms"]["den"]["error"]["code"] == "forbidden"


def test_becoming_private(chat: Chat) -> None:
    """Whoever is in a room that becomes private and is no member of it is put out; moderators stay."""
    ann, mod, lonely = (
        chat.enter("ann", "den", "lobby"),
        chat.enter("m", "den", role="mod"),
        chat.enter("x", "den"),
    )
    owner = private_room(chat)
    assert [event["action"] for event in ann.told("mod")] == ["private"]
    assert code(ann.ask("message", room="den", text="x")) == "not_joined"
    assert code(ann.ask("message", room="lobby", text="x")) == "ok"
    assert code(mod.ask("message", room="den", text="x")) == "ok"
    assert lonely.near.ended is not None and lonely.near.ended.own_code == 4503
    owner.ask("mod", room="den", action="private", value="off")
    assert code(ann.ask("join", room="den")) == "ok"


@pytest.mark.parametrize("role", ["guest", "member"])
def test_who_may_make_it_private(chat: Chat, role: str) -> None:
    """Not everybody."""
    tab = chat.enter("ann", "den", role=role)
    assert code(tab.ask("mod", room="den", action="private", value="on")) == "forbidden"
    assert code(tab.ask("invite", room="den")) == "forbidden"


def test_an_invitation(chat: Chat) -> None:
    """It makes members of as many as it may, for good; those in already do not use it up."""
    owner = private_room(chat, "ann")
    reply = owner.ask("invite", room="den", uses=1, for_s=60)
    assert (reply["room"], reply["uses"]) == ("den", 1) and reply["until"] == chat.hub.now_ms + 60_000
    ann, bob, eve = chat.enter("ann"), chat.enter("bob"), chat.enter("eve")
    assert code(ann.ask("join", room="den", invite=reply["invite"])) == "ok"
    assert code(bob.ask("join", room="den", invite=reply["invite"])) == "ok"
    event = owner.told("mod")[-1]
    assert (event["by"], event["user"]["id"], event["value"], event["reason"]) == (
        "u_owner",
        "u_bob",
        "member",
        "invitation",
    )
    refused = eve.ask("join", room="den", invite=reply["invite"])
    assert (code(refused), refused["message"]) == ("forbidden", "this invitation has been used")
    chat.restart()
    assert code(chat.enter("bob").ask("join", room="den")) == "ok", "a member is one for good"
    assert code(chat.enter("eve").ask("join", room="den", invite=reply["invite"])) == "forbidden"


def test_invitations_that_are_none(chat: Chat) -> None:
    """One for another room, one that is over, one that was touched, and other tokens open nothing."""
    owner = private_room(chat)
    owner.ask("join", room="attic")
    owner.ask("mod", room="attic", action="private", value="on")
    good = owner.ask("invite", room="den", for_s=60)["invite"]
    other = owner.ask("invite", room="attic")["invite"]
    bob = chat.enter("bob")
    for token in (other, good[:-2], good.replace("i_", "g_"), chat.token("u_owner", "owner"), "", "i_", "i_e30"):
        assert code(bob.ask("join", room="den", invite=token)) == "forbidden"
    chat.clock.now += 61
    assert code(bob.ask("join", room="den", invite=good)) == "forbidden"
    assert code(bob.ask("hello", token=good)) == "bad_request", "hello was said"
    assert code(Tab(chat).ask("hello", token=owner.ask("invite", room="den")["invite"])) == "unauthorized"


def test_the_banned_are_not_invited(chat: Chat) -> None:
    """An invitation does not lift a ban, and is not used up by trying."""
    owner = private_room(chat)
    owner.ask("mod", room="den", action="ban", user="u_bob")
    token = owner.ask("invite", room="den")["invite"]
    assert code(chat.enter("bob").ask("join", room="den", invite=token)) == "forbidden"
    assert code(chat.enter("ann").ask("join", room="den", invite=token)) == "ok"


@pytest.mark.parametrize("members", [{"uses": 0}, {"uses": 1001}, {"for_s": 0}, {"for_s": 31 * 86400}])
def test_invitations_have_bounds(chat: Chat, members: dict[str, int]) -> None:
    """Not for ever, and not for everybody."""
    assert code(private_room(chat).ask("invite", room="den", **members)) == "bad_request"


def test_two_windows_with_one_invitation(chat: Chat) -> None:
    """Two windows of one guest that follow the link at once are both in."""
    token = private_room(chat).ask("invite", room="den")["invite"]
    one, two = chat.enter("bob"), chat.enter("bob")
    asked = [tab.send("join", room="den", invite=token) for tab in (one, two)]
    assert sorted(code(tab.answer(id)) for tab, id in zip((one, two), asked, strict=True)) in (
        ["ok", "ok"],
        ["forbidden", "ok"],
    )
    assert code(one.ask("join", room="den")) == code(two.ask("join", room="den")) == "ok"
