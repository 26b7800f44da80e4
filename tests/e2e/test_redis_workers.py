"""Two real chats on one real Redis are one chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from redis_server import RedisServer

from e2e.peers import WebSocketPeer
from e2e.server import Server, eventually
from e2e.v1peer import V1Peer

MESSAGES = 40


class Workers:
    """Two servers, A and B, and those who are connected to them."""

    def __init__(self, stack: ExitStack, first: Server, second: Server) -> None:
        self._stack = stack
        self.a, self.b = first, second

    def peer(self, server: Server, nick: str | None = None, **hello: object) -> V1Peer:
        """Somebody connected to one of them."""
        return self._stack.enter_context(V1Peer(server, nick, **hello))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers on one Redis, for the whole file."""
    with RedisServer() as redis, ExitStack() as stack:
        options = ("--insecure-no-limits", f"--store={redis.url}")
        first, second = (
            stack.enter_context(Server(tmp_path_factory.mktemp(name), *options)) for name in ("a", "b")
        )
        yield first, second


@pytest.fixture
def workers(servers: tuple[Server, Server]) -> Iterator[Workers]:
    """The same for one test, whose peers are gone at its end."""
    with ExitStack() as stack:
        yield Workers(stack, *servers)


def owner(server: Server) -> str:
    """What proves that one owns a server."""
    return (server.data / "owner.token").read_text().strip()


def test_one_order(workers: Workers) -> None:
    """Two who talk at once by two workers: everybody sees the same messages under the same numbers."""
    room = "order"
    ann, bob = workers.peer(workers.a, rooms={room: None}), workers.peer(workers.b, rooms={room: None})
    asked = [(peer, peer.send("message", room=room, text=f"{n}")) for n in range(MESSAGES) for peer in (ann, bob)]
    answers = [peer.answer(number) for peer, number in asked]
    assert sorted(answer["seq"] for answer in answers) == list(range(1, 2 * MESSAGES + 1))
    for peer in (ann, bob):
        peer.until(lambda _, peer=peer: len(peer.texts(room)) == 2 * MESSAGES)
    assert ann.texts(room) == bob.texts(room)
    assert [seq for seq, _ in ann.texts(room)] == list(range(1, 2 * MESSAGES + 1))
    assert ann.hello["durability"] == "disk" and ann.hello["cid_ttl_s"] == 600


def test_who_is_there(workers: Workers) -> None:
    """A room's members are those of both workers: comings, goings, names and typing are told across, once."""
    room = "hall"
    ann = workers.peer(workers.a, "Ann Across", rooms={room: None})
    bob = workers.peer(workers.b, "Bob Across", rooms={room: None})
    assert bob.hello["rooms"][room]["n"] == 2
    assert {member["nick"] for member in bob.hello["rooms"][room]["members"]} == {"Ann Across", "Bob Across"}
    assert ann.told("enter", room=room)["n"] == 2
    bob.ask("typing", room=room, on=True)
    assert ann.told("typing", room=room)["user"]["id"] == bob.id
    bob.ask("part", room=room)
    assert ann.told("leave", room=room)["n"] == 1
    ann.ask("part", room=room)
    assert len(ann.events("enter", room=room)) == len(ann.events("leave", room=room)) == 1


def test_a_hop_is_an_exact_resume(workers: Workers) -> None:
    """Whoever loses one worker goes on at the other: the same person, exactly what was missed, no leave and
    enter."""
    room = "hop"
    ann = workers.peer(workers.a, "Hopping Ann", rooms={room: None})
    bob = workers.peer(workers.b, "Staying Bob", rooms={room: None})
    bob.ask("message", room=room, text="one")
    ann.told("message", seq=1)
    position = {"epoch": ann.hello["rooms"][room]["epoch"], "seq": 1}
    ann.connection.close()
    bob.ask("message", room=room, text="two")
    again = workers.peer(
        workers.b, token=ann.hello["guest_token"], resume=ann.hello["session"], rooms={room: position}
    )
    joined = again.hello["rooms"][room]
    assert again.id == ann.id and again.hello["user"]["nick"] == "Hopping Ann"
    assert joined["recovered"] and [event["text"] for event in joined["events"]] == ["two"]
    bob.ask("message", room=room, text="three")
    again.told("message", seq=3)
    assert bob.events("leave", room=room) == []


