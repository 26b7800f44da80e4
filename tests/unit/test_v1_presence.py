"""chat.v1: who is here. Users with several devices, short losses, big rooms, status, typing."""

from __future__ import annotations

from chat import Chat, Tab, code
from fakes import FakePeer

from chatservice.domain.commands import Join
from chatservice.domain.conduct import handle
from chatservice.domain.presence import TELL_EACH, TYPING_SEEN
from chatservice.domain.session import Session


def came_and_went(tab: Tab) -> list[str]:
    """`+bob 2` and `-bob 1`, as far as the tab was told."""
    signs = {"enter": "+", "leave": "-"}
    return [f"{signs[event['type']]}{event['user']['nick']} {event['n']}" for event in tab.told("enter", "leave")]


def text_like(chat: Chat, room: str) -> Session:
    """A connection of a dialect without a hello, in a room."""
    session = Session(chat.hub, FakePeer(), "127.0.0.1:2")
    handle(session, Join(room))
    chat.settle()
    return session


def test_two_devices(chat: Chat) -> None:
    """Two devices of one user are one enter and one leave, and one member."""
    ann = chat.enter("ann", "lobby")
    phone, laptop = chat.enter("bob", "lobby"), chat.enter("bob", "lobby")
    assert came_and_went(ann) == ["+bob 2"]
    assert ann.ask("members", room="lobby")["n"] == 2
    phone.lose()
    chat.wait(10)
    assert came_and_went(ann) == []
    laptop.ask("message", room="lobby", text="still here")
    laptop.lose()
    chat.wait(4)
    assert came_and_went(ann) == []
    chat.wait(2)
    assert came_and_went(ann) == ["-bob 1"]
    assert chat.hub.roster.find("u_bob") is None


def test_leaving_on_purpose_is_seen_at_once(chat: Chat) -> None:
    """A part is a leave at once, with the last device in the room; the person lives on."""
    ann = chat.enter("ann", "lobby")
    phone, laptop = chat.enter("bob", "lobby"), chat.enter("bob", "lobby", "attic")
    came_and_went(ann)
    assert phone.ask("part", room="lobby") == {"type": "ok", "id": 2, "room": "lobby"}
    assert came_and_went(ann) == []
    laptop.ask("part", room="lobby")
    assert came_and_went(ann) == ["-bob 1"]
    assert (
        code(laptop.ask("part", room="lobby"))
        == code(laptop.ask("message", room="lobby", text="x"))
        == "not_joined"
    )
    assert code(laptop.ask("part", room="@me")) == "forbidden"
    assert laptop.ask("members", room="attic")["n"] == 1


def test_the_linger_counts_from_the_last_loss(chat: Chat) -> None:
    """Who comes back and is lost again gets the whole five seconds again."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    came_and_went(ann)
    for _ in range(4):
        bob.lose()
        chat.wait(3)
        bob = chat.enter("bob", "lobby")
        bob.lose()
        chat.wait(3)
        assert came_and_went(ann) == []
        bob = chat.enter("bob", "lobby")
    bob.lose()
    chat.wait(6)
    assert came_and_went(ann) == ["-bob 1"]


def test_the_place_of_a_lost_person_is_kept_for_that_person(chat: Chat) -> None:
    """While one is away for seconds nobody takes the nick; an old loss never takes it from who has come back."""
    chat.enter("bob", "lobby").lose()
    chat.wait(3)
    thief = Tab(chat)
    assert code(thief.ask("hello", nick="bob")) == "nick_taken"
    again = chat.enter("bob", "lobby")
    again.lose()
    chat.wait(3)
    back = chat.enter("bob", "lobby")
    chat.wait(10)
    assert code(thief.ask("hello", nick="bob")) == "nick_taken"
    assert chat.hub.roster.find("u_bob").conns == 1  # type: ignore[union-attr]
    assert back.greeting["user"]["nick"] == "bob"
    back.lose()
    chat.wait(6)
    assert code(thief.ask("hello", nick="bob")) == "ok"


def test_text_like_connections_do_not_linger(chat: Chat) -> None:
    """Whoever cannot resume has left at once."""
    ann = chat.enter("ann", "lobby")
    session = text_like(chat, "lobby")
    nick = session.user.user.nick
    session.end()
    assert came_and_went(ann) == [f"+{nick} 2", f"-{nick} 1"]


def test_back_in_another_room(chat: Chat) -> None:
    """Who resumes without coming back to a room has left it, five seconds after the loss."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    bob.lose()
    chat.wait(2)
    chat.enter("bob", "attic")
    chat.wait(4)
    assert came_and_went(ann) == ["+bob 2", "-bob 1"]
    assert chat.hub.roster.find("u_bob").rooms == {"@u_bob", "attic"}  # type: ignore[union-attr]


