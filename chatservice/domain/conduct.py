"""The table of commands: what must hold before each is done, and who does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatservice.domain import commands as c
from chatservice.domain import entering, ordering, reading, talking
from chatservice.domain import permissions as p
from chatservice.domain.errors import GOODBYE, Code, Refused
from chatservice.domain.promise import Promise, rejected, resolved, start
from chatservice.domain.rates import Kind, is_too_much, spend
from chatservice.domain.results import Done, Result, Told
from chatservice.domain.session import Session


def _help(session: Session, _command: c.Help) -> Result:
    here = session.current
    return Told("help_mod" if here is not None and session.moderates(here) else "help")


def _leave(session: Session, _command: c.Leave) -> Result:
    session.peer.close(GOODBYE)
    return Done()


def _pong(_session: Session, _command: c.Pong) -> Result:
    return Done()


def _unknown(_session: Session, command: c.Unknown) -> Result:
    raise Refused(Code.UNKNOWN_TYPE, "unknown_command", params={"name": command.name})


@dataclass(frozen=True, slots=True)
class Row:
    """One command: how it is done and what must hold first.

    :ivar rate: with what it is counted together; None if it costs nothing, or by itself says what it costs.
    :ivar quiet: one too many is let pass without a word.
    :ivar requires: each must hold, in this order; see `domain/permissions.py`.
    :ivar refused: what is done instead when one does not hold.
    :ivar answers_first: no event may reach the peer before the answer, though it is told of them meanwhile.
    :ivar overlaps: it only appends to the log, so the next such one need not wait for its answer.
    """

    perform: Callable[[Session, Any], Promise[Any] | Result]
    requires: tuple[Callable[[Session, Any], None], ...] = (p.is_known,)
    rate: Kind | None = None
    quiet: bool = False
    overlaps: bool = False
    answers_first: bool = False
    refused: Callable[[Session, Any, Refused], Promise[Any]] | None = None


_READS = (p.is_known, p.may_read)
_WRITES = (p.is_known, p.may_write)
_HERE = (p.is_known, p.may_read_here)

COMMANDS: dict[type[c.Command], Row] = {
    c.Hello: Row(entering.hello, (p.is_nobody_yet,), answers_first=True),  # costs as many joins as it holds
    c.Authenticate: Row(entering.authenticate, rate=Kind.OTHER),
    c.Login: Row(entering.login, (p.is_unheard,)),  # tries of passwords have a bound of their own
    c.Join: Row(entering.join, (p.is_known, p.may_name), Kind.RESYNC),  # may_come_in, once the room has been read
    c.Part: Row(entering.part, (p.is_known, p.may_leave), Kind.RESYNC),
    c.Rooms: Row(entering.rooms, rate=Kind.RESYNC),
    c.Rename: Row(entering.rename),  # costs nothing if one is called that already
    c.SetStatus: Row(entering.set_status, rate=Kind.PRESENCE),
    c.Say: Row(talking.say, _WRITES, Kind.MESSAGE, overlaps=True, refused=talking.say_again),
    c.Edit: Row(talking.edit, _WRITES, Kind.WRITE, overlaps=True),
    c.Delete: Row(talking.delete, (p.is_known, p.may_delete), Kind.WRITE, overlaps=True),
    c.Retract: Row(talking.retract, (p.is_known, p.may_retract), Kind.WRITE),
    c.React: Row(talking.react, _WRITES, Kind.WRITE, overlaps=True),
    c.Type: Row(talking.type_, _WRITES, Kind.TYPING, quiet=True, overlaps=True),
    c.Read: Row(reading.read, _READS, Kind.READ),
    c.Browse: Row(reading.browse, _READS, Kind.RESYNC),
    c.Replay: Row(reading.replay, _READS, Kind.RESYNC),
    c.Search: Row(reading.search, (p.is_known, p.may_search), Kind.SEARCH),
    c.Who: Row(reading.who, _READS, Kind.RESYNC),
    c.History: Row(reading.history, _HERE, Kind.RESYNC),
    c.Moderate: Row(ordering.moderate, (p.is_known, p.may_moderate), Kind.MOD),
    c.Bans: Row(ordering.bans, (p.is_known, p.may_see_bans), Kind.OTHER),
    c.Topic: Row(ordering.topic, _HERE, Kind.OTHER),
    c.Invite: Row(ordering.invite, (p.is_known, p.may_invite), Kind.MOD),
    c.Pong: Row(_pong, (), overlaps=True),
    c.Help: Row(_help, rate=Kind.OTHER),
    c.Leave: Row(_leave, ()),
    c.Unknown: Row(_unknown, (), Kind.OTHER),
}


def handle(session: Session, command: c.Command) -> Promise[Any]:
    """Do one command.

    The answer is a `Result`, or an error: `Refused` is the peer's to know, anything else is ours to report.
    Whoever drives a session hands over one command at a time, except that rows marked `overlaps` may follow each
    other without waiting: the log keeps their order.
    """
    row = COMMANDS[type(command)]
    try:
        if row.rate is not None and session.person is not None:
            if row.quiet and is_too_much(session, row.rate):
                return resolved(Done())
            if not row.quiet:
                spend(session, row.rate)
        unjoined = _own_conversation(session, command)
        if unjoined is not None:
            return start(_join_first(session, unjoined, row, command))
        answer = _do(session, row, command)
    except Exception as error:
        return rejected(error)
    return answer if isinstance(answer, Promise) else resolved(answer)


def _do(session: Session, row: Row, command: c.Command) -> Promise[Any] | Result:
    try:
        for require in row.requires:
            require(session, command)
    except Refused as refusal:
        if row.refused is None or session.person is None:
            raise
        return row.refused(session, command, refusal)
    return row.perform(session, command)


def _own_conversation(session: Session, command: c.Command) -> str | None:
    """The direct conversation that `command` is about, if the session is not in it: any command may name one."""
    name = getattr(command, "room", None)
    if (
        session.person is None
        or name is None
        or isinstance(command, c.Join | c.Part)
        or not name.startswith(("@u_", "dm:"))
    ):
        return None
    room = p.room_name(session, name)
    return None if room in session.rooms else room


async def _join_first(session: Session, name: str, row: Row, command: c.Command) -> Result:
    """Commands that come together wait for one join, and are done in the order in which they came."""
    joining = session.opening.get(name)
    if joining is None:
        joining = session.opening[name] = entering.join(session, c.Join(name))
        joining.then(lambda _: session.opening.__delitem__(name))
    await joining
    answer = _do(session, row, command)
    return await answer if isinstance(answer, Promise) else answer


def overlaps(command: c.Command) -> bool:
    """Whether `command` may begin while an earlier overlapping one is not answered yet."""
    return COMMANDS[type(command)].overlaps


def answers_first(command: c.Command) -> bool:
    """Whether events must wait for the answer to `command`."""
    return COMMANDS[type(command)].answers_first
