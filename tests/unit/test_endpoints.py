"""Listener strings."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactor

from chatservice.transports.endpoints import BACKLOG, BadEndpoint, check_apart, own_address, parse_listener


@pytest.mark.parametrize(
    ("said", "endpoint", "host", "port", "loopback"),
    [
        ("tcp:8080", f"tcp:8080:backlog={BACKLOG}", "", 8080, False),
        ("tcp:0", f"tcp:0:backlog={BACKLOG}", "", 0, False),
        ("tcp:port=8080", f"tcp:8080:backlog={BACKLOG}", "", 8080, False),
        (
            "tcp:8080:interface=127.0.0.1",
            f"tcp:8080:interface=127.0.0.1:backlog={BACKLOG}",
            "127.0.0.1",
            8080,
            True,
        ),
        (
            "tcp:8080:interface=127.0.0.9:backlog=5",
            "tcp:8080:interface=127.0.0.9:backlog=5",
            "127.0.0.9",
            8080,
            True,
        ),
        (
            "tcp:8080:interface=localhost",
            f"tcp:8080:interface=localhost:backlog={BACKLOG}",
            "localhost",
            8080,
            True,
        ),
        ("tcp:8080:interface=10.0.0.1", f"tcp:8080:interface=10.0.0.1:backlog={BACKLOG}", "10.0.0.1", 8080, False),
        (r"tcp:8080:interface=\:\:1", rf"tcp6:8080:interface=\:\:1:backlog={BACKLOG}", "::1", 8080, True),
        ("tcp6:8080", rf"tcp6:8080:interface=\:\::backlog={BACKLOG}", "::", 8080, False),
        (r"tcp6:8080:interface=\:\:1", rf"tcp6:8080:interface=\:\:1:backlog={BACKLOG}", "::1", 8080, True),
        ("tcp4:8080", f"tcp:8080:backlog={BACKLOG}", "", 8080, False),
    ],
)
def test_tcp(said: str, endpoint: str, host: str, port: int, loopback: bool) -> None:
    """TCP listeners are understood in all of Twisted's spellings; whether they are open to others is known."""
    listener = parse_listener(said)
    assert (listener.endpoint, listener.host, listener.port) == (endpoint, host, port)
    assert (listener.loopback, listener.is_tls) == (loopback, False)
    listener.open(MemoryReactor())


@pytest.mark.parametrize(
    ("said", "key", "certificate"),
    [
        ("ssl:8443:privateKey=/k.pem:certKey=/c.pem", "/k.pem", "/c.pem"),
        ("ssl:8443:privateKey=/both.pem", "/both.pem", "/both.pem"),
        (r"ssl:8443:privateKey=/a\:b\\c.pem:certKey=/d\=e.pem", "/a:b\\c.pem", "/d=e.pem"),
        ("ssl:port=8443:certKey=/c.pem:privateKey=/k.pem:interface=127.0.0.1", "/k.pem", "/c.pem"),
    ],
)
def test_ssl(said: str, key: str, certificate: str) -> None:
    """An ssl: listener is a TCP endpoint with files of its own; a backslash quotes in their names."""
    listener = parse_listener(said)
    assert (listener.key, listener.certificate, listener.port) == (Path(key), Path(certificate), 8443)
    assert listener.is_tls and listener.endpoint.startswith("tcp:8443:")
    listener.open(MemoryReactor())


@pytest.mark.parametrize("said", ["unix:/run/chat.sock", "unix:/a:mode=600"])
def test_other_endpoints_are_twisteds(said: str) -> None:
    """Any other endpoint string goes to Twisted as it is; it is no TCP port and not open to this computer only."""
    listener = parse_listener(said)
    assert (listener.endpoint, listener.host, listener.port, listener.loopback) == (said, None, None, False)
    listener.check_free()
    assert listener.url("http") == said


def test_a_unix_endpoint_can_be_opened() -> None:
    """unix: is known to Twisted."""
    parse_listener("unix:/run/chat.sock").open(MemoryReactor())


NO_PORTS = ["", "8080", "localhost", "tcp:", "tcp:http", "tcp:-1", "tcp:65536", "tcp:²", "tcp:" + "9" * 5000]
MISTYPED = ["tcp:8080:127.0.0.1", "tcp:8080:interfce=127.0.0.1", "tcp:8080:interface=::1", "tcp:8080:backlog=many"]
NO_TLS = ["ssl:8443", "ssl:8443:certKey=/c.pem", "ssl:1:privateKey=/k:sslmethod=SSLv23", "tcp:8080:privateKey=/k"]
UNFINISHED = ["tcp:8080:interface=127.0.0.1\\", "unix:/a\\", "tcp\\"]


