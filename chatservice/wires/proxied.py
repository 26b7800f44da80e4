"""The PROXY protocol's header, versions 1 and 2, as proxies put it before a connection's own bytes. Pure.

Source: the specification by its author, "The PROXY protocol, versions 1 & 2" (haproxy.org, proxy-protocol.txt).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

LINE_BYTES = 107
"""The longest line of version 1, its end included (section 2.1)."""

HEADER_BYTES = 2048
"""A header of version 2 may be this long. Addresses take 216 bytes, the rest is for additions, of which the
biggest are names in certificates; the length field alone would allow 65 551."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_WORD = b"PROXY "
_FIXED = 16  # of version 2: signature, command, family, length
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class BadProxyHeader(ValueError):
    """What came is no header of the PROXY protocol."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """What a header says.

    :ivar size: bytes of the header; the connection's own begin after them.
    :ivar host: whence the connection comes; None if the proxy speaks for itself or does not know.
    """

    size: int
    host: str | None = None
    port: int = 0


def read_proxied(data: bytes) -> Proxied | None:
    """The header at the beginning of `data`; None while it is not whole.

    :raises BadProxyHeader: as soon as it can be none.
    """
    if data[: len(_SIGNATURE)] == _SIGNATURE[: len(data)]:
        return _read_binary(data)
    if data[: len(_WORD)] == _WORD[: len(data)]:
        return _read_line(data)
    raise BadProxyHeader("neither version 1 nor 2")


def _read_binary(data: bytes) -> Proxied | None:
    if len(data) < _FIXED:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16])
    size = _FIXED + length
    if command not in (_LOCAL, _PROXY) or size > HEADER_BYTES:
        raise BadProxyHeader("unknown command, or too long")
    if len(data) < size:
        return None
    if command == _LOCAL:
        return Proxied(size)
    if family == _TCP4 and length >= 12:
        return Proxied(size, str(IPv4Address(data[16:20])), int.from_bytes(data[24:26]))
    if family == _TCP6 and length >= 36:
        return Proxied(size, str(IPv6Address(data[16:32])), int.from_bytes(data[48:50]))
    if family in (_TCP4, _TCP6):
        raise BadProxyHeader("too short for its addresses")
    return Proxied(size)  # a family we do not know says nothing that could be believed (section 2.2)


def _read_line(data: bytes) -> Proxied | None:
    end = data.find(b"\r\n", 0, LINE_BYTES)
    if end < 0:
        if len(data) >= LINE_BYTES:
            raise BadProxyHeader("the line is too long")
        return None
    try:
        words = data[:end].decode("ascii").split(" ")
    except UnicodeDecodeError:
        raise BadProxyHeader("not ASCII") from None
    size = end + 2
    if words[1] == "UNKNOWN":
        return Proxied(size)
    family = {"TCP4": IPv4Address, "TCP6": IPv6Address}.get(words[1])
    if family is None or len(words) != 6:
        raise BadProxyHeader("unknown family, or not six words")
    try:
        source, _ = family(words[2]), family(words[3])
    except ValueError:
        raise BadProxyHeader("no address") from None
    if "%" in words[2]:  # the name of an interface, which means nothing to others
        raise BadProxyHeader("no address")
    port, _ = _port(words[4]), _port(words[5])
    return Proxied(size, str(source), port)


def _port(word: str) -> int:
    # No signs, spaces or other scripts' digits, which int() would take; no leading zeros (section 2.1).
    if not (word.isascii() and word.isdigit() and str(int(word)) == word and int(word) <= 65535):
        raise BadProxyHeader("no port")
    return int(word)
