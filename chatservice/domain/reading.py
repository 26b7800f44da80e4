"""Looking back: history, the raw log, search, read marks, who is here."""

from __future__ import annotations

from chatservice.domain import bulk
from chatservice.domain import commands as c
from chatservice.domain.entering import shown_name
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import ReadElsewhere
from chatservice.domain.limits import ANSWER_BYTES, HISTORY_LIMIT, MEMBERS_LIMIT
from chatservice.domain.names import clean_text
from chatservice.domain.promise import Promise, start
from chatservice.domain.recovery import RECOVER_LIMIT
from chatservice.domain.results import Browsed, Hits, Marked, Members, Replayed, Result, Told
from chatservice.domain.room import Gone, Room
from chatservice.domain.session import Session
from chatservice.domain.stale import history as recent

QUERY_CODE_POINTS = 200


def browse(session: Session, command: c.Browse) -> Promise[Result]:
    """A page of messages in their final state."""
    room = session.room(command.room)
    if sum(side is not None for side in (command.before, command.after, command.around)) > 1:
        raise Refused(Code.BAD_REQUEST, "one_side")
    return start(_browse(session, room, command))


async def _browse(session: Session, room: Room, command: c.Browse) -> Result:
    log, viewer = session.hub.log, session.user.user.id
    limit, name = max(1, min(command.limit, HISTORY_LIMIT)), shown_name(session, room.name)
    if command.around is None:
        past, stale = await recent(session.hub, room, viewer, limit, before=command.before, after=command.after)
        fit = bulk.Allowance().last if command.after is None else bulk.Allowance().first
        shown = tuple(fit(past.messages, bulk.of_message))
        return Browsed(name, shown, past.more or len(shown) < len(past.messages), past.epoch, stale)
    half = limit // 2
    before = await log.history(room.name, viewer, half + 1, before=command.around + 1)
    after = await log.history(room.name, viewer, half, after=command.around)
    older = tuple(bulk.Allowance(ANSWER_BYTES // 2).last(before.messages, bulk.of_message))
    newer = tuple(bulk.Allowance(ANSWER_BYTES // 2).first(after.messages, bulk.of_message))
    cut = len(older) + len(newer) < len(before.messages) + len(after.messages)
    return Browsed(name, older + newer, before.more or after.more or cut, after.epoch)


def replay(session: Session, command: c.Replay) -> Promise[Result]:
    """The raw log, as a client needs it that was told what it missed."""
    return start(_replay(session, session.room(command.room), command))


async def _replay(session: Session, room: Room, command: c.Replay) -> Result:
    limit = max(1, min(command.limit, RECOVER_LIMIT))
    page = await session.hub.log.read(room.name, command.after, limit)
    shown = tuple(bulk.Allowance().first(page.entries, bulk.of_entry))
    reached = shown[-1].seq if shown else page.top
    return Replayed(shown_name(session, room.name), shown, reached < page.top, page.epoch, page.top)


def search(session: Session, command: c.Search) -> Promise[Result]:
    """Messages that hold every word, in rooms the asker is in."""
    query = clean_text(command.query).strip()
    if not query or len(query) > QUERY_CODE_POINTS:
        raise Refused(Code.BAD_REQUEST, "bad_query", params={"limit": QUERY_CODE_POINTS})
    if command.room is None:
        rooms = [name for name in session.rooms if not name.startswith("@")]
    else:
        rooms = [session.room(command.room).name]
    return start(_search(session, query, rooms, command))


async def _search(session: Session, query: str, rooms: list[str], command: c.Search) -> Result:
    limit = max(1, min(command.limit, HISTORY_LIMIT))
    found = await session.hub.log.search(query, rooms, command.before, limit)
    shown = tuple(bulk.Allowance().first(found.hits, lambda hit: bulk.of_message(hit.message)))
    return Hits(shown, found.next if len(shown) == len(found.hits) else shown[-1].place)


def read(session: Session, command: c.Read) -> Promise[Result]:
    """Note how far one has read; it never goes back, and one's other sessions learn of it."""
    room = session.room(command.room)
    return start(_read(session, room, min(command.seq, room.top)))


async def _read(session: Session, room: Room, seq: int) -> Result:
    log, me = session.hub.log, session.user.user.id
    mark = await log.raise_mark(me, room.name, seq)
    unread = await log.unread(room.name, me, mark)
    told = session.user.marks_told
    if mark >= told.get(room.name, 0):  # else another device has read on while we counted
        told[room.name] = mark
        event = ReadElsewhere(room.name, mark, unread.unread, unread.mentions)
        session.hub.tell_own(me, event, but=session.peer)
        session.hub.bus.tell("@" + me, event)
    return Marked(room.name, mark, unread.unread, unread.mentions)


def who(session: Session, command: c.Who) -> Result:
    """Who is in the room."""
    room = session.room(command.room)
    users, next = room.here.page(command.after, max(1, min(command.limit, MEMBERS_LIMIT)))
    return Members(shown_name(session, room.name), users, room.here.n, next)


def history(session: Session, command: c.History) -> Promise[Result]:
    """Show messages of the current room again."""
    return start(_history(session, session.room(None), command))


async def _history(session: Session, room: Room, command: c.History) -> Result:
    if command.since is None:
        limit = min(command.last, HISTORY_LIMIT)
        past, stale = await recent(session.hub, room, session.user.user.id, limit)
        shown = tuple(bulk.Allowance().last(past.messages, bulk.of_message))
        more = past.more or len(shown) < len(past.messages)
        return Browsed(room.name, shown, more, past.epoch, stale) if shown else Told("no_history")
    await room.live()
    if room.top - command.since > RECOVER_LIMIT:
        raise Refused(Code.BAD_REQUEST, "since_too_far", params={"limit": RECOVER_LIMIT})
    try:
        entries = await room.after(command.since)
    except Gone:
        raise Refused(Code.BAD_REQUEST, "since_too_far", params={"limit": RECOVER_LIMIT}) from None
    if not bulk.Allowance().take_all(entries, bulk.of_entry):
        raise Refused(Code.BAD_REQUEST, "since_too_much")
    return Replayed(room.name, tuple(entries), False, room.epoch, room.top) if entries else Told("no_history")
