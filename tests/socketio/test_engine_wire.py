"""What an Engine.IO client may expect, over real connections (SOCKETIO facts, engine.io-protocol 3 and 4)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import orjson
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .wire import Application, Stopwatch

BOTH = pytest.mark.parametrize("version", [3, 4])


@BOTH
def test_handshake_by_polling(application: Application, version: int) -> None:
    """A GET without a sid answers exactly the keys of an open packet."""
    client = application.http(version)
    with Stopwatch():
        hello = client.open()
    assert hello.keys() == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert hello["upgrades"] == ["websocket"]
    assert (hello["pingInterval"], hello["pingTimeout"], hello["maxPayload"]) == (20_000, 15_000, 1_000_000)
    assert len(hello["sid"]) >= 16


@BOTH
def test_handshake_by_websocket(application: Application, version: int) -> None:
    """A WebSocket without a sid gets the open packet, without upgrades."""
    with Stopwatch():
        client = application.websocket(version)
        text = client.get()
    assert isinstance(text, str) and text[0] == "0"
    assert orjson.loads(text[1:])["upgrades"] == []
    client.close()


@pytest.mark.parametrize(
    "query",
    [
        "transport=polling",
        "EIO=abc&transport=polling",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=3&transport=websocket",
    ],
)
def test_bad_handshake_by_polling(application: Application, query: str) -> None:
    """A missing or unknown version or transport is 400."""
    with Stopwatch():
        answer = application.http(4).request(query=query)
    assert answer.status == 400
    assert set(orjson.loads(answer.body)) == {"code", "message"}


@pytest.mark.parametrize(
    "query", ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"]
)
def test_bad_handshake_by_websocket(application: Application, query: str) -> None:
    """On WebSocket the same ends with 400 before the connection is one."""
    with Stopwatch(), pytest.raises(InvalidStatus) as refusal:
        application.frames(f"/engine.io/?{query}")
    assert refusal.value.response.status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
@BOTH
def test_other_methods_without_sid(application: Application, version: int, method: str) -> None:
    """Only GET begins a session."""
    with Stopwatch():
        assert application.http(version).request(method, "").status == 400


@BOTH
def test_put_with_sid(application: Application, version: int) -> None:
    """PUT is nothing, with a sid as well."""
    client = application.http(version)
    client.open()
    assert client.request("PUT", "4x").status == 400


@BOTH
def test_message_by_polling(application: Application, version: int) -> None:
    """What is posted is answered `ok` and comes back by GET."""
    client = application.http(version)
    client.open()
    with Stopwatch():
        answer = client.post(client.packed("4hello"))
    assert (answer.status, answer.body) == (200, b"ok")
    with Stopwatch():
        answer = client.request()
    assert (answer.status, answer.text) == (200, client.packed("4hello"))


@BOTH
def test_messages_in_one_payload(application: Application, version: int) -> None:
    """Several packets in one POST come back in one GET, in order."""
    client = application.http(version)
    client.open()
    packets = ["4test1", "4test2", "4😀 é", "4test3"]
    assert client.post(client.packed(*packets)).text == "ok"
    with Stopwatch():
        assert client.request().text == client.packed(*packets)


def test_binary_by_polling(application: Application) -> None:
    """Bytes are base64 on polling."""
    client = application.http(4)
    client.open()
    client.post("bAQIDBA==\x1e4x")
    with Stopwatch():
        assert client.request().text == "bAQIDBA==\x1e4x"


def test_binary_by_polling_3(application: Application) -> None:
    """A client of version 3 that asked for base64 gets it."""
    client = application.http(3)
    client.more = "&b64=1"
    client.open()
    client.post("10:b4AQIDBA==")
    with Stopwatch():
        assert client.request().text == "10:b4AQIDBA=="


def test_bytes_payload_3(application: Application) -> None:
    """A client of version 3 that did not gets a payload of bytes as soon as one packet is binary, byte by byte."""
    client = application.http(3)
    client.open()
    payload = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"
    assert client.post(payload, Content_Type="application/octet-stream").text == "ok"
    with Stopwatch():
        answer = client.request()
    assert answer.body == payload
    assert answer.headers["content-type"] == "application/octet-stream"


def test_bytes_payload_4(application: Application) -> None:
    """Version 4 has no payloads of bytes: 400, and the session is over."""
    client = application.http(4)
    client.open()
    with Stopwatch():
        assert client.post(b"\x00\x01\xff4", Content_Type="application/octet-stream").status == 400
        assert client.request().status == 400


@BOTH
def test_messages_by_websocket(application: Application, version: int) -> None:
    """Text and bytes come back as frames of their kind."""
    client = application.websocket(version)
    client.get()
    prefix = b"\x04" if version == 3 else b""
    with Stopwatch():
        client.send("4hello", prefix + b"\x01\x02", "4😀")
        assert [client.get() for _ in range(3)] == ["4hello", prefix + b"\x01\x02", "4😀"]
    client.close()


@BOTH
def test_bad_payload(application: Application, version: int) -> None:
    """A payload that is none is 400, and so is the next GET."""
    client = application.http(version)
    client.open()
    with Stopwatch():
        assert client.post("abc").status == 400
        assert client.request().status == 400


@BOTH
def test_bad_frame(application: Application, version: int) -> None:
    """A frame that is no packet closes the WebSocket."""
    client = application.websocket(version)
    client.get()
    with Stopwatch():
        client.send("abc")
        assert client.closes()


@BOTH
def test_two_polls_at_once(application: Application, version: int) -> None:
    """The first of two overlapping polls is told to close, the second refused, and the session is over."""
    client = application.http(version)
    client.open()
    pending = client.get_meanwhile()
    with Stopwatch():
        second = client.request()
        first = pending.answer()
    assert (first.status, first.text) == (200, client.packed("1"))
    assert second.status in (400, 500)
    assert client.request().status == 400


@BOTH
def test_aborted_poll(application: Application, version: int) -> None:
    """A GET that is given up ends the session at once."""
    client = application.http(version)
    client.open()
    client.get_meanwhile().abort()
    # Twisted notices in one of its next turns; a request later the session must be gone.
    client.request(query="probe=1")
    with Stopwatch():
        assert client.request().status == 400


@pytest.fixture(scope="module")
def hasty() -> Iterator[Application]:
    """One that pings every 300 ms, and for which who says nothing for 700 ms more is gone."""
    application = Application(300, 700)
    yield application
    assert application.stop() == ""


def test_heartbeat_4(hasty: Application) -> None:
    """A GET hangs until the ping comes, alone; the pong is accepted; four times."""
    client = hasty.http(4)
    client.open()
    for _ in range(4):
        begun = time.monotonic()
        assert client.request().text == "2"
        assert 0.25 < time.monotonic() - begun < 5
        with Stopwatch():
            assert client.post("3").text == "ok"


def test_heartbeat_3(hasty: Application) -> None:
    """A ping of the client is answered by the next GET; four times."""
    client = hasty.http(3)
    client.open()
    for _ in range(4):
        with Stopwatch():
            assert client.post("1:2").text == "ok"
            assert client.request().text == "1:3"
        time.sleep(0.4)  # the pingInterval itself is under test: without the pings it would be over by now


def test_heartbeat_by_websocket_4(hasty: Application) -> None:
    """On WebSocket the server pings and the client answers; four times."""
    client = hasty.websocket(4)
    client.get()
    for _ in range(4):
        assert client.get() == "2"
        client.send("3")
    client.close()


def test_heartbeat_by_websocket_3(hasty: Application) -> None:
    """On WebSocket a ping of a version 3 client is answered at once."""
    client = hasty.websocket(3)
    client.get()
    for _ in range(4):
        with Stopwatch():
            client.send("2")
            assert client.get() == "3"
    client.close()


def test_silence_by_polling(hasty: Application) -> None:
    """Without a pong the session is over a second after the handshake, to the moment."""
    four, three = hasty.http(4), hasty.http(3)
    three.open()
    four.open()
    time.sleep(1.0)  # pingInterval + pingTimeout is what is under test
    with Stopwatch():
        assert four.request().status == 400
        assert three.post("1:2").status == 400


@BOTH
def test_silence_by_websocket(hasty: Application, version: int) -> None:
    """On WebSocket the connection is closed after a second, not earlier."""
    begun = time.monotonic()
    client = hasty.websocket(version)
    client.get()
    assert client.closes()
    assert 1.0 <= time.monotonic() - begun < 5


@BOTH
def test_close_by_polling(application: Application, version: int) -> None:
    """A close from the client answers its GET with a noop, and the session is over."""
    client = application.http(version)
    client.open()
    pending = client.get_meanwhile()
    with Stopwatch():
        assert client.post(client.packed("1")).text == "ok"
        answer = pending.answer()
        assert (answer.status, answer.text) == (200, client.packed("6"))
        assert client.request().status == 400


@BOTH
def test_close_by_websocket(application: Application, version: int) -> None:
    """A close packet closes the WebSocket."""
    client = application.websocket(version)
    client.get()
    with Stopwatch():
        client.send("1")
        assert client.closes()


@pytest.mark.parametrize(("version", "wrong"), [(3, "3"), (4, "2")])
def test_heartbeat_in_the_wrong_direction(application: Application, version: int, wrong: str) -> None:
    """Who sends the other side's half of the heartbeat is sent away."""
    client = application.http(version)
    client.open()
    with Stopwatch():
        assert client.post(client.packed(wrong)).status == 400
        assert client.request().status == 400


