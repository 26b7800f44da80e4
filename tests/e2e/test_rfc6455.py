"""RFC 6455 on `/echo`, section by section, over real sockets. What is sent comes back, or has one right answer.

Most conversations are rows: what is sent, which frames come back before the end, and with which close code it
ends. Every row is held three times: sent at once, frame by frame, and octet by octet.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator

import pytest

from e2e.measuring import used_s
from e2e.raw import frame
from e2e.server import Server, free_port
from e2e.strict import BINARY, CLOSE, CONT, PING, PONG, TEXT, Strict, cut, fragments
from e2e.strictrows import BAD, FIVE, FIVE_BACK, GOOD, LOUD, ROWS, Row

MIB = 1024 * 1024
LIMIT = 16 * MIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with the limits that it has by itself, but for the longest echo."""
    options = [f"--echo-max={LIMIT}", "--compression", f"--self-signed={free_port()}"]
    with Server(tmp_path_factory.mktemp("strict"), *options) as server:
        yield server


def test_the_tables() -> None:
    """What the tables call bad UTF-8 is bad, what they call good is good, and no two rows have one name."""
    for good in GOOD:
        good.decode()
    for bad in BAD:
        with pytest.raises(UnicodeDecodeError):
            bad.decode()
    assert len({row.name for row in ROWS}) == len(ROWS) > 400


def tls_of(server: Server) -> tuple[int, ssl.SSLContext]:
    """The port where it speaks TLS, and what trusts it there."""
    certificate = server.data / "tls" / "self-signed.crt"
    return int(server.options[-1].partition("=")[2]), ssl.create_default_context(cafile=str(certificate))


def hold(server: Server, row: Row, packets: list[bytes], piece: int = 0, over_tls: bool = False) -> None:
    """Have the conversation of `row`, sent so."""
    port, tls = tls_of(server) if over_tls else (server.web_port, None)
    with Strict(port, tls=tls) as one:
        for packet in packets:
            try:
                one.send(packet, piece)
            except ConnectionError:
                break  # it has ended; what it said before is still to be read
        if row.code is None:
            one.expect(*row.back)
            one.close()
        back, code = one.ending()
        assert ([] if row.code is None else row.back) == back
        assert code == (row.code or 1000)
        # Who sends on behind the last word is not listened to any more; all others see a clean end.
        assert not one.was_reset or row.code is not None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rfc6455(server: Server, row: Row) -> None:
    """It has the right answer, in whatever packets it comes."""
    whole = b"".join(row.sent)
    hold(server, row, [whole])
    hold(server, row, row.sent)
    if len(whole) < 300:
        hold(server, row, [whole], 1)
    elif len(whole) < 2000:
        hold(server, row, [whole], 7)


@pytest.mark.parametrize("row", ROWS[::4], ids=lambda row: row.name)
def test_rfc6455_over_tls(server: Server, row: Row) -> None:
    """It is the same over wss."""
    hold(server, row, [b"".join(row.sent)], over_tls=True)


def test_it_fails_fast(server: Server) -> None:
    """RFC 6455 section 8.1: the first byte that cannot be right ends it, in the middle of a frame that has not
    come whole, and of a message that has not ended."""
    start = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
    begun = frame(TEXT, start + b"\xf4\x90\x80\x80" + b"edited" * 100)[: 8 + len(start)]
    for first, second in (
        (frame(TEXT, start, first_bits=0), frame(CONT, b"\xf4\x90", first_bits=0)),
        (frame(TEXT, start + b"\xf4", first_bits=0), frame(CONT, b"\x90", first_bits=0)),
        (begun, b"\xf4\x90"),
        (begun + b"\xf4", b"\x90"),
        (begun + b"\xed", b"\xa0"),
    ):
        with Strict(server.web_port) as one:
            one.send(first)
            assert one.stays_silent(0.1)
            one.send(second)
            opcode, payload, _ = one.frame()
            assert (opcode, payload[:2]) == (CLOSE, b"\x03\xef")


def test_pongs_do_not_wait_for_the_message(server: Server) -> None:
    """RFC 6455 section 5.4: a ping within a message is answered at once, not when the message ends."""
    with Strict(server.web_port) as one:
        one.send(FIVE[0])
        for number in range(5):
            one.send(frame(PING, b"%d" % number))
            one.expect((PONG, b"%d" % number))
        one.send(b"".join(FIVE[1:]))
        one.expect(FIVE_BACK)


def test_what_is_too_long_is_refused_at_its_head(server: Server) -> None:
    """A frame that announces one byte more than is allowed is 1009 before any of them comes; so is the fragment
    with which a message becomes too long."""
    for head in (
        bytes((0x82, 0xFF)) + (LIMIT + 1).to_bytes(8, "big") + bytes(4),
        fragments(BINARY, [bytes(MIB)] * 16).replace(b"\x80\xff", b"\x00\xff") + bytes((0x80, 0x81)) + bytes(4),
        bytes((0x82, 0xFF)) + (2**40).to_bytes(8, "big") + bytes(4),
    ):
        with Strict(server.web_port) as one:
            one.send(head)
            assert one.frame()[1][:2] == (1009).to_bytes(2, "big")


