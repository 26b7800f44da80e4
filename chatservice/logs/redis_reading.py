"""Messages in Redis as they stand: history, search, what is unread, which rooms there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chatservice.domain.message import Message
from chatservice.domain.ports import Found, Hit, Past, Unread
from chatservice.domain.promise import Promise, resolved, start
from chatservice.logs.people import COUNT_LIMIT
from chatservice.logs.redis_archived import Archived
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_codec import Record, place_of, read_rules, record_of
from chatservice.logs.redis_keys import PARTITIONS, Keys
from chatservice.logs.search import spaced

FAR = 2**53
"""Above every number and every place; Lua has no greater whole ones."""

SCANNED = 200
"""Messages looked through at once: a millisecond or two of this process, and then it is others' turn."""

_WORDS = re.compile(r"\w+")
Asked = list[str]


class Reading:
    """The questions of `Messages`."""

    _asking: Asking
    _keys: Keys
    _archived: Archived | None

    def history(
        self, room: str, viewer: str, limit: int, *, before: int | None = None, after: int | None = None
    ) -> Promise[Past]:
        """See `Messages.history`."""
        return start(self._history(room, viewer, limit, before, after))

    async def _history(self, room: str, viewer: str, limit: int, before: int | None, after: int | None) -> Past:
        side = ("a", after) if after is not None else ("b", FAR if before is None else before)
        answer = await self._asking.run_fenced("history", self._keys.room(room).found, *side, limit)
        epoch, more, first, *found = answer
        records = [record for record, _ in _records(room, found)]
        if self._archived is not None and first > 1:
            records, more = await self._with_older(self._archived, room, records, more, first, side, limit)
        return Past(tuple(record.shown_to(viewer) for record in records), bool(more), epoch.decode())

    async def _with_older(
        self,
        archived: Archived,
        room: str,
        records: list[Record],
        more: int,
        first: int,
        side: tuple[str, int],
        limit: int,
    ) -> tuple[list[Record], int]:
        """With what lies below `first`, and whether there are more."""
        if side[0] == "b" and not more:
            left = limit - len(records)
            older = await archived.messages(room, 0, min(side[1], first), left + 1, back=True)
            return [*older[len(older) - left if len(older) > left else 0 :], *records], len(older) > left
        if side[0] == "a" and side[1] + 1 < first:
            older = await archived.messages(room, side[1], first, limit + 1, back=False)
            records = [*older, *records]
            return records[:limit], more or len(records) > limit
        return records, more

    def unread(self, room: str, user_id: str, after: int) -> Promise[Unread]:
        """See `Messages.unread`."""
        return start(self._unread(room, user_id, after))

    async def _unread(self, room: str, user_id: str, after: int) -> Unread:
        names = self._keys.room(room)
        # Asked in one step how many and from which number on: what was trimmed since then the archive has.
        unread, mentions, first = await self._asking.run(
            "unread", (names.cards, names.head), after, user_id, COUNT_LIMIT
        )
        older = Unread(0, 0)
        if self._archived is not None and after + 1 < first:
            older = await self._archived.unread(room, user_id, after, first, COUNT_LIMIT)
        return Unread(min(COUNT_LIMIT, unread + older.unread), min(COUNT_LIMIT, mentions + older.mentions))

    def room_names(self, limit: int, viewer: str | None) -> Promise[tuple[tuple[str, int], ...]]:
        """See `Messages.room_names`."""
        return start(self._room_names(limit, viewer))

    async def _room_names(self, limit: int, viewer: str | None) -> tuple[tuple[str, int], ...]:
        return tuple((name, top) for _, name, top in await self.rooms_by_use(limit, viewer))

    async def rooms_by_use(self, limit: int, viewer: str | None) -> list[tuple[int, str, int]]:
        """As `room_names`, each with when it was used, in the server's microseconds."""
        shown: list[tuple[int, str, int]] = []
        skip = 0
        while len(shown) < limit:
            answer = await self._asking.run("rooms", (), self._keys.prefix, PARTITIONS, skip, limit)
            for name, top, stored, used in zip(*(answer[n::4] for n in range(4)), strict=True):
                rules = read_rules(stored)
                if viewer is None or not rules.private or viewer in rules.roles:
                    shown.append((int(used), name.decode(), int(top)))
            skip += limit
            if len(answer) < 4 * limit:
                if self._archived is not None and len(shown) < limit:
                    older = await self._archived.room_names(limit, viewer, {name for _, name, _ in shown})
                    shown += [(0, name, top) for name, top in older]
                break
        return shown[:limit]

    # --- search ---

    def search(self, query: str, rooms: Sequence[str], before: int | None, limit: int) -> Promise[Found]:
        """See `Messages.search`. There is no index: what Redis keeps of a room is little enough to look
        through."""
        asked = words_asked(query)
        if not asked or not rooms or not limit:
            return resolved(Found((), None))
        return start(self._search(query, asked, dict.fromkeys(rooms), FAR if before is None else before, limit))

    async def _search(self, query: str, asked: Asked, rooms: dict[str, None], before: int, limit: int) -> Found:
        scans = [_Scan(room, before) for room in rooms]
        hits: list[Hit] = []
        is_whole = False  # the archive was asked for the rest
        while len(hits) <= limit:
            asking = [(scan, self._scan(scan)) for scan in scans if not scan.hits and not scan.is_over]
            for scan, answer in asking:
                scan.take(await answer, asked)
            if self._archived is not None and not is_whole:
                is_whole = True
                older = {scan.room: scan.first for scan in scans if scan.first > 1}
                if older:
                    hits_there = await self._archived.search(query, older, before, limit + 1)
                    scans.append(_Scan("", 0, True, hits_there))
            if any(not scan.hits and not scan.is_over for scan in scans):
                continue  # it may have one that is newer than those of the others
            newest = max((scan for scan in scans if scan.hits), key=lambda scan: scan.hits[0].place, default=None)
            if newest is None:
                break
            hits.append(newest.hits.pop(0))
        return Found(tuple(hits[:limit]), hits[limit - 1].place if len(hits) > limit else None)

    def _scan(self, scan: _Scan) -> Promise[Any]:
        found = self._keys.room(scan.room).found
        return self._asking.run_fenced("history", found, "p", scan.before, SCANNED)


