"""What a nick, a room name and a text may be (docs/wire/README.md, "Names")."""

from __future__ import annotations

import re
import unicodedata

from chatservice.domain.errors import Code, Refused

NICK_GRAPHEMES = 32
NICK_BYTES = 128  # a family emoji is one grapheme and 25 bytes: both bounds are needed
ROOM_CHARACTERS = 64
ROOM_BYTES = 200
TEXT_CODE_POINTS = 4000

_ZERO_WIDTH_JOINER = "\u200d"  # the one format character emoji need
_ROOM_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Emoji need these, and elsewhere they draw nothing: with them in the key nobody can be imitated.
_JOINERS = re.compile("[\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_REGIONAL = frozenset(map(chr, range(0x1F1E6, 0x1F200)))  # two of them are a flag
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
# C0 without tab and newline, DEL, C1: they can move a terminal's cursor and forge log lines.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_USER_ID = re.compile("u_[A-Za-z0-9_-]{1,62}")
_LINE_SEPARATORS = re.compile("\r\n?|[\u2028\u2029]")


def graphemes(text: str) -> int:
    """Characters as a person counts them (UAX 29, as far as a nick needs it): marks, skin tones, joiners and what
    they join add nothing, two regional indicators are one flag."""
    count, flags, joined = 0, 0, False
    for character in text:
        flags = flags + 1 if character in _REGIONAL else 0
        if not (joined or flags % 2 == 0 < flags or _extends(character)):
            count += 1
        joined = character == _ZERO_WIDTH_JOINER
    return count


def _extends(character: str) -> bool:
    """Whether a person takes it for a part of the character before it."""
    is_mark = unicodedata.category(character) in ("Mn", "Me", "Mc")
    return is_mark or character in _SKIN_TONES or character == _ZERO_WIDTH_JOINER


def nick_key(nick: str) -> str:
    """What two nicks that count as the same have in common (NFKC, casefolded, without what is not seen)."""
    if nick.isascii():
        return nick.lower()  # which is all that happens to it, and twenty times as fast
    seen = unicodedata.normalize("NFKC", _JOINERS.sub("", nick))
    return unicodedata.normalize("NFKC", seen.casefold())


def is_user_id(word: str) -> bool:
    """Whether somebody could have that id: it becomes part of room names, so not everything will do."""
    return _USER_ID.fullmatch(word) is not None


def clean_room(wish: str) -> str:
    """The room name, trimmed and composed.

    :raises Refused: `no_room` if no room can have that name.
    """
    room = unicodedata.normalize("NFC", wish.strip())
    if (
        not room
        or len(room) > ROOM_CHARACTERS
        or any(unicodedata.category(c) in _ROOM_REFUSED for c in room)  # before encode(), which chokes on some
        or len(room.encode()) > ROOM_BYTES
        or room.startswith(("@", "dm:"))
    ):
        raise Refused(Code.NO_ROOM, "room_name")
    return room


def clean_words(words: str, limit: int = 200) -> str:
    """A short remark (a reason, a status) on one line, cut to `limit` code points."""
    return " ".join(_CONTROLS.sub("", words).split())[:limit]


def clean_text(text: str) -> str:
    """What is said, without control characters; every line break is `\\n`.

    :raises Refused: `too_large` above 4000 code points.
    """
    text = _CONTROLS.sub("", _LINE_SEPARATORS.sub("\n", text))
    if len(text) > TEXT_CODE_POINTS:
        raise Refused(Code.TOO_LARGE, "text_too_long", params={"limit": TEXT_CODE_POINTS})
    return text