def test_read_marks_reach_the_other_worker(workers: Workers) -> None:
    """One's other device learns how far one has read, whichever worker it is connected to."""
    room = "marks"
    phone = workers.peer(workers.a, rooms={room: None})
    desk = workers.peer(workers.b, token=phone.hello["guest_token"], rooms={room: None})
    workers.peer(workers.b, rooms={room: None}).ask("message", room=room, text="read me")
    phone.told("message", room=room)
    assert phone.ask("read", room=room, seq=1)["type"] == "ok"
    assert desk.told("read")["seq"] == 1
    later = workers.peer(workers.b, token=phone.hello["guest_token"], rooms={room: None})
    assert later.hello["rooms"][room]["read"] == 1


def test_direct_messages_find_the_other_worker(workers: Workers) -> None:
    """A direct message reaches somebody who has not opened the conversation, by the other worker, once."""
    ann, bob = workers.peer(workers.a), workers.peer(workers.b)
    assert ann.ask("message", room=f"@{bob.id}", text="psst")["seq"] == 1
    assert bob.told("message")["text"] == "psst"
    assert bob.told("dm")["with"]["id"] == ann.id
    assert ann.ask("message", room=f"@{bob.id}", text="again")["seq"] == 2
    bob.told("message", text="again")
    assert len(bob.events("message")) == 2


def test_kicks_and_bans_reach_the_other_worker(workers: Workers) -> None:
    """Who is kicked is sent away from whichever worker it is connected to, and a ban holds on both."""
    room = "order!"
    boss = workers.peer(workers.a, token=owner(workers.a), rooms={room: None})
    bob = workers.peer(workers.b, rooms={room: None})
    eve = workers.peer(workers.b, rooms={room: None, "elsewhere": None})
    assert boss.ask("mod", room=room, action="kick", user=bob.id)["type"] == "ok"
    assert bob.close_code() == 4503
    assert boss.ask("mod", room=room, action="ban", user=eve.id)["type"] == "ok"
    eventually(lambda: eve.ask("message", room=room, text="still here?")["type"] == "error", "the ban")
    assert eve.ask("join", room=room)["code"] == "forbidden"
    assert eve.ask("message", room="elsewhere", text="here I may")["type"] == "ok"


def test_nicks_and_orders_reach_other_dialects(workers: Workers) -> None:
    """Somebody of the simple dialect at one worker and a moderator of chat.v1 at the other: the nick of one is
    taken at the other, slow mode and a kick find it."""
    room = "dialects"
    boss = workers.peer(workers.a, token=owner(workers.a), rooms={room: None})
    url = workers.b.page_url.replace("http", "ws", 1)
    with WebSocketPeer(f"{url}?room={room}&nick=Eve+Simple") as eve:
        member = boss.told("enter", room=room)["user"]
        boss.until(lambda _: member["nick"] == "Eve Simple" or boss.events("nick", room=room))
        assert boss.ask("nick", nick="eve simple")["code"] == "nick_taken"
        assert boss.ask("mod", room=room, action="slow", value="30")["type"] == "ok"
        # The other worker counts from when it has heard of it.
        eve.until(lambda _: any(frame.get("code") == "mod" for frame in eve.frames))
        eve.say("one")
        assert boss.told("message", room=room)["text"] == "one"
        eve.say("two")
        eve.until(lambda _: any(frame.get("code") == "rate_limited" for frame in eve.frames))
        assert boss.ask("mod", room=room, action="kick", user=member["id"])["type"] == "ok"
        assert eve.close_code() == 1008


@pytest.mark.slow
def test_a_worker_that_dies(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Those who were connected to a worker that was killed are gone from the room when its lease is over."""
    room = "lease"
    ann = workers.peer(workers.a, rooms={room: None})
    with Server(tmp_path_factory.mktemp("c"), workers.a.options[-1]) as third:
        workers.peer(third, rooms={room: None})
        ann.told("enter", n=2)
        third.kill9()
        ann.until(lambda _: ann.events("leave", room=room), seconds=30)
        third.start()
    assert ann.events("leave", room=room)[0]["n"] == 1
