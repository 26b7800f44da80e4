"""The log that forgets: for tests, benchmarks and chats that shall leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Entry
from chatservice.domain.ports import Appended, LogSink, Page, Randomness
from chatservice.domain.promise import Promise, resolved
from chatservice.logs.codec import same_message
from chatservice.logs.heads import Head, fork


class Memory:
    """What a memory log keeps; a second log opened on it plays the restart."""

    def __init__(self) -> None:
        self.heads: dict[str, Head] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.cids: dict[tuple[str, str, str], Entry] = {}


class MemoryLog:
    """See `Log`.

    :param call_soon: calls a function a little later in the same thread; gathers a turn's appends.
    :param clock: seconds since 1970.
    """

    durability = "cache"

    def __init__(
        self,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        randomness: Randomness,
        memory: Memory | None = None,
    ) -> None:
        self._call_soon = call_soon
        self._clock = clock
        self._randomness = randomness
        self._memory = Memory() if memory is None else memory
        self._opened: set[str] = set()
        self._sink: LogSink | None = None
        self._waiting: list[tuple[str, Body, Promise[Appended]]] = []

    def start(self, sink: LogSink) -> None:
        """See `Log.start`."""
        self._sink = sink

    def stop(self) -> None:
        """See `Log.stop`."""
        self._commit()
        self._sink = None

    def append(self, room: str, body: Body) -> Promise[Appended]:
        """See `Log.append`."""
        promise: Promise[Appended] = Promise()
        if self._sink is None:
            promise.reject(Refused(Code.UNAVAILABLE))
            return promise
        if not self._waiting:
            self._call_soon(self._commit)
        self._waiting.append((room, body, promise))
        return promise

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        for room, body, promise in waiting:
            self._append(room, body, promise)

    def _append(self, room: str, body: Body, promise: Promise[Appended]) -> None:
        assert self._sink is not None
        key = None if body.cid is None else (room, body.user.id, body.cid)
        earlier = None if key is None else self._memory.cids.get(key)
        if earlier is not None:
            if same_message(earlier.body, body):
                promise.resolve(Appended(earlier.seq, earlier.epoch, earlier.ts, duplicate=True))
            else:
                promise.reject(Refused(Code.CID_CONFLICT))
            return
        head = self._head(room)
        head.top += 1
        entry = Entry(room, head.top, head.epoch, head.next_ts(int(self._clock() * 1000)), body)
        self._memory.entries.setdefault(room, []).append(entry)
        if key is not None:
            self._memory.cids[key] = entry
        self._sink.committed(entry)
        promise.resolve(Appended(entry.seq, entry.epoch, entry.ts))

    def _head(self, room: str) -> Head:
        head = self._memory.heads.get(room)
        if head is None:
            head = self._memory.heads[room] = Head(self._randomness.token(), 0, 0, ())
        elif room not in self._opened:
            head = self._memory.heads[room] = fork(head, self._randomness.token())
        self._opened.add(room)
        return head

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
        entries = self._memory.entries.get(room, [])[since : since + limit]
        return Page(head.top, head.epoch, head.forks, 1, tuple(entries))
