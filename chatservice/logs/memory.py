"""The log that forgets: for tests, benchmarks and chats that shall leave nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chatservice.domain import message as rule
from chatservice.domain import rules
from chatservice.domain.accounts import Account
from chatservice.domain.bus import ALONE, OURS
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Entry, Moderated, Reacted, Said, User
from chatservice.domain.message import Message, Tally
from chatservice.domain.ports import Appended, Found, Hit, LogSink, Pace, Page, Past, Randomness, Unread
from chatservice.domain.promise import Promise, rejected, resolved
from chatservice.logs.accounts import changed, clashes
from chatservice.logs.codec import same_message
from chatservice.logs.heads import Head, fork
from chatservice.logs.people import COUNT_LIMIT
from chatservice.logs.search import spaced

SESSIONS_TIDY = 1000  # sessions kept before those that have expired are looked for

_WORDS = re.compile(r"\w+")


class Shelf:
    """What is kept of one room."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.messages: dict[int, Message] = {}
        self.reactions: dict[int, dict[str, dict[str, None]]] = {}  # message -> emoji -> users, in order
        self.places: dict[int, int] = {}  # message -> its place among all that was ever said anywhere


class Memory:
    """What a memory log keeps; a second log opened on it plays the restart."""

    def __init__(self) -> None:
        self.heads: dict[str, Head] = {}
        self.shelves: dict[str, Shelf] = {}
        self.cids: dict[tuple[str, str, str], tuple[Appended, Body]] = {}
        self.marks: dict[str, dict[str, int]] = {}
        self.sessions: dict[bytes, tuple[User, int]] = {}
        self.accounts: dict[str, Account] = {}
        self.invites: dict[str, tuple[int, int]] = {}  # id -> uses, until
        self.said = 0


