"""chat.v1's hello where it is not plain sailing: bans, forged and expired tokens, lost and stolen sessions."""

from __future__ import annotations

import json
from typing import Any

from world import Pipe, World

from chatservice.domain.errors import BAD_TOKEN, TOKEN_EXPIRED
from chatservice.domain.events import Moderated, User
from chatservice.domain.promise import Promise
from chatservice.domain.trust import Identity
from chatservice.identity.passes import GOOD_FOR_S

Frame = dict[str, Any]


def house() -> World:
    """A server without anybody."""
    return World(0, messages=None)


def ask(world: World, pipe: Pipe, type: str, **members: Any) -> Frame:
    """A command's answer; what came before it is dropped."""
    pipe.conversation.receive(json.dumps({"type": type, "id": 1, **members}).encode())
    world.pump.run()
    frames = [json.loads(frame) for frame in pipe.down]
    pipe.down.clear()
    return next(frame for frame in frames if frame.get("id") == 1)


def hello(world: World, **members: Any) -> tuple[Pipe, Frame]:
    pipe = Pipe(world.hub)
    return pipe, ask(world, pipe, "hello", **members)


def owner(world: World) -> str:
    assert world.hub.passes is not None
    return world.hub.passes.issue(Identity("u_0", "owner", guest=False))


def test_a_ban_from_one_room() -> None:
    """Whoever is banned from one room comes into all others, and is told which it was."""
    world = house()
    pipe, first = hello(world, rooms={"tea": {}})
    ann = first["user"]
    world.log.append("milk", Moderated(User("u_0", "Olga"), "ban", User(ann["id"], ann["nick"])))
    world.pump.run()
    _, second = hello(world, token=first["guest_token"], rooms={"milk": {}, "@": {}, "tea": {}})
    rooms = second["rooms"]
    assert rooms["tea"]["epoch"] and rooms["@me"]["epoch"]
    refused = {name: (rooms[name]["error"]["code"], rooms[name]["error"]["temporary"]) for name in ("milk", "@")}
    assert refused == {"milk": ("forbidden", False), "@": ("no_room", False)}
    assert ask(world, pipe, "hello")["code"] == "bad_request", "hello is said once"


def test_a_connection_that_ends_during_hello() -> None:
    """It leaves nobody behind: neither a person nor a nick that cannot be had."""
    world = house()
    _, first = hello(world, nick="Ann")
    answer: Promise[User | None] = Promise()
    world.log.session = lambda *_: answer  # type: ignore[method-assign]
    pipe = Pipe(world.hub)
    pipe.conversation.receive(b'{"type":"hello","id":1,"resume":"sess_x","nick":"Bob"}')
    pipe.cut()
    before = len(world.hub.roster)
    answer.resolve(None)
    world.pump.run()
    assert len(world.hub.roster) == before and set(world.hub.sessions) == {first["user"]["id"]}
    assert world.hub.roster.named("Bob") is None and world.troubles == []


def test_a_token_beside_a_session() -> None:
    """Resuming does not lower a role that a token proves, also after a restart; who one is is checked again."""
    world = house()
    token = owner(world)
    _, first = hello(world, token=token, nick="Olga")
    assert first["user"] == {"id": "u_0", "nick": "Olga", "guest": False, "role": "owner"}
    assert "guest_token" not in first
    world.restart()
    _, second = hello(world, token=token, resume=first["session"])
    assert second["user"] == first["user"]
    _, guest = hello(world, resume="sess_unheard")
    _, stolen = hello(world, token=guest["guest_token"], resume=first["session"])
    assert stolen["user"] == guest["user"], "the token says who one is"
    pipe = Pipe(world.hub)
    pipe.conversation.receive(json.dumps({"type": "hello", "token": "g_x", "resume": first["session"]}).encode())
    assert pipe.ended is BAD_TOKEN


def test_an_expired_token() -> None:
    """It ends the connection with a code that says: come back, with another."""
    world = house()
    _, first = hello(world)
    world.clock.now += GOOD_FOR_S + 1
    pipe = Pipe(world.hub)
    pipe.conversation.receive(json.dumps({"type": "hello", "id": 1, "token": first["guest_token"]}).encode())
    assert pipe.ended is TOKEN_EXPIRED and TOKEN_EXPIRED.reconnect


def test_ones_own_stream_has_one_name() -> None:
    """It is `@me` in everything one is told of it, never the user id that it has inside."""
    world = house()
    phone, first = hello(world, nick="Ann")
    page, _ = hello(world, token=first["guest_token"])
    assert ask(world, phone, "read", room="@me", seq=0)["room"] == "@me"
    page.conversation.receive(b'{"type":"nick","nick":"Anna"}')
    world.pump.run()
    told = [json.loads(frame) for frame in page.down]
    assert [frame["room"] for frame in told if "room" in frame] == ["@me", "@me"]
    assert {frame["type"] for frame in told} == {"read", "nick"}


def test_the_language_of_hello() -> None:
    """A hello may choose the language, and batches, until it has been answered."""
    world = house()
    spoken: list[str | None] = []
    pipe = Pipe(world.hub)
    pipe.speak = lambda lang, batches=False: spoken.append(f"{lang} {batches}")  # type: ignore[method-assign]
    assert ask(world, pipe, "hello", lang="zh-CN", nick="Ann")["type"] == "ok"
    assert ask(world, pipe, "hello", lang="en")["type"] == "error"
    assert ask(world, pipe, "hello", caps=["batch"])["type"] == "error"
    other = Pipe(world.hub)
    other.speak = pipe.speak  # type: ignore[method-assign]
    assert ask(world, other, "hello", caps=["members", "batch"])["type"] == "ok"
    assert spoken == ["zh-CN False", "None True"]
    assert ask(world, Pipe(world.hub), "hello", lang=7)["code"] == "bad_request"
