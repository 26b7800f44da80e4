"""The export of a room is its log, whole, one JSON object a line, whatever has happened in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson
import pytest
from chat import code
from fakes import FakeTransport
from framed import FramedChat
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GROUNDS, Store

from chatservice.dialects.full_voice import entry
from chatservice.transports import api_events

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf")), min_size=1, max_size=30).filter(str.strip)
DOING = st.tuples(st.sampled_from(("say", "say", "edit", "delete", "react")), st.integers(0, 9), TEXT)


def get(chat: FramedChat, path: str) -> tuple[bytes, bytes]:
    """Head and body of an HTTP answer; chunks are put together (RFC 9112 section 7.1)."""
    transport = FakeTransport()
    transport.protocol = chat.door.buildProtocol(None)
    transport.protocol.makeConnection(transport)
    transport.protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: localhost:8080\r\n\r\n".encode())
    chat.settle()
    head, _, rest = transport.take().partition(b"\r\n\r\n")
    assert b"chunked" in head.lower()
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            assert rest == b"\r\n"
            break
        body += rest[:length]
        assert rest[length : length + 2] == b"\r\n"
        rest = rest[length + 2 :]
    transport.lose()
    return head, body


@pytest.mark.parametrize("kind", sorted(GROUNDS))
@settings(deadline=None, database=None, max_examples=25)
@given(st.lists(DOING, max_size=25))
def test_every_entry_is_a_line(kind: str, doings: list[tuple[str, int, str]]) -> None:
    """Messages, edits, deletions and reactions stand there in the order of their numbers, as chat.v1 shows them;
    deleted words do not."""
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(api_events, "EXPORT_PAGE", 4)  # several pages
        chat = FramedChat(Store(kind, Path(place)))
        ann = chat.enter("ann", "lobby", "attic")
        standing: dict[int, int] = {}
        ann.ask("message", room="attic", text="not this one")
        for what, pick, text in doings:
            refs = sorted(standing)
            if what == "say" or not refs:
                standing[ann.ask("message", room="lobby", text=text)["seq"]] = 0
                continue
            ref = refs[pick % len(refs)]
            if what == "edit":
                assert code(ann.ask("edit", room="lobby", ref=ref, text=text, rev=standing[ref])) == "ok"
                standing[ref] += 1
            elif what == "delete":
                assert code(ann.ask("delete", room="lobby", ref=ref)) == "ok"
                del standing[ref]
            else:
                assert code(ann.ask("react", room="lobby", ref=ref, emoji="👍", on=pick % 2 == 0)) == "ok"
        head, body = get(chat, "/api/rooms/lobby/export")
        assert head.startswith(b"HTTP/1.1 200 ") and b"application/x-ndjson" in head
        assert body == b"" or body.endswith(b"\n")
        page = chat.store.pump.until(chat.store.engine.read("lobby", 0, 10**6))
        assert [orjson.loads(line) for line in body.split(b"\n")[:-1]] == [entry(one) for one in page.entries]
        assert [one.seq for one in page.entries] == list(range(1, page.top + 1))
        chat.stop()
        assert chat.troubles == []
