"""Some people on three nodes who hop from one to the other and talk, while everything that can fail does.

Each of them keeps a view: what it was told, by the rules of docs/wire/recovery.md and nothing else. When it is
over, every view must be what the log is.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from chat import Frame, Tab, code

from chatservice.domain.errors import Refused
from nodes.grounds import Always

ROOMS = ("lobby", "hall")
PEOPLE, SPEAKERS, NODES = 8, 3, 3
TURN_S = 0.02


class View:
    """One room as one person knows it.

    :ivar resets: how often it was told to begin anew.
    """

    def __init__(self) -> None:
        self.epoch = ""
        self.seq = 0
        self.texts: dict[int, str] = {}
        self.resets = self.cuts = 0
        self.faults: list[str] = []

    @property
    def position(self) -> Frame | None:
        return {"epoch": self.epoch, "seq": self.seq} if self.epoch else None

    def joined(self, reply: Frame) -> None:
        """The answer to a join, which was asked with `position`."""
        if not reply["recovered"] and reply.get("reason") == "truncated":
            self.cut(reply["valid"])
        elif not reply["recovered"]:
            self.resets += bool(self.epoch and self.seq)
            self.texts, self.seq = {}, reply["seq"] if self.epoch else 0
        for event in reply["events"]:
            self.told(event)
        if not self.epoch and not reply["was_recovering"]:
            self.seq = reply["seq"]
        self.epoch = reply["epoch"]
        if self.seq != reply["seq"]:
            self.faults.append(f"the answer has top {reply['seq']}, its events end at {self.seq}")

    def told(self, event: Frame) -> None:
        """An event of the room."""
        if event["type"] == "truncate":
            self.cut(event["after"] or 0)
            if event["after"] is None:
                self.texts, self.seq = {}, event["seq"]
            self.epoch = event["epoch"]
        elif event["type"] == "epoch":
            self.epoch = event["epoch"]
        elif "seq" in event:
            if event["seq"] != self.seq + 1:
                self.faults.append(f"{event['seq']} came after {self.seq}")
            self.seq = event["seq"]
            self.texts[self.seq] = event["text"]

    def cut(self, valid: int) -> None:
        self.cuts += 1
        self.texts = {seq: text for seq, text in self.texts.items() if seq <= valid}
        self.seq = min(self.seq, valid)


class Guest:
    """Somebody who comes and goes."""

    def __init__(self, chaos: Chaos, name: str) -> None:
        self.chaos, self.name = chaos, name
        self.views = {room: View() for room in ROOMS}
        self.tab: Tab | None = None
        self._hello: int | None = None
        self._joins: dict[int, str] = {}
        self._said = 0
        self.unanswered: dict[str, str] = {}  # cid -> room, of what it wants to say
        self._asked: dict[int, str] = {}
        self.answered: list[tuple[str, str, int]] = []

    @property
    def is_in(self) -> bool:
        return self.tab is not None and self._hello is None and not self._joins

    def come(self) -> None:
        """Connect to some node and go on where it was."""
        node = self.chaos.chance.choice(self.chaos.nodes)
        self.tab = Tab(node)
        self._joins.clear()
        self._asked.clear()
        rooms = {room: view.position for room, view in self.views.items()}
        self._hello = self.tab.send("hello", v=1, token=node.token("u_" + self.name), rooms=rooms)

    def go(self) -> None:
        """Lose the connection, and with it whatever it had not read."""
        if self.tab is not None:
            self.look()
            if self.tab is not None:
                self.tab.lose()
            self.tab = None

    def speak(self) -> None:
        """Say something new, in some room."""
        self._said += 1
        self.unanswered[f"{self.name}-{self._said}"] = self.chaos.chance.choice(ROOMS)

    def send(self) -> None:
        """Say what is not answered yet, with the same cid as before."""
        if self.tab is None or not self.is_in:
            return
        for cid, room in self.unanswered.items():
            if cid not in self._asked.values():
                self._asked[self.tab.send("message", room=room, text=cid, cid=cid)] = cid

    def look(self) -> None:
        """Read what has come."""
        tab = self.tab
        if tab is None:
            return
        for frame in tab.take():
            if "id" in frame:
                self._answered(frame["id"], frame)
            elif frame.get("room") in self.views and frame["type"] in ("message", "truncate", "epoch"):
                self.views[frame["room"]].told(frame)
            if self.tab is not tab:
                return
        if tab.near.ended is not None:
            tab.lose()
            self.tab = None

    def _answered(self, id: int, frame: Frame) -> None:
        if id == self._hello:
            self._hello = None
            if code(frame) != "ok" or any("error" in joined for joined in frame["rooms"].values()):
                assert self.tab is not None
                self.tab.lose()
                self.tab = None
                return
            for room in ROOMS:
                self.views[room].joined(frame["rooms"][room])
        elif id in self._asked:
            cid = self._asked.pop(id)
            if code(frame) == "ok":
                self.answered.append((self.unanswered.pop(cid), cid, frame["seq"]))
            else:
                assert code(frame) in ("unavailable", "busy"), frame


class Chaos:
    """See the module.

    :param ground: what it happens on; see `nodes.grounds`.
    :param people: how many come and go, `speakers` how many of them talk.
    :param more: for the engines.
    """

    def __init__(
        self, ground: Always, chance: random.Random, people: int = PEOPLE, speakers: int = SPEAKERS, **more: Any
    ) -> None:
        self.ground = ground
        self.chance = chance
        ground.turn = self._turn_for
        self.nodes = [ground.node(f"n{number}", **more) for number in range(NODES)]
        self.guests = [Guest(self, f"g{number}") for number in range(people)]
        self.speakers = self.guests[:speakers]
        self.log: dict[str, dict[int, str]] = {}
        self.happened: Counter[str] = Counter()
        self._ticked = 0.0

    def run(self, seconds: float) -> None:
        """Let it happen, then let all come to rest."""
        end = time.monotonic() + seconds
        fault_at = time.monotonic() + 0.3
        while (now := time.monotonic()) < end:
            guest = self.chance.choice(self.guests)
            if self.chance.random() < 0.1:
                guest.go()
            if self.chance.random() < 0.5:
                self.chance.choice(self.speakers).speak()
            self._turn()
            if now >= fault_at:
                fault = self.chance.choice(self.ground.faults()) if self.happened else self.ground.worst
                self.happened[fault.__name__] += 1
                fault()
                fault_at = time.monotonic() + self.chance.uniform(0.2, 0.5)
        self._rest()

    def _turn_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn()

    def _turn(self) -> None:
        for guest in self.guests:
            if guest.tab is None:
                guest.come()
            guest.send()
        self.nodes[0].pump.run_one(TURN_S)
        for node in self.nodes:
            node.pump.run()
        for guest in self.guests:
            guest.look()
        if time.monotonic() - self._ticked > 0.05:  # their clocks run faster than ours
            self._ticked = time.monotonic()
            for node in self.nodes:
                node.clock.now += 1
                node.hub.tick()

    def _rest(self) -> None:
        # A sentinel takes its `down-after-milliseconds` and 20 s until it sees that what it takes for the primary
        # was made a replica by somebody else, as `grounds` may in the middle of a failover.
        end = time.monotonic() + 60
        while True:
            self._turn()
            if all(node.is_up for node in self.nodes) and all(g.is_in and not g.unanswered for g in self.guests):
                with suppress(Refused):  # a connection may be lost once more
                    self.log = {room: self._read(room) for room in ROOMS}
                    tops = {room: max(entries, default=0) for room, entries in self.log.items()}
                    if all(guest.views[room].seq == tops[room] for guest in self.guests for room in ROOMS):
                        return
            assert time.monotonic() < end, self._unrest()

    def _unrest(self) -> str:
        return (
            "; ".join(
                f"{guest.name} in={guest.is_in} waits for {len(guest.unanswered)} at"
                f" {[view.seq for view in guest.views.values()]}"
                for guest in self.guests
            )
            + f" of {[len(entries) for entries in self.log.values()]}"
        )

    def _read(self, room: str) -> dict[int, str]:
        pump, engine = self.nodes[0].pump, self.nodes[0].store.raw
        entries: dict[int, str] = {}
        while page := pump.until(engine.read(room, max(entries, default=0), 500)).entries:
            entries |= {entry.seq: entry.body.text for entry in page}  # type: ignore[union-attr]
        return entries

    def stop(self) -> None:
        """All nodes end."""
        for node in self.nodes:
            node.stop()

    # --- what must be so ---

    def diverged(self) -> list[str]:
        """Views that are not what the log is."""
        return [
            f"{guest.name} saw {seq} of {room} as {text}, it is {self.log[room].get(seq)}"
            for guest in self.guests
            for room, view in guest.views.items()
            for seq, text in view.texts.items()
            if self.log[room].get(seq) != text
        ]

    def faults(self) -> list[str]:
        """Gaps and repetitions that somebody was told."""
        return [
            f"{guest.name} in {room}: {fault}"
            for guest in self.guests
            for room, view in guest.views.items()
            for fault in view.faults
        ]

    def doubled(self) -> list[str]:
        """What stands twice in the log."""
        texts = [text for entries in self.log.values() for text in entries.values()]
        return [text for text in set(texts) if texts.count(text) > 1]

    def lost(self) -> list[str]:
        """What was answered and is not in the log."""
        return [
            cid for guest in self.guests for room, cid, seq in guest.answered if self.log[room].get(seq) != cid
        ]

    def troubles(self) -> list[BaseException]:
        """Errors of ours on any node."""
        return [trouble for node in self.nodes for trouble in node.troubles]

    def count(self) -> int:
        """How much was said and answered."""
        return sum(len(guest.answered) for guest in self.guests)

    def summary(self) -> str:
        """In numbers."""
        cut = sum(view.cuts + view.resets for guest in self.guests for view in guest.views.values())
        return (
            f"acks={self.count()} lost={len(self.lost())} told={cut} doubled={len(self.doubled())}"
            f" faults={len(self.faults())} diverged={len(self.diverged())} {dict(self.happened)}"
        )
