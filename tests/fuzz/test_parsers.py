"""Whatever comes in: what reads it returns, or raises what it says it raises, and nothing else."""

from __future__ import annotations

import json
import re
import unicodedata

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.config import BadConfig, read_config
from chatservice.dialects.base import SILENT, Asked, Unreadable
from chatservice.dialects.full import TYPES, FullParser
from chatservice.dialects.line import LineParser
from chatservice.dialects.phrases import names
from chatservice.dialects.registry import DIALECTS, dialect
from chatservice.dialects.slash import parse_typed
from chatservice.domain import commands, conduct
from chatservice.domain.errors import BAD_PROTOCOL, BAD_VERSION, Code, Ended, Refused
from chatservice.domain.events import Entered, Entry, Renamed, Said, User
from chatservice.domain.names import clean_room, clean_text, graphemes, nick_key
from chatservice.identity.names import PrecisNames
from chatservice.logs.codec import decode, encode
from chatservice.transports.addresses import is_loopback
from chatservice.transports.endpoints import BadEndpoint, Listener, parse_listener
from chatservice.transports.origins import Origins
from chatservice.transports.surroundings import Manners
from chatservice.transports.wishes import read_wishes
from chatservice.wires.handshake import Denied

quickly = settings(deadline=None, max_examples=200)

# Characters at which something may break: controls, separators, joiners, marks, bidi, braces, markup.
NASTY = "\x00\x1b\n\r\t\x85\u2028\u200d\u200b\u202e\ufe0f\u0301\u3164\ud7ff\U0010ffff{}<>&'\"/\\%:=*@#² ８é張👍"
WORDS = [*NASTY, "/", "/nick ", "/history ", "/since", "/me ", "dm:", "bye", "GET / HTTP/1.1", "\ud800"]
texts = st.one_of(st.text(), st.text(NASTY), st.lists(st.sampled_from(WORDS)).map("".join))
good_texts = texts.map(lambda text: text.replace("\ud800", ""))
users = st.builds(User, st.text("u_0123456789", min_size=1), good_texts)
bodies = st.builds(Said, users, good_texts, st.booleans(), st.none() | good_texts)

COMMANDS = (
    commands.Join,
    commands.Say,
    commands.Rename,
    commands.Who,
    commands.History,
    commands.Help,
    commands.Unknown,
)


@quickly
@given(texts)
def test_typed(text: str) -> None:
    """Anything typed is a command or is refused; only what has no single slash in front is said aloud."""
    try:
        command = parse_typed(text)
    except Refused:
        assert text.startswith("/")
        return
    assert isinstance(command, COMMANDS)
    if isinstance(command, commands.Say) and not command.action:
        assert command.text == (text[1:] if text.startswith("//") else text)
    if isinstance(command, commands.Unknown):
        assert "\x1b" not in command.name and len(command.name) <= 32
    if isinstance(command, commands.History):
        assert command.last >= 0 and (command.since is None or command.since >= 0)


@quickly
@given(st.lists(st.one_of(st.binary(), good_texts.map(str.encode)), max_size=5))
def test_lines(lines: list[bytes]) -> None:
    """Any lines are commands, are refused, or end the connection with a reason that has words."""
    parser = LineParser()
    for line in lines:
        try:
            (asked,) = parser.parse(line, False)
        except (Unreadable, Ended):
            continue
        assert isinstance(asked, Asked) and asked.id is None
        assert isinstance(asked.command, (*COMMANDS, commands.Leave))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | good_texts | st.just({}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(good_texts, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = """id v room rooms text nick token resume caps last since epoch seq cid reply meta ref rev emoji on q
before after around limit status action user for_s value reason"""
members = st.dictionaries(st.sampled_from(re.findall(r"\w+", MEMBERS)), values, max_size=6)
objects = st.builds(lambda kind, rest: {"type": kind} | rest, st.sampled_from([*TYPES, "x"]) | values, members)


@quickly
@given(st.lists(st.one_of(objects.map(json.dumps).map(str.encode), good_texts.map(str.encode)), max_size=5))
def test_objects(frames: list[bytes]) -> None:
    """Any text on chat.v1 is one command, is refused with words that exist, or ends the connection."""
    parser = FullParser()
    for frame in frames:
        try:
            (asked,) = (item for item in parser.parse(frame, False) if isinstance(item, Asked))
        except Unreadable as unreadable:
            assert unreadable.refusal.about in names()
            continue
        except Ended as ended:
            assert ended.why in (BAD_PROTOCOL, BAD_VERSION)
            return
        assert type(asked.command) in conduct.COMMANDS
        assert asked.id is SILENT or type(asked.id) in (int, str)


@quickly
@given(texts)
def test_nicks(wish: str) -> None:
    """Any nick that is taken is short, printable, clean already, and not to be imitated by what nobody sees."""
    try:
        nick = PrecisNames().clean(wish)
    except Refused:
        return
    assert PrecisNames().clean(nick) == nick and unicodedata.is_normalized("NFKC", nick)
    assert 1 <= graphemes(nick) <= 32 and len(nick.encode()) <= 128
    assert nick.replace("\u200d", "").isprintable()
    assert nick[0] not in "*@/# " and nick[-1] != " " and "  " not in nick
    assert nick_key(nick) == nick_key(f"{nick}\ufe0f")
    assert PrecisNames().looks(nick) & PrecisNames().looks(nick.swapcase())


@quickly
@given(texts)
def test_rooms(wish: str) -> None:
    """Any room name that is taken is short, printable and clean already."""
    try:
        room = clean_room(wish)
    except Refused:
        return
    assert clean_room(room) == room
    assert 1 <= len(room) <= 64 and len(room.encode()) <= 200 and not room.startswith(("@", "dm:"))
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in room)


@quickly
@given(st.one_of(texts, texts.map(lambda text: text * 500)))
def test_texts(typed: str) -> None:
    """Any text that is said is short, clean already, and holds no control characters but tab and newline."""
    try:
        said = clean_text(typed)
    except Refused:
        assert len(typed) > 4000
        return
    assert clean_text(said) == said and len(said) <= 4000
    assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in said)


