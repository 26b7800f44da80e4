"""Saying, editing, erasing, reacting, and being seen to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from chatservice.domain import commands as c
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Opened, Reacted, Said, Typing, User
from chatservice.domain.limits import HISTORY_LIMIT, TYPING_MS
from chatservice.domain.names import NICK_GRAPHEMES, clean_text, clean_words
from chatservice.domain.ordering import note
from chatservice.domain.orders import whom
from chatservice.domain.ports import Appended, Pace
from chatservice.domain.presence import TYPING_SEEN
from chatservice.domain.promise import Promise, start
from chatservice.domain.rates import Kind, too_fast
from chatservice.domain.results import Done, Result
from chatservice.domain.room import Room
from chatservice.domain.session import Session
from chatservice.domain.trust import Deed

EMOJI_BYTES = 64  # the longest emoji sequences have 35
SAID_AT_KEPT = 1000  # people of a slow room before the old ones are forgotten
MENTIONS = 20  # people one message may call: more is a way to shout at everybody

# Not in a mail address; Chinese has no spaces around it.
_MENTION = re.compile(r"(?<![A-Za-z0-9_.])@([^\s@][^\n@]*)")


def say(session: Session, command: c.Say) -> Promise[Any] | Result:
    """Say something in a room."""
    room = session.room(command.room)
    body = _body(session, room, command)
    if body is None:
        return Done()  # an empty input and a click on "send": nothing was said, and nothing went wrong
    if session.hub.log.paces:
        appended = session.hub.log.append(room.name, body, pace=_pace(session, room))
    else:
        _slow_mode(session, room)
        appended = session.hub.log.append(room.name, body)
    if room.name.startswith("dm:"):
        appended.then(lambda done: _open_conversation(session, room, done))
    return appended


def say_again(session: Session, command: c.Say, refusal: Refused) -> Promise[Result]:
    """Who was silenced after a message was stored, but before it was answered, must learn that it was stored."""
    if command.cid is None:
        raise refusal
    room = session.room(command.room)
    body = _body(session, room, command)
    if body is None:
        raise refusal
    return start(_unless_stored(session, room, body, refusal))


def _body(session: Session, room: Room, command: c.Say) -> Said | None:
    """What is to be kept; None if nothing is said."""
    text = clean_text(command.text)
    if not text.strip():
        if command.cid is not None:
            raise Refused(Code.BAD_REQUEST, "empty_text")
        return None
    me = session.user.user
    mentions = _mentions(session, room, text)
    return Said(me, text, command.action, command.cid, command.reply, mentions, command.meta)


async def _unless_stored(session: Session, room: Room, body: Said, refusal: Refused) -> Result:
    stored = await session.hub.log.stored(room.name, body)
    if stored is None:
        raise refusal
    return stored


def edit(session: Session, command: c.Edit) -> Promise[Appended]:
    """Change one's own message."""
    text = clean_text(command.text)
    if not text.strip():
        raise Refused(Code.BAD_REQUEST, "empty_text")
    return _append(session, command.room, lambda user: Edited(user, command.ref, text, command.rev))


def delete(session: Session, command: c.Delete) -> Promise[Appended]:
    """Erase a message."""
    return _erase(session, session.room(command.room), command.ref, clean_words(command.reason))


def _erase(session: Session, room: Room, ref: int, reason: str) -> Promise[Appended]:
    me, author = session.user.user, room.author(ref)
    as_moderator = session.moderates(room)
    appended = session.hub.log.append(room.name, Deleted(me, ref, reason), as_moderator=as_moderator)
    if as_moderator and (author is None or author.id != me.id):
        appended.then(lambda done: _note_erasure(session, room, ref, reason, author, done))
    return appended


def _note_erasure(
    session: Session, room: Room, ref: int, reason: str, author: User | None, done: Promise[Appended]
) -> None:
    if done.error is None:
        at, target = done.result(), author.id if author is not None else ""
        deed = Deed(at.ts, room.name, session.user.user.id, "delete", at.seq, target, ref=ref, reason=reason)
        note(session, deed)


def retract(session: Session, command: c.Retract) -> Promise[Result]:
    """Erase what was typed: a number, a nick, or nothing for one's own newest message."""
    room, author = session.room(None), session.user.user
    if command.ref is not None:
        return start(_retract(session, room, command.ref))
    if command.words:
        author, _ = whom(session, room, command.words)
    return start(_retract_newest(session, room, author))


