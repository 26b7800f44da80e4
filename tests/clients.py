"""A client core on a hand-driven clock, and the server's side of its wire, spoken by the test."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any, TypeVar

import orjson

from chatservice.client.core import ClientCore
from chatservice.client.events import Event

Frame = dict[str, Any]
Kind = TypeVar("Kind")

ME = {"id": "u_1", "nick": "Ann"}
BOB = {"id": "u_2", "nick": "Bob"}


def message(seq: int, text: str = "", user: Frame = BOB, room: str = "tea", **more: Any) -> Frame:
    """A message as an event."""
    text = text or f"message {seq}"
    return {"type": "message", "room": room, "seq": seq, "ts": seq * 1000, "from": user, "text": text, **more}


def final(seq: int, text: str = "", user: Frame = BOB, **more: Any) -> Frame:
    """The same in the form in which history shows it."""
    text = text or f"message {seq}"
    return {"seq": seq, "ts": seq * 1000, "from": user, "rev": 0, "text": text, **more}


def joined(seq: int, *, room: str = "tea", epoch: str = "e1", **more: Any) -> Frame:
    """The answer to a first join; `events=[…]` makes it that to a position that held."""
    was_recovering = "events" in more or "reason" in more
    return {
        "room": room,
        "epoch": epoch,
        "seq": seq,
        "was_recovering": was_recovering,
        "recovered": was_recovering and "reason" not in more,
        "events": [],
        "state": [],
        **more,
    }


class Talker:
    """One client core.

    :ivar luck: what its randomness gives.
    :ivar told: every event so far; `tell` answers with the new ones.
    """

    def __init__(self, **more: Any) -> None:
        numbers = count(1)
        self.now = 1000.0
        self.luck = 0.0
        self.sent: list[Frame] = []
        self.told: list[Event] = []
        self.core = ClientCore(cid=lambda: f"cid{next(numbers)}", random=lambda: self.luck, **more)

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Keep what happened and what is to be sent."""
        new = list(events)
        self.told += new
        self.sent += [orjson.loads(frame) for frame in self.core.outgoing()]
        return new

    def open(self) -> Frame:
        """A connection is there; its hello."""
        self.note(self.core.opened(self.now))
        return self.last("hello")

    def close(self, code: int | None = 1006) -> list[Event]:
        return self.note(self.core.closed(code, self.now))

    def tell(self, type: str, **members: Any) -> list[Event]:
        """The server sends a frame."""
        return self.note(self.core.received(orjson.dumps({"type": type, **members}).decode(), self.now))

    def hear(self, frame: Frame) -> list[Event]:
        return self.tell(**frame)

    def answer(self, type: str, **members: Any) -> list[Event]:
        """The server says ok to the last command of that type."""
        return self.tell("ok", id=self.last(type)["id"], **members)

    def refuse(self, type: str, code: str, *, temporary: bool = False, **more: Any) -> list[Event]:
        """The server refuses the last command of that type."""
        id = self.last(type)["id"]
        return self.tell("error", id=id, code=code, message=f"{code}!", temporary=temporary, **more)

    def welcome(self, *, user: Frame = ME, rooms: dict[str, Frame] | None = None, **more: Any) -> list[Event]:
        """Hello is answered."""
        fixed = {"v": 1, "session": "sess_1", "ping_ms": 25_000, "pong_ms": 10_000}
        given = {"@me": joined(0, room="@me"), **(rooms or {})}
        return self.answer("hello", user=user, rooms=given, **fixed, **more)

    def come_back(self, rooms: dict[str, Frame] | None = None, **more: Any) -> Frame:
        """The connection breaks, another is made; its hello."""
        self.close()
        self.wait(until=self.core.due)
        hello = self.open()
        self.welcome(rooms=rooms, **more)
        return hello

    def wait(self, seconds: float = 0.0, *, until: float | None = None) -> list[Event]:
        """Time passes; every timer on the way is looked at when it is due, and only then."""
        end = self.now + seconds if until is None else until
        new: list[Event] = []
        while (timer := self.core.next_timer()) is not None and timer <= end:
            self.now = max(self.now, timer)
            new += self.note(self.core.tick(self.now))
        self.now = end
        return new

    def asks(self, type: str) -> list[Frame]:
        """Every command of that type it has sent."""
        self.note(())
        return [frame for frame in self.sent if frame["type"] == type]

    def last(self, type: str) -> Frame:
        return self.asks(type)[-1]

    def since(self, type: str) -> list[Any]:
        """The positions with which it joined."""
        return [frame.get("since") for frame in self.asks(type)]


def of(kind: type[Kind], events: Iterable[object]) -> list[Kind]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def in_room(*state: Frame, seq: int | None = None, **more: Any) -> Talker:
    """A talker who is in the room `tea`, which begins with `state`."""
    talker = Talker(**more)
    talker.core.join("tea")
    talker.open()
    talker.welcome()
    talker.answer("join", **joined(len(state) if seq is None else seq, state=list(state)))
    return talker
