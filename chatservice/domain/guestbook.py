"""The seam to what all nodes together know of the living: who is called what, and by how many connections each is
here. One process alone needs none: its roster knows all of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from chatservice.domain.promise import Promise


class GuestbookSink(Protocol):
    """Implemented by the hub's `Elsewhere`; always called in the reactor's thread. MUST NOT raise."""

    def looks(self, nick: str) -> Collection[str]:
        """What nobody else may look like while somebody has that nick; see `Names.looks`."""

    def renamed(self, user_id: str, nick: str, node: str) -> None:
        """That node has given the user, who is here too, another nick."""

    def named(self, user_id: str, nick: str) -> None:
        """The user, who is here, has had that nick by another node when nobody could tell us."""

    def unnamed(self, user_id: str) -> None:
        """Somebody else was given the user's nick while the book was lost: it needs another one."""


class Guestbook(Protocol):
    """Who is alive by any node. A nick, and what looks like it, is one user's at a time over all nodes (MUST);
    that of a node which has died is free when its lease is over. A user is called the same everywhere.

    All answers wait for the book as questions to the log do, and are rejected with `unavailable` when it is away;
    who is in it stays so meanwhile.
    """

    def join(self, sink: GuestbookSink) -> None:
        """Tell `sink` from now on."""

    def number(self) -> int:
        """The number of a newcomer's `userN`, which nobody has or had (MUST). At once: some are told their nick
        before anything can be asked."""

    def enter(self, user_id: str, nick: str, *, wish: bool) -> Promise[str]:
        """One more connection here speaks for the user. Answers what it is called: `nick`, or what it is called
        already by another node, unless it has a `wish` to be called `nick`.

        Rejected with `Refused`, and the connection is not counted: `nick_taken`, `limit` if it has as many as one
        may, `unavailable`.
        """

    def rename(self, user_id: str, nick: str) -> Promise[str]:
        """The user, who is here, wishes to be called `nick`. Rejected as `enter` is."""

    def keep(self, user_id: str, nick: str, conns: int) -> None:
        """The user, who is called so here, has so many connections more, and nobody can refuse that any more. If
        the book is away it is written into it later; what then comes of the nick is told to the sink."""

    def part(self, user_id: str) -> None:
        """One connection less. Without one the user keeps its nick until `forget`."""

    def forget(self, user_id: str) -> None:
        """The user is not here any more."""