@dataclass(slots=True)
class _Scan:
    """One room as a search goes through it from the newest message to the oldest; or what the archive has found
    in all.

    :ivar hits: found and not shown yet, newest first.
    :ivar first: the first number that Redis had when it began.
    """

    room: str
    before: int
    is_over: bool = False
    hits: list[Hit] = field(default_factory=list)
    first: int = 0

    def take(self, answer: list[Any], asked: Asked) -> None:
        """What lua/history.lua answers."""
        _, _, first, *found = answer
        self.first = self.first or first
        records = _records(self.room, found)
        for record, place in reversed(records):
            if _holds(record.message, asked):
                self.hits.append(Hit(self.room, record.message, place))
        self.is_over = len(records) < SCANNED
        if records:
            self.before = records[0][1]


def _records(room: str, found: list[Any]) -> list[tuple[Record, int]]:
    records = []
    for seq, entry, stored in zip(found[::3], found[1::3], found[2::3], strict=True):
        record = record_of(room, seq, stored, entry)
        if record is not None:
            records.append((record, place_of(entry)))
    return records


def words_asked(query: str) -> Asked:
    """Runs of whole words to be found, only the very last of them perhaps unfinished; as `search.question`."""
    parts = query.split()
    asked: Asked = []
    for number, part in enumerate(parts, 1):
        words = " ".join(_WORDS.findall(spaced(part))).casefold()
        if words:
            open_end = number == len(parts) and words[-1].isascii() and part[-1].isalnum()
            asked.append(f" {words}{'' if open_end else ' '}")
    return asked


def _holds(message: Message, asked: Asked) -> bool:
    if message.deleted:
        return False
    words = f" {' '.join(_WORDS.findall(spaced(message.text))).casefold()} "
    return all(run in words for run in asked)
