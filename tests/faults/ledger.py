"""What was said, acknowledged and heard, held against the promises: nothing acknowledged is lost, nothing is
there twice, everybody heard the same in the same order without a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


class Ledger:
    """Of one crew. A text is said once in the whole run, so it names its message.

    :ivar faults: broken promises, in words; only the first of them.
    :ivar resets: views that had to be begun anew, by why.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.acknowledgements = 0
        self.entries = 0
        self.resets: Counter[str] = Counter()
        self.truncations = 0
        self.refusals: Counter[str] = Counter()
        self._said: dict[tuple[int, str], tuple[str, str]] = {}  # (member, cid) -> room, text
        self._acknowledged: dict[tuple[str, str], int] = {}  # room, text -> seq
        self._truth: dict[str, dict[int, str]] = {}  # room -> seq -> text, as first heard
        self._heard: dict[tuple[int, str], int] = {}  # member, room -> the last seq

    def said(self, cid: str, member: int, room: str, text: str) -> None:
        """A member has said something."""
        self._said[member, cid] = room, text

    def acknowledged(self, cid: str, member: int, frame: Mapping[str, Any]) -> None:
        """It has its `ok`."""
        self.acknowledgements += 1
        room, text = self._said[member, cid]
        before = self._acknowledged.setdefault((room, text), frame["seq"])
        if before != frame["seq"]:
            self._fault(f"{text} in {room} was acknowledged as {before} and as {frame['seq']}")

    def refused(self, cid: str, member: int, code: str) -> None:
        """It was refused for good."""
        self.refusals[code] += 1
        del self._said[member, cid]

    def joined(self, member: int, room: str, seq: int, was_reset: bool, reason: str) -> None:
        """A member is in the room, up to what it will hear next or, after a reset, from `seq` on."""
        if was_reset:
            if reason:  # the first join of all has none
                self.resets[reason] += 1
            self._heard[member, room] = seq

    def truncated(self, member: int, room: str, after: int) -> None:
        """A member was told that numbers above have not survived."""
        self.truncations += 1
        self._heard[member, room] = min(after, self._heard.get((member, room), after))
        truth = self._truth.get(room, {})
        for seq in [seq for seq in truth if seq > after]:
            del truth[seq]

    def heard(self, member: int, room: str, seq: int, frame: Mapping[str, Any]) -> None:
        """A member was told an entry."""
        self.entries += 1
        last = self._heard.get((member, room))
        if last is not None and seq != last + 1:
            self._fault(f"member {member} heard {seq} after {last} in {room}")
        self._heard[member, room] = seq
        text = str(frame.get("text"))
        if self._truth.setdefault(room, {}).setdefault(seq, text) != text:
            self._fault(f"member {member} heard {text} as {seq} in {room}, others {self._truth[room][seq]}")

    def check(self, logs: Mapping[str, list[tuple[int, str]]], *, everybody: int) -> None:
        """Hold it against the logs, read back at the end: (seq, text) of each room.

        :param everybody: how many members must have heard all of it.
        :raises AssertionError: for the first broken promise.
        """
        for room, log in logs.items():
            numbers = [seq for seq, _ in log]
            if numbers != list(range(1, len(log) + 1)):
                self._fault(f"the numbers of {room} are not 1 to {len(log)}")
            texts = Counter(text for _, text in log)
            for text in [text for text, n in texts.items() if n > 1][:5]:
                self._fault(f"{text} is in {room} twice")
            kept = dict(log)
            for seq, text in self._truth.get(room, {}).items():
                if kept.get(seq) != text:
                    self._fault(f"{text} was heard as {seq} in {room}, where there is {kept.get(seq)}")
            for member in range(everybody):
                if self._heard.get((member, room), 0) != len(log):
                    self._fault(f"member {member} heard {room} up to {self._heard.get((member, room))} only")
        there = {room: set(log) for room, log in logs.items()}
        for (room, text), seq in self._acknowledged.items():
            if (seq, text) not in there[room]:
                self._fault(f"{text} was acknowledged as {seq} in {room} and is not there")
        for room, text in self._said.values():
            if (room, text) not in self._acknowledged:
                self._fault(f"{text} in {room} never had an answer")
        assert not self.faults, "\n".join(self.faults)

    def has_heard(self, member: int, room: str) -> int:
        """The last number that a member was told in a room."""
        return self._heard.get((member, room), 0)

    def _fault(self, words: str) -> None:
        if len(self.faults) < 30:
            self.faults.append(words)
