"""The examples on the wire pages are conversations that really happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from chatservice.dialects.base import Id, Outcome, Voice
from chatservice.dialects.registry import dialect
from chatservice.domain.accounts import Registry
from chatservice.domain.audience import Hearer, hand_out_singly, join_nothing
from chatservice.domain.commands import Rename
from chatservice.domain.errors import Disconnect
from chatservice.domain.events import Event
from chatservice.domain.hub import Hub
from chatservice.domain.limits import MESSAGES
from chatservice.domain.session import Session
from chatservice.domain.trust import Identity
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses
from chatservice.logs.memory import MemoryLog
from chatservice.transports.conversation import Conversation
from chatservice.transports.surroundings import Manners
from chatservice.transports.wishes import read_wishes
from examples import examples, fill_in, matches

PAGES = Path(__file__).parents[2] / "docs" / "wire"


def all_examples() -> Iterator[tuple[str, str, str]]:
    for page in sorted(PAGES.glob("*.md")):
        for number, (lang, example) in enumerate(examples(page, "wire"), 1):
            yield f"{page.name}-{number}", lang or "en", example


class Ids:
    def __init__(self) -> None:
        self.count = 0

    def token(self) -> str:
        self.count += 1
        return f"token{self.count}"


class Speaker(Hearer):
    """A peer whose frames are kept as text; `connects` in an example makes one."""

    def __init__(self, hub: Hub, address: str, lang: str) -> None:
        self.heard: list[str] = []
        self.ended: Disconnect | None = None
        manners = Manners(lang, "simple", "lobby", loopback=True)
        split = urlsplit("/" if address == "line" else address)
        wishes = read_wishes(split.path, parse_qs(split.query), [], manners)
        spoken = self.spoken = dialect("line" if address == "line" else wishes.dialect)
        self.voice = spoken.voice(wishes.lang, wishes.escape)
        self.format = _Plain(self.voice)
        named = not spoken.has_hello
        session = Session(hub, self, "127.0.0.1:5123", introduced=named) if spoken.chats else None
        self.conversation = Conversation(spoken.parser(), self, session, hub.report)
        if named and wishes.nick:
            self.conversation.perform(Rename(wishes.nick))
        if named:
            self.conversation.perform(wishes.join)

    def speak(self, lang: str | None, *, batches: bool = False) -> None:
        if lang is not None:
            self.voice = self.spoken.voice(lang, False)
            self.format = _Plain(self.voice)

    def send(self, frames: bytes, event: Event | None = None) -> None:
        if self.ended is None:
            self.heard.append(frames.decode())

    def reply(self, id: Id, outcome: Outcome) -> None:
        for payload in self.voice.answer(id, outcome):
            self.send(payload)

    def deliver(self, event: Event) -> None:
        frames = self.format.frames(event)
        if frames is not None:
            self.send(frames)

    def answer(self, payload: bytes, is_binary: bool) -> None:
        self.send(payload)

    def close(self, why: Disconnect) -> None:
        self.heard.append(f"closed {why.own_code}" if self.spoken.has_hello else f"* {why.name}")
        self.ended = why
        self.conversation.end()

    def ponged(self) -> None: ...

    def pause_reading(self) -> None: ...

    resume_reading = pause_reading


class _Plain:
    def __init__(self, voice: Voice) -> None:
        self.frames = voice.encode
        self.own_frames = voice.encode_own
        self.join = join_nothing
        self.hand_out = hand_out_singly


@pytest.mark.parametrize(("lang", "example"), [pytest.param(*rest, id=name) for name, *rest in all_examples()])
def test_example(lang: str, example: str) -> None:
    """What a wire page shows is what happens, line by line, and nothing else is sent."""
    later: list[Callable[[], None]] = []
    troubles: list[BaseException] = []
    now, ids = [1_795_000_000.0], count(1)
    passes = SignedPasses(b"k" * 32, lambda: now[0])
    log = MemoryLog(call_soon=later.append, clock=lambda: now[0], randomness=Ids())
    hub = Hub(
        log,
        clock=lambda: now[0],
        randomness=Ids(),
        registry=Registry(PrecisNames()),
        messages=MESSAGES,
        report=troubles.append,
        passes=passes,
    )
    hub.new_id = lambda: f"u_{next(ids)}"  # type: ignore[method-assign]
    log.start(hub)
    speakers: dict[str, Speaker] = {}
    known = {"OWNER": passes.issue(Identity("u_0", "owner"))}
    for line in example.splitlines():
        name, verb, rest = (*line.split(" ", 2), "")[:3]
        if verb != "←":
            rest = fill_in(rest, known)
        if verb == "connects":
            speakers[name] = Speaker(hub, rest, lang)
        elif verb == "→":
            speakers[name].conversation.receive(rest.replace("\\n", "\n").encode())
        elif verb == "leaves":
            speakers.pop(name).conversation.end()
        elif verb == "seconds":  # `6 seconds later`
            now[0] += float(name)
            hub.tick()
        else:
            assert verb in ("←", "closed"), line
            expected = line.removeprefix(name + " ").removeprefix("← ")
            assert speakers[name].heard, f"nothing came for: {line}"
            got = speakers[name].heard.pop(0).replace("\n", "\\n")
            assert matches(expected, got, known), f"expected {expected}\n     got {got}"
        while later:
            later.pop(0)()
    assert {name: speaker.heard for name, speaker in speakers.items() if speaker.heard} == {}
    assert troubles == []


def test_every_page_has_examples() -> None:
    """No wire page but the overview goes without an executed example."""
    pages = {page.name for page in PAGES.glob("*.md")} - {"README.md", "http.md", "socketio.md", "wire.md"}
    assert list(examples(PAGES / "http.md", "curl")), "tests/e2e/test_http_page.py runs these"
    assert list(examples(PAGES / "wire.md", "told")), "tests/docs/test_wire_page.py runs these"
    assert list(examples(PAGES / "socketio.md", "js")), "tests/e2e/test_socketio.py runs these"
    assert {name.rsplit("-", 1)[0] for name, _, _ in all_examples()} == pages
