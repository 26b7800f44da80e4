"""What a nick may be: the PRECIS nickname profile (RFC 8266), emoji, and nobody's imitation."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from precis_i18n import get_profile

from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import NICK_BYTES, NICK_GRAPHEMES, graphemes, nick_key
from chatservice.identity.lookalikes import is_one_hand, skeleton

MARKS = 3
"""Marks one character may carry: no living orthography needs more, and heaps of them cover others' lines."""

_FIRST_REFUSED = frozenset("*@/#")  # these begin notices, direct messages, commands and rooms
# PRECIS takes them, but they draw nothing: a name made of them is no name.
_BLANKS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
# What holds emoji together; PRECIS refuses these, and so do we wherever else they stand.
_GLUE = re.compile("[\u200d\ufe0f]")
_PICTURE = re.compile("[\u203c-\u3299\U0001f000-\U0001faff]")
_SKIN = range(0x1F3FB, 0x1F400)
_KEYCAP = "\u20e3"


class PrecisNames:
    """See `Names`."""

    def clean(self, wish: str) -> str:
        """See `Names.clean`: NFKC, white space trimmed and made single."""
        if len(wish) > 2 * NICK_BYTES:  # before anything is done that takes longer the longer it is
            raise Refused(Code.BAD_REQUEST, "nick_too_long", params={"limit": NICK_GRAPHEMES})
        bare, places = _without_glue(unicodedata.normalize("NFKC", wish))
        try:
            nick = _profile().enforce(bare)
        except UnicodeEncodeError:  # the library's word for what the profile refuses, and for nothing at all
            raise Refused(Code.BAD_REQUEST, "nick_characters") from None
        if _BLANKS.search(nick) or not graphemes(nick) or nick[0] in _FIRST_REFUSED:
            raise Refused(Code.BAD_REQUEST, "nick_characters")
        if places:
            nick = " ".join(unicodedata.normalize("NFKC", wish).split())
        if graphemes(nick) > NICK_GRAPHEMES or len(nick.encode()) > NICK_BYTES:
            raise Refused(Code.BAD_REQUEST, "nick_too_long", params={"limit": NICK_GRAPHEMES})
        if _heaps(nick):
            raise Refused(Code.BAD_REQUEST, "nick_characters")
        if not is_one_hand(nick):
            raise Refused(Code.BAD_REQUEST, "nick_scripts")
        return str(nick)

    def looks(self, nick: str) -> frozenset[str]:
        """See `Names.looks`: as it is written, in small letters and in capitals: `ADMlN` passes for `admin`."""
        key = nick_key(nick)
        bare = _GLUE.sub("", nick)
        return frozenset(skeleton(form) for form in (bare, key, key.upper()))


@cache
def _profile() -> Any:
    return get_profile("NicknameCasePreserved")


def _without_glue(text: str) -> tuple[str, bool]:
    """`text` without the joiners and selectors that stand where an emoji needs them, and whether there were any.

    Elsewhere they stay, and the profile refuses them.
    """
    kept = [c for at, c in enumerate(text) if not (_GLUE.match(c) and _holds_a_picture(text, at))]
    return "".join(kept), len(kept) < len(text)


def _holds_a_picture(text: str, at: int) -> bool:
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else ""
    if text[at] == "\ufe0f":
        return _is_picture(before) or (before in set("0123456789#*") and after == _KEYCAP)
    return (before == "\ufe0f" or _is_picture(before)) and _is_picture(after)


def _is_picture(character: str) -> bool:
    return (
        bool(character)
        and (_PICTURE.match(character) is not None or character in "\u00a9\u00ae")
        and (unicodedata.category(character) in ("So", "Sm") or ord(character) in _SKIN)
    )


def _heaps(nick: str) -> bool:
    """Whether some character carries too many marks."""
    run = 0
    for character in unicodedata.normalize("NFD", nick):
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if run > MARKS:
            return True
    return False
