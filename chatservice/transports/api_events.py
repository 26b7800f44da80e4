"""Reading a room over HTTP: one long-poll, or a stream of server-sent events. Readers are not seen in the room."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import orjson
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from chatservice.dialects.base import Voice
from chatservice.dialects.full_voice import FullVoice, entry, message, shown_room
from chatservice.domain import commands as c
from chatservice.domain.audience import Hearer, hand_out_singly, join_nothing
from chatservice.domain.entering import missed
from chatservice.domain.errors import RESTART, Code, Disconnect, Refused
from chatservice.domain.events import Bye, Entry, Event, Truncated
from chatservice.domain.permissions import may_come_in, may_stay
from chatservice.domain.ports import Format
from chatservice.domain.promise import Promise, resolved
from chatservice.domain.rates import Kind, spend
from chatservice.domain.recovery import Resolution
from chatservice.domain.room import Room
from chatservice.transports.credentials import header, token_of
from chatservice.transports.sendqueue import SendQueue
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport
from chatservice.transports.visitors import Visitor

WAIT_MOST_S = 60
LAST_MOST = 200
EXPORT_PAGE = 500
EXPORT_COST = 20  # it reads the whole log

WHOLE = Resolution("", 0)
"""Nothing is missing."""


class StreamFormat:
    """chat.v1's events as server-sent events; durable ones have the id to resume after."""

    transport = "http"
    size = staticmethod(len)

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def frames(self, event: Event) -> bytes | None:
        """See `Format.frames`."""
        payload = self._voice.encode(event)
        if payload is None:
            return None
        if isinstance(event, Bye) and event.reconnect:  # which a browser's EventSource holds to by itself
            return b"retry: %d\ndata: %s\n\n" % (event.after_ms, payload)
        if isinstance(event, Entry):
            return b"id: %s:%d\ndata: %s\n\n" % (event.epoch.encode(), event.seq, payload)
        return b"data: %s\n\n" % payload

    def own_frames(self, entry: Entry) -> bytes | None:
        """See `Format.own_frames`."""
        return None

    join = staticmethod(join_nothing)
    hand_out = staticmethod(hand_out_singly)


@lru_cache
def stream_format(voice: Voice) -> StreamFormat:
    """The one format of that voice."""
    return StreamFormat(voice)


class Reader(Hearer):
    """An HTTP request that is told what happens in a room."""

    format: Format

    def __init__(
        self, request: Request, around: Surroundings, room: Room, voice: FullVoice, visitor: Visitor
    ) -> None:
        self.heard_at = 0.0
        self.reads_as = visitor.session.user.user.id
        self._visitor = visitor
        visitor.reading += 1
        self.format = stream_format(voice)
        self._request = request
        self._around = around
        self._room = room
        self._gone = False
        request.notifyFinish().addBoth(lambda _: self.end())

    def end(self) -> None:
        """The request is over."""
        if not self._gone:
            self._gone = True
            self._visitor.reading -= 1
            self._around.hub.proofs.remove(self)
            self._room.here.unlisten(self)
            self._around.hub.tidy(self._room)

    def deliver(self, event: Event) -> None:
        """See `Peer.deliver`."""
        frames = self.format.frames(event)
        if frames is not None:
            self.send(frames)

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        self.end()