@BOTH
def test_upgrade(application: Application, version: int) -> None:
    """Probe, noop for the waiting poll, switch; then messages flow on the WebSocket and polling is refused."""
    client = application.http(version)
    client.open()
    assert client.sid is not None
    pending = client.get_meanwhile()
    probe = application.websocket(version, sid=client.sid)
    with Stopwatch():
        probe.send("2probe")
        assert probe.get() == "3probe"
        assert pending.answer().text == client.packed("6")
    with Stopwatch():
        assert client.request().text == client.packed("6"), "a poll that was begun after the probe"
    assert client.post(client.packed("4before")).text == "ok"
    with Stopwatch():
        probe.send("5", "4hello")
        assert [probe.get(), probe.get()] == ["4before", "4hello"]
        assert client.request().status == 400
        probe.send("4on")
        assert probe.get() == "4on"
    probe.close()


@BOTH
def test_second_websocket_of_a_session(application: Application, version: int) -> None:
    """A second WebSocket with the same sid is opened and closed; the first lives on."""
    client = application.http(version)
    client.open()
    assert client.sid is not None
    first = application.websocket(version, sid=client.sid)
    first.send("2probe")
    assert first.get() == "3probe"
    with Stopwatch():
        probing = application.websocket(version, sid=client.sid)
        with pytest.raises(ConnectionClosed):
            probing.get()
    first.send("5")
    with Stopwatch():
        second = application.websocket(version, sid=client.sid)
        with pytest.raises(ConnectionClosed):
            second.get()
        first.send("4alive")
        assert first.get() == "4alive"
    first.close()


