"""Many people of chat.v1 in one thread, each with the client core over a real WebSocket, coming back for ever."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from chatservice.client.core import ClientCore
from chatservice.client.events import (
    Connect,
    Drop,
    Entry,
    Event,
    Failed,
    Offline,
    Online,
    Over,
    Replied,
    RoomJoined,
    Truncated,
)
from chatservice.client.link import State
from faults.ledger import Ledger

Answer = TypeVar("Answer")
GLANCE_S = 0.5  # how long a member listens before it looks at its timers; what it says itself it sends at once


class Member:
    """One person, in all rooms of the crew.

    :param impatient: comes back as soon as it can, whatever a polite client would wait.
    """

    def __init__(self, number: int, url: str, rooms: Sequence[str], ledger: Ledger, *, impatient: bool) -> None:
        self.number = number
        self.core = ClientCore(
            nick=f"m{number}", cid=(f"{number}-{n}" for n in count()).__next__, random=random.random
        )
        self.reasons: Counter[str] = Counter()  # why it hung up itself
        self.came_online = 0
        self.over: Over | None = None
        self._url = url
        self._rooms = rooms
        self._ledger = ledger
        self._impatient = impatient
        self._socket: ClientConnection | None = None
        self._news = asyncio.Event()

    def say(self, room: str, text: str) -> None:
        """Say something that nobody else says."""
        self._ledger.said(self.core.say(room, text), self.number, room, text)
        self._news.set()

    def cut(self) -> None:
        """A reset on the way, as a router that has restarted answers."""
        if self._socket is not None:
            raw = self._socket.transport.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.transport.abort()

    @property
    def is_settled(self) -> bool:
        """It is online, and everything it said has its answer."""
        return self.core.state is State.ONLINE and not self.core.unsent

    async def live(self) -> None:
        """Until it is told to end, or it is over."""
        for room in self._rooms:
            self.core.join(room, last=0)
        await self._connect()
        while self.over is None:
            timer = self.core.next_timer()
            if timer is not None and timer <= time.monotonic():
                await self._note(self.core.tick(time.monotonic()))
            await self._listen()

    async def _connect(self) -> None:
        try:
            self._socket = await connect(
                self._url,
                proxy=None,
                compression=None,
                open_timeout=60,
                close_timeout=1,
                ping_interval=None,
                max_size=2**24,
            )
        except (OSError, InvalidHandshake, TimeoutError, EOFError):
            await self._note(self.core.closed(None, time.monotonic()))
        else:
            await self._note(self.core.opened(time.monotonic()))

    async def _listen(self) -> None:
        one = self._socket
        self._news.clear()
        if one is None:
            due = self.core.due or 0.0
            wait_s = 0.0 if self._impatient else min(GLANCE_S, max(0.0, due - time.monotonic()))
            await asyncio.sleep(wait_s)
            if self._impatient and self.core.state is State.WAITING:
                await self._note(self.core.tick(due))
            return
        try:
            for frame in self.core.outgoing():
                await one.send(frame)
            hearing, news = asyncio.ensure_future(one.recv()), asyncio.ensure_future(self._news.wait())
            done, _ = await asyncio.wait({hearing, news}, timeout=GLANCE_S, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if hearing not in done:
                hearing.cancel()
                with suppress(asyncio.CancelledError):
                    await hearing
                return
            received = hearing.result()
        except (WebSocketException, OSError):
            self._socket = None
            await self._note(self.core.closed(one.close_code, time.monotonic()))
        else:
            await self._note(self.core.received(received, time.monotonic()))

    async def _note(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Drop(reason=reason):
                    self.reasons[reason] += 1
                    await self._hang_up()
                case Connect():
                    await self._connect()
                case Online():
                    self.came_online += 1
                case Over():
                    self.over = event
                case Entry(room=room, seq=seq, frame=frame):
                    self._ledger.heard(self.number, room, seq, frame)
                case RoomJoined(room=room, was_reset=was_reset, reason=reason, result=result):
                    self._ledger.joined(self.number, room, result["seq"], was_reset, reason)
                case Truncated(room=room, after=after):
                    self._ledger.truncated(self.number, room, after)
                case Replied(id=str(cid), frame=frame):
                    self._ledger.acknowledged(cid, self.number, frame)
                case Failed(id=str(cid), code=code):
                    self._ledger.refused(cid, self.number, code)
                case Offline():
                    pass

    async def _hang_up(self) -> None:
        one, self._socket = self._socket, None
        if one is not None:
            one.transport.abort()


class Crew:
    """So many members, and what they know together.

    :param urls: where they connect; member n at the n-th, and round again.
    """

    def __init__(
        self, urls: Sequence[str], members: int, rooms: Sequence[str], *, impatient: bool = False
    ) -> None:
        self.ledger = Ledger()
        self.rooms = rooms
        self.members = [
            Member(n, urls[n % len(urls)], rooms, self.ledger, impatient=impatient) for n in range(members)
        ]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lives: list[Any] = []
        self._texts = count()

    def __enter__(self) -> Self:
        self._thread.start()
        self._lives = [asyncio.run_coroutine_threadsafe(member.live(), self._loop) for member in self.members]
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            for member in self.members:
                member.over = member.over or Over("the test has ended", None)
                member.cut()
                member._news.set()

        self.do(end())
        for life in self._lives:
            life.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def do(self, what: Coroutine[Any, Any, Answer], seconds: float = 120) -> Answer:
        """Run it in their thread."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(seconds)

    def call(self, what: Callable[[], Answer]) -> Answer:
        """Call it in their thread."""

        async def run() -> Answer:
            return what()

        return self.do(run())

    def say(self, member: Member, room: str) -> None:
        """Something new; in their thread."""
        member.say(room, f"text {next(self._texts)}")

    @property
    def came_online(self) -> int:
        """How often anybody came in."""
        return sum(member.came_online for member in self.members)

    def is_settled(self) -> bool:
        """Everybody is online and everything said has its answer."""
        for life in self._lives:
            if life.done():
                life.result()  # a fault of the crew, or somebody was sent away for good
        assert not any(member.over for member in self.members), [m.over for m in self.members if m.over]
        return all(member.is_settled for member in self.members)
