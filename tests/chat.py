"""A whole chat without a reactor: a hub on a store, and connections that speak chat.v1 to it in bytes."""

from __future__ import annotations

from typing import Any

import orjson
from fakes import Ids, Troubles, make_hub
from stores import Store

from chatservice.dialects.base import Id, Outcome
from chatservice.dialects.full import FullDialect
from chatservice.domain.audience import Hearer
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Event
from chatservice.domain.limits import Rate
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity
from chatservice.identity.passes import SignedPasses
from chatservice.transports.conversation import Conversation
from chatservice.transports.frames import line_format

FULL = FullDialect()
Frame = dict[str, Any]


class Chat:
    """A server: it can be restarted, and what its store keeps survives that."""

    def __init__(self, store: Store, *, messages: Rate | None = None) -> None:
        self.store = store
        self.clock = store.clock
        self.troubles = Troubles()
        self.passes = SignedPasses(b"k" * 32, store.clock)
        self._messages = messages
        self._ids = Ids("p")  # never the same twice, whatever was restored
        self.tabs: list[Tab] = []
        self.start()

    def start(self) -> None:
        """Another process begins."""
        self.hub = make_hub(
            self.store.prepare(),
            troubles=self.troubles,
            clock=self.clock,
            messages=self._messages,
            passes=self.passes,
            ids=self._ids,
        )
        self.passes = self.hub.passes = SignedPasses(b"k" * 32, self.store.clock, registry=self.hub.registry)

    def stop(self) -> None:
        """The process ends: all connections first, as in `ChatService`."""
        for tab in list(self.tabs):
            tab.lose()
        self.store.stop()

    def restart(self) -> None:
        """One process ends in order, another begins."""
        self.stop()
        self.start()

    def settle(self) -> None:
        """Let all happen that is under way."""
        self.store.settle()

    def wait(self, seconds: float) -> None:
        """Let time pass, with a tick each second as in the service."""
        while seconds > 0:
            step = min(1.0, seconds)
            self.clock.now += step
            seconds -= step
            self.hub.tick()
        self.settle()

    def token(self, user_id: str, role: str = "guest") -> str:
        """A token that proves that user."""
        return self.passes.issue(Identity(user_id, role, role == "guest"))

    def enter(self, user: str, *rooms: str, role: str = "guest", **members: Any) -> Tab:
        """A connection that has said hello as `u_<user>`, by that nick, and is in those rooms."""
        tab = Tab(self)
        hello = {"token": self.token("u_" + user, role), "rooms": dict.fromkeys(rooms), **members}
        if "nick" not in members and self.hub.roster.find("u_" + user) is None:
            hello["nick"] = user
        assert tab.ask("hello", **hello)["type"] == "ok"
        tab.told()
        return tab


class NearEnd(Hearer):
    """The server's end of a connection: a `Wire` and a `Peer`, sending bytes that nobody has read yet."""

    def __init__(self, chat: Chat) -> None:
        self.format = line_format(FULL.voice("en", False))
        self.sent = bytearray()
        self.ended: Disconnect | None = None
        self.paused = False
        self._held: list[tuple[bytes | None, Event | None]] | None = None
        self.session = Session(chat.hub, self, "127.0.0.1:1", introduced=False)
        self.conversation: Conversation | None = Conversation(
            FULL.parser(), self, self.session, chat.troubles.append
        )

    def lose(self) -> None:
        """The connection breaks."""
        if self.conversation is not None:
            self.conversation.end()
            self.conversation = None

    def hold(self) -> None:
        """What its rooms tell waits for the answer to hello, as in `transports/peer.py`."""
        self._held = []

    def release(self) -> None:
        held, self._held = self._held, None
        for frames, event in held or ():
            self.send(frames, event)

    def send(self, frames: bytes | None, event: Event | None = None) -> None:
        if self._held is not None:
            self._held.append((frames, event))
        else:
            self.put(frames, event)

    def put(self, frames: bytes | None, event: Event | None = None) -> None:
        """Frames that nothing holds up."""
        if frames and self.conversation is not None:
            self.sent += frames

    def deliver(self, event: Event) -> None:
        self.send(self.format.frames(event))

    def reply(self, id: Id, outcome: Outcome) -> None:
        self.put(self.format.answers(id, outcome))

    def answer(self, payload: bytes, is_binary: bool) -> None:
        raise AssertionError("chat.v1 has no answers below the chat")

    def close(self, why: Disconnect) -> None:
        if self.ended is None:
            self.ended = why
            self.lose()

    def speak(self, lang: str | None, *, batches: bool = False) -> None:
        if lang is not None:
            self.format = line_format(FULL.voice(lang, False))

    def ponged(self) -> None: ...

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Tab:
    """The far end of one connection of chat.v1."""

    def __init__(self, chat: Chat, near: NearEnd | None = None) -> None:
        self.chat = chat
        self.near = near or NearEnd(chat)
        self.greeting: Frame = {}
        self._replies: dict[Id, Frame] = {}
        self._events: list[Frame] = []
        self._next_id = 0
        chat.tabs.append(self)

    def send(self, type: str, **members: Any) -> int:
        """A command goes out; its id. A member of None is left out."""
        self._next_id += 1
        frame = {name: value for name, value in members.items() if value is not None}
        self.send_bytes(orjson.dumps({"type": type, "id": self._next_id, **frame}))
        return self._next_id

    def send_bytes(self, payload: bytes) -> None:
        """The server hears one message, if it still listens."""
        if self.near.conversation is not None:
            self.near.conversation.receive(payload)

    def ask(self, type: str, **members: Any) -> Frame:
        """The answer to a command, when it is there."""
        return self.answer(self.send(type, **members))

    def answer(self, id: Id) -> Frame:
        """The answer to the command of that id, when it is there."""
        self.chat.settle()
        self._look()
        assert id in self._replies, f"command {id!r} was not answered"
        reply = self._replies.pop(id)
        if "session" in reply:
            self.greeting = reply
        return reply

    def told(self, *types: str) -> list[Frame]:
        """The events that came since the last call; only those of some types, if any are named."""
        self.chat.settle()
        self._look()
        events, self._events = self._events, []
        return [event for event in events if not types or event["type"] in types]

    def words(self) -> list[str]:
        """The texts that were said since the last call."""
        return [event["text"] for event in self.told("message")]

    def lose(self) -> None:
        """The connection breaks."""
        self.near.lose()
        if self in self.chat.tabs:
            self.chat.tabs.remove(self)

    def take(self, size: int | None = None) -> list[Frame]:
        """The whole frames within the first `size` bytes that were sent and not read yet."""
        read = self.near.sent[:size]
        end = read.rfind(b"\n") + 1
        del self.near.sent[:end]
        return [orjson.loads(line) for line in bytes(read[:end]).split(b"\n")[:-1]]

    def _look(self) -> None:
        for frame in self.take():
            if frame["type"] in ("ok", "error"):
                assert frame.get("id") not in self._replies, "answered twice"
                self._replies[frame.get("id")] = frame
            else:
                assert "id" not in frame
                self._events.append(frame)

    @property
    def id(self) -> str:
        """Who it is."""
        user_id: str = self.greeting["user"]["id"]
        return user_id

    @property
    def ended(self) -> str:
        """By which word the server ended the connection; empty if it did not."""
        return "" if self.near.ended is None else self.near.ended.name


def code(reply: Frame) -> str:
    """Why a command was refused; `ok` if it was not."""
    return str(reply["code"]) if reply["type"] == "error" else "ok"
