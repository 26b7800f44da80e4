"""What people type: text, or a command that begins with a slash. For text, simple, line, taught Socket.IO."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatservice.dialects.base import Asked, Parsed, Unreadable
from chatservice.domain.commands import (
    Bans,
    Command,
    Help,
    History,
    Join,
    Login,
    Moderate,
    Rename,
    Retract,
    Say,
    Topic,
    Unknown,
    Who,
)
from chatservice.domain.errors import NOT_TEXT, Code, Ended, Refused
from chatservice.domain.names import clean_text
from chatservice.domain.orders import read_duration


def _number(argument: str, default: int, usage: str) -> int:
    if not argument:
        return default
    if not argument.isascii() or not argument.isdigit() or len(argument) > 15:
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": usage})
    return int(argument)


def _needed(argument: str, usage: str) -> str:
    if not argument:
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": usage})
    return argument


def _on_somebody(action: str, usage: str) -> Callable[[str], Command]:
    return lambda rest: Moderate(None, action, words=_needed(rest, usage))


_OFF, _ON = frozenset({"off", "0", "关"}), frozenset({"", "on", "开"})


def _slow(rest: str) -> Command:
    usage = "/slow 10s, /slow off"
    word = _needed(rest, usage).casefold()
    seconds = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else read_duration(word)
    if word in _OFF:
        seconds = 0
    elif not seconds:
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": usage})
    return Moderate(None, "slow", value=str(seconds))


def _lock(rest: str) -> Command:
    word = rest.casefold()
    if word not in _OFF | _ON:
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": "/lock, /lock off"})
    return Moderate(None, "lock", value="on" if word in _ON else "off")


def _login(rest: str) -> Command:
    """A name may have spaces in it; a password that is typed here may not."""
    name, _, password = rest.rpartition(" ")
    if not name:
        raise Refused(Code.BAD_REQUEST, "usage", params={"usage": "/login NAME PASSWORD"})
    return Login(name.strip(), password)


_COMMANDS: dict[str, Callable[[str], Command]] = {
    "nick": lambda rest: Rename(_needed(rest, "/nick NAME")),
    "join": lambda rest: Join(_needed(rest, "/join ROOM"), last=20, alone=True),
    "who": lambda rest: Who(),
    "history": lambda rest: History(last=_number(rest, 20, "/history N")),
    "since": lambda rest: History(since=_number(_needed(rest, "/since N"), 0, "/since N")),
    "me": lambda rest: Say(_needed(rest, "/me DOES"), action=True),
    "login": _login,
    "help": lambda rest: Help(),
    "delete": lambda rest: Retract(rest),
    "topic": lambda rest: Moderate(None, "topic", value=rest) if rest else Topic(),
    "kick": _on_somebody("kick", "/kick NICK"),
    "ban": _on_somebody("ban", "/ban NICK 1h"),
    "unban": _on_somebody("unban", "/unban NICK"),
    "mute": _on_somebody("mute", "/mute NICK 10m"),
    "unmute": _on_somebody("unmute", "/unmute NICK"),
    "slow": _slow,
    "lock": _lock,
    "bans": lambda rest: Bans(),
}


def parse_typed(text: str) -> Command:
    """The command somebody typed. `//x` says `/x`; an unknown command is never said aloud.

    :raises Refused: `bad_request` when an argument is missing or is no number.
    """
    if not text.startswith("/"):
        return Say(text)
    if text.startswith("//"):
        return Say(text[1:])
    name, _, rest = text[1:].partition(" ")
    make = _COMMANDS.get(name.strip().lower())
    return Unknown(clean_text(name.strip()[:32])) if make is None else make(rest.strip())


class TypedParser:
    """Whole text messages, each of them something typed. Binary ends the connection (1003)."""

    def parse(self, payload: bytes, is_binary: bool) -> Sequence[Parsed]:
        """See `Parser.parse`."""
        if is_binary:
            raise Ended(NOT_TEXT)
        return read_typed(payload.decode())


def read_typed(text: str) -> Sequence[Parsed]:
    """`parse_typed` as a parser answers it.

    :raises Unreadable: when an argument is missing or is no number.
    """
    try:
        return (Asked(None, parse_typed(text)),)
    except Refused as refusal:
        raise Unreadable(refusal) from None
