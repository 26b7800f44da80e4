"""The PROXY protocol's header."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.wires.proxied import HEADER_BYTES, LINE_BYTES, BadProxyHeader, Proxied, read_proxied

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def version2(
    family: int, addresses: bytes, command: int = 0x21, more: bytes = b"", length: int | None = None
) -> bytes:
    """A header of version 2."""
    said = len(addresses + more) if length is None else length
    return SIGNATURE + struct.pack("!BBH", command, family, said) + addresses + more


V4 = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 5123, 443)
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") * 2 + struct.pack("!HH", 5123, 443)

GOOD = [
    (b"PROXY TCP4 203.0.113.9 192.0.2.1 5123 443\r\n", "203.0.113.9", 5123),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 5123 443\r\n", "2001:db8::9", 5123),
    (b"PROXY UNKNOWN\r\n", None, 0),
    (b"PROXY UNKNOWN ffff::1 whatever it says\r\n", None, 0),
    (version2(0x11, V4), "203.0.113.9", 5123),
    (version2(0x11, V4, more=b"\x04\x00\x01x"), "203.0.113.9", 5123),
    (version2(0x21, V6), "2001:db8::9", 5123),
    (version2(0x11, V4, command=0x20), None, 0),
    (version2(0x00, b""), None, 0),
    (version2(0x31, bytes(216)), None, 0),
    (version2(0x12, V4), None, 0),
]


@pytest.mark.parametrize(("header", "host", "port"), GOOD)
def test_both_versions(header: bytes, host: str | None, port: int) -> None:
    """Both versions are read, however they are cut; what comes behind is not theirs."""
    assert read_proxied(header + b"GET / HTTP/1.1\r\n") == Proxied(len(header), host, port)
    for cut in range(len(header)):
        assert read_proxied(header[:cut]) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXZ",
        b"proxy TCP4 203.0.113.9 192.0.2.1 5123 443\r\n",
        b"PROXY \r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP5 203.0.113.9 192.0.2.1 5123 443\r\n",
        b"PROXY TCP4 2001:db8::9 192.0.2.1 5123 443\r\n",
        b"PROXY TCP4 203.0.113.999 192.0.2.1 5123 443\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 05123 443\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 -1 443\r\n",
        b"PROXY TCP4 203.0.113.9  192.0.2.1 5123 443\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 5123 443 \r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::1 5123 443\r\n",
        b"PROXY TCP4 \xd9\xa1.0.0.1 192.0.2.1 5123 443\r\n",
        b"PROXY UNKNOWN " + b"x" * LINE_BYTES,
        version2(0x11, V4[:-1]),
        version2(0x21, V4),
        version2(0x11, V4, command=0x22),
        version2(0x11, V4, command=0x11),
        version2(0x11, V4, length=HEADER_BYTES),
        SIGNATURE[:-1] + b"X",
    ],
)
def test_what_is_none(bad: bytes) -> None:
    """Anything else is refused as soon as it is seen."""
    with pytest.raises(BadProxyHeader):
        read_proxied(bad)


@given(
    st.sampled_from([b"", SIGNATURE, SIGNATURE + b"\x21\x11", b"PROXY ", b"PROXY TCP4 "]), st.binary(max_size=3000)
)
def test_whatever_comes(begin: bytes, rest: bytes) -> None:
    """Whatever comes is a header, the beginning of one within its bounds, or none; nothing else is raised."""
    data = begin + rest
    try:
        found = read_proxied(data)
    except BadProxyHeader:
        return
    if found is None:
        assert len(data) < HEADER_BYTES
    else:
        assert found.size <= len(data) and 0 <= found.port <= 65535
        assert read_proxied(data[: found.size]) == found


@given(st.ip_addresses(v=4), st.ip_addresses(v=6), st.integers(0, 65535), st.binary(max_size=200))
def test_every_address(four: object, six: object, port: int, more: bytes) -> None:
    """What a proxy says of an address comes out as it went in, by both versions."""
    for address, family, kind in ((four, socket.AF_INET, 0x11), (six, socket.AF_INET6, 0x21)):
        line = f"PROXY TCP{4 if kind == 0x11 else 6} {address} {address} {port} 1\r\n".encode()
        packed = socket.inet_pton(family, str(address)) * 2 + struct.pack("!HH", port, 1)
        assert read_proxied(line) == Proxied(len(line), str(address), port)
        header = version2(kind, packed, more=more)
        assert read_proxied(header + b"x") == Proxied(len(header), str(address), port)
