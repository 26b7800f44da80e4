"""One connection's conversation: who it is, where it is, what it may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatservice.domain.commands import Command, Help, History, Join, Leave, Rename, Say, Unknown, Who
from chatservice.domain.errors import GOODBYE, Code, Refused
from chatservice.domain.events import Entry, Greeted, Members, Noticed, Said, Welcomed
from chatservice.domain.hub import Hub
from chatservice.domain.limits import HISTORY_LIMIT
from chatservice.domain.names import clean_room, clean_text
from chatservice.domain.ports import Peer
from chatservice.domain.promise import Promise, start
from chatservice.domain.recovery import RECOVER_LIMIT
from chatservice.domain.room import Room


class Session:
    """A live connection's conversation with the hub.

    Whoever drives it hands over one command at a time, except that rows marked `overlaps` may follow each
    other without waiting: the log keeps their order.
    """

    def __init__(self, hub: Hub, peer: Peer, address: str) -> None:
        self._hub = hub
        self._peer = peer
        self._bucket = hub.bucket()
        self._room: Room | None = None
        self._gone = False
        self.user = hub.arrive()
        peer.deliver(Greeted(self.user, address))

    def handle(self, command: Command) -> Promise[None] | None:
        """Do one command. A refusal is told to the peer, never raised; None means it is done already."""
        row = COMMANDS[type(command)]
        try:
            if row.joined and self._room is None:
                raise Refused(Code.NOT_JOINED)
            waiting = row.perform(self, command)
        except Refused as refusal:
            self._tell(refusal)
            return None
        if waiting is None:
            return None
        waiting.then(self._answered)
        return None if waiting.done else waiting

    def overlaps(self, command: Command) -> bool:
        """Whether `command` may begin while an earlier overlapping one is not answered yet."""
        return COMMANDS[type(command)].overlaps

    def end(self) -> None:
        """The connection is gone."""
        if not self._gone:
            self._gone = True
            if self._room is not None:
                self._hub.leave(self._room, self.user, self._peer)
                self._room = None
            self._hub.roster.depart(self.user)

    def _answered(self, promise: Promise[Any]) -> None:
        if promise.error is None or self._gone:
            return
        if not isinstance(promise.error, Refused):
            self._hub.report(promise.error)
            self._tell(Refused(Code.INTERNAL))
        else:
            self._tell(promise.error)

    def _tell(self, refusal: Refused) -> None:
        self._peer.deliver(Noticed(refusal.about, refusal.params, refusal.code.value))

    # --- the commands ---

    def _join(self, command: Join) -> Promise[None]:
        return start(self._enter(self._hub.room(clean_room(command.room)), command))

    async def _enter(self, room: Room, command: Join) -> None:
        room.joining += 1
        try:
            entries = await self._missed(room, command)
            if not self._gone:
                self._move(room, entries)
        finally:
            room.joining -= 1
            self._hub.tidy(room)

    async def _missed(self, room: Room, command: Join) -> list[Entry]:
        """What the newcomer is shown first. Nothing may be awaited between the last read and `_move`."""
        if command.since is None:
            return await room.last(min(command.last, HISTORY_LIMIT))
        await room.live()
        verdict = room.judge(command.since)
        if verdict.recovered:
            return await room.after(verdict.valid)
        params = {"reason": verdict.reason, "valid": verdict.valid, "room": room.name}
        if verdict.reason == "truncated":
            entries = await room.after(verdict.valid)
        else:
            entries = await room.last(min(command.last or 50, HISTORY_LIMIT))
        self._peer.deliver(Noticed("position_lost", params))
        return entries

    def _move(self, room: Room, entries: list[Entry]) -> None:
        here = self._room
        if here is not None and here is not room:
            self._hub.leave(here, self.user, self._peer)
        for entry in entries:
            self._peer.deliver(entry)
        if here is not room:
            room.attach(self.user, self._peer)
            self._room = room
        self._peer.deliver(Welcomed(room.name, self.user, room.epoch, room.top, room.users, room.n))

    def _say(self, command: Say) -> Promise[Any] | None:
        assert self._room is not None  # the row says joined
        text = clean_text(command.text)
        if not text.strip():
            return None  # an empty input and a click on "send": nothing was said, and nothing went wrong
        if self._bucket is not None:
            wait_ms = self._bucket.take(self._hub.clock())
            if wait_ms:
                raise Refused(Code.RATE_LIMITED, params={"seconds": wait_ms / 1000}, retry_ms=wait_ms)
        return self._hub.log.append(self._room.name, Said(self.user, text, command.action))

    def _rename(self, command: Rename) -> None:
        was = self.user
        self.user = self._hub.roster.rename(was, command.nick)
        if self.user == was:
            return
        if self._room is not None:
            self._room.rename(self.user, was.nick)

    def _who(self, _: Who) -> None:
        assert self._room is not None
        self._peer.deliver(Members(self._room.name, self._room.users, self._room.n))

    def _history(self, command: History) -> Promise[None]:
        assert self._room is not None
        return start(self._show(self._room, command))

    async def _show(self, room: Room, command: History) -> None:
        if command.since is None:
            entries = await room.last(max(0, min(command.last, HISTORY_LIMIT)))
        else:
            await room.live()
            if room.top - command.since > RECOVER_LIMIT:
                raise Refused(Code.BAD_REQUEST, "since_too_far", params={"limit": RECOVER_LIMIT})
            entries = await room.after(max(0, command.since))
        for entry in entries:
            self._peer.deliver(entry)
        if not entries:
            self._peer.deliver(Noticed("no_history"))

    def _help(self, _: Help) -> None:
        self._peer.deliver(Noticed("help"))

    def _leave(self, _: Leave) -> None:
        self._peer.close(GOODBYE)

    def _unknown(self, command: Unknown) -> None:
        raise Refused(Code.UNKNOWN_TYPE, "unknown_command", params={"name": command.name})


@dataclass(frozen=True, slots=True)
class Row:
    """One command: how it is done and what must hold first.

    :ivar joined: the session must be in a room.
    :ivar overlaps: it only appends to the log, so the next such one need not wait for its answer.
    """

    perform: Callable[[Session, Any], Promise[Any] | None]
    joined: bool = False
    overlaps: bool = False


COMMANDS: dict[type[Command], Row] = {
    Join: Row(Session._join),
    Say: Row(Session._say, joined=True, overlaps=True),
    Rename: Row(Session._rename),
    Who: Row(Session._who, joined=True),
    History: Row(Session._history, joined=True),
    Help: Row(Session._help),
    Leave: Row(Session._leave),
    Unknown: Row(Session._unknown),
}
