"""The light connection stands for one that Autobahn has set up itself."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from fakes import FakeTransport
from twisted.internet.task import Clock

from chatservice.wires.light import LightWebSocket
from wire.house import House, handshake
from wire.people import WebSocketPerson

NOT_NEEDED = {
    "_listeners",  # of its observers, which we have none of
    "_parent",
    "_results",
    "_valid_events",
    "_transport_details",  # told to nobody
    "peer",
    "connected",  # set by Twisted
    "transport",
    "factory",
    "is_open",  # futures that nobody waits for
    "is_closed",
    "trafficStats",
    "utf8validator",  # made when it is needed
    "send_queue",  # an empty deque
}


def set_up_by_autobahn() -> dict[str, Any]:
    """What a connection of Autobahn's holds before its handshake."""
    factory = WebSocketServerFactory(reactor=Clock())
    factory.setProtocolOptions(openHandshakeTimeout=0)
    protocol = WebSocketServerProtocol()
    protocol.factory = factory
    protocol.makeConnection(FakeTransport())
    return {name: value for name, value in vars(protocol).items() if name not in protocol.CONFIG_ATTRS}


def test_the_class_says_what_autobahn_would_have_set() -> None:
    """What Autobahn sets on a new connection has the same value on ours, or is known not to matter."""
    theirs = set_up_by_autobahn()
    assert len(theirs) > 30
    for name, value in theirs.items():
        if name not in NOT_NEEDED:
            assert getattr(LightWebSocket, name) == value, name


def test_every_option_is_decided() -> None:
    """No option of Autobahn's is left to chance."""
    for name in WebSocketServerProtocol.CONFIG_ATTRS:
        if name not in (
            "tcpNoDelay",
            "perMessageCompressionAccept",
            "serveFlashSocketPolicy",
            "flashSocketPolicy",
        ) and not (
            name.startswith("allow") or name in ("maxConnections", "trustXForwardedFor")  # judged in the handshake
        ):
            assert hasattr(LightWebSocket, name), name


def test_a_connection_holds_little(house: House) -> None:
    """An open connection has few attributes of its own, and none of the request it came with."""
    one = WebSocketPerson(house, "/echo?secret=pass", "User-Agent: someone")
    [protocol] = house.chat.peers
    assert len(vars(protocol)) < 20, sorted(vars(protocol))
    assert not any("secret" in repr(value) or "someone" in repr(value) for value in vars(protocol).values())
    one.leave()


def test_refused_and_still_talking(house: House) -> None:
    """What a refused peer sends on is not kept."""
    transport = house.connect(house.door)
    house.feed(transport, handshake("/nowhere"))
    for _ in range(100):
        house.feed(transport, b"x" * 1000)
    assert transport.protocol.data == b""