class MemoryLog:
    """See `Engine`.

    :param call_soon: calls a function a little later in the same thread; gathers a turn's appends.
    :param clock: seconds since 1970.
    """

    durability = "cache"
    servers = 0
    away: tuple[str, ...] = ()
    stop_blocks = False  # it tells its last commits itself
    cid_ttl_s: int | None = None
    paces = False
    bus = ALONE
    once = OURS
    board = None
    meter = None

    def __init__(
        self,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        randomness: Randomness,
        memory: Memory | None = None,
        fence: bool = True,
    ) -> None:
        self._call_soon = call_soon
        self._clock = clock
        self._randomness = randomness
        self._memory = Memory() if memory is None else memory
        self._fence = fence
        self._opened: set[str] = set()
        self._sink: LogSink | None = None
        self._waiting: list[tuple[str, Body, bool, Promise[Appended]]] = []
        self._tidy_at = SESSIONS_TIDY

    def start(self, sink: LogSink) -> None:
        """See `Log.start`."""
        self._sink = sink
        for account in self._memory.accounts.values():
            sink.registered(account)

    def stop(self) -> None:
        """See `Log.stop`."""
        self._commit()
        self._sink = None

    # --- writing ---

    def check_there(self, room: str) -> None:
        """See `Log.check_there`: it is in this process."""

    def settled(self) -> Promise[None]:
        """See `Log.settled`."""
        promise: Promise[None] = Promise()
        self._call_soon(lambda: promise.resolve(None))
        return promise

    def append(
        self, room: str, body: Body, *, as_moderator: bool = False, pace: Pace | None = None
    ) -> Promise[Appended]:
        """See `Log.append`."""
        if self._sink is None:
            return rejected(Refused(Code.UNAVAILABLE))
        promise: Promise[Appended] = Promise()
        if not self._waiting:
            self._call_soon(self._commit)
        self._waiting.append((room, body, as_moderator, promise))
        return promise

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        for room, body, as_moderator, promise in waiting:
            try:
                appended, entry = self._append(room, body, as_moderator)
            except Refused as refusal:
                promise.reject(refusal)
                continue
            if entry is not None and self._sink is not None:
                self._sink.committed(entry)
            promise.resolve(appended)

    def _append(self, room: str, body: Body, as_moderator: bool) -> tuple[Appended, Entry | None]:
        earlier = self._earlier(room, body)
        if earlier is not None:
            return earlier, None
        head = self._head(room)
        shelf = self._memory.shelves.setdefault(room, Shelf())
        ts = max(head.ts, int(self._clock() * 1000))
        kept = _keep(shelf, head.top + 1, ts, body, as_moderator)
        if kept is None:
            return Appended(room, 0, head.epoch, ts), None
        head.top, head.ts = head.top + 1, ts
        if isinstance(kept, Moderated):
            head.rules = rules.apply(head.rules, kept)
        entry = Entry(room, head.top, head.epoch, ts, kept)
        shelf.entries.append(entry)
        if isinstance(kept, Said):
            self._memory.said += 1
            shelf.places[entry.seq] = self._memory.said
        appended = Appended(room, entry.seq, entry.epoch, entry.ts)
        if kept.cid is not None:
            self._memory.cids[room, kept.user.id, kept.cid] = (appended, kept)
        if isinstance(kept, Deleted):
            self._erase(room, shelf, kept.ref)
        return appended, entry

    def _earlier(self, room: str, body: Body) -> Appended | None:
        """Where an earlier try has put it."""
        known = None if body.cid is None else self._memory.cids.get((room, body.user.id, body.cid))
        if known is None:
            return None
        done, before = known
        if not same_message(before, body):
            raise Refused(Code.CID_CONFLICT)
        return Appended(room, done.seq, done.epoch, done.ts, duplicate=True)

    def stored(self, room: str, body: Body) -> Promise[Appended | None]:
        """See `Log.stored`."""
        promise: Promise[Appended | None] = Promise()

        def answer() -> None:
            try:
                promise.resolve(self._earlier(room, body))
            except Refused as refusal:
                promise.reject(refusal)

        self._call_soon(answer)  # after what waits to be committed
        return promise

    def _erase(self, room: str, shelf: Shelf, ref: int) -> None:
        """Take the words of a message out of all that holds them."""
        for i, entry in enumerate(shelf.entries):
            body = entry.body
            if (isinstance(body, Said) and entry.seq == ref) or (isinstance(body, Edited) and body.ref == ref):
                erased = rule.erase(body)
                shelf.entries[i] = Entry(room, entry.seq, entry.epoch, entry.ts, erased)
                if body.cid is not None:
                    key = (room, body.user.id, body.cid)
                    self._memory.cids[key] = (self._memory.cids[key][0], erased)

    def _head(self, room: str) -> Head:
        head = self._memory.heads.get(room)
        if head is None:
            head = self._memory.heads[room] = Head(self._randomness.token(), 0, 0, ())
        elif room not in self._opened and self._fence:
            head = self._memory.heads[room] = fork(head, self._randomness.token())
        self._opened.add(room)
        return head

    # --- reading the log ---

    def read(self, room: str, since: int, limit: int) -> Promise[Page]:
        """See `Log.read`."""
        return resolved(self._page(room, max(0, since), limit))

    def read_back(self, room: str, before: int | None, limit: int) -> Promise[Page]:
        """See `Log.read_back`."""
        top = self._head(room).top
        end = top if before is None else min(top, max(0, before - 1))
        begin = max(0, end - limit)
        return resolved(self._page(room, begin, end - begin))

    def _page(self, room: str, since: int, limit: int) -> Page:
        head = self._head(room)
        entries = self._shelf(room).entries[since : since + limit]
        return Page(head.top, head.epoch, head.forks, head.first, tuple(entries), head.rules)

    def _shelf(self, room: str) -> Shelf:
        return self._memory.shelves.get(room) or Shelf()

    # --- messages ---

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        """See `Messages.history`."""
        shelf = self._shelf(room)
        if after is not None:
            found = [m for seq, m in shelf.messages.items() if seq > after]
            shown = found[:limit]
        else:
            found = [m for seq, m in shelf.messages.items() if before is None or seq < before]
            shown = found[-limit:] if limit else []
        messages = tuple(_with_reactions(shelf, message, viewer) for message in shown)
        return resolved(Past(messages, len(found) > len(shown), self._head(room).epoch))

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        """See `Messages.search`; looks at everything, which is what memory is for."""
        parts = query.split()
        hits = {
            place: Hit(room, shelf.messages[seq], place)
            for room in dict.fromkeys(rooms)
            for shelf in (self._shelf(room),)
            for seq, place in shelf.places.items()
            if not shelf.messages[seq].deleted and _holds(shelf.messages[seq].text, parts)
        }
        places = sorted((place for place in hits if before is None or place < before), reverse=True)
        shown = places[:limit]
        return resolved(Found(tuple(hits[place] for place in shown), shown[-1] if len(places) > limit else None))

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        """See `Messages.unread`."""
        later = [m for seq, m in self._shelf(room).messages.items() if seq > after and not m.deleted]
        others = sum(message.user.id != user_id for message in later)
        mentions = sum(user_id in message.mentions for message in later)
        return resolved(Unread(min(others, COUNT_LIMIT), min(mentions, COUNT_LIMIT)))

    def room_names(self, limit: int, viewer: str | None) -> Promise[tuple[tuple[str, int], ...]]:
        """See `Messages.room_names`."""
        heads = [
            (name, head)
            for name, head in self._memory.heads.items()
            if head.top
            and not name.startswith(("dm:", "@"))
            and (viewer is None or not head.rules.private or viewer in head.rules.roles)
        ]
        heads.sort(key=lambda pair: pair[1].ts, reverse=True)
        return resolved(tuple((name, head.top) for name, head in heads[:limit]))

    # --- people ---

    def raise_mark(self, user_id: str, room: str, seq: int) -> Promise[int]:
        """See `People.raise_mark`."""
        marks = self._memory.marks.setdefault(user_id, {})
        marks[room] = max(marks.get(room, 0), seq)
        return resolved(marks[room])

    def marks(self, user_id: str) -> Promise[dict[str, int]]:
        """See `People.marks`."""
        return resolved(dict(self._memory.marks.get(user_id, {})))

    def keep_session(self, digest: bytes, user: User, until_ms: int) -> Promise[None]:
        """See `People.keep_session`."""
        sessions = self._memory.sessions
        sessions[digest] = (user, until_ms)
        if len(sessions) > self._tidy_at:
            now_ms = self._clock() * 1000
            for known, (_, until) in list(sessions.items()):
                if until <= now_ms:
                    del sessions[known]
            self._tidy_at = 2 * len(sessions) + SESSIONS_TIDY
        return resolved(None)

    def session(self, digest: bytes, now_ms: int) -> Promise[User | None]:
        """See `People.session`."""
        user, until_ms = self._memory.sessions.get(digest, (None, 0))
        return resolved(user if until_ms > now_ms else None)

    def use_invite(self, id: str, uses: int, until_ms: int) -> Promise[bool]:
        """See `People.use_invite`."""
        invites, now_ms = self._memory.invites, self._clock() * 1000
        for known in [known for known, (_, until) in invites.items() if until <= now_ms]:
            del invites[known]
        used, _ = invites.get(id, (0, 0))
        if used < uses:
            invites[id] = (used + 1, until_ms)
        return resolved(used < uses)

    # --- accounts ---

    def add_account(self, account: Account) -> Promise[Account]:
        """See `Accounts.add_account`."""
        if any(clashes(known, account) for known in self._memory.accounts.values()):
            return rejected(Refused(Code.NICK_TAKEN, params={"nick": account.name}))
        return self._register(account)

    def change_account(
        self,
        user_id: str,
        *,
        role: str | None = None,
        password: str | None = None,
        end_sessions: bool = False,
        if_password: str | None = None,
    ) -> Promise[Account]:
        """See `Accounts.change_account`."""
        try:
            account = changed(self._memory.accounts.get(user_id), role, password, end_sessions, if_password)
        except Refused as refusal:
            return rejected(refusal)
        return self._register(account)

    def _register(self, account: Account) -> Promise[Account]:
        if self._sink is None:
            return rejected(Refused(Code.UNAVAILABLE))
        self._memory.accounts[account.id] = account
        self._sink.registered(account)
        return resolved(account)


