"""A message as it stands now, and what may be done to it. Pure; every log folds by these rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Deleted, Edited, Entry, Reacted, Said, User

REACTION_KINDS = 20
"""Different emoji one message may carry: more than anybody reads, and it bounds every page of history."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people put one emoji on a message, and whether the asker is one of them."""

    n: int
    me: bool


@dataclass(frozen=True, slots=True)
class Message:
    """The final state of something that was said.

    :ivar rev: 0 as it was said, one more with each edit.
    :ivar reactions: emoji to tally, in the order of first use; only filled in when it is shown.
    """

    seq: int
    ts: int
    user: User
    text: str
    rev: int = 0
    deleted: bool = False
    action: bool = False
    reply: int | None = None
    mentions: tuple[str, ...] = ()
    meta: Mapping[str, object] | None = None
    reactions: Mapping[str, Tally] = field(default_factory=dict)


def said(seq: int, ts: int, body: Said) -> Message:
    """The message as it is right after it was said."""
    return Message(seq, ts, body.user, body.text, 0, False, body.action, body.reply, body.mentions, body.meta)


def edited(message: Message | None, body: Edited) -> tuple[Message, Edited]:
    """The message after an edit, and the edit as it is kept (with the revision it made).

    :raises Refused: `no_message`, `forbidden` (only its author edits), `conflict` (it was edited since).
    """
    standing = _standing(message)
    if standing.user.id != body.user.id:
        raise Refused(Code.FORBIDDEN, "not_yours")
    if standing.rev != body.rev:
        raise Refused(Code.CONFLICT, params={"rev": standing.rev})
    rev = standing.rev + 1
    return replace(standing, text=body.text, rev=rev), replace(body, rev=rev)


def deleted(message: Message | None, body: Deleted, as_moderator: bool) -> Message:
    """The message after it was erased.

    :raises Refused: `no_message`, `forbidden` (only its author and moderators delete).
    """
    standing = _standing(message)
    if standing.user.id != body.user.id and not as_moderator:
        raise Refused(Code.FORBIDDEN, "not_yours")
    return replace(standing, text="", deleted=True, mentions=(), meta=None)


def reacted(message: Message | None, body: Reacted, kinds: int, n: int, has: bool) -> Reacted | None:
    """The reaction as it is kept, None if it changes nothing.

    :param kinds: different emoji on the message now.
    :param n: how many people have this emoji there, `has` whether this user is one of them.
    :raises Refused: `no_message`, `limit`.
    """
    _standing(message)
    if body.on == has:
        return None
    if body.on and n == 0 and kinds >= REACTION_KINDS:
        raise Refused(Code.LIMIT, "too_many_reactions", params={"limit": REACTION_KINDS})
    return replace(body, n=n + (1 if body.on else -1))


def _standing(message: Message | None) -> Message:
    if message is None or message.deleted:
        raise Refused(Code.NO_MESSAGE)
    return message


def with_reactions(message: Message, tallies: Mapping[str, Tally]) -> Message:
    """The message with what people put on it."""
    return replace(message, reactions=tallies)


def erase(body: Said | Edited) -> Said | Edited:
    """The body without its words, as later replays show it."""
    if isinstance(body, Said):
        return replace(body, text="", mentions=(), meta=None, erased=True)
    return replace(body, text="", erased=True)


def catch_up(state: list[Message], entries: Sequence[Entry], limit: int, viewer: str) -> tuple[Message, ...]:
    """A page of final states brought forward by entries that came after it was asked for.

    Applying an entry that the page reflects already changes nothing.
    """
    messages = {message.seq: message for message in state}
    newest = max(messages, default=0)
    for entry in entries:
        body = entry.body
        if isinstance(body, Said):
            if entry.seq > newest:
                messages[entry.seq] = said(entry.seq, entry.ts, body)
        elif isinstance(body, Edited | Deleted | Reacted) and body.ref in messages:
            messages[body.ref] = _after(messages[body.ref], body, viewer)
    return tuple(list(messages.values())[-limit:]) if limit else ()


def _after(message: Message, body: Edited | Deleted | Reacted, viewer: str) -> Message:
    if isinstance(body, Edited):
        return message if message.deleted else replace(message, text=body.text, rev=max(message.rev, body.rev))
    if isinstance(body, Deleted):
        return replace(message, text="", deleted=True, mentions=(), meta=None, reactions={})
    tallies = dict(message.reactions)
    before = tallies.pop(body.emoji, Tally(0, False))
    if body.n:
        tally = Tally(body.n, body.on if body.user.id == viewer else before.me)
        tallies = {emoji: message.reactions[emoji] for emoji in message.reactions} | {body.emoji: tally}
    return replace(message, reactions=tallies)
