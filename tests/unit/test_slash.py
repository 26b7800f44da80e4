"""What people type."""

from __future__ import annotations

import pytest

from chatservice.dialects.base import Answer, Asked
from chatservice.dialects.line import LineParser
from chatservice.dialects.registry import DIALECTS, by_subprotocol, dialect
from chatservice.dialects.slash import parse_typed
from chatservice.domain.commands import Command, Help, History, Join, Leave, Rename, Say, Unknown, Who
from chatservice.domain.errors import BAD_UTF8, NOT_A_CHAT, NOT_TEXT, Code, Ended, Refused


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("hi", Say("hi")),
        ("", Say("")),
        (" /who", Say(" /who")),
        ('{"type":"join"}', Say('{"type":"join"}')),
        ("//who", Say("/who")),
        ("//", Say("/")),
        ("///x", Say("//x")),
        ("/nick Ann", Rename("Ann")),
        ("/nick  Ann Lee ", Rename("Ann Lee")),
        ("/NICK Ann", Rename("Ann")),
        ("/join attic", Join("attic", last=20, alone=True)),
        ("/join a b", Join("a b", last=20, alone=True)),
        ("/who", Who()),
        ("/who now", Who()),
        ("/history", History(last=20)),
        ("/history 5", History(last=5)),
        ("/history  007 ", History(last=7)),
        ("/since 0", History(since=0)),
        ("/since 12", History(since=12)),
        ("/me waves", Say("waves", action=True)),
        ("/me /nick", Say("/nick", action=True)),
        ("/help", Help()),
        ("/help nick", Help()),
        ("/", Unknown("")),
        ("/ who", Unknown("")),
        ("/dance", Unknown("dance")),
        ("/Dance now", Unknown("Dance")),
        ("/\x1b[2J", Unknown("[2J")),
        ("/" + "x" * 100, Unknown("x" * 32)),
        ("/nickAnn", Unknown("nickAnn")),
    ],
)
def test_typed(typed: str, command: Command) -> None:
    """A slash begins a command, two say one, anything else is said as it is; nothing unknown is said aloud."""
    assert parse_typed(typed) == command


@pytest.mark.parametrize(
    ("typed", "usage"),
    [
        ("/nick", "/nick NAME"),
        ("/nick  ", "/nick NAME"),
        ("/join", "/join ROOM"),
        ("/me", "/me DOES"),
        ("/since", "/since N"),
        ("/since x", "/since N"),
        ("/history -1", "/history N"),
        ("/history 1.5", "/history N"),
        ("/history 1e3", "/history N"),
        ("/history 5 6", "/history N"),
        ("/history ²", "/history N"),
        ("/history ５", "/history N"),
        ("/history " + "9" * 16, "/history N"),
        ("/since " + "9" * 5000, "/since N"),
    ],
)
def test_bad_arguments(typed: str, usage: str) -> None:
    """A missing argument or one that is no number is answered with how it is done."""
    with pytest.raises(Refused) as refused:
        parse_typed(typed)
    assert (refused.value.code, refused.value.about) == (Code.BAD_REQUEST, "usage")
    assert refused.value.params == {"usage": usage}


@pytest.mark.parametrize("name", ["text", "simple", "scream"])
def test_binary_ends_it(name: str) -> None:
    """Dialects that speak text end the connection with 1003 when binary comes."""
    with pytest.raises(Ended) as ended:
        dialect(name).parser().parse(b"hi", True)
    assert ended.value.why is NOT_TEXT


def test_echo_and_scream() -> None:
    """Echo gives back what came, of the same type; scream gives back capitals with three marks."""
    echo, scream = dialect("echo").parser(), dialect("scream").parser()
    assert echo.parse(b"/nick", False) == (Answer(b"/nick", False),)
    assert echo.parse(b"\xff", True) == (Answer(b"\xff", True),)
    assert scream.parse("straße, 你好".encode(), False) == (Answer("STRASSE, 你好!!!".encode(), False),)
    assert not dialect("echo").chats and not dialect("scream").chats


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hi", Say("hi")),
        ("bye", Leave()),
        (" bye ", Leave()),
        ("bye!", Say("bye!")),
        ("Bye", Say("Bye")),
        ("//bye", Say("/bye")),
        ("/who", Who()),
        ("GET out", Say("GET out")),
        ("你好", Say("你好")),
    ],
)
def test_lines(line: str, command: Command) -> None:
    """A line is something typed; `bye` alone ends politely."""
    assert LineParser().parse(line.encode(), False) == (Asked(None, command),)


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1", b"POST /x HTTP/1.0", b"OPTIONS * HTTP/1.1", b"HEAD /?a HTTP/2"]
)
def test_a_browser_at_the_wrong_door(first: bytes) -> None:
    """A first line of HTTP ends the connection: no web page may talk here through a visitor's browser."""
    with pytest.raises(Ended) as ended:
        LineParser().parse(first, False)
    assert ended.value.why is NOT_A_CHAT
    parser = LineParser()
    parser.parse(b"hi", False)
    assert parser.parse(first, False) == (Asked(None, Say(first.decode())),)  # a person may quote one later


@pytest.mark.parametrize(
    "line", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe4\xbd", b"\xff\xf4"]
)
def test_lines_that_are_no_utf8(line: bytes) -> None:
    """Overlong forms, surrogates, cut characters and telnet's own bytes end the connection with a reason."""
    with pytest.raises(Ended) as ended:
        LineParser().parse(line, False)
    assert ended.value.why is BAD_UTF8


def test_every_dialect_can_be_loaded() -> None:
    """Each row of the registry is the dialect of that name, made once."""
    for name in DIALECTS:
        assert dialect(name).name == name and dialect(name) is dialect(name)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], None),
        (["mqtt"], None),
        (["chat"], ("chat", "simple")),
        (["chat.text"], ("chat.text", "text")),
        (["mqtt", "chat.text", "chat"], ("chat.text", "text")),
        (["chat.v1"], ("chat.v1", "full")),
        (["superchat", "chat"], ("superchat", "full")),
        (["chat", "chat.v1"], ("chat", "simple")),
        (["Chat"], None),
    ],
)
def test_subprotocols(offered: list[str], chosen: tuple[str, str] | None) -> None:
    """The first offered name that we know wins; names are compared exactly."""
    assert by_subprotocol(offered) == chosen
