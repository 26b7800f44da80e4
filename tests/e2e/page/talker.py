"""Somebody who talks chat.v1 without a page, to furnish rooms with what pages then show."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import connect

from e2e.server import PATIENCE_S, Server


class Talker:
    """One guest in one room.

    :param nick: free.
    :param hello: what else it says of itself.
    """

    def __init__(self, server: Server, nick: str, room: str = "lobby", **hello: Any) -> None:
        self.room = room
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(connect(server.socket_url("/v1"), proxy=None))
        self._last = 0
        self.user = self.ask("hello", nick=nick, rooms={room: {}}, room=None, **hello)["user"]

    def ask(self, type_: str, **members: Any) -> dict[str, Any]:
        """A command's answer; it must not be an error."""
        self._last += 1
        frame = {"type": type_, "id": self._last, "room": self.room, **members}
        self._connection.send(json.dumps({name: value for name, value in frame.items() if value is not None}))
        while True:
            answer: dict[str, Any] = json.loads(self._connection.recv(PATIENCE_S))
            if answer.get("id") == self._last:
                assert answer["type"] != "error", answer
                return answer

    def say(self, text: str, **members: Any) -> int:
        """Its number."""
        number: int = self.ask("message", text=text, cid=f"{self.user['id']}-{self._last}", **members)["seq"]
        return number

    def types(self) -> None:
        """Begins to type; that has no answer."""
        self._connection.send(json.dumps({"type": "typing", "room": self.room, "on": True}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
