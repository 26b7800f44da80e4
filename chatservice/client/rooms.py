"""All rooms one wants to be in: joining them, and seeing to it that nothing is missing in any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatservice.client.events import Event, Failed, Frame, Replied, RoomLost, Told
from chatservice.client.place import Place

OWN = "@me"
HELLO_ROOMS = 128  # more are joined afterwards
RETRY_S = 1.0  # after a refusal for a moment that does not say how long it is

Events = list[Event]


class Rooms:
    """The places by their rooms' names.

    :param send: sends a command and gives the id it was given.
    :ivar me: our user id, empty before the first hello was answered.
    """

    def __init__(self, send: Callable[..., int]) -> None:
        self.me = ""
        self._send = send
        self._places = {OWN: Place(OWN)}
        self._asked: dict[int, tuple[str, Place]] = {}  # our own joins and fetches under way
        self._at_hello: dict[str, Place] = {}
        self._parting: dict[int, str] = {}  # rooms that may still be heard of though we leave

    def __getitem__(self, name: str) -> Place:
        return self._places[self.canonical(name)]

    @property
    def names(self) -> list[str]:
        """The rooms one wants to be in, without one's own stream."""
        return [name for name in self._places if name != OWN]

    def canonical(self, name: str) -> str:
        """A direct conversation's room has the same name for both; `@u_2` is how one of them may call it."""
        if name.startswith("@u_") and self.me:
            return "dm:" + ":".join(sorted((self.me, name[1:])))
        return name

    # --- wishes ---

    def want(self, name: str, last: int, id: int | None, *, ask: bool) -> None:
        """Be in the room; `id` is answered when we are."""
        name = self.canonical(name)
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = Place(name, last)
            place.view.me = self.me
        if id is not None:
            place.ids.append(id)
        if ask:
            self._join(place)

    def drop(self, name: str, id: int | None = None) -> Events:
        """Be in the room no more; `id` is the request that says so to the server."""
        name = self.canonical(name)
        if id is not None:
            self._parting[id] = name
        place = self._places.pop(name, None)
        return [] if place is None else [Failed(waiting, "parted") for waiting in place.ids]

    # --- hello ---

    def at_hello(self) -> dict[str, Any]:
        """What hello says about rooms: where to resume. Where there is nothing to resume we join afterwards."""
        self._at_hello = dict(self._places)
        known = [(name, place.position) for name, place in self._places.items() if place.position]
        return dict(known[:HELLO_ROOMS])

    def came_in(self, results: Mapping[str, Frame], now: float) -> Events:
        """Hello was answered, each room with it."""
        events: Events = []
        answered: list[Place | None] = []
        for name, result in results.items():
            place = self._at_hello.pop(name, None)
            answered.append(place)
            if place is not None and self._places.get(place.name) is not place:
                self._send("part", room=result.get("room", name))  # not wanted any more
            elif place is not None and "error" in result:
                events += self._refused(place, result["error"], now)
            elif place is not None:
                events += self._entered(place, result)
        for place in self._places.values():
            place.view.me = self.me
            if place not in answered and not place.is_asking:
                self._join(place)
        return events

    # --- answers ---

    def answered(self, id: Any, frame: Frame, now: float) -> Events | None:
        """The answer to a command; None if it was not ours."""
        self._parting.pop(id, None)
        kind, place = self._asked.pop(id, ("", None))
        if place is None:
            return None
        if self._places.get(place.name) is not place:
            return []  # not wanted any more
        if frame["type"] == "error":
            return self._refused(place, frame, now)
        if kind == "join":
            return self._entered(place, frame)
        events, moved = place.fetched(frame)
        if place.lacks and not place.is_asking:
            (self._fetch if moved else self._join)(place)
        return events

    def _entered(self, place: Place, result: Frame) -> Events:
        place = self._renamed(place, result["room"])
        events = place.entered(result)
        if not place.epoch:
            self._join(place)
            return events
        ids, place.ids = place.ids, []
        return events + [Replied(id, result) for id in ids]

    def _renamed(self, place: Place, name: str) -> Place:
        """The server calls the room `name`; another place of ours may be there already."""
        if name == place.name:
            return place
        del self._places[place.name]
        there = self._places.setdefault(name, place)
        place.name = name
        if there is not place:
            there.ids += place.ids
        return there

    def _refused(self, place: Place, error: Frame, now: float) -> Events:
        place.is_asking = False
        if error["temporary"]:
            place.retry_at = now + (error.get("retry_ms", 0) / 1000 or RETRY_S)
            return []
        self._places.pop(place.name)
        failed: Events = [Failed(id, error["code"], error["message"]) for id in place.ids]
        return [*failed, RoomLost(place.name, error["code"])]

    # --- what happens ---

    def heard(self, frame: Frame) -> Events:
        """Whatever concerns a room."""
        kind, name = frame["type"], frame["room"]
        place = self._places.get(name)
        if kind not in ("lag", "truncate", "epoch", "skip") and not ("seq" in frame and "ts" in frame):
            return [Told(kind, frame)]
        if place is None:
            if name.startswith("dm:") and name not in self._parting.values():
                self.want(name, 50, None, ask=True)  # what we said there has made us a member
            return []
        events = self._lagged(place, frame) if kind == "lag" else []
        if kind == "truncate":
            events = place.truncated(frame)
        elif kind == "epoch":
            place.epoch = frame["epoch"]
        elif kind != "lag":
            events = place.heard(frame)
            if events and kind == "mod":
                events += self._expelled(place, frame)
        if place.lacks and not place.is_asking and self._places.get(name) is place:
            self._join(place)
        return events

    def _lagged(self, place: Place, frame: Frame) -> Events:
        place.known = max(place.known, frame["to"])
        if place.lacks and not place.is_asking and frame["epoch"] == place.epoch:
            self._fetch(place)
        return []

    def _expelled(self, place: Place, frame: Frame) -> Events:
        words = {"kick": "kicked", "ban": "banned"}
        if frame["action"] not in words or frame.get("user", {}).get("id") != self.me:
            return []
        del self._places[place.name]
        return [RoomLost(place.name, words[frame["action"]])]

    def look_at(self, tops: Mapping[str, int]) -> None:
        """A ping names each room's newest number: join again, once, where we lack it."""
        for name, top in tops.items():
            place = self._places.get(name)
            if place is not None and place.epoch and top > max(place.seq, place.asked_top) and not place.is_asking:
                place.asked_top = top
                self._join(place)

    # --- time ---

    def lost(self) -> None:
        """The connection is gone; hello will ask again."""
        self._asked.clear()
        self._parting.clear()
        for place in self._places.values():
            place.lost()

    def forget_positions(self) -> None:
        """The server asks us to start over everywhere."""
        for place in self._places.values():
            place.forget_position()

    def retry(self, now: float) -> None:
        """Join where we were refused for a moment."""
        for place in self._places.values():
            if place.retry_at is not None and place.retry_at <= now:
                self._join(place)

    def next_retry(self) -> float | None:
        """When there is a room to try again."""
        return min((it.retry_at for it in self._places.values() if it.retry_at is not None), default=None)

    def _join(self, place: Place) -> None:
        last = None if place.position else place.last
        place.is_asking, place.retry_at = True, None
        id = self._send("join", room=place.name, since=place.position, last=last)
        self._asked[id] = ("join", place)

    def _fetch(self, place: Place) -> None:
        place.is_asking = True
        self._asked[self._send("events", room=place.name, after=place.seq, limit=500)] = ("events", place)
