"""A chat.v1 client of the plainest kind: asks, waits for the answer, collects events."""

from __future__ import annotations

import itertools
import json
from typing import Any

from e2e.peers import WebSocketPeer
from e2e.server import Server

Frame = dict[str, Any]


class V1Peer(WebSocketPeer):
    """Connected to one server, and introduced."""

    def __init__(self, server: Server, nick: str | None = None, **hello: Any) -> None:
        super().__init__(server.socket_url("/v1"))
        self._ids = itertools.count(1)
        named = {} if nick is None else {"nick": nick}
        self.hello = self.ask("hello", v=1, caps=["members"], **named, **hello)
        assert self.hello["type"] == "ok", self.hello

    @property
    def id(self) -> str:
        """Its user's id."""
        return str(self.hello["user"]["id"])

    def ask(self, kind: str, **fields: Any) -> Frame:
        """A command's answer."""
        return self.answer(self.send(kind, **fields))

    def send(self, kind: str, **fields: Any) -> int:
        """A command, and the number by which its answer is known."""
        number = next(self._ids)
        self.say(json.dumps({"type": kind, "id": number, **fields}))
        return number

    def answer(self, number: int) -> Frame:
        """The answer, when it is there."""
        self.until(lambda _: any(frame.get("id") == number for frame in self.frames))
        return next(frame for frame in self.frames if frame.get("id") == number)

    def events(self, *kinds: str, room: str | None = None) -> list[Frame]:
        """What was told of those kinds, in order."""
        return [
            frame
            for frame in self.frames
            if "id" not in frame and frame["type"] in kinds and room in (None, frame.get("room"))
        ]

    def told(self, kind: str, **fields: Any) -> Frame:
        """Wait for an event with those members; the first one."""

        def fits(frame: Frame) -> bool:
            return frame["type"] == kind and "id" not in frame and frame.items() >= fields.items()

        self.until(lambda _: any(map(fits, self.frames)))
        return next(filter(fits, self.frames))

    def texts(self, room: str) -> list[tuple[int, str]]:
        """Numbers and texts of the messages it was told of."""
        return [(frame["seq"], frame["text"]) for frame in self.events("message", room=room)]
