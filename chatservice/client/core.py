"""One person's place in a chat, whatever happens to the sockets below it.

Whoever holds the socket opens it at the start and at each `Connect`, calls `opened`, `received`, `closed` and,
when `next_timer` is due, `tick`; each answers with what happened. After any call it sends what `outgoing` gives.
`now` is seconds on a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from chatservice.client.asking import Asking
from chatservice.client.dialogue import Dialogue, Ended, Lost
from chatservice.client.events import Connect, Drop, Event, Failed, Frame, Offline, Over, Replied
from chatservice.client.link import Link, State, Verdict
from chatservice.client.view import View

TOKEN_EXPIRED, POSITION_LOST, BAD_TOKEN = 4005, 4010, 4500
STAY_AWAY = range(4500, 5000)


class ClientCore(Asking):
    """See the module.

    :param nick: the name one wants; the server gives one otherwise.
    :param token: proves who one is. A guest's is kept by ourselves.
    :param lang: the language of the server's sentences.
    :param cid: a fresh word that nobody else makes, at most 64 characters. A message is sent again under the same
        one, so the words must not begin anew when the program does.
    :param random: a number from 0 up to, but not including, 1.
    """

    def __init__(
        self,
        *,
        nick: str | None = None,
        token: str | None = None,
        lang: str | None = None,
        cid: Callable[[], str],
        random: Callable[[], float],
    ) -> None:
        self._cid = cid
        self._link = Link(random)
        self._wire = Dialogue(self._link, nick, token, lang)
        self._later: list[Event] = []  # what happened while nobody waited for events
        self._now = 0.0

    # --- how it stands ---

    @property
    def state(self) -> State:
        """Connecting, online, waiting (until `due`) or ended (for `reason`)."""
        return self._link.state

    @property
    def due(self) -> float | None:
        """When the next attempt begins, while waiting."""
        return self._link.due

    @property
    def reason(self) -> str:
        """Why it ended."""
        return self._link.reason

    @property
    def user(self) -> Frame:
        """Who one is; empty before the first hello was answered."""
        return self._wire.user

    @property
    def unsent(self) -> int:
        """Messages without an answer."""
        return len(self._wire.outbox)

    @property
    def rooms(self) -> list[str]:
        """The rooms one wants to be in."""
        return self._wire.rooms.names

    def view(self, room: str) -> View:
        """The room's messages; they change with each event.

        :raises KeyError: for a room one does not want to be in.
        """
        return self._wire.rooms[room].view

    # --- what one wants ---

    def join(self, room: str, last: int = 50) -> int:
        """Be in a room from now on, over all connections, beginning with its last messages."""
        id = self._wire.new_id()
        self._wire.rooms.want(room, last, id, ask=self.state is State.ONLINE)
        return id

    def part(self, room: str) -> int:
        """Be in it no more."""
        if self.state is State.ONLINE:
            id = self.ask("part", room=self._wire.rooms.canonical(room))
            self._later += self._wire.rooms.drop(room, id)
            return id
        id = self._wire.new_id()
        self._later += [*self._wire.rooms.drop(room), Replied(id, {"room": room})]
        return id

    def say(self, room: str, text: str, *, reply: int | None = None, action: bool | None = None) -> str:
        """Say something, now or as soon as there is a connection; once, however often it must be sent.

        :returns: the cid; `Replied` and `Failed` have it as their id.
        :raises OutboxFull: when too many messages wait already.
        """
        cid = self._cid()
        self._wire.say(room, cid, {"text": text, "reply": reply, "action": action})
        self._post()
        return cid

    def ask(self, type: str, **members: Any) -> int:
        """See `Asking.ask`."""
        if self.state is State.ONLINE:
            return self._wire.ask(type, members)
        id = self._wire.new_id()
        self._later.append(Failed(id, "offline", temporary=True))
        return id

    def stop(self) -> None:
        """Come back no more. Whoever holds the socket closes it."""
        self._later += self._end("stopped", None)

    # --- what the socket's holder tells ---

    def opened(self, now: float) -> list[Event]:
        """A connection is open."""
        self._now = now
        if self.state is not State.ENDED:
            self._link.opened(now)
            self._wire.hello(self._wire.nick)
        return self._told([])

    def received(self, text: str | bytes, now: float) -> list[Event]:
        """A text frame has come."""
        self._now = now
        if not self._link.is_open:
            return self._told([])
        self._link.heard(now)
        try:
            events = self._wire.received(orjson.loads(text), now)
        except Lost as lost:
            return self._told(self._give_up(str(lost)))
        except Ended as ended:
            return self._told([Drop(str(ended)), *self._end(str(ended), None)])
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # It may have been applied in part, and nobody was told: start over everywhere.
            self._wire.rooms.forget_positions()
            return self._told(self._give_up(f"bad frame: {error!r}"))
        self._post()
        return self._told(events)

    def closed(self, code: int | None, now: float) -> list[Event]:
        """The connection is gone, or could not be made."""
        self._now = now
        if self.state in (State.WAITING, State.ENDED):
            return self._told([])
        if code in STAY_AWAY and not (code == BAD_TOKEN and self._wire.forget_guest()):
            return self._told(self._end("closed", code))
        if code == TOKEN_EXPIRED:
            self._wire.forget_guest()
        elif code == POSITION_LOST:
            self._wire.rooms.forget_positions()
        return self._told(self._lose("closed", code))

    def tick(self, now: float) -> list[Event]:
        """To be called when `next_timer` is due; more often does no harm."""
        self._now = now
        verdict = self._link.tick(now)
        if verdict is Verdict.CONNECT:
            return self._told([Connect()])
        if verdict is Verdict.DEAD:
            return self._told(self._give_up("silent"))
        if self.state is State.ONLINE:
            self._wire.rooms.retry(now)
            self._post()
        return self._told([])

    def next_timer(self) -> float | None:
        """When to call `tick`; None if nothing is due."""
        waits = [self._now if self._later else None, self._link.next_timer()]
        if self.state is State.ONLINE:
            waits += [self._wire.outbox.next_due(), self._wire.rooms.next_retry()]
        return min((wait for wait in waits if wait is not None), default=None)

    def outgoing(self) -> list[str]:
        """The frames to send now, in order."""
        return self._wire.outgoing()

    # --- inside ---

    def _told(self, events: list[Event]) -> list[Event]:
        later, self._later = self._later, []
        return later + events

    def _post(self) -> None:
        if self.state is State.ONLINE:
            self._wire.post(self._now)

    def _lose(self, reason: str, code: int | None) -> list[Event]:
        due = self._link.lost(self._now)
        return [*self._wire.lost(), Offline(reason, code, due)]

    def _give_up(self, reason: str) -> list[Event]:
        return [Drop(reason), *self._lose(reason, None)]

    def _end(self, reason: str, code: int | None) -> list[Event]:
        if self.state is State.ENDED:
            return []
        self._link.end(reason)
        return [*self._wire.lost(), Over(reason, code)]
