"""Which pages may connect."""

from __future__ import annotations

import pytest

from chatservice.transports.addresses import is_loopback
from chatservice.transports.origins import Origins, read_origin


@pytest.mark.parametrize(
    ("origin", "host", "on_loopback", "on_public"),
    [
        ("", "chat.example.org", True, True),
        ("https://chat.example.org", "chat.example.org", True, True),
        ("https://CHAT.example.org", "chat.example.org", True, True),
        ("https://chat.example.org:8443", "Chat.Example.Org", True, True),
        ("http://chat.example.org", "chat.example.org", True, True),
        ("https://chat.example.org.evil.net", "chat.example.org", False, False),
        ("https://xchat.example.org", "chat.example.org", False, False),
        ("https://evil.example", "chat.example.org", False, False),
        ("https://chat.example.org@evil.example", "chat.example.org", False, False),
        ("https://evil.example/chat.example.org", "chat.example.org", False, False),
        ("null", "localhost", True, False),
        ("null", "chat.example.org", True, False),
        ("file:///home/ann/page.html", "localhost", True, False),
        ("http://localhost:3000", "127.0.0.1", True, False),
        ("http://127.0.0.1:8080", "localhost", True, False),
        ("http://[::1]:8080", "[::1]", True, True),
        ("http://[::1]:8080", "localhost", True, False),
        ("http://app.localhost", "localhost", True, False),
        ("http://localhost:3000", "chat.example.org", False, False),  # a rebound name is not this computer
        ("http://localhost.evil.net", "localhost", False, False),
        ("http://[bad", "localhost", False, False),
        ("nonsense", "localhost", False, False),
        ("https://", "localhost", False, False),
        ("http://a.example,http://chat.example.org", "chat.example.org", False, False),
    ],
)
def test_origins(origin: str, host: str, on_loopback: bool, on_public: bool) -> None:
    """Pages of our own host may connect; on a loopback listener also files and pages of this computer."""
    assert Origins().allow(origin, host, loopback=True) is on_loopback
    assert Origins().allow(origin, host, loopback=False) is on_public


def test_an_origin_without_a_host_is_nobodys() -> None:
    """An empty Host does not make an Origin without a host our own."""
    assert not Origins().allow("nonsense", "", loopback=False)


CHAT = "https://chat.example.org"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (CHAT, True),
        ("https://CHAT.example.org", True),
        ("https://chat.example.org:443", True),
        ("https://chat.example.org.evil.net", False),
        ("https://xchat.example.org", False),
        ("http://chat.example.org", False),
        ("https://chat.example.org:8443", False),
        ("https://www.example.org", True),
        ("http://www.example.org", False),
        ("https://chat.example.org/", False),
        ("https://chat.example.org?x", False),
        ("https://ann@chat.example.org", False),
        ("ws://chat.example.org", False),
        ("null", False),
        ("*", False),
    ],
)
def test_a_known_address(origin: str, allowed: bool) -> None:
    """Where our public address is known its host has no other origin that may connect; those listed may."""
    listed = read_origin("https://www.example.org")
    assert listed is not None
    origins = Origins(frozenset({listed}), read_origin(CHAT))
    for host in ("chat.example.org", "127.0.0.1:8080"):
        assert origins.allow(origin, host, loopback=False) is allowed


def test_under_tls_of_our_own() -> None:
    """A page of our own host that came in the clear may be anybody's."""
    sealed = Origins(sealed=True)
    assert sealed.allow(CHAT, "chat.example.org", loopback=False)
    assert not sealed.allow("http://chat.example.org", "chat.example.org", loopback=False)
    assert sealed.allow("http://localhost:3000", "localhost:8443", loopback=True)


def test_any_page() -> None:
    """Who asks for it gets it."""
    assert Origins(anyone=True).allow("https://evil.example", "chat.example.org", loopback=False)
    assert Origins(anyone=True).allow("null", "chat.example.org", loopback=False)


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("", False),
        ("10.0.0.1", False),
        ("localhost.evil.net", False),
        ("xlocalhost", False),
        ("127.0.0.1.evil.net", False),
        ("2130706433", False),
    ],
)
def test_loopback(host: str, yes: bool) -> None:
    """Whether a name is this computer's own."""
    assert is_loopback(host) is yes
