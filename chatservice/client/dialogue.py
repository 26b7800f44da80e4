"""What is said on the wire: hello, commands and their answers, pings, goodbyes."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson

from chatservice.client.events import Event, Failed, Frame, NickTaken, Online, Replied, Told
from chatservice.client.link import Link
from chatservice.client.outbox import Letter, Outbox
from chatservice.client.rooms import RETRY_S, Rooms

CAPS = ["batch", "members", "typing"]

Events = list[Event]


class Lost(Exception):
    """This connection is of no use; try another."""


class Ended(Exception):
    """No other connection would be better."""


class Dialogue:
    """Everything but the connection's own life, which is the `Link`'s.

    :ivar token: the one we were given; `guest_token` the one the server gave us.
    """

    def __init__(self, link: Link, nick: str | None, token: str | None, lang: str | None) -> None:
        self.nick = nick
        self.token = token
        self.lang = lang
        self.user: Frame = {}
        self.guest_token: str | None = None
        self.outbox = Outbox()
        self.rooms = Rooms(self.send_asked)
        self._link = link
        self._session: str | None = None
        self._ids = count(1)
        self._asked: set[int] = set()  # requests of the program around us, without an answer
        self._hello_id = 0
        self._out: list[str] = []

    # --- outwards ---

    def new_id(self) -> int:
        """The id of a command."""
        return next(self._ids)

    def outgoing(self) -> list[str]:
        """The frames to send now."""
        out, self._out = self._out, []
        return out

    def send_asked(self, type: str, **members: Any) -> int:
        """Send a command of our own."""
        id = self.new_id()
        self._send(type, id=id, **members)
        return id

    def ask(self, type: str, members: dict[str, Any]) -> int:
        """Send a command of the program around us."""
        id = self.send_asked(type, **members)
        self._asked.add(id)
        return id

    def hello(self, nick: str | None) -> None:
        """Say who we are."""
        self._hello_id = self.send_asked(
            "hello",
            v=1,
            token=self.token or self.guest_token,
            nick=nick,
            lang=self.lang,
            client="chatservice.client",
            caps=CAPS,
            resume=self._session,
            rooms=self.rooms.at_hello(),
        )

    def post(self, now: float) -> None:
        """Send what waits to be said."""
        for letter in self.outbox.take(now):
            self._send("message", id=letter.cid, room=letter.room, cid=letter.cid, **letter.members)

    def say(self, room: str, cid: str, members: dict[str, Any]) -> None:
        """Keep a message until it can be sent.

        :raises OutboxFull: when too many wait already.
        """
        self.outbox.put(Letter(self.rooms.canonical(room), cid, members))

    def _send(self, type: str, **members: Any) -> None:
        frame = {"type": type} | {name: value for name, value in members.items() if value is not None}
        self._out.append(orjson.dumps(frame).decode())

    # --- inwards ---

    def received(self, frame: Frame, now: float) -> Events:
        """One frame of the server.

        :raises Lost: when the connection must be given up.
        :raises Ended: when there is no point in another.
        """
        kind = frame["type"]
        if kind in ("ok", "error"):
            return self._answer(frame.get("id"), frame, now)
        if kind == "batch":
            return [event for one in frame["events"] for event in self.received(one, now)]
        if kind == "ping":
            self._send("pong", t=frame["t"])
            self.rooms.look_at(frame["tops"])
            return []
        if kind == "bye":
            if not frame["reconnect"]:
                raise Ended(frame["code"])
            self._link.come_back_after(frame["after_ms"])
        elif kind == "nick" and frame["user"]["id"] == self.rooms.me:
            self.user = {**self.user, **frame["user"]}
            self.nick = frame["user"]["nick"]
        return self.rooms.heard(frame) if "room" in frame else [Told(kind, frame)]

    def _answer(self, id: Any, frame: Frame, now: float) -> Events:
        is_error = frame["type"] == "error"
        if id == self._hello_id and self._hello_id:
            self._hello_id = 0
            return self._hello_refused(frame) if is_error else self._welcome(frame, now)
        if id in self.outbox:
            if is_error and frame["temporary"]:
                self.outbox.put_off(id, now + (frame.get("retry_ms", 0) / 1000 or RETRY_S))
                return []
            self.outbox.remove(id)
        else:
            events = self.rooms.answered(id, frame, now)
            if events is not None or id not in self._asked:
                return events or []
            self._asked.remove(id)
        if is_error:
            return [Failed(id, frame["code"], frame["message"], frame["temporary"])]
        return [Replied(id, frame)]

    def _hello_refused(self, error: Frame) -> Events:
        code = error["code"]
        if code == "nick_taken" and self.nick is not None:
            self.hello(None)
            return [NickTaken(self.nick)]
        if code in ("token_expired", "unauthorized") and self.forget_guest():
            raise Lost(code)  # the server closes now; the next connection is a new guest's
        if error["temporary"]:
            self._link.come_back_after(error.get("retry_ms", 0) or int(RETRY_S * 1000))
            raise Lost(code)
        raise Ended(code)

    def _welcome(self, frame: Frame, now: float) -> Events:
        is_other = bool(self.rooms.me) and self.rooms.me != frame["user"]["id"]
        self._session, self.user = frame["session"], frame["user"]
        self.guest_token = frame.get("guest_token", self.guest_token)
        self.rooms.me = self.user["id"]
        self._link.up(now, frame["ping_ms"], frame["pong_ms"])
        events: Events = [Online(self.user)]
        if is_other:
            events += [Failed(cid, "lost") for cid in self.outbox.disown()]
            self.rooms.forget_positions()
        return events + self.rooms.came_in({} if is_other else frame["rooms"], now)

    # --- the end of a connection ---

    def forget_guest(self) -> bool:
        """Come back as a new guest, if the token that the server refused is one that it gave us itself."""
        is_guest = self.guest_token is not None and self.token is None
        if is_guest:
            self.guest_token = self._session = None
        return is_guest

    def lost(self) -> Events:
        """Let go of all that was under way on it."""
        asked, self._asked = sorted(self._asked), set()
        self._out.clear()
        self._hello_id = 0
        self.outbox.lost()
        self.rooms.lost()
        return [Failed(id, "lost", temporary=True) for id in asked]
