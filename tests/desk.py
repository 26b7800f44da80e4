"""One engine on a desk: asked, answered and looked at, without a hub."""

from __future__ import annotations

from typing import Any, TypeVar

from fakes import ANN, said
from stores import Store

from chatservice.domain.accounts import Account
from chatservice.domain.events import Body, Deleted, Edited, Entry, Reacted, User
from chatservice.domain.message import Message
from chatservice.domain.ports import Appended, Found, Page, Past
from chatservice.domain.promise import Promise

T = TypeVar("T")


class Sink:
    """Notes what was committed; complains when that is told from inside `append`."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.firsts: list[tuple[str, int]] = []
        self.accounts: list[Account] = []
        self.is_appending = False

    def committed(self, entry: Entry) -> None:
        assert not self.is_appending, "committed was called from inside append"
        self.entries.append(entry)

    def pruned(self, room: str, first: int) -> None:
        self.firsts.append((room, first))

    def registered(self, account: Account) -> None:
        self.accounts.append(account)


class Desk:
    """A store with a sink, and the shortest way to use both."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = store.clock
        self.sink = Sink()
        store.start(self.sink)

    def reopen(self, sink: Sink | None = None) -> None:
        """The process ends in order and another one begins."""
        self.store.stop()
        self.sink = sink or Sink()
        self.store.start(self.sink)

    def get(self, promise: Promise[T]) -> T:
        """The answer, when it is there."""
        return self.store.pump.until(promise)

    def ask(self, question: str, *args: Any, **kwargs: Any) -> Any:
        """The answer to any question an engine takes."""
        return self.get(getattr(self.store.engine, question)(*args, **kwargs))

    def append(self, body: Body, room: str = "lobby", *, as_moderator: bool = False) -> Promise[Appended]:
        self.sink.is_appending = True
        promise = self.store.engine.append(room, body, as_moderator=as_moderator)
        self.sink.is_appending = False
        return promise

    def put(self, body: Body, room: str = "lobby", *, as_moderator: bool = False) -> Appended:
        return self.get(self.append(body, room, as_moderator=as_moderator))

    def say(self, text: str, user: User = ANN, cid: str | None = None, room: str = "lobby") -> Appended:
        return self.put(said(text, user, cid), room)

    def edit(self, ref: int, text: str, rev: int = 0, user: User = ANN, room: str = "lobby") -> Appended:
        return self.put(Edited(user, ref, text, rev), room)

    def delete(self, ref: int, user: User = ANN, room: str = "lobby", *, as_moderator: bool = False) -> Appended:
        return self.put(Deleted(user, ref), room, as_moderator=as_moderator)

    def react(self, ref: int, emoji: str, user: User = ANN, *, on: bool = True, room: str = "lobby") -> Appended:
        return self.put(Reacted(user, ref, emoji, on), room)

    def read(self, since: int = 0, limit: int = 1000, room: str = "lobby") -> Page:
        page: Page = self.ask("read", room, since, limit)
        return page

    def read_back(self, before: int | None = None, limit: int = 1000, room: str = "lobby") -> Page:
        page: Page = self.ask("read_back", room, before, limit)
        return page

    def history(self, viewer: User = ANN, limit: int = 200, room: str = "lobby", **sides: int | None) -> Past:
        past: Past = self.ask("history", room, viewer.id, limit, **sides)
        return past

    def message(self, seq: int, viewer: User = ANN, room: str = "lobby") -> Message:
        """The message of that number as it stands now."""
        (message,) = self.history(viewer, 1, room, before=seq + 1).messages
        assert message.seq == seq
        return message

    def search(self, query: str, *rooms: str, before: int | None = None, limit: int = 50) -> Found:
        found: Found = self.ask("search", query, rooms or ("lobby",), before, limit)
        return found

    def texts(self, query: str, *rooms: str) -> list[str]:
        """What a search finds, newest first."""
        return [hit.message.text for hit in self.search(query, *rooms).hits]


def seqs(page: Page | Past) -> list[int]:
    """The numbers on a page."""
    return [item.seq for item in (page.entries if isinstance(page, Page) else page.messages)]
