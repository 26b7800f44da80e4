"""What Redis does not keep any more comes from the archive: pages, messages that are folded, rooms that were lost.

The archive has at least what Redis has trimmed. Whatever is asked, Redis is asked first: it says which number is
the first that it has, and below that number the archive has everything, now and later. A change of an old message
that the archive may not know yet is a record that Redis still has (lua/find.lua).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Edited, Entry, Said
from chatservice.domain.message import erase
from chatservice.domain.ports import Appended, Hit, Page, Unread
from chatservice.domain.promise import Promise, start
from chatservice.logs.archive import Archive, Standing
from chatservice.logs.archive_copying import room_of
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_codec import Record, read_forks, read_record, read_rules
from chatservice.logs.redis_folding import earlier
from chatservice.logs.redis_keys import Keys

TRIES = 3
"""So often a page is read when what changes it is copied and trimmed at this moment. That takes as many entries
as Redis keeps of a room, so it happens in tests."""

UNREAD_PAGES = 20
"""Whoever has said that many times more itself than is counted need not know exactly; the archive's threads have
others to serve."""


class Archived:
    """The older part of what Redis is asked; see `redis_beginning.Seeding` too."""

    def __init__(self, asking: Asking, keys: Keys, archive: Archive) -> None:
        self._asking = asking
        self._keys = keys
        self._archive = archive

    # --- pages ---

    async def page(self, room: str, page: Page, oldest: int, n: int, limit: int, side: str) -> Page:
        """A page of the log, with what Redis does not have of it.

        :param page: what Redis has; `oldest` the first number that the archive has, 0 if it has none.
        :param n: the number after which (side `f`) or below which (`b`) it lies.
        """
        here = page.first
        if not 0 < oldest < here:
            return page
        page = replace(page, first=oldest)
        if side == "f":
            if n + 1 >= here or not limit:
                return page
            older = await self._entries(room, n, here, limit, back=False)
            rest = page.entries if older and older[-1].seq == here - 1 else ()
            return replace(page, entries=(*older, *rest)[:limit])
        left = limit - len(page.entries)
        if left <= 0:
            return page
        older = await self._entries(room, 0, min(n, here), left, back=True)
        if older and page.entries and older[-1].seq != page.entries[0].seq - 1:
            return page  # there is a hole between the two
        return replace(page, entries=(*older, *page.entries))

    async def _entries(self, room: str, after: int, below: int, limit: int, *, back: bool) -> list[Entry]:
        for _ in range(TRIES):
            top, entries = await self._archive.entries(room, after, below, limit, back=back)
            about = {entry.body.ref if isinstance(entry.body, Edited) else entry.seq for entry in entries}
            newer, first = await self._newer(room, about)
            if first <= top + 1:
                break
        gone = {seq for seq, record in newer.items() if record.message.deleted}
        return [_without(entry, gone) for entry in entries] if gone else entries

    async def messages(self, room: str, after: int, below: int, limit: int, *, back: bool) -> list[Record]:
        """Messages as they stand between the two numbers, oldest first: the first ones, or with `back` the
        last."""
        for _ in range(TRIES):
            standing, found = await self._archive.history(room, after, below, limit, back=back)
            newer, first = await self._newer(room, [seq for seq, _ in found])
            if standing is None or not found:
                return []
            await self._must_be_so(room, standing)
            if first <= standing.top + 1:
                break
        return [newer.get(seq, record) for seq, record in found]

    async def unread(self, room: str, user_id: str, after: int, below: int, limit: int) -> Unread:
        """What a user has not read between the two numbers, counted up to `limit` messages of others, or in
        `UNREAD_PAGES` times as many of anybody."""
        others = mentions = 0
        for _ in range(UNREAD_PAGES):
            found = [r.message for r in await self.messages(room, after, below, limit, back=False)]
            shown = [message for message in found if not message.deleted]
            others += sum(message.user.id != user_id for message in shown)
            mentions += sum(user_id in message.mentions for message in shown)
            if others >= limit or len(found) < limit:
                break
            after = found[-1].seq
        return Unread(min(limit, others), min(limit, mentions))

    async def _must_be_so(self, room: str, standing: Standing) -> None:
        """What Redis has lost may still be folded into the archive's messages, until the next copy (a second).

        :raises Refused: `unavailable`, while it is so.
        """
        epoch, top, forks = await self._asking.call(b"HMGET", self._keys.room(room).head, b"e", b"s", b"f")
        page = Page(int(top or 0), (epoch or b"").decode(), read_forks(forks or b""), 1, ())
        # A fork that nobody has touched yet ends where the log does, so this holds before it as well.
        if page.top < standing.top or standing.valid(page) not in (None, standing.top):
            raise Refused(Code.UNAVAILABLE, retry_ms=1000)

    async def message(self, room: str, seq: int) -> Record | None:
        """How an old message stands; None if there is none."""
        found = await self.messages(room, seq - 1, seq + 1, 1, back=False)
        return found[0] if found else None

    async def search(self, query: str, below: Mapping[str, int], before: int, limit: int) -> list[Hit]:
        """Messages that hold every word, newest first, in rooms below these numbers."""
        hits = []
        for hit in await self._archive.search(query, below, before, limit):
            seq = hit.message.seq
            (record,) = await self.messages(hit.room, seq - 1, seq + 1, 1, back=False) or (Record(hit.message),)
            if not record.message.deleted and record.message.text == hit.message.text:
                hits.append(replace(hit, message=record.message))
        return hits

    async def earlier(self, room: str, body: Body, answer: Any) -> Appended:
        """See `redis_folding.earlier`."""
        _, seq, stored = answer
        found: list[Entry] = []
        if not stored:
            _, found = await self._archive.entries(room, int(seq) - 1, int(seq) + 1, 1, back=False)
        return earlier(room, body, answer, found[0] if found else None)

    async def _newer(self, room: str, seqs: Iterable[int]) -> tuple[dict[int, Record], int]:
        """What changed messages that have left Redis in the meantime, as far as the archive may not know it; and
        the first number that Redis has then. If the archive had less when it was read than was trimmed until now,
        some of those changes may be missing from both: it is to be read again."""
        asked = list(seqs)
        if not asked:
            return {}, 0
        names = self._keys.room(room)
        records = self._asking.call(b"HMGET", names.records, *asked)
        first = self._asking.call(b"HGET", names.head, b"o")  # on its heels: not looked at before the records
        found = await records
        newer = {seq: read_record(seq, stored) for seq, stored in zip(asked, found, strict=True) if stored}
        return newer, int(await first or 1)

    async def room_names(self, limit: int, viewer: str | None, known: set[str]) -> list[tuple[str, int]]:
        """Rooms that Redis has lost and nobody has been in since."""
        try:
            names = await self._archive.room_names(limit)
        except Refused:
            return []  # there is no need of it for those that Redis has
        return [
            (name, top) for name, top, stored in names if name not in known and _may_find(stored.encode(), viewer)
        ]

    # --- rooms that are lost ---

    def seed(self, head: bytes, *, only_looks: bool) -> Promise[None]:
        """See `redis_beginning.Seeding.seed`."""
        return start(self._seed(head, only_looks=only_looks))

    async def _seed(self, head: bytes, *, only_looks: bool) -> None:
        room = room_of(head)
        try:
            standing = (await self._archive.standings([room])).get(room)
        except Refused:
            if only_looks:
                return
            raise
        if standing is not None and standing.top:
            forks = "".join(f"{epoch}:{last}," for epoch, last in standing.forks)
            names = self._keys.room(room)
            expires = read_rules(standing.rules.encode()).expires_s
            await self._asking.run(
                "seed",
                (head, names.named, names.expiring if expires else b"", names.id),
                *(standing.epoch, standing.top, standing.ts, standing.first, forks, standing.rules, room),
            )


def _without(entry: Entry, gone: set[int]) -> Entry:
    """The entry without the words of messages that are deleted."""
    body = entry.body
    if not isinstance(body, Said | Edited) or body.erased:
        return entry
    about = body.ref if isinstance(body, Edited) else entry.seq
    return replace(entry, body=erase(body)) if about in gone else entry


def _may_find(stored: bytes, viewer: str | None) -> bool:
    rules = read_rules(stored)
    return viewer is None or not rules.private or viewer in rules.roles
