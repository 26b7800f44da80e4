"""Everything one may ask of the server once one is in it, one method a command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Asking(ABC):
    """Each method returns the id that its `Replied` or `Failed` will carry. Members of None are not sent."""

    @abstractmethod
    def ask(self, type: str, **members: Any) -> int:
        """Send any command."""

    def edit(self, room: str, ref: int, text: str, rev: int) -> int:
        """Change one's own message, of which revision `rev` was seen."""
        return self.ask("edit", room=room, ref=ref, text=text, rev=rev)

    def delete(self, room: str, ref: int, reason: str | None = None) -> int:
        """Erase a message."""
        return self.ask("delete", room=room, ref=ref, reason=reason)

    def react(self, room: str, ref: int, emoji: str, on: bool = True) -> int:
        """Put an emoji on a message, or take it off."""
        return self.ask("react", room=room, ref=ref, emoji=emoji, on=on)

    def read(self, room: str, seq: int) -> int:
        """Everything up to `seq` has been read."""
        return self.ask("read", room=room, seq=seq)

    def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = 50,
    ) -> int:
        """A page of messages in their final form; at most one of the three sides."""
        return self.ask("history", room=room, before=before, after=after, around=around, limit=limit)

    def search(self, q: str, *, room: str | None = None, before: int | None = None, limit: int = 20) -> int:
        """Messages that hold every word of `q`, in one room or in all that one is in."""
        return self.ask("search", q=q, room=room, before=before, limit=limit)

    def typing(self, room: str, on: bool = True) -> int:
        """One is writing, or has stopped."""
        return self.ask("typing", room=room, on=on)

    def status(self, status: str, text: str | None = None) -> int:
        """Be `online`, `away` or `dnd`, with a few words."""
        return self.ask("status", status=status, text=text)

    def rename(self, nick: str) -> int:
        """Take another nick."""
        return self.ask("nick", nick=nick)

    def members(self, room: str) -> int:
        """Who is in the room?"""
        return self.ask("members", room=room)

    def list_rooms(self) -> int:
        """Which rooms are there?"""
        return self.ask("rooms")

    def mod(
        self,
        room: str,
        action: str,
        *,
        user: str | None = None,
        for_s: int | None = None,
        value: str | None = None,
        reason: str | None = None,
    ) -> int:
        """Use a power over a room or a person in it."""
        return self.ask("mod", room=room, action=action, user=user, for_s=for_s, value=value, reason=reason)
