"""Many people in one process: chat.v1, Socket.IO and text, who come back when told and notice what they lack."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from e2e.raw import CLOSE, TEXT, frame, handshake

KINDS = ("v1", "socketio", "text")
AT_ONCE = 64
PATHS = {
    "v1": "/v1",
    "socketio": "/socket.io/?EIO=4&transport=websocket",
    "text": "/text?room={room}&nick={name}",
}
COME_BACK_IN = re.compile(r"come back in ([0-9]+\.[0-9]) s")
LATE_S = 1.0  # whoever was told nothing comes back after so long

Frame = dict[str, Any]


class Member(asyncio.Protocol):
    """One person, over all of its connections.

    :ivar seq: the newest number of its room that it has seen.
    :ivar acked: what was acknowledged, with its number.
    :ivar faults: numbers that were missing or came twice, positions that did not hold.
    """

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.crowd = crowd
        self.kind = KINDS[number % len(KINDS)]
        self.name, self.room = f"p{number}", f"room{number // crowd.per_room}"
        self.is_in = self.is_over = False
        self.times_in = 0
        self.seq: int | None = None
        self.epoch = ""
        self.token: str | None = None
        self.unacked: dict[str, str] = {}
        self.acked: dict[str, int] = {}
        self.heard: list[str] = []
        self.faults: list[str] = []
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._asked = 0
        self._asking: dict[int, Callable[[Frame], None]] = {}
        self._after_s: float | None = None

    # --- connections ---

    async def come(self) -> None:
        """Connect; if nobody is there, again in a while."""
        loop = asyncio.get_running_loop()
        self.crowd.attempts.append(loop.time())
        try:
            await loop.create_connection(lambda: self, "127.0.0.1", self.crowd.port)
        except OSError:
            self.crowd.refused += 1
            loop.call_later(LATE_S, self._come_again)

    def _come_again(self) -> None:
        if not self.is_over:
            self.crowd.keep(asyncio.ensure_future(self.come()))

    def connection_made(self, transport: Any) -> None:
        """Shake hands."""
        self._transport, self._unread, self._after_s = transport, b"", None
        self._is_shaken = False
        transport.write(handshake(PATHS[self.kind].format(room=self.room, name=self.name)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Come back when that was said."""
        self._transport, was_in, self.is_in = None, self.is_in, False
        self._asking.clear()
        if self.is_over:
            return
        if was_in and self._after_s is None:
            self.crowd.untold += 1
        asyncio.get_running_loop().call_later(self._after_s or LATE_S, self._come_again)

    def leave(self) -> None:
        """For good."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()

    # --- bytes ---

    def data_received(self, data: bytes) -> None:
        """Handshake, then frames."""
        self._unread += data
        if not self._is_shaken:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101 "), head
            self._is_shaken, self._unread = True, rest
            if self.kind == "v1":
                self._hello()
        while len(self._unread) >= 2:
            size, begin = self._unread[1], 2
            if size >= 126:
                begin = 4 if size == 126 else 10
                size = int.from_bytes(self._unread[2:begin], "big")
            if len(self._unread) < begin + size:
                return
            opcode, payload = self._unread[0] & 15, self._unread[begin : begin + size]
            self._unread = self._unread[begin + size :]
            self._frame(opcode, payload)

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            told = COME_BACK_IN.search(payload[2:].decode())
            if told and self._after_s is None:
                self._after_s = float(told[1])
            if self._transport is not None:
                self._transport.write(frame(CLOSE, payload[:2]))
        elif opcode == TEXT and self.kind == "text":
            self._line(payload.decode())
        elif opcode == TEXT and self.kind == "socketio":
            self._packet(payload.decode())
        elif opcode == TEXT:
            told = orjson.loads(payload)
            if told["type"] in ("ok", "error") and "id" in told:
                self._asking.pop(told["id"])(told)
            else:
                self._event(told)

    def _packet(self, packet: str) -> None:
        if packet[0] == "0":
            self._write('40{"v":"1"}')
        elif packet == "2":
            self._write("3")
        elif packet.startswith("40"):
            self._hello()
        elif packet.startswith("43"):
            id, _, answer = packet[2:].partition("[")
            self._asking.pop(int(id))(orjson.loads("[" + answer)[0])
        elif packet.startswith("42"):
            name, told = orjson.loads(packet[2:])
            self._event({"type": name, **told})

    def _write(self, text: str) -> None:
        if self._transport is not None:
            self._transport.write(frame(TEXT, text.encode()))

    # --- the chat ---

    def _ask(self, type: str, told: Frame, answered: Callable[[Frame], None]) -> None:
        self._asked += 1
        self._asking[self._asked] = answered
        if self.kind == "v1":
            self._write(orjson.dumps({"type": type, "id": self._asked, **told}).decode())
        else:
            self._write(f"42{self._asked}" + orjson.dumps([type, told]).decode())

    def _hello(self) -> None:
        since = None if self.seq is None else {"epoch": self.epoch, "seq": self.seq}
        told: Frame = {"v": 1, "nick": self.name, "rooms": {self.room: since}}
        if self.token is not None:
            told["token"] = self.token
        self._ask("hello", told, self._welcomed)

    def _welcomed(self, answer: Frame) -> None:
        if answer.get("type") != "ok":
            self.faults.append(f"hello: {answer}")
            return
        self.token = answer.get("guest_token", self.token)
        joined = answer["rooms"][self.room]
        if self.seq is not None and not joined["recovered"]:
            self.faults.append(f"not recovered: {joined}")
        if self.seq is None:
            self.seq = joined["seq"]
        for event in joined["events"]:
            self._event(event)
        if self.seq != joined["seq"]:
            self.faults.append(f"{self.seq} after a join at {joined['seq']}")
        self.epoch = joined["epoch"]
        self._came_in()
        for cid, text in list(self.unacked.items()):
            self._send(cid, text)

    def _came_in(self) -> None:
        self.is_in = True
        self.times_in += 1
        self.crowd.someone_is_in()

    def _line(self, line: str) -> None:
        self.heard.append(line)
        if not self.is_in:
            self._came_in()

    def _event(self, event: Frame) -> None:
        if event["type"] == "bye":
            self._after_s = event["after_ms"] / 1000
        elif event.get("room") == self.room and "seq" in event and event["type"] == "message":
            if self.seq is None or event["seq"] != self.seq + 1:
                self.faults.append(f"{event['seq']} after {self.seq}")
            self.seq = event["seq"]
            self.heard.append(event["text"])

    def say(self, text: str) -> None:
        """Say it; with chat.v1 until it is acknowledged, on whatever connection."""
        if self.kind == "text":
            self._write(text)
        else:
            self.unacked[text] = text
            if self.is_in:
                self._send(text, text)

    def _send(self, cid: str, text: str) -> None:
        def answered(answer: Frame) -> None:
            if answer.get("type") != "ok":
                self.faults.append(f"message: {answer}")
                return
            if cid in self.acked:
                self.faults.append(f"acknowledged twice: {cid}")
            self.acked[cid] = answer["seq"]
            self.unacked.pop(cid, None)

        self._ask("message", {"room": self.room, "cid": cid, "text": text}, answered)


class Crowd:
    """All of them.

    :ivar attempts: when each connection was begun.
    :ivar refused: how many of them were.
    :ivar untold: how many connections ended without a word when to come back.
    """

    def __init__(self, port: int, people: int, per_room: int) -> None:
        self.port, self.per_room = port, per_room
        self.attempts: list[float] = []
        self.refused = self.untold = 0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Future[None]] = set()
        self.members = [Member(self, number) for number in range(people)]

    def keep(self, task: asyncio.Future[None]) -> None:
        """The loop itself holds tasks weakly."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def someone_is_in(self) -> None:
        """Let `all_in` look again."""
        self._changed.set()

    async def come(self) -> None:
        """All come, `AT_ONCE` at a time."""
        waiting = deque(self.members)

        async def one_by_one() -> None:
            while waiting:
                member = waiting.popleft()
                await member.come()
                while not member.is_in:
                    await self._change()

        await asyncio.gather(*(one_by_one() for _ in range(AT_ONCE)))

    async def all_in(self, times: int) -> None:
        """Wait until everybody has come in so often."""
        while not all(member.is_in and member.times_in >= times for member in self.members):
            await self._change()

    async def all_acknowledged(self) -> None:
        """Wait until nobody waits for an answer."""
        while any(member.unacked for member in self.members):
            await asyncio.sleep(0.02)

    async def _change(self) -> None:
        await self._changed.wait()
        await asyncio.sleep(0.01)
        self._changed.clear()
        await asyncio.sleep(0)

    @asynccontextmanager
    async def talking(self, talkers: int) -> AsyncIterator[None]:
        """Meanwhile about so many of them say something, four times a second, now these and now those."""
        going = True

        async def talk() -> None:
            number = 0
            while going:
                for member in self.members[number % 7 :: len(self.members) // talkers]:
                    member.say(f"{member.name} says {number}")
                number += 1
                await asyncio.sleep(0.25)

        task = asyncio.ensure_future(talk())
        yield
        going = False
        await task

    def leave(self) -> None:
        """Everybody goes home."""
        for member in self.members:
            member.leave()

    def busiest_second(self, since: float) -> int:
        """The most connections that were begun within any one second after `since`."""
        moments = sorted(moment for moment in self.attempts if moment > since)
        begin, most = 0, 0
        for end, moment in enumerate(moments):
            while moments[begin] <= moment - 1.0:
                begin += 1
            most = max(most, end - begin + 1)
        return most
