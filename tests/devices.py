"""A thin client of chat.v1 that believes what it is told, and complains at the first gap or double."""

from __future__ import annotations

import copy
from typing import Any

import orjson
from chat import Chat, Frame, NearEnd

DURABLE = ("message", "edit", "delete", "react")
MAY_FAIL = ("conflict", "no_message", "forbidden", "unavailable")


class Place:
    """What a device has of one room.

    :ivar first: it has everything from this number on.
    :ivar view: messages in their final state, as `history` shows them.
    """

    def __init__(self, epoch: str, seq: int, state: list[Frame]) -> None:
        self.epoch, self.seq = epoch, seq
        self._base, self._base_seq = copy.deepcopy(state), seq
        self.view: dict[int, Frame] = {message["seq"]: message for message in state}
        self.first = min(self.view, default=seq + 1)
        self.entries: list[Frame] = []

    @property
    def position(self) -> Frame:
        return {"epoch": self.epoch, "seq": self.seq}

    def take(self, event: Frame, me: str) -> None:
        """The next entry."""
        assert event["seq"] == self.seq + 1, f"after {self.seq} came {event}"
        self.seq += 1
        self.entries.append(event)
        ref = event.get("ref")
        if event["type"] == "message":
            words = ("seq", "ts", "from", "text", "reply", "mentions", "meta", "action", "deleted")
            self.view[self.seq] = {word: event[word] for word in words if word in event} | {"rev": 0}
        elif ref in self.view:
            fold(self.view[ref], event, me)

    def drop_above(self, seq: int, me: str) -> None:
        """What lies above did not survive, and neither did what it changed in older messages."""
        kept = [entry for entry in self.entries if entry["seq"] <= seq]
        deletions = {entry["ref"] for entry in kept if entry["type"] == "delete"}
        erased = {entry.get("ref", entry["seq"]) for entry in kept if entry.get("deleted")}
        if seq < self._base_seq or erased - deletions:
            # The state it began with, or a message that it only knows as deleted, may hold changes that are lost;
            # there is no way to tell, so a real client would fetch those messages again.
            self._base, self._base_seq, kept = [], seq, []
        self.seq, self.entries = self._base_seq, []
        self.view = {message["seq"]: message for message in copy.deepcopy(self._base)}
        self.first = min(self.view, default=self.seq + 1)
        for entry in kept:
            self.take(entry, me)


def fold(message: Frame, event: Frame, me: str) -> None:
    """Bring a message's final state forward."""
    if event["type"] == "edit":
        message["rev"], message["edited"] = event["rev"], True
        if "text" in event:
            message["text"] = event["text"]
    elif event["type"] == "delete":
        for word in ("text", "mentions", "meta", "reactions"):
            message.pop(word, None)
        message["deleted"] = True
    elif event["type"] == "react":
        reactions = dict(message.pop("reactions", {}))
        was = reactions.pop(event["emoji"], {"me": False})["me"]
        if event["n"]:
            reactions[event["emoji"]] = {"n": event["n"], "me": event["on"] if event["by"] == me else was}
        if reactions:
            message["reactions"] = reactions


