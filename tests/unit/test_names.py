"""What a nick, a room name and a text may be."""

from __future__ import annotations

import pytest

from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import clean_room, clean_text, graphemes, nick_key
from chatservice.identity.names import PrecisNames

FAMILY = "👨‍👩‍👧‍👦"  # one grapheme, seven code points, 25 bytes


@pytest.mark.parametrize(
    ("wish", "nick"),
    [
        ("Ann", "Ann"),
        ("  Ann  ", "Ann"),
        ("Ann   Lee", "Ann Lee"),
        ("Ann\u3000Lee", "Ann Lee"),
        ("张三", "张三"),
        ("e\u0301milie", "émilie"),
        ("<b>x</b>", "<b>x</b>"),
        (FAMILY, FAMILY),
        ("❤️", "❤️"),
        ("a" * 32, "a" * 32),
        ("張" * 32, "張" * 32),
        (FAMILY * 5, FAMILY * 5),
        ("a*@/#", "a*@/#"),
    ],
)
def test_good_nicks(wish: str, nick: str) -> None:
    """A nick is shown trimmed, composed, with single spaces; every script and emoji are welcome."""
    assert PrecisNames().clean(wish) == nick


EMPTY = ["", " ", "\u3000", "\u00a0 ", "\u0301", "\ufe0f", "\u200d"]
CLAIMS = ["*ann", "@ann", "/nick", "#lobby", " *ann"]
CONTROLS = ["a\x00b", "a\nb", "a\tb", "\x1b[2Ja", "a\x7f", "a\x85b", "a\x9bb", "a\u2028b", "a\u2029b"]
HIDDEN = ["a\u202eb", "a\u2066b", "\u200bann", "an\u00adn", "\ufeffann", "a\U000e0061b", "a\u061cb", "\u200da"]
BLANK = ["\u3164", "a\u3164", "\u115f", "\uffa0", "\u2800", "an\u034fn", "\u180b"]
UNKNOWN = ["\ue000", "a\U0010ffff", "\ud800"]


@pytest.mark.parametrize("wish", [*EMPTY, *CLAIMS, *CONTROLS, *HIDDEN, *BLANK, *UNKNOWN], ids=ascii)
def test_bad_nicks(wish: str) -> None:
    """No nick is empty, invisible, moves a cursor, or looks like a notice, a command or a room."""
    with pytest.raises(Refused) as refused:
        PrecisNames().clean(wish)
    assert (refused.value.code, refused.value.about) == (Code.BAD_REQUEST, "nick_characters")


@pytest.mark.parametrize("wish", ["a" * 33, "張" * 33, FAMILY * 6, "a" + "\u0301" * 65, "𒀀" * 33, "\ufdfa" * 9000])
def test_long_nicks(wish: str) -> None:
    """A nick has at most 32 characters as a person counts them, and at most 128 bytes."""
    with pytest.raises(Refused) as refused:
        PrecisNames().clean(wish)
    assert (refused.value.code, refused.value.about) == (Code.BAD_REQUEST, "nick_too_long")
    assert refused.value.params == {"limit": 32}


@pytest.mark.parametrize(
    ("text", "n"), [("", 0), ("abc", 3), ("e\u0301", 1), ("上海", 2), (FAMILY, 1), ("❤️‍🔥", 1), ("a\u200d", 1)]
)
def test_graphemes(text: str, n: int) -> None:
    """Marks and what a joiner joins are not counted again."""
    assert graphemes(text) == n


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "Ann"),
        ("Straße", "STRASSE"),
        ("ＡＤＭＩＮ", "admin"),
        ("𝐚𝐝𝐦𝐢𝐧", "Admin"),
        ("ann", "ann\u200d"),
        ("ann", "ann\ufe0f"),
        ("ann", "a\U000e0100nn"),
        ("émilie", "E\u0301MILIE"),
        ("ﬁn", "fin"),
    ],
)
def test_same_key(one: str, other: str) -> None:
    """Nicks that differ in case, in width, or in what nobody sees count as the same."""
    assert nick_key(one) == nick_key(other)


@pytest.mark.parametrize(("one", "other"), [("ann", "anna"), ("张三", "张四"), ("👍", "👎"), ("ann", "ann lee")])
def test_other_key(one: str, other: str) -> None:
    """Nicks that people tell apart are told apart."""
    assert nick_key(one) != nick_key(other)


@pytest.mark.parametrize(
    ("wish", "room"),
    [
        ("lobby", "lobby"),
        ("  lobby\n", "lobby"),
        ("a b", "a b"),
        ("a/b?c#d{e}:f", "a/b?c#d{e}:f"),
        ("上海", "上海"),
        ("cafe\u0301", "café"),
        ("x" * 64, "x" * 64),
        ("張" * 64, "張" * 64),
        ("admin:", "admin:"),
    ],
)
def test_good_rooms(wish: str, room: str) -> None:
    """A room name is trimmed and composed; punctuation and spaces inside are its own business."""
    assert clean_room(wish) == room


NO_ROOMS = ["", "  ", "@ann", "@", "dm:", "dm:u_1:u_2", "x" * 65, "𒀀" * 51]
UNPRINTABLE = ["a\x00b", "a\nb", "a\u200bb", "a\u202eb", "a\u2028b", "\ue000", "\ud800"]


@pytest.mark.parametrize("wish", [*NO_ROOMS, *UNPRINTABLE], ids=ascii)
def test_bad_rooms(wish: str) -> None:
    """No room has a name that is empty, too long, unprintable, or kept for private talk."""
    with pytest.raises(Refused) as refused:
        clean_room(wish)
    assert (refused.value.code, refused.value.about) == (Code.NO_ROOM, "room_name")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("hi", "hi"),
        ("", ""),
        (" hi ", " hi "),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\u2028d\u2029e", "a\nb\nc\nd\ne"),
        ("\x00\x01\x08a\x0b\x0c\x0e\x1fb\x7f\x80\x85\x9fc", "abc"),
        ("\x1b[2Jred\x1b[31m", "[2Jred[31m"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("e\u0301", "e\u0301"),
        ("👍" * 4000, "👍" * 4000),
        ("\x00" + "a" * 4000, "a" * 4000),
        ("\r\n" * 4000, "\n" * 4000),
    ],
)
def test_texts(typed: str, said: str) -> None:
    """A text keeps everything but control characters; each kind of line break becomes a newline."""
    assert clean_text(typed) == said


def test_long_text() -> None:
    """A text has at most 4000 code points."""
    with pytest.raises(Refused) as refused:
        clean_text("👍" * 4001)
    assert (refused.value.code, refused.value.about) == (Code.TOO_LARGE, "text_too_long")
    assert refused.value.params == {"limit": 4000}
