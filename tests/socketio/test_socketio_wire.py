"""What a Socket.IO client may expect, over real WebSockets (socket.io-protocol, revision 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from .wire import Application, Frames, Stopwatch

PATH = "/socket.io/"


@pytest.fixture
def opened(application: Application) -> Iterator[Frames]:
    """A WebSocket with an open Engine.IO session of version 4."""
    client = application.websocket(4, PATH)
    client.get()
    yield client
    client.close()


@pytest.fixture
def joined(opened: Frames) -> Frames:
    """The same, connected to `/`."""
    opened.send("40")
    opened.get()
    opened.get()
    return opened


def parsed(text: str | bytes, prefix: str) -> Any:
    assert isinstance(text, str) and text.startswith(prefix), text
    return orjson.loads(text[len(prefix) :])


@pytest.mark.parametrize(
    ("sent", "prefix", "auth"),
    [
        ("40", "", {}),
        ('40{"token":"123"}', "", {"token": "123"}),
        ("40/custom,", "/custom,", {}),
        ("40/custom", "/custom,", {}),
        ('40/custom,{"token":"abc"}', "/custom,", {"token": "abc"}),
    ],
)
def test_connect(opened: Frames, sent: str, prefix: str, auth: object) -> None:
    """A connect is answered with a socket id, which is not the session's, and what was sent as auth comes back."""
    with Stopwatch():
        opened.send(sent)
        assert set(parsed(opened.get(), f"40{prefix}")) == {"sid"}
        assert opened.get() == f'42{prefix}["auth",{orjson.dumps(auth).decode()}]'


def test_unknown_namespace(opened: Frames) -> None:
    """An unknown namespace is refused in the reference's words."""
    with Stopwatch():
        opened.send("40/random")
        assert opened.get() == '44/random,{"message":"Invalid namespace"}'


def test_nonsense_before_connect(opened: Frames) -> None:
    """A packet that is none closes the connection before the connect."""
    with Stopwatch():
        opened.send("4abc")
        assert opened.closes()


@pytest.mark.parametrize(
    "bad", ["4abc", "42{}", '42abc["message-with-ack",1]', '42["connect"]', "40", "43[]", "47"]
)
def test_nonsense_after_connect(joined: Frames, bad: str) -> None:
    """A packet that is none, or not one for here and now, closes the connection after it as well."""
    with Stopwatch():
        joined.send(bad)
        assert joined.closes()


@pytest.mark.parametrize(
    "frames", [("452-[1]", "42[]"), (b"\x01",), ('451-["x",{"_placeholder":true,"num":1}]', b"")]
)
def test_attachments_out_of_place(joined: Frames, frames: tuple[str | bytes, ...]) -> None:
    """Text instead of an attachment, bytes nobody waits for, a placeholder for none: the connection ends."""
    with Stopwatch():
        joined.send(*frames)
        assert joined.closes()


def test_no_connect(opened: Frames) -> None:
    """Who joins no namespace is sent away after the connect timeout."""
    assert opened.closes()


def test_event_for_a_namespace_not_joined(joined: Frames) -> None:
    """An event for a namespace that was not joined closes the connection."""
    with Stopwatch():
        joined.send('42/custom,["message",1]')
        assert joined.closes()


def test_disconnect(joined: Frames) -> None:
    """A disconnect is not answered and the connection stays: the next frame answers what is asked next."""
    with Stopwatch():
        joined.send("41", "40/custom")
        assert set(parsed(joined.get(), "40/custom,")) == {"sid"}


def test_disconnect_from_one_namespace(joined: Frames) -> None:
    """After leaving one namespace the other works, and nothing is said of the leave."""
    joined.send("40/custom")
    joined.get(), joined.get()
    with Stopwatch():
        joined.send("41/custom", '42["message",1]')
        assert joined.get() == '42["message-back",1]'


def test_message(joined: Frames) -> None:
    """Arguments come back compact and with their keys in order."""
    with Stopwatch():
        joined.send('42["message",1,"2",{"3":[true],"1":null}]')
        assert joined.get() == '42["message-back",1,"2",{"3":[true],"1":null}]'


def test_binary_message(joined: Frames) -> None:
    """Bytes come back as attachments."""
    with Stopwatch():
        joined.send(
            '452-["message",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]',
            b"\x01\x02",
            b"\x03",
        )
        assert joined.get() == (
            '452-["message-back",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]'
        )
        assert [joined.get(), joined.get()] == [b"\x01\x02", b"\x03"]


def test_acknowledgement(joined: Frames) -> None:
    """An acknowledgement has the id that was asked with."""
    with Stopwatch():
        joined.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        assert joined.get() == '43456[1,"2",{"3":[false]}]'


def test_binary_acknowledgement(joined: Frames) -> None:
    """An acknowledgement may hold bytes."""
    with Stopwatch():
        joined.send(
            '452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
            b"\x01",
            b"\x02",
        )
        assert joined.get() == '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        assert [joined.get(), joined.get()] == [b"\x01", b"\x02"]


def test_cut_emoji(joined: Frames) -> None:
    """A lone surrogate, as browsers send it, is replaced and ends nothing."""
    with Stopwatch():
        joined.send('42["message","\\ud83d"]')
        assert joined.get() == '42["message-back","\ufffd"]'


def test_version_4_clients(application: Application) -> None:
    """A client of Socket.IO v4 is in `/` unasked, joins others with a query, and is refused with a string."""
    client = application.websocket(3, PATH)
    with Stopwatch():
        client.get()
        assert [client.get(), client.get()] == ["40", '42["auth",{}]']
        client.send("40/custom?token=abc,")
        assert [client.get(), client.get()] == ["40/custom,", '42/custom,["auth",{}]']
        client.send("40/random,")
        assert client.get() == '44/random,"Invalid namespace"'
        client.send('42["message",1]')
        assert client.get() == '42["message-back",1]'
    client.close()
