"""Whatever a peer sends ends in an answer or in a close, never in an error of ours."""

from __future__ import annotations

import gc
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from chatservice.socketio import EngineIOServer, Options, Socket, SocketIOServer, SocketSite, any_origin

from .web import Browser

PIECES = st.sampled_from(
    ["0", "1", "2", "3", "4", "5", "6", "40", "41", "42", "43", "45", "451-", "460-", "2probe", "3probe",
     "/custom", ",", "b", "b4", '["message",1]', '["message-with-ack",{"_placeholder":true,"num":0}]', "{}",
     '{"pid":"x","offset":1}', "[]", "12", ":", "5:", "\x1e", "\ud83d", "😀", "null", '["connect"]', '"\\ud83d"',
     "d=", "-", "?a=b"]
)  # fmt: skip
TEXT = st.lists(PIECES, max_size=6).map(lambda pieces: "".join(pieces).encode("utf-8", "replace"))
BODY = TEXT | st.binary(max_size=40) | TEXT.map(lambda text: b"%d:%b" % (len(text), text))
KIND = st.sampled_from(["text/plain", "application/octet-stream", "application/x-www-form-urlencoded", ""])
QUERY = st.sampled_from(
    ["EIO=4&transport=polling", "EIO=3&transport=polling", "EIO=3&transport=polling&j=1",
     "EIO=3&transport=polling&b64=1", "EIO=4", "transport=polling", "EIO=4&transport=websocket",
     "EIO=%ff&transport=polling", "&&&=", ""]
)  # fmt: skip


class World:
    """A Socket.IO application and an echo in memory, with everything switched on."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.errors: list[object] = []
        globalLogPublisher.addObserver(self._hear)
        options: dict[str, Any] = {"jsonp": True, "allowed": any_origin, "max_payload": 300, "max_buffer": 3000}
        more: dict[str, Any] = {"reactor": self.clock, "report": self.errors.append}
        bare = EngineIOServer(Options(path="/engine.io/", **options), **more)
        bare.on("message")(lambda session, data: session.send(data))
        server = SocketIOServer(Options(recovery_s=10.0, **options), **more)
        server.of("/custom")

        @server.on("message")
        def message(socket: Socket, *arguments: Any) -> None:
            server.emit("message-back", *arguments)

        @server.on("message-with-ack")
        def message_with_ack(socket: Socket, *arguments: Any) -> tuple[Any, ...]:
            return arguments

        self.servers = (bare, server)
        self.site = SocketSite(*self.servers, reactor=self.clock, timeout=None)

    def _hear(self, event: LogEvent) -> None:
        """What Twisted would have logged."""
        if event.get("log_level", LogLevel.info) >= LogLevel.error:
            self.errors.append(event.get("log_failure") or event)

    def finish(self) -> None:
        """Some time later nobody is left, and nothing went wrong on our side."""
        for _ in range(700):
            self.clock.advance(0.25)
        gc.collect(0)  # a failure that nobody looked at is logged when its Deferred goes
        globalLogPublisher.removeObserver(self._hear)
        assert self.errors == []
        assert [server.house.sessions for server in self.servers] == [{}, {}]
        assert self.clock.getDelayedCalls() == []


PATH = st.sampled_from(["/engine.io/", "/socket.io/"])


@settings(deadline=None)
@given(
    PATH, QUERY, st.lists(st.tuples(st.sampled_from(["GET", "POST", "PUT", "OPTIONS"]), KIND, BODY), max_size=8)
)
def test_requests(path: str, query: str, requests: list[tuple[str, str, bytes]]) -> None:
    """Any requests of one session are answered, or wait as a poll does."""
    world = World()
    first = Browser(world.site, world.clock)
    first.ask(f"{path}?{query}")
    status, _, _ = first.get()
    assert status in (200, 400)
    sids = [sid for server in world.servers for sid in server.house.sessions]
    address = f"{path}?{query}{'&sid=' + sids[0] if sids else ''}"
    waiting = []
    for method, kind, body in requests:
        browser = Browser(world.site, world.clock)
        browser.ask(address, method, body, Content_Type=kind)
        if method == "GET" and not browser.transport.value():
            waiting.append(browser)
        else:
            assert browser.get()[0] in (200, 204, 400, 413)
    for browser in waiting[:1]:
        browser.lose()
    world.finish()


FRAME = st.tuples(st.sampled_from([0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, 0xC1, 0x83]), BODY)


@settings(deadline=None)
@given(PATH, st.sampled_from([3, 4]), st.lists(FRAME, max_size=8), st.booleans(), st.integers(1, 50))
def test_frames(path: str, version: int, frames: list[tuple[int, bytes]], probes: bool, step: int) -> None:
    """Any frames, in any pieces, on a new session or a probe."""
    world = World()
    sid = ""
    if probes:
        Browser(world.site, world.clock).ask(f"{path}?EIO={version}&transport=polling")
        sid = "&sid=" + next(sid for server in world.servers for sid in server.house.sessions)
    browser = Browser(world.site, world.clock)
    browser.ask(
        f"{path}?EIO={version}&transport=websocket{sid}",
        Upgrade="websocket", Connection="Upgrade",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Version="13",
    )  # fmt: skip
    assert browser.transport.value().startswith(b"HTTP/1.1 101 ")
    data = b""
    for head, body in frames:
        size = bytes((0x80 | len(body),)) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2)
        data += bytes((head,)) + size + bytes(4) + body
    for begin in range(0, len(data), step):
        if not browser.transport.disconnected:
            browser.send(data[begin : begin + step])
    browser.lose()
    world.finish()
