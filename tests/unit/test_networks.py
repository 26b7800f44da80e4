"""Addresses in bulk, and proxies' word about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.domain.addresses import prefix_of, read_address
from chatservice.transports.networks import Networks

PROXIES = Networks.read(["10.0.0.0/8", "2001:db8:1::/48"])


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:5:6:7:8:9:a", "2001:db8:5:6::/64"),
        ("2001:db8:5:6::1", "2001:db8:5:6::/64"),
        ("2001:db8:5:7::1", "2001:db8:5:7::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", None),
        ("", None),
    ],
)
def test_what_counts_as_one_address(address: str, prefix: str | None) -> None:
    """An IPv4 address, also in IPv6's clothes, or the 64 bits that one customer has of IPv6."""
    assert prefix_of(address) == prefix


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8:1:2::3", True),
        ("11.0.0.1", False),
        ("2001:db8:2::1", False),
        ("local", False),
        ("nonsense", False),
    ],
)
def test_who_is_trusted(host: str, trusted: bool) -> None:
    """By network; who comes over a UNIX socket only when that is said."""
    assert (host in PROXIES) is trusted


def test_unix_is_said() -> None:
    """`unix` is whoever comes over a UNIX socket, and nobody else."""
    assert "local" in Networks.read(["unix"]) and "10.0.0.1" not in Networks.read(["unix"])
    assert "local" in Networks.read(["unix", "10.0.0.1"]) and "10.0.0.1" in Networks.read(["unix", "10.0.0.1"])
    assert not Networks() and "local" not in Networks()


@pytest.mark.parametrize(
    ("values", "whose"),
    [
        ((), None),
        (("",), None),
        (("203.0.113.9",), "203.0.113.9"),
        (("1.1.1.1, 203.0.113.9",), "203.0.113.9"),
        (("1.1.1.1", "203.0.113.9"), "203.0.113.9"),
        (("203.0.113.9, 10.1.1.1",), "203.0.113.9"),
        (("1.1.1.1, 203.0.113.9, 10.1.1.1, 10.2.2.2",), "203.0.113.9"),
        (("10.9.9.9, 10.1.1.1",), "10.9.9.9"),
        (("203.0.113.9:5123",), "203.0.113.9"),
        (("[2001:db8:5::9]:5123",), "2001:db8:5::9"),
        (("2001:db8:5::9",), "2001:db8:5::9"),
        (("::ffff:203.0.113.9",), "203.0.113.9"),
        (("203.0.113.9, unknown, 10.1.1.1",), "10.1.1.1"),
        (("unknown",), None),
        (("203.0.113.9, ",), None),
        (("\x1b[2J",), None),
        ((", ".join(["203.0.113.9"] + ["10.1.1.1"] * 40),), "10.1.1.1"),
    ],
)
def test_whose_it_is(values: tuple[str, ...], whose: str | None) -> None:
    """Read from the right, past trusted proxies, up to the first stranger or the first word that is no address."""
    assert PROXIES.forwarded(values) == whose


@given(st.lists(st.text(max_size=60), max_size=4))
def test_whatever_a_header_says(values: list[str]) -> None:
    """What comes out is nothing or an address, so it can stand in a log."""
    whose = PROXIES.forwarded(values)
    assert whose is None or (read_address(whose) is not None and whose.isascii() and whose.isprintable())
