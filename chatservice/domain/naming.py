"""What people are called where several nodes are one chat: asked of the guestbook, which is one for all.

The roster judges first, for all whom it knows; accounts' names it knows all. What it lets pass the book may
refuse.
"""

from __future__ import annotations

from chatservice.domain.errors import TOO_MANY, Code, Refused
from chatservice.domain.guestbook import Guestbook
from chatservice.domain.roster import Person
from chatservice.domain.session import Session

NUMBERS_TRIED = 5
"""A number may be taken already by somebody who has chosen it; so many in a row are not."""


async def enter_book(session: Session, book: Guestbook, person: Person, wish: str | None) -> None:
    """Count the session, which is about to come in, and give the person its nick: the one it wishes, the one it
    has by another node, or the one it would have if it was alone.

    :raises Refused: `nick_taken`, `limit`, `unavailable`; the session is not counted then.
    """
    roster, me = session.hub.roster, person.user.id
    nick = person.user.nick if wish is None else roster.judge(person, wish)
    for left in reversed(range(NUMBERS_TRIED)):
        try:
            called = await book.enter(me, nick, wish=wish is not None)
            break
        except Refused as refusal:
            if refusal.code is Code.LIMIT:
                raise Refused(refusal.code, refusal.about, ends=TOO_MANY) from None
            if refusal.code is not Code.NICK_TAKEN or wish is not None or not left or person.conns:
                raise
        if roster.find(me) is person:  # what it was called before is somebody else's now
            roster.unname(person)
            nick = person.user.nick
    session.booked = True
    if roster.find(me) is person:
        session.hub.call(person, called)
    else:
        person.user = type(person.user)(me, called)  # it is called so when it arrives again


def leave_book(session: Session, person: Person) -> None:
    """The session did not come in."""
    book, me = session.hub.guestbook, person.user.id
    if book is None:
        return
    if session.booked and session.person is None:
        session.booked = False
        book.part(me)
    if session.hub.roster.find(me) is None:  # its last other one went meanwhile, and left the rest to this one
        book.forget(me)


async def rename_in_book(session: Session, book: Guestbook, wish: str) -> None:
    """Give the person another nick, here and by all other nodes.

    :raises Refused: see `Roster.rename`; `unavailable`.
    """
    hub, person = session.hub, session.user
    nick = hub.roster.judge(person, wish)
    if nick == person.user.nick:
        return
    called = await book.rename(person.user.id, nick)
    if hub.roster.find(person.user.id) is person:
        hub.call(person, called)
