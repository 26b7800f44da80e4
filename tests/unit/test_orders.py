"""What moderators type: whom, for how long, why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.dialects.slash import parse_typed
from chatservice.domain.commands import Bans, Command, Moderate, Retract, Topic
from chatservice.domain.errors import Refused
from chatservice.domain.events import User
from chatservice.domain.orders import read_duration, split_name

PEOPLE = {nick: User("u_" + nick, nick) for nick in ("Ann", "Ann Lee", "林晓雯", "10m", "Zoë Z")}


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("10M", 600),
        ("1h", 3600),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("10分钟", 600),
        ("1小时", 3600),
        ("7天", 604_800),
        ("2周", 1_209_600),
        ("永久", 0),
        ("forever", 0),
        ("", None),
        ("10", None),
        ("0m", None),
        ("m", None),
        ("-1h", None),
        ("1.5h", None),
        ("1h30m", None),
        ("１h", None),
        ("10parsecs", None),
        ("9999999999m", None),
    ],
)
def test_durations(word: str, seconds: int | None) -> None:
    """A number and its unit, in both languages; nothing else is taken for a time, least of all for no end."""
    assert read_duration(word) == seconds


@pytest.mark.parametrize(
    ("words", "nick", "rest"),
    [
        ("Ann", "Ann", ""),
        ("Ann 10m spam", "Ann", "10m spam"),
        ("Ann Lee 10m spam", "Ann Lee", "10m spam"),
        ("Ann  Lee\t10m", "Ann Lee", "10m"),
        ('"Ann" Lee 10m', "Ann", "Lee 10m"),
        ("“Ann Lee” 1h", "Ann Lee", "1h"),
        ("「林晓雯」 永久", "林晓雯", "永久"),
        ("林晓雯 10分钟 刷屏", "林晓雯", "10分钟 刷屏"),
        ("10m 10m", "10m", "10m"),
        ("Zoë Z", "Zoë Z", ""),
        ("Nobody 10m", None, "Nobody 10m"),
        ('"', None, '"'),
        ('"Ann', None, '"Ann'),
        ('"" Ann', None, "Ann"),
    ],
)
def test_names_in_words(words: str, nick: str | None, rest: str) -> None:
    """The longest nick that somebody has is meant, whatever its script and spaces; quotes end it earlier."""
    assert split_name(words, PEOPLE.get) == (PEOPLE.get(nick or ""), rest)


@given(st.text(max_size=80))
def test_any_words(words: str) -> None:
    """No words whatever make it stumble, and nobody is found who was not named."""
    user, _ = split_name(words, PEOPLE.get)
    assert user is None or user.nick.split()[0] in words
    read_duration(words)


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("/kick Ann", Moderate(None, "kick", words="Ann")),
        ("/KICK  Ann Lee spam ", Moderate(None, "kick", words="Ann Lee spam")),
        ("/ban 林晓雯 永久", Moderate(None, "ban", words="林晓雯 永久")),
        ("/unban Ann", Moderate(None, "unban", words="Ann")),
        ("/mute Ann 10m", Moderate(None, "mute", words="Ann 10m")),
        ("/unmute Ann", Moderate(None, "unmute", words="Ann")),
        ("/slow 10", Moderate(None, "slow", value="10")),
        ("/slow 1m", Moderate(None, "slow", value="60")),
        ("/slow 10秒", Moderate(None, "slow", value="10")),
        ("/slow off", Moderate(None, "slow", value="0")),
        ("/slow 0", Moderate(None, "slow", value="0")),
        ("/lock", Moderate(None, "lock", value="on")),
        ("/lock on", Moderate(None, "lock", value="on")),
        ("/lock OFF", Moderate(None, "lock", value="off")),
        ("/lock 关", Moderate(None, "lock", value="off")),
        ("/topic", Topic()),
        ("/topic 茶 & tea", Moderate(None, "topic", value="茶 & tea")),
        ("/delete", Retract("")),
        ("/delete 12", Retract("12")),
        ("/delete Ann Lee", Retract("Ann Lee")),
        ("/bans", Bans()),
    ],
)
def test_moderators_commands(typed: str, command: Command) -> None:
    """Each is a command of the table; who is meant is found out by those who know who is there."""
    assert parse_typed(typed) == command


@pytest.mark.parametrize(
    "typed", ["/kick", "/ban ", "/unban", "/mute", "/unmute", "/slow", "/slow soon", "/slow forever", "/lock x"]
)
def test_what_lacks_an_argument(typed: str) -> None:
    """It is answered with how it is done."""
    with pytest.raises(Refused) as refused:
        parse_typed(typed)
    assert refused.value.about == "usage" and str(refused.value.params["usage"]).startswith(typed.split()[0])