async def _retract(session: Session, room: Room, ref: int) -> Result:
    return await _erase(session, room, ref, "")


async def _retract_newest(session: Session, room: Room, author: User) -> Result:
    past = await session.hub.log.history(room.name, session.user.user.id, HISTORY_LIMIT)
    for message in reversed(past.messages):
        if message.user.id == author.id and not message.deleted:
            return await _erase(session, room, message.seq, "")
    raise Refused(Code.NO_MESSAGE)


def react(session: Session, command: c.React) -> Promise[Appended]:
    """Put an emoji on a message, or take it off."""
    emoji = command.emoji
    if not emoji or len(emoji.encode()) > EMOJI_BYTES or any(_no_emoji(character) for character in emoji):
        raise Refused(Code.BAD_REQUEST, "bad_emoji")
    return _append(session, command.room, lambda user: Reacted(user, command.ref, emoji, command.on))


def type_(session: Session, command: c.Type) -> Result:
    """Be seen to write. Too often is not an error, it is just not told."""
    room = session.room(command.room)
    now = session.hub.clock()
    if command.on:
        told = not 0.0 <= now - session.typed_at.get(room.name, 0.0) < TYPING_MS / 1000
    else:
        told = room.name in session.typing
    if told and room.here.n <= TYPING_SEEN:
        if command.on:
            session.typed_at[room.name] = now
            session.typing[room.name] = None
        else:
            session.typing.pop(room.name, None)
        user = session.user.user
        typing = Typing(room.name, user, command.on)
        room.here.fan_out(typing, but=user.id)
        session.hub.bus.tell(room.name, typing)
    return Done()


def _append(session: Session, name: str, make: Callable[[User], Body]) -> Promise[Appended]:
    room = session.room(name)
    return session.hub.log.append(room.name, make(session.user.user))


def _pace(session: Session, room: Room) -> Pace:
    """How fast one may talk here, for a log that counts what others have stored as well."""
    slow_ms = 0 if session.moderates(room) else 1000 * room.rules.slow_s
    rate = session.hub.messages
    return Pace(slow_ms, rate, lambda kind, wait_ms: too_fast(session, Kind(kind), wait_ms))


def _slow_mode(session: Session, room: Room) -> None:
    """In a slow room a person waits between messages, whichever connection they come by."""
    slow_s, me = room.rules.slow_s, session.user.user.id
    if not slow_s or session.moderates(room):
        return
    now = session.hub.clock()
    wait_s = room.said_at.get(me, 0.0) + slow_s - now
    if 0.0 < wait_s <= slow_s:  # more than that: the clock was set back
        raise too_fast(session, Kind.SLOW, max(1, int(wait_s * 1000)))
    if len(room.said_at) >= SAID_AT_KEPT:
        room.said_at = {user: at for user, at in room.said_at.items() if now - slow_s < at <= now}
    room.said_at[me] = now


def _mentions(session: Session, room: Room, text: str) -> tuple[str, ...]:
    """Ids of living people whom the text names by `@nick`, what follows the nick left aside."""
    found: dict[str, None] = {}
    for word in _MENTION.findall(text)[: 4 * MENTIONS]:
        word = word[:NICK_GRAPHEMES]
        while word:
            person = session.hub.roster.named(word)
            user = person.user if person is not None else room.here.named_elsewhere(word)
            if user is not None:
                if user.id != session.user.user.id:
                    found[user.id] = None
                break
            # `@annabel` does not call Ann, `@林晓雯看` does call 林晓雯; a nick may be of several words.
            whole = word[-1].isascii() and word[-1].isalnum()
            word = "".join(word.rsplit(None, 1)[:-1]) if whole else word[:-1]
    return tuple(found)[:MENTIONS]


def _open_conversation(session: Session, room: Room, done: Promise[Appended]) -> None:
    """The first message of a direct conversation shows in both streams. A retry tries that again, for a crash may
    have come in between; the cid makes it happen once."""
    if done.error is not None or done.result().seq != 1:
        return
    me = session.user.user
    other_id = next(end for end in room.name.split(":")[1:] if end != me.id)
    person = session.hub.roster.find(other_id)
    other = person.user if person is not None else User(other_id, other_id)
    for owner, end in ((me.id, other), (other_id, me)):
        session.hub.log.append("@" + owner, Opened(me, room.name, end, cid="open " + room.name))


def _no_emoji(character: str) -> bool:
    return (unicodedata.category(character)[0] in "CZ" and character not in "\u200d") or character in "<>&\"'"