@BOTH
def test_failed_probe(application: Application, version: int) -> None:
    """A probe that says something else is closed; the session goes on polling."""
    client = application.http(version)
    client.open()
    assert client.sid is not None
    probe = application.websocket(version, sid=client.sid)
    with Stopwatch():
        probe.send("4hello")
        with pytest.raises(ConnectionClosed):
            probe.get()
        client.post(client.packed("4still here"))
        assert client.request().text == client.packed("4still here")


def test_unknown_sid(application: Application) -> None:
    """An unknown sid is 400 with its code, on both transports."""
    client = application.http(4)
    client.sid = "nobody"
    with Stopwatch():
        assert orjson.loads(client.request().body) == {"code": 1, "message": "Session ID unknown"}
    with pytest.raises(InvalidStatus):
        application.websocket(4, sid="nobody")


@BOTH
def test_body_too_long(application: Application, version: int) -> None:
    """A body above maxPayload is 413 before it is there, and the next poll is told to close."""
    import socket

    client = application.http(version)
    client.open()
    with Stopwatch(), socket.create_connection(("127.0.0.1", application.port), timeout=2) as raw:
        raw.sendall(
            f"POST /engine.io/?EIO={version}&transport=polling&sid={client.sid} HTTP/1.1\r\nHost: x\r\n"
            "Origin: http://a.example\r\nContent-Length: 1000001\r\n\r\n".encode()
        )
        head = raw.recv(4096)
    assert head.startswith(b"HTTP/1.1 413 ") and b"Access-Control-Allow-Origin: http://a.example" in head
    assert client.request().text == client.packed("1")
    assert client.request().status == 400