@pytest.mark.parametrize("said", [*NO_PORTS, *MISTYPED, *NO_TLS, *UNFINISHED], ids=lambda said: said[:40])
def test_bad_ones(said: str) -> None:
    """What we do not understand is refused in one line; above all nothing that would listen more widely."""
    with pytest.raises(BadEndpoint) as bad:
        parse_listener(said)
    assert "\n" not in str(bad.value)


@pytest.mark.parametrize("said", ["nonsense:1", "unix:/a:mode=abc", "http://localhost:8080"])
def test_what_twisted_does_not_know(said: str) -> None:
    """Mistakes that only Twisted can see are one line as well."""
    with pytest.raises(BadEndpoint) as bad:
        parse_listener(said).open(MemoryReactor())
    assert "\n" not in str(bad.value) and str(bad.value).startswith(said)


def test_a_busy_port_is_one_line() -> None:
    """A port somebody else listens at is found out before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadEndpoint, match=f"port {port} on 127.0.0.1 is in use"):
            parse_listener(f"tcp:{port}:interface=127.0.0.1").check_free()
    parse_listener(f"tcp:{port}:interface=127.0.0.1").check_free()


def test_an_address_that_is_not_ours() -> None:
    """An interface this computer has not got is one line, too."""
    with pytest.raises(BadEndpoint, match=r"port 1024 on 203\.0\.113\.1 cannot be used"):
        parse_listener("tcp:1024:interface=203.0.113.1").check_free()


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("tcp:8080", "tcp:8081", True),
        ("tcp:0", "tcp:0", True),
        ("tcp:8080", "unix:/a", True),
        ("tcp:8080", "tcp:8080", False),
        ("tcp:8080:interface=127.0.0.1", "ssl:8080:privateKey=/k:interface=127.0.0.1", False),
        ("tcp:8080:interface=127.0.0.1", "tcp:8080:interface=127.0.0.2", True),
        ("tcp:8080:interface=127.0.0.1", "tcp:8080", False),
        ("tcp:8080:interface=127.0.0.1", "tcp6:8080", False),
        ("tcp:8080", r"tcp:8080:interface=\:\:1", True),
    ],
)
def test_two_listeners_on_one_port(one: str, other: str, apart: bool) -> None:
    """Two listeners that want the same port are found out, in either order, though each alone would do."""
    for wanted in ((one, other), (other, one)):
        listeners = [parse_listener(said) for said in wanted]
        if apart:
            check_apart(listeners)
        else:
            with pytest.raises(BadEndpoint, match="port 8080 is asked for twice"):
                check_apart(listeners)


@pytest.mark.parametrize(
    ("said", "scheme", "port", "url"),
    [
        ("tcp:8080:interface=127.0.0.1", "http", None, "http://127.0.0.1:8080/"),
        ("tcp:0:interface=127.0.0.1", "ws", 4711, "ws://127.0.0.1:4711/"),
        ("ssl:8443:privateKey=/k:interface=localhost", "ws", None, "wss://localhost:8443/"),
        (r"tcp6:8080:interface=\:\:1", "http", None, "http://[::1]:8080/"),
    ],
)
def test_urls(said: str, scheme: str, port: int | None, url: str) -> None:
    """A listener knows its address as people write it; TLS adds an s."""
    assert parse_listener(said).url(scheme, port) == url


def test_the_url_of_all_interfaces_names_this_computer() -> None:
    """Nobody can open http://0.0.0.0/; an address by which others reach this computer is shown instead."""
    for said in ("tcp:8080", "tcp:8080:interface=0.0.0.0", "tcp6:8080"):
        assert parse_listener(said).url("http") == f"http://{own_address()}:8080/"


@pytest.mark.parametrize(
    ("said", "name", "key"),
    [
        ("systemd:web", "web", None),
        ("systemd:name=web", "web", None),
        ("systemd:domain=INET6:name=web", "web", None),
        ("systemd:web:privateKey=/k.pem", "web", "/k.pem"),
        (r"systemd:web:privateKey=/k\:1.pem:certKey=/c.pem", "web", "/k:1.pem"),
    ],
)
def test_sockets_of_the_service_manager(said: str, name: str, key: str | None) -> None:
    """`systemd:` names sockets that are there already, with TLS of ours if there is a key; without them it is said
    who hands them over."""
    listener = parse_listener(said)
    assert listener.name == name and listener.host is None and not listener.loopback
    assert (None if listener.key is None else str(listener.key)) == key
    with pytest.raises(BadEndpoint, match="only a service manager"):
        listener.open(MemoryReactor())


@pytest.mark.parametrize(
    "said", ["systemd:", "systemd:web:8080", "systemd:domain=INET:index=0", "systemd:web:port=1"]
)
def test_what_names_no_socket(said: str) -> None:
    """A number of a socket, or more than a name, is refused with what to say instead."""
    with pytest.raises(BadEndpoint, match=r"systemd:NAME|which socket"):
        parse_listener(said)
