"""Names that look like other names."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from chatservice.domain.errors import Code, Refused
from chatservice.domain.names import graphemes, nick_key
from chatservice.domain.roster import Roster
from chatservice.identity.lookalikes import is_one_hand, script_of, skeleton
from chatservice.identity.names import PrecisNames

NAMES = PrecisNames()

IMITATIONS = {
    "admin": [
        *(
            "Admin",
            "ADMIN",
            "ＡＤＭＩＮ",
            "ａｄｍｉｎ",
            "𝐚𝐝𝐦𝐢𝐧",
            "𝓪𝓭𝓶𝓲𝓷",
            "𝔞𝔡𝔪𝔦𝔫",
            "𝚊𝚍𝚖𝚒𝚗",
            "ⓐⓓⓜⓘⓝ",
            " admin ",
            "\u00a0admin",
        ),
        *(
            "аdmin",
            "аԁmіn",
            "adm1n",
            "ADM1N",
            "ADMlN",
            "adrnin",
            "adm\u0131n",
            "ad\u00admin",
            "a\u200bdmin",
            "admin\u200d",
        ),
        *("\u202eadmin", "admin\u2066", "admin\ufe0f", "ad\u034fmin", "admin\u3164", "\u2800admin", "adm\u0456n"),
        *("\u0251dmin", "admi\u057c", "a\u217emin", "\u237admin", "adm|n", "ad\U000e0061min"),
    ],
    "Bill": ["BILL", "BiII", "Bi11", "Bil|", "Ｂill", "Вill", "ᗷill", "B1ll", "Bi\u01c0l"],
    "paypal": ["раураl", "paypaI", "PAYPAL", "payp\u0430l", "pаypаl", "рaypal", "paypa1", "ρaypal"],
    "Анна": ["AHHA", "Aнна", "АННА", "AННA"],
    "coco": ["сосо", "СОСО", "ｃｏｃｏ", "c0c0", "ⲥⲟⲥⲟ"],
    "user1": ["userl", "USER1", "userI", "uѕer1", "user|", "ｕｓｅｒ１"],
    "张三": ["张三", "张\u4e09", "张\u200b三"],
}
PAIRS = [(name, imitation) for name, imitations in IMITATIONS.items() for imitation in imitations]


@pytest.mark.parametrize(("name", "imitation"), PAIRS, ids=ascii)
def test_nobody_is_imitated(name: str, imitation: str) -> None:
    """Beside somebody living, none of these is let in as somebody else; most of them hardly differ to the eye."""
    roster = Roster(NAMES)
    roster.rename(roster.arrive("u_1"), name)
    with pytest.raises(Refused) as refused:
        roster.rename(roster.arrive("u_2"), imitation)
    assert refused.value.code in (Code.NICK_TAKEN, Code.BAD_REQUEST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ali", "All"),
        ("Ann", "Anna"),
        ("Мария", "Marija"),
        ("张三", "张四"),
        ("Jo", "Joe"),
        ("Bill", "Will"),
        ("Émile", "Emile"),
        ("👍", "👎"),
        ("Rene", "René"),
        ("Iris", "Loris"),
        ("林", "森"),
    ],
)
def test_who_only_resembles(one: str, other: str) -> None:
    """Names that a reader tells apart stand beside each other."""
    roster = Roster(NAMES)
    roster.rename(roster.arrive("u_1"), one)
    assert roster.rename(roster.arrive("u_2"), other)


@pytest.mark.parametrize(
    "nick", ["Ann林", "Ann リン", "りんリン林", "한글Ann", "ㄅㄆ林Ann", "Юля 7", "علي", "שרה", "👩‍🔬 Ann", "ไทย"]
)
def test_scripts_that_go_together(nick: str) -> None:
    """One script, or Latin with Chinese, Japanese or Korean; figures, signs and emoji go with all."""
    assert NAMES.clean(nick) == nick


@pytest.mark.parametrize("nick", ["Юля Y", "Ωmega", "Annа", "علي Ali", "Анна林", "한글りん", "7৪", "١1", "שרהс"])
def test_scripts_that_do_not(nick: str) -> None:
    """Any other mixture is refused with its own words, and so are figures of two kinds."""
    with pytest.raises(Refused) as refused:
        NAMES.clean(nick)
    assert (refused.value.code, refused.value.about) == (Code.BAD_REQUEST, "nick_scripts")


def test_scripts() -> None:
    """The table knows the script of a character, and that most of the code space has none."""
    assert [script_of(c) for c in "aя林の7\u0301"] == [
        "LATIN",
        "CYRILLIC",
        "HAN",
        "HIRAGANA",
        "COMMON",
        "INHERITED",
    ]
    assert script_of("\U000fffff") == "UNKNOWN"
    assert is_one_hand("") and is_one_hand("7 !") and not is_one_hand("aя")


@pytest.mark.parametrize(
    "nick", ["a\u0301\u0302\u0303\u0304", "n" + "\u20dd" * 4, "Z\u0334\u0335\u0336\u0337algo"]
)
def test_heaps_of_marks(nick: str) -> None:
    """No character carries more than three marks: heaps of them hide what stands above."""
    with pytest.raises(Refused) as refused:
        NAMES.clean(nick)
    assert refused.value.about == "nick_characters"
    NAMES.clean("a\u0301\u0302\u0303")


@pytest.mark.parametrize(
    "nick", ["a\u200db", "👍\u200d", "\u200d👍", "a\ufe0f", "👍\u200db", "\ufe0f👍", "1\ufe0f", "علي\u200d"]
)
def test_glue_that_holds_nothing(nick: str) -> None:
    """A joiner or selector is for emoji; where there is nothing to hold it would only make a second name alike."""
    with pytest.raises(Refused):
        NAMES.clean(nick)


words = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    "аaІIl1oOо0mrn \u200d\ufe0f👍👩🔬é\u0301張", max_size=12
)


@given(words)
def test_skeletons_are_stable(text: str) -> None:
    """A skeleton is its own skeleton, and composed or not makes no difference to it."""
    assert skeleton(skeleton(text)) == skeleton(text)
    assert skeleton(unicodedata.normalize("NFD", text)) == skeleton(unicodedata.normalize("NFC", text))


@given(words, words)
def test_the_same_key_looks_the_same(one: str, other: str) -> None:
    """Cleaning is done once; nicks with one key share a look; and looking alike is mutual."""
    try:
        one, other = NAMES.clean(one), NAMES.clean(other)
    except Refused:
        return
    assert NAMES.clean(one) == one
    for form in (one.upper(), one.lower(), one.swapcase()):
        if nick_key(form) == nick_key(one):
            assert NAMES.looks(form) & NAMES.looks(one)
    if nick_key(one) == nick_key(other):
        assert NAMES.looks(one) & NAMES.looks(other)


SEEN = [
    "a",
    "é",
    "e\u0301",
    "張",
    "👍",
    "👍🏽",
    "👩‍🔬",
    "❤️",
    "❤️‍🔥",
    "🇩🇪",
    "🇨🇳",
    "👨‍👩‍👧‍👦",
    "1️⃣",
    "한",
    "न",
    "कि",
    "ไ",
    " ",
    "ß",
    "𒀀",
]


@given(st.lists(st.sampled_from(SEEN), max_size=12))
def test_characters_are_counted_as_unicode_does(parts: list[str]) -> None:
    """Our count is that of extended grapheme clusters, by an independent implementation."""
    text = "".join(parts)
    assert graphemes(text) == len(regex.findall(r"\X", text))
