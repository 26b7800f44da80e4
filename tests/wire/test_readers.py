"""Those who read a room over HTTP: when their reading ends, and that it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakePeer, FakeTransport, entry

from chatservice.domain.accounts import Account
from chatservice.domain.commands import Join, Moderate, Say
from chatservice.domain.conduct import handle
from chatservice.domain.errors import RESTART
from chatservice.domain.events import Truncated
from chatservice.domain.limits import MESSAGES
from chatservice.domain.promise import Promise
from chatservice.domain.rates import RATES, Kind
from chatservice.domain.session import Session
from chatservice.transports.api_events import EXPORT_COST
from chatservice.transports.surroundings import VISITOR_S
from wire.house import House, read_answer

BASE = "/api/rooms/lobby/events"


def ask(house: House, path: str, *headers: str, method: str = "GET") -> FakeTransport:
    """A request that may wait for its answer."""
    transport = house.connect(house.door)
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost:8080", *headers]
    house.feed(transport, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return transport


def stream(house: House) -> FakeTransport:
    return ask(house, BASE, "Accept: text/event-stream")


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_who_is_thrown_out_reads_no_more(house: House, action: str) -> None:
    """A stream and a waiting poll of somebody thrown out end at once, and leave nothing behind."""
    streaming, polling = stream(house), ask(house, BASE + "?wait=60")
    streaming.take()
    assert polling.take() == b""
    (reader,) = house.hub.sessions
    mod = Session(house.hub, FakePeer(), "127.0.0.1:1")
    mod.user.role = "mod"
    for command in (Join("lobby"), Moderate("lobby", action, reader)):
        handle(mod, command)
        house.pump.run()
    assert streaming.take().endswith(b"0\r\n\r\n")
    assert read_answer(polling.take()).status == 200
    handle(mod, Say("is anybody there?", room="lobby"))
    house.pump.run()
    assert streaming.take() == b""


def test_a_restart_is_told(house: House) -> None:
    """When the service ends, a stream says `bye` and a poll answers: both come back to the next process."""
    streaming, polling = stream(house), ask(house, BASE + "?wait=60")
    streaming.take()
    house.hub.end_readers(RESTART)
    house.pump.run()
    told = streaming.take()
    assert b'{"type":"bye","code":"shutdown","reconnect":true' in told and told.endswith(b"0\r\n\r\n")
    answer = read_answer(polling.take())
    assert answer.status == 200 and answer.headers["chat-recovered"] == "true"
    streaming.lose()
    polling.lose()
    assert house.hub.rooms == {}


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
def test_head(house: House, accept: str) -> None:
    """HEAD answers the headers at once and waits for nothing."""
    transport = ask(house, BASE + "?wait=60", f"Accept: {accept}", method="HEAD")
    answer = read_answer(transport.take())
    assert answer.status == 200 and answer.body == b"" and answer.headers["chat-recovered"] == "true"
    transport.lose()
    assert house.hub.rooms == {}


@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_drips(house: House, length: str) -> None:
    """A body that comes byte by byte has as long as a request head, then the connection is cut off."""
    transport = house.connect(house.door)
    head = f"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost:8080\r\n{length}\r\n\r\n"
    house.feed(transport, head.encode())
    for _ in range(9):
        house.wait(1)
        house.feed(transport, b"x" if "1000" in length else b"1\r\nx\r\n")
        assert not transport.aborted
    house.wait(3)
    assert transport.aborted


def test_a_body_that_came(house: House) -> None:
    """A body that came in time leaves no deadline behind on a connection that is kept alive."""
    transport = house.connect(house.door)
    post = "POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 2\r\n\r\nhi"
    house.feed(transport, post.encode())
    assert json.loads(read_answer(transport.take()).body)["seq"] == 1
    assert len(house.around.handshakes) == 0
    house.wait(12)
    assert not transport.aborted


@pytest.mark.parametrize(
    ("method", "what", "allow"),
    [("GET", "messages", "POST"), ("POST", "events", "GET, HEAD"), ("POST", "export", "GET, HEAD")],
)
def test_the_wrong_method(house: House, method: str, what: str, allow: str) -> None:
    """An address that is there says by which method."""
    answer = read_answer(ask(house, f"/api/rooms/lobby/{what}", method=method).take())
    assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_half_a_position(house: House) -> None:
    """A number without an epoch is no position, but for 0; what is no number is refused."""
    transport = house.connect(house.door)
    post = "POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 2\r\n\r\nhi"
    house.feed(transport, post.encode())
    for after, recovered, events in ((1, False, 0), (0, True, 1)):
        body = read_answer(ask(house, f"{BASE}?after={after}").take()).body
        found = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
        assert (found["recovered"], len(found["events"])) == (recovered, events)
    assert read_answer(ask(house, f"{BASE}?after=x").take()).status == 400


@pytest.mark.parametrize(("after", "reason", "events"), [(0, "truncated", 1), (None, "gone", 0)])
def test_a_tail_that_is_lost_while_one_waits(house: House, after: int | None, reason: str, events: int) -> None:
    """A poll that waits through a lost tail says so, and tells what came after it, if it can."""
    polling = ask(house, BASE + "?wait=60")
    house.hub.rooms["lobby"].fan_out(Truncated("lobby", after, "e2", after or 0))
    if events:
        house.hub.rooms["lobby"].fan_out(entry(1))
    house.pump.run()
    body = read_answer(polling.take()).body
    found = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
    assert (found["recovered"], found["reason"], len(found["events"])) == (False, reason, events)
    assert found.get("valid") == after


def test_reading_too_fast() -> None:
    """Reading over HTTP is slowed down with all else that is looked up, an export counts as twenty; 429 tells for
    how long, and saying something goes on."""
    house = House(messages=MESSAGES)
    exports = RATES[Kind.RESYNC].burst // EXPORT_COST
    answers = [read_answer(ask(house, "/api/rooms/lobby/export").take()) for _ in range(exports + 1)]
    assert [answer.status for answer in answers] == [200] * exports + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert json.loads(answers[-1].body)["limit"] == "resync"
    while read_answer(ask(house, BASE).take()).status == 200:
        pass
    transport = house.connect(house.door)
    body = b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
    house.feed(transport, body)
    assert read_answer(transport.take()).status == 201 and house.troubles == []


WAYS = {
    "stream": ("GET /api/rooms/den/events?last=5", "Accept: text/event-stream"),
    "poll": ("GET /api/rooms/den/events?last=5&wait=60", "Accept: */*"),
}


def open_slowly(house: House, way: str, token: str, deed: Callable[[], object]) -> FakeTransport:
    """A reading that begins; `deed` is done while the log is asked what was said."""
    log: Any = house.hub.log
    history = log.history

    def slowly(*args: Any, **more: Any) -> Promise[Any]:
        answer: Promise[Any] = Promise()

        def answered(done: Promise[Any]) -> None:
            deed()
            answer.resolve(done.result())

        history(*args, **more).then(answered)
        return answer

    log.history = slowly
    line, accept = WAYS[way]
    transport = house.connect(house.door)
    lines = [f"{line} HTTP/1.1", "Host: localhost", accept, f"Authorization: Bearer {token}"]
    house.feed(transport, ("\r\n".join(lines) + "\r\n\r\n").encode())
    del log.history
    return transport


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("deed", ["end", "demote", "ban", "kick", "private"])
def test_rights_that_end_while_a_reading_begins(way: str, deed: str) -> None:
    """Who loses the right to read while it is asked what to tell first is told nothing, and listens to nothing."""
    house = House(signed=True)
    mia = Account("u_m", "Mia", "member" if deed == "private" else "mod", "$", 1, 0)
    house.hub.registered(mia)
    owner = Session(house.hub, FakePeer(), "127.0.0.1:1")
    owner.user.role = "owner"
    handle(owner, Join("den"))
    house.pump.run()
    if deed == "demote":
        handle(owner, Moderate("den", "private", value="on"))
        house.pump.run()

    def do() -> None:
        match deed:
            case "end":
                house.hub.registered(replace(mia, generation=2))
            case "demote":
                house.hub.registered(replace(mia, role="member"))
            case "private":
                handle(owner, Moderate("den", "private", value="on"))
            case _:
                handle(owner, Moderate("den", deed, "u_m"))
        house.pump.run()

    transport = open_slowly(house, way, house.passes.issue_for(mia), do)
    answer = read_answer(transport.take())
    assert answer.status == (401 if deed == "end" else 403) and b"event-stream" not in answer.body
    assert house.hub.rooms["den"].here.readers() == [] and house.troubles == []


def test_a_reader_whose_rights_end() -> None:
    """A moderator who is none any more hears no more of a private room, by HTTP either, though it reads for longer
    than visitors are remembered."""
    house = House(signed=True)
    mia = Account("u_m", "Mia", "mod", "$", 1, 0)
    house.hub.registered(mia)
    owner = Session(house.hub, FakePeer(), "127.0.0.1:1")
    owner.user.role = "owner"
    for command in (Join("den"), Moderate("den", "private", value="on")):
        handle(owner, command)
        house.pump.run()
    transport = open_slowly(house, "stream", house.passes.issue_for(mia), lambda: None)
    transport.take()
    house.wait(2 * VISITOR_S)
    assert house.hub.rooms["den"].here.readers("u_m") != []
    house.hub.registered(replace(mia, role="member"))
    house.pump.run()
    assert transport.take().endswith(b"0\r\n\r\n") and house.hub.rooms["den"].here.readers() == []
    house.wait(2 * VISITOR_S)
    assert house.hub.roster.find("u_m") is None and house.troubles == []
