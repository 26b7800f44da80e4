"""Addresses as bans see them, and those who have left."""

from __future__ import annotations

import pytest

from chatservice.domain.events import User
from chatservice.domain.whereabouts import Seen, Whereabouts, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7:5123", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:5123", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("[fe80::1%eth0]:80", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("127.0.0.1:5123", ""),
        ("[::1]:5123", ""),
        ("::ffff:127.0.0.1", ""),
        ("127.0.0.2", "127.0.0.2"),
        ("local", ""),
        ("", ""),
        ("192.0.2.7.8", ""),
        ("[", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    """A ban goes by the whole IPv4 address or by the /64 of an IPv6 one; never by this computer's own."""
    assert network_of(address) == network


def test_who_has_left() -> None:
    """The last ones are remembered, by id and by nick, and no more than so many."""
    whereabouts = Whereabouts(most=3)
    people = [User(f"u_{n}", f"Nick{n}") for n in range(5)]
    for user in people:
        whereabouts.note(user, f"192.0.2.{user.id[2:]}")
    whereabouts.note(people[2], "198.51.100.1")
    whereabouts.note(User("u_9", "nick4"), "192.0.2.9")
    assert len(whereabouts) == 3
    assert whereabouts.find("u_0") is whereabouts.find("u_3") is None
    assert whereabouts.find("u_2") == Seen(people[2], "198.51.100.1")
    assert whereabouts.named("ＮＩＣＫ4") == User("u_9", "nick4") and whereabouts.named("Nick0") is None
