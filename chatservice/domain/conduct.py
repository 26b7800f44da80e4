"""The table of commands: what must hold before each is done, and who does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatservice.domain import commands as c
from chatservice.domain import entering, ordering, reading, talking
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
    :ivar nameless: it may come before hello.
    :ivar answers_first: no event may reach the peer before the answer, though it is told of them meanwhile.
    :ivar overlaps: it only appends to the log, so the next such one need not wait for its answer.
    """

    perform: Callable[[Session, Any], Promise[Any] | Result]
    rate: Kind | None = None
    quiet: bool = False
    nameless: bool = False
    overlaps: bool = False
    answers_first: bool = False


COMMANDS: dict[type[c.Command], Row] = {
    c.Hello: Row(entering.hello, nameless=True, answers_first=True),  # costs as many joins as it holds
    c.Join: Row(entering.join, Kind.RESYNC),
    c.Part: Row(entering.part, Kind.RESYNC),
    c.Rooms: Row(entering.rooms, Kind.RESYNC),
    c.Rename: Row(entering.rename),  # costs nothing if one is called that already
    c.SetStatus: Row(entering.set_status, Kind.PRESENCE),
    c.Say: Row(talking.say, Kind.MESSAGE, overlaps=True),
    c.Edit: Row(talking.edit, Kind.WRITE, overlaps=True),
    c.Delete: Row(talking.delete, Kind.WRITE, overlaps=True),
    c.Retract: Row(talking.retract, Kind.WRITE),
    c.React: Row(talking.react, Kind.WRITE, overlaps=True),
    c.Type: Row(talking.type_, Kind.TYPING, quiet=True, overlaps=True),
    c.Read: Row(reading.read, Kind.READ),
    c.Browse: Row(reading.browse, Kind.RESYNC),
    c.Replay: Row(reading.replay, Kind.RESYNC),
    c.Search: Row(reading.search, Kind.SEARCH),
    c.Who: Row(reading.who, Kind.RESYNC),
    c.History: Row(reading.history, Kind.RESYNC),
    c.Moderate: Row(ordering.moderate, Kind.MOD),
    c.Bans: Row(ordering.bans, Kind.OTHER),
    c.Topic: Row(ordering.topic, Kind.OTHER),
    c.Pong: Row(_pong, nameless=True, overlaps=True),
    c.Help: Row(_help, Kind.OTHER),
    c.Leave: Row(_leave, nameless=True),
    c.Unknown: Row(_unknown, Kind.OTHER, nameless=True),
}


def handle(session: Session, command: c.Command) -> Promise[Any]:
    """Do one command.

    The answer is a `Result`, or an error: `Refused` is the peer's to know, anything else is ours to report.
    Whoever drives a session hands over one command at a time, except that rows marked `overlaps` may follow each
    other without waiting: the log keeps their order.
    """
    row = COMMANDS[type(command)]
    try:
        if session.person is None and not row.nameless:
            raise Refused(Code.UNAUTHORIZED, "hello_first")
        if row.rate is not None and session.person is not None:
            if row.quiet and is_too_much(session, row.rate):
                return resolved(Done())
            if not row.quiet:
                spend(session, row.rate)
        unjoined = _own_conversation(session, command)
        if unjoined is not None:
            return start(_join_first(session, unjoined, row, command))
        answer = row.perform(session, command)
    except Exception as error:
        return rejected(error)
    return answer if isinstance(answer, Promise) else resolved(answer)


def _own_conversation(session: Session, command: c.Command) -> str | None:
    """The direct conversation that `command` is about, if the session is not in it: any command may name one."""
    name = getattr(command, "room", None)
    if name is None or isinstance(command, c.Join | c.Part) or not name.startswith(("@u_", "dm:")):
        return None
    room = entering.room_name(session, name)
    return None if room in session.rooms else room


async def _join_first(session: Session, name: str, row: Row, command: c.Command) -> Result:
    """Commands that come together wait for one join, and are done in the order in which they came."""
    joining = session.opening.get(name)
    if joining is None:
        joining = session.opening[name] = entering.join(session, c.Join(name))
        joining.then(lambda _: session.opening.__delitem__(name))
    await joining
    answer = row.perform(session, command)
    return await answer if isinstance(answer, Promise) else answer


def overlaps(command: c.Command) -> bool:
    """Whether `command` may begin while an earlier overlapping one is not answered yet."""
    return COMMANDS[type(command)].overlaps


def answers_first(command: c.Command) -> bool:
    """Whether events must wait for the answer to `command`."""
    return COMMANDS[type(command)].answers_first