class Device:
    """A client on a line that can break at any byte, in both directions.

    :ivar pending: what was said and not acknowledged, oldest first: cid, room, text.
    """

    def __init__(self, chat: Chat, name: str, user: str) -> None:
        self.chat, self.name, self.me = chat, name, "u_" + user
        self.places: dict[str, Place] = {}
        self.pending: list[tuple[str, str, str]] = []
        self.acknowledged: dict[tuple[str, str], int] = {}  # (room, cid) -> number
        self.near: NearEnd | None = None
        self._uplink: list[bytes] = []
        self._asked: dict[int, Frame] = {}
        self._count = 0
        self._is_known = False  # hello was answered on this connection

    # --- what its user does ---

    def connect(self) -> None:
        """Come back with all positions."""
        if self.near is None or self.near.conversation is None:
            self.near, self._uplink, self._asked, self._is_known = NearEnd(self.chat), [], {}, False
            rooms = {room: place.position for room, place in self.places.items()}
            self.send("hello", token=self.chat.token(self.me), rooms=rooms)

    def join(self, room: str, last: int) -> None:
        if room not in self.places:
            self.send("join", room=room, last=last)

    def say(self, room: str) -> None:
        self._count += 1
        cid = f"{self.name}-{self._count}"
        self.pending.append((cid, room, f"{self._count} from {self.name}"))
        if self._is_known:
            self._send_pending(self.pending[-1])

    def change(self, kind: str, room: str, pick: int, emoji: str) -> None:
        """Edit, delete or react to one of the messages it sees."""
        place = self.places.get(room)
        if place is None or not place.view:
            return
        seen = sorted(place.view)
        mine = [seq for seq in seen if place.view[seq]["from"]["id"] == self.me and "text" in place.view[seq]]
        if kind != "react" and mine and pick % 5:  # else it is refused, now and then
            seen = mine
        message = place.view[seen[-1 - pick % len(seen)]]
        more = {
            "edit": {"text": f"{message.get('text', '')}!", "rev": message["rev"]},
            "delete": {},
            "react": {"emoji": emoji, "on": pick % 3 > 0},
        }[kind]
        self.send(kind, room=room, ref=message["seq"], **more)

    def send(self, type: str, **members: Any) -> None:
        if self.near is not None:
            id = len(self._asked) + 1
            self._asked[id] = {"type": type, **members}
            self._uplink.append(orjson.dumps({"type": type, "id": id, **members}))

    def _send_pending(self, message: tuple[str, str, str]) -> None:
        cid, room, text = message
        if room in self.places:
            self.send("message", room=room, cid=cid, text=text)

    # --- the line ---

    def up(self, frames: int = 10**6) -> None:
        """So many frames reach the server."""
        for _ in range(min(frames, len(self._uplink))):
            payload = self._uplink.pop(0)
            if self.near is not None and self.near.conversation is not None:
                self.near.conversation.receive(payload)

    def down(self, size: int = 10**9) -> bool:
        """So many bytes reach the device. True if there was a whole frame among them."""
        if self.near is None:
            return False
        read = self.near.sent[:size]
        end = read.rfind(b"\n") + 1
        del self.near.sent[:end]
        for line in bytes(read[:end]).split(b"\n")[:-1]:
            self._hear(orjson.loads(line))
        return end > 0

    def cut(self) -> None:
        """The line breaks; what is on it is lost."""
        if self.near is not None:
            self.near.lose()
            self.near = None

    @property
    def is_connected(self) -> bool:
        return self.near is not None and self.near.conversation is not None

    # --- what it hears ---

    def _hear(self, frame: Frame) -> None:
        kind, room = frame["type"], frame.get("room")
        if kind == "ok":
            self._succeeded(self._asked[frame["id"]], frame)
        elif kind == "error":
            assert frame["code"] in MAY_FAIL, (frame, self._asked.get(frame["id"]))
        elif kind in DURABLE:
            assert frame.get("cid") is None or frame["from"]["id"] == self.me, "a cid of somebody else"
            self.places[str(room)].take(frame, self.me)
        elif kind == "epoch":
            self.places[str(room)].epoch = frame["epoch"]

    def _succeeded(self, asked: Frame, reply: Frame) -> None:
        if asked["type"] == "hello":
            for room, since in asked["rooms"].items():
                self._joined(room, since, reply["rooms"][room])
            self._is_known = True
            for message in self.pending:
                self._send_pending(message)
        elif asked["type"] == "join":
            self._joined(asked["room"], None, reply)
            for message in self.pending:
                if message[1] == asked["room"]:
                    self._send_pending(message)
        elif asked["type"] == "message":
            key = asked["room"], asked["cid"]
            assert self.acknowledged.setdefault(key, reply["seq"]) == reply["seq"], (
                "another number for the same cid"
            )
            self.pending = [one for one in self.pending if one[0] != asked["cid"]]

    def _joined(self, room: str, since: Frame | None, joined: Frame) -> None:
        self.verdict(room, since, joined)
        if since is None or joined.get("reason") not in (None, "truncated"):
            assert joined["events"] == []
            self.places[room] = Place(joined["epoch"], joined["seq"], joined["state"])
            return
        place = self.places[room]
        if joined.get("reason") == "truncated":
            place.drop_above(joined["valid"], self.me)
        gone = {event["ref"] for event in joined["events"] if event["type"] == "delete"}
        for event in joined["events"]:
            if event["seq"] in gone or (event["type"] == "edit" and event["ref"] in gone):
                assert "text" not in event, "the words of a deleted message"
            place.take(event, self.me)
        place.epoch = joined["epoch"]
        assert place.seq == joined["seq"]

    def verdict(self, room: str, since: Frame | None, joined: Frame) -> None:
        """For a test to judge how a position was judged."""
        assert joined["was_recovering"] == (since is not None)
