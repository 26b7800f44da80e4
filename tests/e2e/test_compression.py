"""permessage-deflate with clients that others wrote, and bombs against a real process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from wire.deflated import OFFER, deflated

from e2e.conftest import Serve
from e2e.measuring import peak_kib
from e2e.peers import ProgramPeer, WebSocketPeer
from e2e.raw import TEXT, close_code_after, frame
from e2e.server import Server

LONG = ("some words that come again and again " * 30).strip()
WS_CLIENT = Path(__file__).parents[1] / "pages" / "ws-client.js"


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server that compresses."""
    return serve("--compression", "--insecure-no-limits")


def test_three_kinds_of_clients_in_one_room(server: Server) -> None:
    """`websockets`, `ws` and one without compression hear each other's long and short words."""
    address = server.socket_url("/text")
    with (
        WebSocketPeer(address) as ann,
        WebSocketPeer(address, compression=None) as bob,
        ProgramPeer("node", WS_CLIENT, address, json.dumps({"threshold": 0})) as cem,
    ):
        cem.until(lambda heard: heard and heard[0] == "agreed: permessage-deflate")
        assert [extension.name for extension in ann.connection.protocol.extensions] == ["permessage-deflate"]
        assert bob.connection.protocol.extensions == []
        for one, words in ((ann, LONG + " a"), (bob, LONG + " b"), (cem, LONG + " c"), (cem, "short"), (ann, "")):
            one.say(words)
            for other in (ann, bob, cem):
                if words:
                    other.hears(words)


@pytest.mark.parametrize("server_bits", [None, 8, 9, 12, 15])
@pytest.mark.parametrize("client_bits", [None, True, 9])
def test_every_window_of_websockets(
    shared_compressing: Server, server_bits: int | None, client_bits: int | bool | None
) -> None:
    """Whatever windows `websockets` asks for, it gets in and its words come through; for one of 8 bits it gets no
    compression."""
    offer = ClientPerMessageDeflateFactory(
        server_max_window_bits=server_bits, client_max_window_bits=client_bits, compress_settings={"memLevel": 5}
    )
    with WebSocketPeer(shared_compressing.socket_url("/text"), extensions=[offer], compression=None) as one:
        assert len(one.connection.protocol.extensions) == (0 if server_bits == 8 else 1)
        for number in range(3):
            one.say(f"{LONG} {number}")
            one.hears(f"{LONG} {number}")


@pytest.mark.parametrize(
    ("option", "agreed"),
    [
        (False, ""),
        (True, "permessage-deflate"),
        ({"serverMaxWindowBits": 8}, ""),
        ({"serverMaxWindowBits": 10}, "permessage-deflate"),
        ({"serverMaxWindowBits": 13, "clientMaxWindowBits": 9}, "permessage-deflate"),
        ({"serverNoContextTakeover": True, "clientNoContextTakeover": True, "threshold": 0}, "permessage-deflate"),
    ],
)
def test_every_wish_of_ws(shared_compressing: Server, option: object, agreed: str) -> None:
    """Whatever the package `ws` asks for, it gets in and its words come through."""
    with ProgramPeer(
        "node", WS_CLIENT, shared_compressing.socket_url("/text", room=str(option)[:60]), json.dumps(option)
    ) as one:
        one.hears(f"agreed: {agreed}")
        for number in range(3):
            one.say(f"{LONG} {number}")
            one.hears(f"{LONG} {number}")


@pytest.fixture(scope="module")
def shared_compressing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that compresses, for tests that do not care what else was said there."""
    with Server(tmp_path_factory.mktemp("compressing"), "--compression", "--insecure-no-limits") as server:
        yield server


def test_bombs_do_not_move_the_memory(server: Server) -> None:
    """Sixty bombs of ten megabytes, whole and in pieces, close with 1009; the peak of the memory stays flat."""
    data = deflated(bytes(10_000_000))

    def bomb(piece: int) -> bytes:
        pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
        first = frame(TEXT, pieces[0], first_bits=0xC0 if len(pieces) == 1 else 0x40)
        rest = [frame(0, part, first_bits=0x80 if part is pieces[-1] else 0) for part in pieces[1:]]
        return first + b"".join(rest)

    def throw(piece: int) -> int | None:
        name, value = OFFER.split(": ")
        return close_code_after(server.web_port, "/text", bomb(piece), **{name.replace("-", "_"): value})

    assert [throw(piece) for piece in (len(data), 1000, 1)] == [1009] * 3
    before = peak_kib(server.pid)
    assert [throw(piece) for piece in (len(data), 1000, 1) * 19] == [1009] * 57
    assert peak_kib(server.pid) - before < 4096
    with WebSocketPeer(server.socket_url("/text")) as one:
        one.say("still here")
        one.hears("still here")