def test_chunked_body_too_long(application: Application) -> None:
    """A body whose length is not said is counted."""
    import socket

    client = application.http(4)
    client.open()
    with socket.create_connection(("127.0.0.1", application.port), timeout=2) as raw:
        raw.sendall(
            f"POST /engine.io/?EIO=4&transport=polling&sid={client.sid} HTTP/1.1\r\nHost: x\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        try:
            for _ in range(40):
                raw.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            head = raw.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            head = b"HTTP/1.1 413 "  # it may be cut while we are still sending
    assert head.startswith(b"HTTP/1.1 413 ")
    assert client.request().text == "1"


def test_frame_too_long(application: Application) -> None:
    """A WebSocket message above maxPayload closes the connection."""
    client = application.websocket(4)
    client.get()
    client.send("4" + "x" * 1_000_001)
    with pytest.raises(ConnectionClosed):
        while True:
            client.get()


def test_cross_origin(application: Application) -> None:
    """The origin is echoed with credentials, on errors too; a preflight is 204."""
    client = application.http(4)
    client.headers = {"Origin": "https://a.example"}
    for answer in (client.request(), client.request(query="EIO=4")):
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"
    preflight = client.request("OPTIONS")
    assert preflight.status == 204 and preflight.body == b""
    assert "POST" in preflight.headers["access-control-allow-methods"]


def test_both_paths(application: Application) -> None:
    """The path without its last slash works as well."""
    client = application.http(4, "/engine.io")
    client.open()
    client.post("4x")
    assert client.request().text == "4x"
    frames = application.websocket(4, "/engine.io")
    assert str(frames.get())[0] == "0"
    frames.close()


def test_zipped_answers(application: Application) -> None:
    """A long answer is compressed for those who take it, a short one and one for others is not."""
    import gzip

    client = application.http(4)
    client.open()
    client.post("4" + "x" * 2000)
    answer = client.request(Accept_Encoding="gzip, deflate")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"4" + b"x" * 2000
    client.post("4" + "x" * 2000)
    assert "content-encoding" not in client.request(Accept_Encoding="br").headers
    client.post("4x")
    assert "content-encoding" not in client.request(Accept_Encoding="gzip").headers


def test_no_cookie_and_no_client_files(application: Application) -> None:
    """By default there is no cookie; client files that are not there are a 404 that says so."""
    client = application.http(4)
    assert "set-cookie" not in client.request().headers
    missing = application.http(4, "/engine.io/socket.io.js").request(query="")
    assert missing.status == 404 and b"without the Socket.IO client files" in missing.body


def test_jsonp_is_off(application: Application) -> None:
    """JSONP is refused unless it was switched on."""
    client = application.http(3)
    client.more = "&j=0"
    assert client.request().status == 400


def test_base64_frames(application: Application) -> None:
    """On a WebSocket a client may send base64, and with b64 it gets it."""
    client = application.websocket(3, b64="1")
    client.get()
    text = "b4" + base64.b64encode(b"\x01\x02").decode()
    with Stopwatch():
        client.send(text)
        assert client.get() == text
    client.close()