# --- the suite's groups of limits: 9 and 10 ---


def slow(*values: object) -> list[object]:
    """Only with the full counts."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def round_trip(one: Strict, opcode: int, payload: bytes, data: bytes, piece: int = 0) -> None:
    one.send(data, piece)
    one.expect((opcode, payload))


def filling(opcode: int, size: int) -> bytes:
    """Something of that size that is not the same everywhere."""
    pattern = LOUD if opcode == TEXT else bytes(range(251))
    if opcode == TEXT:  # no character is cut at the end
        return (pattern * (size // len(pattern) + 1))[: size - size % len(pattern)] + b"x" * (size % len(pattern))
    return (pattern * (size // len(pattern) + 1))[:size]


@pytest.mark.parametrize("size", [65_536, 262_144, MIB, 4 * MIB, *slow(8 * MIB), LIMIT])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_long_messages(server: Server, opcode: int, size: int) -> None:
    """A message of up to 16 MiB in one frame comes back."""
    payload = filling(opcode, size)
    with Strict(server.web_port) as one:
        round_trip(one, opcode, payload, frame(opcode, payload))


def test_a_long_message_over_tls(server: Server) -> None:
    """So does it over wss, in one frame and in many."""
    payload = filling(BINARY, LIMIT)
    port, tls = tls_of(server)
    with Strict(port, tls=tls) as one:
        round_trip(one, BINARY, payload, frame(BINARY, payload))
        round_trip(one, BINARY, payload, fragments(BINARY, cut(payload, 100_000)))


def test_who_writes_much_and_reads_late(server: Server) -> None:
    """Thirty messages of one MiB, of which the first is read when the last is on its way: the sender has to wait
    meanwhile, and all come back."""
    payload = filling(BINARY, MIB)
    with Strict(server.web_port) as one:
        sender = threading.Thread(target=one.send, args=(frame(BINARY, payload) * 30,))
        sender.start()
        sender.join(1.0)
        assert sender.is_alive(), "the server has taken thirty megabytes for one who does not read"
        one.expect(*[(BINARY, payload)] * 30)
        sender.join(10)
        one.close()
        assert one.ending() == ([], 1000)


@pytest.mark.parametrize("size", [64, *slow(256, 1024, 4096, 16_384), 65_536, *slow(262_144, MIB, 4 * MIB)])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_long_messages_in_fragments(server: Server, opcode: int, size: int) -> None:
    """Four MiB in fragments of 64 bytes come back, and the time does not grow with the square of their number."""
    total = 4 * MIB
    payload = filling(opcode, total)
    with Strict(server.web_port) as one:
        took = []
        for part in (payload[: total // 4], payload):
            if opcode == TEXT:
                part = part[: len(part) // len(LOUD) * len(LOUD)]
            data = fragments(opcode, cut(part, size))
            began = used_s(server.pid)
            round_trip(one, opcode, part, data)
            took.append(used_s(server.pid) - began)
    if size == 64:
        assert took[1] < 10 * took[0] + 0.1


@pytest.mark.parametrize("piece", [*slow(64, 128, 256), 512, *slow(1024, 2048)])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_long_messages_in_small_packets(server: Server, opcode: int, piece: int) -> None:
    """One MiB in one frame that comes in small packets comes back."""
    payload = filling(opcode, MIB)
    with Strict(server.web_port) as one:
        round_trip(one, opcode, payload, frame(opcode, payload), piece)


@pytest.mark.parametrize("size", [0, *slow(16, 64, 256, 1024, 4096), 16_384])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_thousand_messages(server: Server, opcode: int, size: int) -> None:
    """A thousand messages, each sent when the one before is back."""
    payload = filling(opcode, size)
    data = frame(opcode, payload)
    with Strict(server.web_port) as one:
        for _ in range(1000):
            round_trip(one, opcode, payload, data)


def test_a_message_that_a_client_fragments_by_itself(server: Server) -> None:
    """64 KiB in frames of 1300 bytes, as a client with frames of one packet sends them."""
    payload = filling(TEXT, 65_536)
    with Strict(server.web_port) as one:
        round_trip(one, TEXT, payload, fragments(TEXT, cut(payload, 1300)))


def test_all_at_once(server: Server) -> None:
    """A thousand messages sent before the first is read come back in order, all of them."""
    with Strict(server.web_port) as one:
        one.send(b"".join(frame(BINARY, b"%d" % number * 100) for number in range(1000)))
        one.expect(*((BINARY, b"%d" % number * 100) for number in range(1000)))
        one.close()
        assert one.ending() == ([], 1000)