class Poll(Reader):
    """Answers with the first thing that happens, or with nothing when the time is over."""

    def __init__(
        self,
        request: Request,
        around: Surroundings,
        room: Room,
        voice: FullVoice,
        visitor: Visitor,
        wait_s: float,
    ) -> None:
        super().__init__(request, around, room, voice, visitor)
        self._entries: list[Entry] = []
        self._verdict = WHOLE
        self._timer = around.call_later(wait_s, self._answer)

    def send(self, frames: bytes, event: Event | None = None) -> None:
        """See `Peer.send`; what is not kept is not told to a poll."""
        if not isinstance(event, Entry | Truncated):
            return
        if not self._entries and self._verdict is WHOLE:
            self._around.call_soon(self._answer)  # with all that comes in this turn
        if isinstance(event, Entry):
            self._entries.append(event)
        else:  # what its reader has above that number did not survive
            self._entries.clear()
            self._verdict = Resolution("gone", 0) if event.after is None else Resolution("truncated", event.after)

    def end(self) -> None:
        """The request is over."""
        if self._timer.active():
            self._timer.cancel()
        super().end()

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        if why is RESTART and not self._gone:
            self._request.setHeader(b"Retry-After", b"%d" % -(-self._around.return_ms(why) // 1000))
        self._answer()

    def _answer(self) -> None:
        if not self._gone:
            self.end()
            finish(self._request, self._room, self._verdict, self._entries, ())


class Stream(Reader):
    """Tells everything for as long as the other side listens."""

    def __init__(
        self, request: Request, around: Surroundings, room: Room, voice: FullVoice, visitor: Visitor
    ) -> None:
        super().__init__(request, around, room, voice, visitor)
        # A request is a transport as far as a queue can see.
        self._queue = SendQueue(cast(Transport, request), around.turn, around.stuck, self)
        around.streams.add(self)

    def send(self, frames: bytes, event: Event | None = None) -> None:
        """See `Peer.send`."""
        self._queue.push(frames, event)

    def end(self) -> None:
        """The request is over."""
        self._around.streams.remove(self)
        self._queue.close()
        super().end()

    def close(self, why: Disconnect) -> None:
        """See `Peer.close`."""
        if not self._gone:
            if why.reconnect:
                self.deliver(self._around.bye(why))
            self._queue.hand_over()
            self.end()
            self._request.finish()

    def relieved(self) -> None:
        """See `SendQueue.push_answer`: nothing goes straight back here."""

    def too_slow(self) -> None:
        """It does not read."""
        self._around.call_soon(cast(Transport, self._request.transport).abortConnection)

    def nudge(self) -> None:
        """See `Watched.nudge`: a comment keeps proxies from forgetting the connection."""
        self.send(b":\n\n")
        self._around.streams.remove(self)
        self._around.streams.add(self)

    def give_up(self) -> None:
        """See `Watched.give_up`; every nudge begins anew, so it never comes to this."""


async def poll(request: Request, around: Surroundings, visitor: Visitor, name: str, voice: FullVoice) -> None:
    """Answer with what came after a position; with nothing there, wait for the next thing."""
    session = visitor.session
    wait_s = min(_number(request, b"wait", 0), WAIT_MOST_S)
    spend(session, Kind.RESYNC)
    visit = _Visit(around, visitor, name, request)
    async with visit as room:
        command = _wanted(request, name)
        verdict, entries, state = await missed(session, room, command)
        if request._disconnected:
            return
        visit.confirm()
        if entries or state or verdict.reason or not wait_s or request.method == b"HEAD":
            finish(request, room, verdict, entries, state)
        else:
            room.here.listen(Poll(request, around, room, voice, visitor, wait_s))


async def stream(request: Request, around: Surroundings, visitor: Visitor, name: str, voice: FullVoice) -> None:
    """Tell what came after a position, then all that comes, as long as it is proved who asks."""
    session = visitor.session
    spend(session, Kind.RESYNC)
    visit = _Visit(around, visitor, name, request)
    async with visit as room:
        command = _wanted(request, name)
        verdict, entries, state = await missed(session, room, command)
        if request._disconnected:
            return
        visit.confirm()
        _head(request, b"text/event-stream", verdict)
        if request.method == b"HEAD":  # it has no body that could be waited for
            request.finish()
            return
        reader = Stream(request, around, room, voice, visitor)
        hello = {"type": "join", **_heads(room, verdict)}
        hello["state"] = [message(item) for item in state]
        # The id of the state, not of nothing: a client that is cut off now resumes from here.
        begin = entries[0].seq - 1 if entries else room.top
        reader.send(b"id: %s:%d\ndata: %s\n\n" % (room.epoch.encode(), begin, orjson.dumps(hello)))
        for item in entries:
            reader.deliver(item)
        room.here.listen(reader)
        around.hub.proofs.put(reader, visitor.until_ms)


async def export(request: Request, around: Surroundings, visitor: Visitor, name: str) -> None:
    """The whole log of a room as JSON Lines, one entry a line, as fast as the other side reads. It breaks off if
    whoever reads it may do so no longer."""
    spend(visitor.session, Kind.RESYNC, EXPORT_COST)
    visit = _Visit(around, visitor, name, request)
    gone: list[object] = []
    request.notifyFinish().addErrback(gone.append)
    async with visit as room:
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        request.setHeader(b"Content-Disposition", b'attachment; filename="room.jsonl"')
        request.setHeader(b"Cache-Control", b"no-store")
        gate = _Gate(request)
        seq, top = 0, room.top
        while seq < top and not gone:
            page = await around.hub.log.read(name, seq, EXPORT_PAGE)
            if not page.entries:
                break
            lines = [orjson.dumps(entry(item)) for item in page.entries if item.seq <= top]
            request.write(b"\n".join([*lines, b""]))
            seq = page.entries[-1].seq
            await gate.opened()
            try:
                visit.confirm()
            except Refused:
                cast(Transport, request.transport).abortConnection()  # a body that ends is a whole one
                return
    if not gone:
        request.unregisterProducer()
        request.finish()


@implementer(IPushProducer)
class _Gate:
    """Closed while the other side does not read."""

    def __init__(self, request: Request) -> None:
        self._closed: Promise[None] | None = None
        request.registerProducer(self, True)

    def opened(self) -> Promise[None]:
        """Answers when there is room for more."""
        return self._closed or resolved(None)

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        self._closed = Promise()

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        closed, self._closed = self._closed, None
        if closed is not None:
            closed.resolve(None)

    stopProducing = resumeProducing


class _Visit:
    """Keeps a room while something is awaited in it."""

    def __init__(self, around: Surroundings, visitor: Visitor, name: str, request: Request) -> None:
        self._hub = around.hub
        self._room = around.hub.room(name)
        self._visitor = visitor
        self._token = token_of(request)
        self._kicks = self._room.kicks.get(visitor.session.user.user.id, 0)

    async def __aenter__(self) -> Room:
        self._room.joining += 1
        try:
            await self._room.live()
            self.confirm()
        except BaseException:
            await self.__aexit__()  # nobody calls it when we do not get in
            raise
        return self._room

    async def __aexit__(self, *_: object) -> None:
        self._room.joining -= 1
        self._hub.tidy(self._room)

    def confirm(self) -> None:
        """The visitor may still be here: to be asked after everything that was awaited, for meanwhile its sessions
        may have been ended, or it may have been thrown out.

        :raises Refused: if not.
        """
        self._visitor.confirm(self._token)
        may_come_in(self._visitor.session, self._room)
        may_stay(self._visitor.session, self._room, self._kicks)


def _wanted(request: Request, name: str) -> c.Join:
    """After which position to tell: `Last-Event-ID`, else `after` and `epoch`; else the last `last` messages."""
    epoch, _, seq = header(request, "last-event-id").rpartition(":")
    if not epoch:
        epoch = request.args.get(b"epoch", [b""])[0].decode("utf-8", "replace")
        seq = request.args.get(b"after", [b""])[0].decode("utf-8", "replace")
    since = None
    if seq:
        if not (seq.isascii() and seq.isdigit() and len(seq) < 17):
            raise Refused(Code.BAD_REQUEST, "bad_field", params={"field": "after"})
        since = c.Position(epoch, int(seq))  # without an epoch only 0 is a position
    return c.Join(name, last=min(_number(request, b"last", 0), LAST_MOST), since=since)


def _number(request: Request, name: bytes, default: int) -> int:
    value = request.args.get(name, [b""])[0]
    return int(value) if value.isdigit() and len(value) < 10 else default


def _heads(room: Room, verdict: Resolution) -> dict[str, Any]:
    heads = {
        "room": shown_room(room.name),
        "epoch": room.epoch,
        "seq": room.top,
        "recovered": verdict.recovered,
    }
    if verdict.reason:
        heads["reason"] = verdict.reason
    if verdict.reason == "truncated":
        heads["valid"] = verdict.valid
    return heads


def _head(request: Request, content_type: bytes, verdict: Resolution) -> None:
    request.setHeader(b"Content-Type", content_type)
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"X-Accel-Buffering", b"no")  # nginx would else keep a stream to itself
    request.setHeader(b"Chat-Recovered", b"true" if verdict.recovered else b"false")


def finish(
    request: Request, room: Room, verdict: Resolution, entries: list[Entry], state: tuple[Any, ...]
) -> None:
    """Answer a poll."""
    _head(request, b"application/json", verdict)
    fields = _heads(room, verdict)
    fields["events"] = [entry(item) for item in entries]
    fields["state"] = [message(item) for item in state]
    request.write(orjson.dumps(fields) + b"\n")
    request.finish()
