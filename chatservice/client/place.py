"""Our place in one room: how far we have come, and what we lack."""

from __future__ import annotations

from typing import Any

from chatservice.client.events import Entry, Event, Frame, RoomJoined, Truncated
from chatservice.client.view import KEEP, View


class Place:
    """One room we want to be in.

    :param last: so many messages to begin with.
    :ivar epoch: with `seq` our position; empty until a join was answered, and while we start over.
    :ivar seq: the last number we have; everything up to it is in the view.
    :ivar known: the highest number we have heard of.
    :ivar asked_top: the highest top for which we have joined again.
    :ivar is_asking: a join or a fetch is under way; what we lack will come with its answer.
    :ivar retry_at: when a join that was refused for a moment is to be tried again.
    :ivar ids: requests that the next answer to a join answers.
    """

    def __init__(self, name: str, last: int = 50, keep: int = KEEP) -> None:
        self.name = name
        self.last = last
        self.view = View(keep)
        self.epoch = ""
        self.seq = 0
        self.known = 0
        self.asked_top = 0
        self.is_asking = False
        self.retry_at: float | None = None
        self.ids: list[int] = []

    @property
    def lacks(self) -> bool:
        """Whether there is something that we do not have."""
        return not self.epoch or self.known > self.seq

    @property
    def position(self) -> dict[str, Any] | None:
        """Where to resume."""
        return {"epoch": self.epoch, "seq": self.seq} if self.epoch else None

    def forget_position(self) -> None:
        """The next join starts over."""
        self.epoch, self.seq, self.known = "", 0, 0

    def lost(self) -> None:
        """The connection is gone; hello will ask again."""
        self.is_asking, self.retry_at = False, None

    def entered(self, result: Frame) -> list[Event]:
        """The answer to a join."""
        self.is_asking, self.retry_at = False, None
        reason, holds = result.get("reason", ""), True
        keeps = result["recovered"] or reason == "truncated"
        events: list[Event] = [RoomJoined(self.name, not keeps, reason, result)]
        if keeps and reason == "truncated" and self.seq > result["valid"]:
            holds = self._cut(result["valid"])
            events.append(Truncated(self.name, result["valid"]))
        self.epoch = result["epoch"]
        if keeps:
            for frame in result["events"]:
                events += self.heard(frame)
        else:
            self.view.replace(result["state"])
            self.seq = result["seq"]
        if self.seq == result["seq"] and holds:
            self.known = self.seq  # the answer is the truth, whatever we had heard of
        else:
            self.forget_position()  # our view cannot be made right by this
        return events

    def heard(self, frame: Frame) -> list[Event]:
        """A durable event; afterwards see whether the room `lacks` something."""
        seq = frame["seq"]
        if not self.epoch:
            return []
        self.known = max(self.known, seq)
        if seq != self.seq + 1:
            return []  # we have it already, or others must come first
        self.seq = seq
        if frame["type"] == "skip":
            return []
        self.view.apply(frame)
        return [Entry(self.name, seq, frame)]

    def fetched(self, reply: Frame) -> tuple[list[Event], bool]:
        """The answer to `events`; and whether it brought us on."""
        self.is_asking = False
        before = self.seq
        events: list[Event] = []
        if reply["epoch"] == self.epoch:
            for frame in reply["events"]:
                events += self.heard(frame)
            self.known = max(self.known, reply["seq"])
        return events, self.seq > before

    def truncated(self, frame: Frame) -> list[Event]:
        """Live: the newest numbers did not survive. What comes now may have the same ones."""
        after = frame["after"] or 0
        if self._cut(after):
            self.epoch, self.known = frame["epoch"], frame["seq"]
        else:
            self.forget_position()
        return [Truncated(self.name, after)]

    def _cut(self, after: int) -> bool:
        self.seq = self.known = min(self.seq, after)
        self.asked_top = 0
        return self.view.truncate(after)
