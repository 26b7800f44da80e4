"""What moderators type: whom they mean, for how long, and why. `/ban Ann Lee 7d spam`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from chatservice.domain import commands as c
from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.names import NICK_GRAPHEMES, clean_words, is_user_id, nick_key
from chatservice.domain.room import Room
from chatservice.domain.session import Session

_UNITS = {
    **dict.fromkeys(("s", "秒"), 1),
    **dict.fromkeys(("m", "min", "分", "分钟"), 60),
    **dict.fromkeys(("h", "小时", "时"), 3600),
    **dict.fromkeys(("d", "天", "日"), 86_400),
    **dict.fromkeys(("w", "周"), 7 * 86_400),
}
_DURATION = re.compile(r"([0-9]{1,9})([a-z]+|[\u4e00-\u9fff]+)")
_LIKE_A_TIME = re.compile(r"[-+]?[0-9]")
_FOR_EVER = frozenset({"forever", "ever", "always", "永久", "永远"})
_QUOTES = {'"': '"', "“": "”", "「": "」", "'": "'"}

LASTING = frozenset({"mute", "ban"})
"""What holds for a while."""


def read_duration(word: str) -> int | None:
    """Seconds of `90s`, `10m`, `1h`, `7d`, `2w` and of the same in Chinese; 0 is for ever. None for anything else:
    a bare number says no unit, and to guess one would mute somebody for ever."""
    word = word.casefold()
    if word in _FOR_EVER:
        return 0
    found = _DURATION.fullmatch(word)
    if found is None or found[2] not in _UNITS:
        return None
    return int(found[1]) * _UNITS[found[2]] or None


def split_name(words: str, known: Callable[[str], User | None]) -> tuple[User | None, str]:
    """Who the words begin with, and what follows. Nicks may have spaces, so the longest that somebody has is
    meant; quotes say where it ends."""
    end = words.find(_QUOTES[words[0]], 1) if words[:1] in _QUOTES else -1
    if end > 0:
        return known(words[1:end]), words[end + 1 :].strip()
    parts = words.split()
    for n in range(min(len(parts), NICK_GRAPHEMES), 0, -1):
        user = known(" ".join(parts[:n]))
        if user is not None:
            return user, " ".join(parts[n:])
    return None, words


def read_order(session: Session, room: Room, command: c.Moderate) -> c.Moderate:
    """The command with the id, the time and the reason that its words hold.

    :raises Refused: `bad_request` if nobody is called that, or a number lacks its unit.
    """
    user, rest = whom(session, room, command.words, of_old=command.action in ("unban", "unmute"))
    first, _, reason = rest.partition(" ")
    for_s = read_duration(first) if command.action in LASTING else None
    if for_s is None and command.action in LASTING and _LIKE_A_TIME.match(first):  # 10, -5m, 1h30m
        usage = f"/{command.action} NICK 10m, 1h, 7d"
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": usage})
    if for_s is None:
        for_s, reason = 0, rest
    return replace(command, user=user.id, for_s=for_s, reason=reason, words="")


def whom(session: Session, room: Room, words: str, *, of_old: bool = False) -> tuple[User, str]:
    """Whom the words begin with, and what follows.

    :param of_old: who was muted or banned comes first; else who is here, then who is anywhere, then who has left.
    :raises Refused: `bad_request` if nobody is called that.
    """

    def punished(name: str) -> User | None:
        key = nick_key(name)
        for user_id, nick in reversed(list(room.rules.nicks.items())):
            if nick_key(nick) == key:
                return User(user_id, nick)
        return None

    def known(name: str) -> User | None:
        name = name.removeprefix("@")
        if not name:
            return None
        person = session.hub.roster.named(name) or session.hub.roster.find(name)
        other = room.here.named_elsewhere(name)
        account = session.hub.registry.named(name)
        kept = session.hub.user(account.id) if account is not None else None
        living = person.user if person is not None else other or kept
        gone = punished(name)
        found = (gone or living) if of_old else (living or session.hub.whereabouts.named(name) or gone)
        return found or (User(name, name) if is_user_id(name) else None)

    user, rest = split_name(words, known)
    if user is None:
        nick = clean_words(words, NICK_GRAPHEMES)
        raise Refused(Code.BAD_REQUEST, "nobody_called", params={"nick": nick})
    return user, rest