def test_a_room_that_nobody_is_in_costs_nothing(chat: Chat) -> None:
    """After the last one is gone for good the hub knows neither the room nor the person."""
    for _ in range(3):
        chat.enter("ann", "lobby", "attic").lose()
    chat.wait(6)
    assert chat.hub.rooms == {} and len(chat.hub.roster) == 0 and chat.hub.sessions == {}
    assert not chat.hub._lingering


def test_big_rooms_are_only_counted(chat: Chat) -> None:
    """Over 200 members nobody is told of each coming, going, rename or status: only the number, every five
    seconds at most."""
    ann = chat.enter("ann", "lobby")
    crowd = [text_like(chat, "lobby") for _ in range(TELL_EACH - 1)]
    assert len(came_and_went(ann)) == TELL_EACH - 1
    crowd += [text_like(chat, "lobby") for _ in range(50)]
    assert ann.told() == []
    chat.wait(6)
    assert [event["n"] for event in ann.told("count")] == [TELL_EACH + 50]
    chat.wait(10)
    assert ann.told() == []
    late = Tab(chat)
    join = late.ask("hello", nick="late", caps=["members"], rooms={"lobby": None})["rooms"]["lobby"]
    assert join["n"] == TELL_EACH + 51 and "members" not in join
    assert len(late.ask("members", room="lobby", limit=500)["members"]) == TELL_EACH + 51
    late.ask("status", status="away")
    late.ask("nick", nick="later")
    assert ann.told() == []
    for session in crowd:
        session.end()
    chat.wait(6)
    told = [event["type"] for event in ann.told()]
    assert (
        told.count("leave") == TELL_EACH - 1 and told.count("count") == 1
    )  # n is 200 at the first leave that is told


def test_status(chat: Chat) -> None:
    """A status with a few words is told to those who share a room, once each; nonsense is refused."""
    ann, bob, eve = chat.enter("ann", "a", "b"), chat.enter("bob", "a", "b"), chat.enter("eve", "c")
    chat.enter("bob")
    ann.told()
    assert code(bob.ask("status", status="away", text="lunch\n  until 1")) == "ok"
    wanted = {"type": "presence", "user": {"id": "u_bob", "nick": "bob"}, "status": "away", "conns": 2}
    assert ann.told("presence") == [wanted | {"text": "lunch until 1"}]
    assert eve.told("presence") == []
    bob.ask("status", status="dnd")
    assert ann.told("presence") == [wanted | {"status": "dnd"}]
    for status in ("offline", "busy", ""):
        assert code(bob.ask("status", status=status)) == "bad_request"


# --- typing ---


def typing(tab: Tab) -> list[tuple[str, bool]]:
    return [(event["user"]["nick"], event["on"]) for event in tab.told("typing")]


def test_typing(chat: Chat) -> None:
    """Others are told who writes, not the writer's own devices, and not other rooms."""
    ann, bob, twin = chat.enter("ann", "lobby"), chat.enter("bob", "lobby"), chat.enter("ann", "lobby")
    eve = chat.enter("eve", "attic")
    assert ann.ask("typing", room="lobby", on=True) == {"type": "ok", "id": 2}
    assert (typing(bob), typing(ann), typing(twin), typing(eve)) == ([("ann", True)], [], [], [])
    ann.ask("typing", room="lobby", on=False)
    assert typing(bob) == [("ann", False)]
    assert code(ann.ask("typing", room="attic")) == "not_joined"


def test_typing_too_often(chat: Chat) -> None:
    """More than one a three seconds is no error and is not told, whatever is said between; neither is an end
    without a beginning."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    ann.ask("typing", room="lobby", on=False)
    assert typing(bob) == []
    for _ in range(10):
        assert code(ann.ask("typing", room="lobby", on=True)) == "ok"
        ann.ask("typing", room="lobby", on=False)
    assert typing(bob) == [("ann", True), ("ann", False)]
    chat.clock.now += 3
    for _ in range(10):
        ann.ask("typing", room="lobby", on=True)
    assert typing(bob) == [("ann", True)]
    chat.clock.now += 3
    ann.ask("typing", room="lobby", on=True)
    assert typing(bob) == [("ann", True)]
    chat.clock.now -= 3600  # set back
    ann.ask("typing", room="lobby", on=True)
    assert typing(bob) == [("ann", True)]


def test_typing_in_a_big_room(chat: Chat) -> None:
    """Over 100 members nobody is told who writes."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    for _ in range(TYPING_SEEN - 2):
        text_like(chat, "lobby")
    ann.ask("typing", room="lobby")
    assert typing(bob) == [("ann", True)]
    chat.clock.now += 3
    text_like(chat, "lobby")
    ann.ask("typing", room="lobby")
    assert typing(bob) == []


def test_the_muted_are_not_seen_to_write(chat: Chat) -> None:
    """Who may not write is not shown as writing."""
    mod, ann = chat.enter("mod", "lobby", role="mod"), chat.enter("ann", "lobby")
    mod.ask("mod", room="lobby", action="mute", user="u_ann")
    assert code(ann.ask("typing", room="lobby")) == "muted"
    assert typing(mod) == []