endpoints = st.lists(
    st.sampled_from(
        ["tcp", "tcp6", "ssl", "unix", ":", ":", "=", "\\", "8080", "interface", "privateKey", "::1", "/k"]
    )
    | texts,
    max_size=10,
).map("".join)


@quickly
@given(st.one_of(endpoints, texts))
def test_listeners(said: str) -> None:
    """Any listener string is a listener or is refused; none listens more widely than it says."""
    try:
        listener = parse_listener(said)
    except BadEndpoint:
        return
    assert isinstance(listener, Listener)
    if listener.port is not None:
        assert 0 <= listener.port <= 65535
        assert listener.host or "interface" not in said
        listener.url("http")


@quickly
@given(st.dictionaries(st.sampled_from(["listen", "line", "self-signed", "store", "lang", "default-room"]), texts))
def test_settings(said: dict[str, str]) -> None:
    """Any words in the environment are settings or one line about what is wrong."""
    environment = {"CHAT_" + name.upper().replace("-", "_"): value for name, value in said.items()}
    try:
        read_config({}, environment)
    except BadConfig as bad:
        assert str(bad)


@quickly
@given(
    st.one_of(st.sampled_from(["/", "/v1", "/text", "/echo", "/x"]), texts),
    st.dictionaries(
        st.sampled_from(["room", "nick", "last", "since", "epoch", "lang", "escape", "token"]),
        st.lists(st.one_of(texts, st.integers().map(str)), max_size=2),
    ),
    st.lists(st.one_of(st.sampled_from(["chat", "chat.v1", "superchat", "chat.text", "x"]), texts), max_size=3),
    st.booleans(),
)
def test_wishes(path: str, query: dict[str, list[str]], offered: list[str], loopback: bool) -> None:
    """Any handshake has wishes within bounds, or is denied without the peer's words."""
    try:
        wishes = read_wishes(path, query, offered, Manners("en", "simple", "lobby", loopback))
    except Denied as denied:
        assert denied.status in (400, 404)
        assert denied.reason in (
            "no WebSocket here; there is one at / /v1 /text /echo /scream /wire",
            "unknown subprotocol; known are chat.v1 superchat chat chat.text",
        )
        return
    assert wishes.dialect in DIALECTS and wishes.lang in ("en", "zh-CN")
    assert 0 <= wishes.join.last <= 200
    assert wishes.join.since is None or 0 <= wishes.join.since.seq <= 2**53


@quickly
@given(
    st.one_of(texts, st.tuples(st.sampled_from(["http://", "https://", "file:"]), texts).map("".join)),
    texts,
    st.booleans(),
)
def test_origins(origin: str, host: str, loopback: bool) -> None:
    """Any Origin and Host are judged."""
    assert Origins().allow(origin, host, loopback=loopback) in (True, False)
    assert is_loopback(host) in (True, False)


@quickly
@given(bodies)
def test_codec(body: Said) -> None:
    """Whatever can be said is read back as it was written."""
    assert decode(encode(body)) == body


@quickly
@given(
    st.one_of(st.binary(), st.recursive(st.none() | st.integers(-9, 9) | st.text(), st.lists).map(orjson.dumps))
)
def test_codec_of_what_is_not_ours(stored: bytes) -> None:
    """Bytes that no version of ours wrote are refused with ValueError."""
    with pytest.raises(ValueError):
        decode(stored)


@quickly
@given(bodies, good_texts, st.sampled_from(sorted(DIALECTS)), st.sampled_from(["en", "zh-CN"]), st.booleans())
def test_voices(body: Said, word: str, name: str, lang: str, escape: bool) -> None:
    """Every dialect can tell whatever happens, and what it tells is what it should be."""
    voice = dialect(name).voice(lang, escape)
    said = voice.encode(Entry("lobby", 1, "e", 2, body))
    (refusal,) = voice.answer(None, Refused(Code.UNKNOWN_TYPE, "unknown_command", params={"name": word}))
    others = [
        voice.encode(Entered("lobby", body.user, 1)),
        voice.encode(Renamed("lobby", body.user, word)),
        refusal,
    ]
    assert said is not None
    if name in ("simple", "full"):
        fields = orjson.loads(said)
        assert (fields["text"], fields["from"]["nick"]) == (body.text, body.user.nick)
    for told in (said, *others):
        assert told is not None
        if name == "line":
            assert b"\n" not in told
        if name == "simple":
            assert orjson.loads(told)["type"] in ("enter", "message", "leave")
        if name == "full":
            assert orjson.loads(told)["type"] in ("enter", "message", "nick", "error")
        elif escape:
            shown = orjson.loads(told)["data"] if name == "simple" else told.decode()
            assert not set(shown) & set("<>\"'")