def _keep(shelf: Shelf, seq: int, ts: int, body: Body, as_moderator: bool) -> Body | None:
    """As `logs/messages.py` does it in SQLite."""
    match body:
        case Said():
            shelf.messages[seq] = rule.said(seq, ts, body)
        case Edited():
            shelf.messages[body.ref], body = rule.edited(shelf.messages.get(body.ref), body)
        case Deleted():
            after = rule.deleted(shelf.messages.get(body.ref), body, as_moderator)
            shelf.messages[body.ref] = after
            shelf.reactions.pop(body.ref, None)
        case Reacted():
            emoji = shelf.reactions.get(body.ref, {})
            users = emoji.get(body.emoji, {})
            kept = rule.reacted(shelf.messages.get(body.ref), body, len(emoji), len(users), body.user.id in users)
            if kept is None:
                return None
            users = shelf.reactions.setdefault(body.ref, {}).setdefault(body.emoji, {})
            if kept.on:
                users[body.user.id] = None
            else:
                del users[body.user.id]
                if not users:
                    del shelf.reactions[body.ref][body.emoji]
            return kept
    return body


def _with_reactions(shelf: Shelf, message: Message, viewer: str) -> Message:
    reactions = shelf.reactions.get(message.seq)
    if not reactions:
        return message
    tallies = {emoji: Tally(len(users), viewer in users) for emoji, users in reactions.items()}
    return rule.with_reactions(message, tallies)


def _holds(text: str, parts: list[str]) -> bool:
    """Whether every part stands in `text` as a run of whole words; the last Latin one may be unfinished."""
    words = f" {' '.join(_WORDS.findall(spaced(text))).casefold()} "
    found = False
    for number, part in enumerate(parts, 1):
        asked = " ".join(_WORDS.findall(spaced(part))).casefold()
        if not asked:
            continue
        open_end = number == len(parts) and asked[-1].isascii() and part[-1].isalnum()
        if f" {asked}{'' if open_end else ' '}" not in words:
            return False
        found = True
    return found
