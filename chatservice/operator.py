"""What the operator may do through `control.sock`, or on a store that no service has open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chatservice.deeds import deed_of, unix_user
from chatservice.dialects.full_voice import entry
from chatservice.domain.errors import Code, Refused, UnknownOutcome
from chatservice.domain.events import Moderated, User
from chatservice.domain.names import clean_room, clean_words
from chatservice.domain.ports import Engine
from chatservice.domain.promise import Promise, rejected, start
from chatservice.domain.rules import check
from chatservice.domain.trust import Audit
from chatservice.identity.passes import OWNER_ID

Fields = Mapping[str, Any]

PAGE = 100
"""Entries one answer may hold: the longest messages make 2 MiB of them."""

MOST_ROOMS = 10_000


class Part(Protocol):
    """Some of the commands; see `identity.users.Users`."""

    def run(self, fields: Fields) -> Promise[Fields]: ...


class Operator:
    """All commands, by their first word. What changes something is put on record.

    :param users: those that begin with `user`.
    :param rooms: those that begin with `room`.
    :param backups: the one that is `backup`.
    :param clock: seconds since 1970.
    """

    def __init__(
        self, users: Part, rooms: Part, backups: Part, audit: Audit | None, clock: Callable[[], float]
    ) -> None:
        self._by_word = {"user": users, "room": rooms, "backup": backups}
        self._audit = audit
        self._clock = clock

    def run(self, fields: Fields, uid: int) -> Promise[Fields]:
        """Do the command that `fields["command"]` names. Rejected with `Refused`.

        :param uid: the operating system's user who asks for it.
        """
        name = str(fields.get("command"))
        found = self._by_word.get(name.partition(" ")[0])
        if found is None:
            return unknown(name)
        promise = found.run(fields)
        promise.then(lambda done: self._note(fields, uid, done))
        return promise

    def _note(self, fields: Fields, uid: int, done: Promise[Fields]) -> None:
        is_unknown = isinstance(done.error, UnknownOutcome)
        if self._audit is None or (done.error is not None and not is_unknown):
            return
        told = None if is_unknown else done.result()
        deed = deed_of(fields, told, int(self._clock() * 1000), unix_user(uid))
        if deed is not None:
            self._audit.note(deed)


class Rooms:
    """The commands of `chatservice room` and `export`. Orders are entries of the log by the owner: those in the
    room see them, and they hold after a restart."""

    def __init__(self, log: Engine) -> None:
        self._log = log
        self._commands: Mapping[str, Callable[[Fields], Promise[Fields]]] = {
            "room list": lambda _: start(self._list()),
            "room read": lambda f: start(self._read(_room(f), f.get("after"))),
            "room lock": lambda f: start(self._order(_room(f), "lock", f.get("value"))),
            "room topic": lambda f: start(self._order(_room(f), "topic", f.get("value"))),
            "room expires": lambda f: start(self._order(_room(f), "expires", f.get("value"))),
        }

    def run(self, fields: Fields) -> Promise[Fields]:
        """See `Operator.run`."""
        name = str(fields.get("command"))
        command = self._commands.get(name)
        if command is None:
            return unknown(name)
        try:
            return command(fields)
        except Refused as refusal:
            return rejected(refusal)

    async def _list(self) -> Fields:
        rooms = []
        for name, top in await self._log.room_names(MOST_ROOMS, None):
            rules = (await self._log.read(name, top, 0)).rules
            rooms.append({"name": name, "top": top, "locked": rules.locked, "private": rules.private})
        return {"rooms": rooms}

    async def _read(self, room: str, after: object) -> Fields:
        if not isinstance(after, int) or isinstance(after, bool) or after < 0:
            raise Refused(Code.BAD_REQUEST, "bad_field", params={"field": "after"})
        page = await self._log.read(room, after, PAGE)
        if not page.top:
            raise Refused(Code.NO_ROOM)
        return {"top": page.top, "seq": page.entries[-1].seq if page.entries else page.top} | {
            "entries": [entry(item) for item in page.entries]
        }

    async def _order(self, room: str, action: str, value: object) -> Fields:
        if not (await self._log.read(room, 0, 0)).top:
            raise Refused(Code.NO_ROOM)  # an order would make one
        body = Moderated(User(OWNER_ID, "operator"), action, None, clean_words(str(value)))
        check(body)
        return {"room": room, "seq": (await self._log.append(room, body)).seq}


def unknown(name: str) -> Promise[Fields]:
    """There is no such command."""
    return rejected(Refused(Code.UNKNOWN_TYPE, "unknown_type", params={"name": name[:32]}))


def _room(fields: Fields) -> str:
    return clean_room(str(fields.get("room")))
