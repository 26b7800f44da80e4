"""Appending to a room in Redis: what only adds goes at once, what changes a message is folded first.

The folds are those of the domain, in Python; Lua only keeps them atomic. A message's record is read, the fold
makes the next one, and the script that appends takes it only if nobody has changed the record meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatservice.domain import rules
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Entry, Moderated, Reacted, Said
from chatservice.domain.ports import Appended, Pace
from chatservice.domain.promise import Promise, resolved, start
from chatservice.logs.codec import encode, encode_rules
from chatservice.logs.note import Note, ignore
from chatservice.logs.redis_archived import Archived
from chatservice.logs.redis_asking import PATIENCE_S, Asking
from chatservice.logs.redis_bus import RedisBus
from chatservice.logs.redis_codec import Record, card, read_record, read_rules
from chatservice.logs.redis_folding import Fold, earlier, fold
from chatservice.logs.redis_keys import Keys
from chatservice.redis.errors import Lost, Refusal

TRIES = 20
"""So often a fold may find that another worker was faster. Each time one of them is done."""


@dataclass(slots=True)
class _Wish:
    """Something to be appended in its turn."""

    body: Body
    as_moderator: bool
    pace: Pace | None
    promise: Promise[Appended]


class Writing:
    """Appends.

    :param clock: seconds since 1970; `seconds` only for durations.
    :param keep: entries a room keeps at least; somewhat more are there.
    :param archived: what Redis does not keep any more; nothing goes before it is there.
    :param cid_ttl_ms: how long a cid is remembered; None never, to show in tests what that leads to.
    :param note: told how long a commit took; see `Note`.
    """

    def __init__(
        self,
        asking: Asking,
        keys: Keys,
        bus: RedisBus,
        *,
        clock: Callable[[], float],
        seconds: Callable[[], float],
        keep: int,
        cid_ttl_ms: int | None,
        archived: Archived | None = None,
        note: Note = ignore,
    ) -> None:
        self._note = note
        self._asking = asking
        self._keys = keys
        self._bus = bus
        self._clock = clock
        self._seconds = seconds
        self._keep = keep
        self._cid_ttl_ms = cid_ttl_ms
        self._given = _Given()
        self._settling = resolved(None)
        self._archived = archived
        self._queues: dict[str, deque[_Wish]] = {}  # of rooms in which something is being folded

    def settled(self) -> Promise[None]:
        """See `Log.settled`."""
        given, self._given = self._given, _Given()
        self._settling = start(_both(self._settling, given.settled()))
        return self._settling

    def append(self, room: str, body: Body, as_moderator: bool, pace: Pace | None = None) -> Promise[Appended]:
        """See `Log.append`."""
        promise: Promise[Appended] = Promise()
        self._given.add(promise)
        try:
            self._asking.check_there()
        except Refused as refusal:
            promise.reject(refusal)
            return promise
        queue = self._queues.get(room)
        folds = not isinstance(body, Said) and not _adds_only(body)
        # Others may pass; what one person said and changed stays in the order in which it was done.
        if queue is not None and (folds or any(wish.body.user.id == body.user.id for wish in queue)):
            queue.append(_Wish(body, as_moderator, pace, promise))
        elif folds:
            self._queues[room] = deque([_Wish(body, as_moderator, pace, promise)])
            self._next(room)
        else:
            self._add(room, body, promise, pace)
        return promise

    def _next(self, room: str) -> None:
        queue = self._queues[room]
        while queue:
            wish = queue[0]
            if isinstance(wish.body, Said) or _adds_only(wish.body):
                queue.popleft()
                self._add(room, wish.body, wish.promise, wish.pace)
                continue
            folding = start(self._fold(room, wish))
            folding.then(lambda done: self._folded(room, done))
            return
        del self._queues[room]

    def _folded(self, room: str, done: Promise[Appended]) -> None:
        wish = self._queues[room].popleft()
        try:
            _same(done, wish.promise)
        finally:
            self._next(room)

    # --- what only adds ---

    def _add(self, room: str, body: Body, promise: Promise[Appended], pace: Pace | None) -> None:
        folded: Fold = ("", *_measured(pace), body.user.id)
        if room.startswith("dm:") and isinstance(body, Said):
            # Its two people may be connected elsewhere without having the conversation open.
            folded += tuple(self._keys.room("@" + user_id).channel for user_id in room.split(":")[1:])

        def answered(answer: Any) -> None:
            if isinstance(answer, Exception):
                promise.reject(self._asking.refusal(answer, writes=True))
                return
            if pace is not None and answer[0] in (b"slow", b"message"):
                promise.reject(pace.refuse(answer[0].decode(), answer[1]))
                return
            self._finish(room, body, answer, promise)

        self._write(room, body, folded, answered, pace)

    def _finish(self, room: str, body: Body, answer: Any, promise: Promise[Appended]) -> None:
        if answer[0] == b"dup":
            self.earlier(room, body, answer).then(lambda done: _same(done, promise))
            return
        _, seq, epoch, ts = answer
        entry = Entry(room, int(seq), epoch.decode(), int(ts), body)
        appended = Appended(room, entry.seq, entry.epoch, entry.ts)
        self._bus.appended(entry, lambda: promise.resolve(appended))

    def earlier(self, room: str, body: Body, answer: Any) -> Promise[Appended]:
        """Where an earlier try with the same cid stands. Rejected with `Refused`: `cid_conflict`."""
        if self._archived is not None:
            return start(self._archived.earlier(room, body, answer))
        promise: Promise[Appended] = Promise()
        try:
            promise.resolve(earlier(room, body, answer))
        except Refused as refusal:
            promise.reject(refusal)
        return promise

    def _write(
        self, room: str, body: Body, folded: Fold, done: Callable[[Any], None], pace: Pace | None = None
    ) -> None:
        """Run the script. With a cid it may be done twice without harm, so it is tried again if its answer is
        lost."""
        names = self._keys.room(room)
        cid = b"" if body.cid is None or self._cid_ttl_ms is None else self._keys.cid(room, body.user.id, body.cid)
        words = card(body) if isinstance(body, Said) else ""
        is_slow, is_counted = pace is not None and pace.slow_ms, pace is not None and pace.rate
        slow = self._keys.slow(room, body.user.id) if is_slow else b""
        talk = self._keys.talk if is_counted else b""
        keys = (*names.found, cid, names.named, slow, talk, b"" if self._archived is None else names.unarchived)
        values = (
            int(self._clock() * 1000),
            encode(body),
            names.channel,
            self._cid_ttl_ms or 1,
            self._keep,
            words,
            room,
            *folded,
        )
        until = self._seconds() + PATIENCE_S

        began = self._seconds()

        def answered(answer: Any) -> None:
            self._note("commit", self._seconds() - began, isinstance(answer, Refusal))
            left = until - self._seconds()
            if isinstance(answer, Lost) and body.cid is not None and left > 0:
                self._asking.wait(go, lambda: done(answer), left)
            else:
                done(answer)

        def go() -> None:
            self._asking.write("append", keys, values, answered)

        go()

    # --- what is folded ---

    async def _fold(self, room: str, wish: _Wish) -> Appended:
        body = wish.body
        ref: int = getattr(body, "ref", -1)
        names = self._keys.room(room)
        cid = b"" if body.cid is None else self._keys.cid(room, body.user.id, body.cid)
        answer = await self._asking.run_fenced("look", (*names.found, cid), ref)
        if answer[0] == b"dup":
            await self._asking.confirm()
        found = answer[1:]
        for _ in range(TRIES):
            if answer[0] == b"dup":
                return await self.earlier(room, body, answer)
            if isinstance(body, Moderated):
                kept: Body = body
                after = encode_rules(rules.apply(read_rules(found[0]), body))
                folded: Fold = ("rules", found[0], after)
            else:
                folding = fold(room, body, found[1:], wish.as_moderator, await self._old(room, ref, *found[1:3]))
                if folding is None:
                    return Appended(room, 0, "", int(self._clock() * 1000))
                kept, folded = folding
            written: Promise[Any] = Promise()
            self._write(room, kept, folded, written.resolve)
            answer = await written
            if isinstance(answer, Exception):
                raise self._asking.refusal(answer, writes=True)
            if answer[0] != b"again":
                promise: Promise[Appended] = Promise()
                self._finish(room, kept, answer, promise)
                return await promise
            # As `look` answers: rules, then what there is of the message.
            found = answer[1:] if isinstance(body, Moderated) else [b"", *answer[1:]]
        raise Refused(Code.BUSY, retry_ms=1000)

    async def _old(self, room: str, ref: int, stored: bytes | None, said: bytes | None) -> Record | None:
        """How a message stands of which Redis has not the words any more; None for all others."""
        if self._archived is None or said is not None:
            return None
        return read_record(ref, stored) if stored is not None else await self._archived.message(room, ref)


def _same(done: Promise[Appended], promise: Promise[Appended]) -> None:
    if done.error is not None:
        promise.reject(done.error)
    else:
        promise.resolve(done.result())


class _Given:
    """What was given since somebody last asked whether all is answered."""

    def __init__(self) -> None:
        self._open = 0
        self._settled: Promise[None] | None = None

    def add(self, promise: Promise[Appended]) -> None:
        """One more."""
        self._open += 1
        promise.then(self._answered)

    def _answered(self, _: object) -> None:
        self._open -= 1
        if not self._open and self._settled is not None:
            self._settled.resolve(None)

    def settled(self) -> Promise[None]:
        """Answers when all of it is answered; nothing is added any more."""
        self._settled = Promise()
        if not self._open:
            self._settled.resolve(None)
        return self._settled


async def _both(one: Promise[None], other: Promise[None]) -> None:
    await one
    await other


SLACK_US = 100_000
"""One message may have been longer on its way than the next, and whoever has waited as long as it was told must
not be refused again."""


def _measured(pace: Pace | None) -> tuple[int, int, int]:
    """As lua/append.lua takes it."""
    if pace is None or pace.rate is None:
        return (0 if pace is None else pace.slow_ms), 0, 0
    each = round(1_000_000 / pace.rate.per_s)
    return pace.slow_ms, each, each * pace.rate.burst + SLACK_US


def _adds_only(body: Body) -> bool:
    return not isinstance(body, Edited | Deleted | Reacted | Moderated)
