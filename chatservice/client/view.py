"""A room's messages in their final form, folded from its durable events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chatservice.client.events import Frame

KEEP = 1000
"""Messages a view keeps; older ones are a `history` away."""

_LASTING = ("reply", "mentions", "meta", "action")


class View:
    """Messages by number, each in the shape in which `history` shows it.

    :ivar me: our own user id, by which reactions are marked as ours.
    """

    def __init__(self, keep: int = KEEP) -> None:
        self.me = ""
        self._keep = keep
        self._messages: dict[int, dict[str, Any]] = {}
        self._changed = 0  # the number of the newest change of an earlier message

    @property
    def messages(self) -> list[Frame]:
        """What there is to see, oldest first. Not to be changed."""
        return list(self._messages.values())

    def __getitem__(self, seq: int) -> Frame:
        return self._messages[seq]

    def __contains__(self, seq: object) -> bool:
        return seq in self._messages

    def __len__(self) -> int:
        return len(self._messages)

    def replace(self, state: Iterable[Frame]) -> None:
        """Start over with these messages."""
        self._messages = {message["seq"]: dict(message) for message in state}
        self._changed = 0

    def truncate(self, after: int) -> bool:
        """Drop messages that did not survive. False if a change of an earlier message did not survive either: what
        that was before is not known here."""
        self._messages = {seq: message for seq, message in self._messages.items() if seq <= after}
        return self._changed <= after

    def apply(self, frame: Frame) -> None:
        """One durable event, in its turn. A type nobody knows changes nothing."""
        fold = _FOLDS.get(frame["type"])
        if fold is not None:
            fold(self, frame)
            if fold is not View._said:
                self._changed = frame["seq"]

    def _said(self, frame: Frame) -> None:
        message = {"seq": frame["seq"], "ts": frame["ts"], "from": frame["from"], "rev": 0}
        message |= {"deleted": True} if frame.get("deleted") else {"text": frame["text"]}
        message |= {name: frame[name] for name in _LASTING if frame.get(name)}
        self._messages[frame["seq"]] = message
        if len(self._messages) > self._keep:
            del self._messages[next(iter(self._messages))]

    def _edited(self, frame: Frame) -> None:
        message = self._messages.get(frame["ref"])
        if message is None:
            return  # older than what we show
        message |= {"rev": frame["rev"], "edited": True}
        if frame.get("deleted"):
            self._erase(message)
        elif not message.get("deleted"):
            message["text"] = frame["text"]

    def _deleted(self, frame: Frame) -> None:
        message = self._messages.get(frame["ref"])
        if message is not None:
            self._erase(message)

    def _erase(self, message: dict[str, Any]) -> None:
        for name in ("text", "mentions", "meta", "reactions"):
            message.pop(name, None)
        message["deleted"] = True

    def _reacted(self, frame: Frame) -> None:
        message = self._messages.get(frame["ref"])
        if message is None or message.get("deleted"):
            return
        reactions = dict(message.pop("reactions", {}))
        was_mine = reactions.get(frame["emoji"], {}).get("me", False)
        is_mine = frame["on"] if frame["by"] == self.me else was_mine
        if frame["n"]:
            reactions[frame["emoji"]] = {"n": frame["n"], "me": is_mine}
        else:
            reactions.pop(frame["emoji"], None)
        if reactions:
            message["reactions"] = reactions


_FOLDS: dict[str, Callable[[View, Frame], None]] = {
    "message": View._said,
    "edit": View._edited,
    "delete": View._deleted,
    "react": View._reacted,
}
