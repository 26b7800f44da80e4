"""What comes to the door that should not, row by row of the reliability table (4a), at a real process."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from OpenSSL import SSL

from e2e.peers import WebSocketPeer
from e2e.raw import connected, exchange, handshake, read_to_end
from e2e.server import Server, eventually, free_port, twistd

PLAIN_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
GET = PLAIN_GET + b"Connection: close\r\n\r\n"


@dataclass
class Guarded:
    """A server with TLS beside plain listeners."""

    server: Server
    tls_port: int


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One for all rows that need no other. Somebody chats there all the while, and must not notice."""
    port = free_port()
    with (
        Server(tmp_path_factory.mktemp("doors"), f"--self-signed={port}") as server,
        WebSocketPeer(server.socket_url(nick="Bystander")) as bystander,
    ):
        bystander.arrived()
        yield Guarded(server, port)
        bystander.say("all is well")
        bystander.until(lambda _: bystander.said)
        assert [frame["type"] for frame in bystander.frames] == ["enter", "message"]


def status(answer: bytes) -> int:
    """Of the first answer in these bytes."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


def client_hello() -> bytes:
    """The first flight of a TLS client."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


# --- rows 1 to 4 and 8: who makes us wait ---

HELLO = client_hello()
SLOW: dict[str, tuple[bool, bytes, Callable[[int], bytes]]] = {
    # row: is it the TLS port; what is sent at once; what is sent at each later second
    "1 silence": (False, b"", lambda _: b""),
    "2 silence under TLS": (True, b"", lambda _: b""),
    "3 half a ClientHello": (True, HELLO[: len(HELLO) // 2], lambda _: b""),
    "4 a ClientHello drips": (True, b"", lambda n: HELLO[n : n + 1]),
    "8 a header line a second": (False, PLAIN_GET, lambda n: b"X-%d: x\r\n" % n),
    "8 a header line a second, upgrade": (False, handshake()[:-2], lambda n: b"X-%d: x\r\n" % n),
}


@dataclass
class Waiting:
    """One connection that takes its time."""

    bare: socket.socket
    drip: Callable[[int], bytes]
    began: float = field(default_factory=time.monotonic)
    lasted: float | None = None


@pytest.fixture(scope="module")
def cut_after(guarded: Guarded) -> dict[str, float]:
    """How many seconds each of `SLOW` was left open; all at the same time."""
    waiting: dict[str, Waiting] = {}
    for row, (is_tls, first, drip) in SLOW.items():
        bare = connected(guarded.tls_port if is_tls else guarded.server.web_port)
        bare.sendall(first)
        waiting[row] = Waiting(bare, drip)
    second = 0
    while any(one.lasted is None for one in waiting.values()) and second < 20:
        deadline = time.monotonic() + 1.0
        while (left := deadline - time.monotonic()) > 0:
            still = {one.bare: one for one in waiting.values() if one.lasted is None}
            if not still:
                break
            for bare in select.select(list(still), [], [], left)[0]:
                with suppress(ConnectionError):
                    if bare.recv(4096):
                        continue
                still[bare].lasted = time.monotonic() - still[bare].began
                bare.close()
        for one in waiting.values():
            if one.lasted is None:
                with suppress(ConnectionError):
                    one.bare.sendall(one.drip(second))
        second += 1
    return {row: one.lasted if one.lasted is not None else 99.0 for row, one in waiting.items()}


@pytest.mark.parametrize("row", SLOW, ids=lambda row: f"row {row}")
def test_slow_beginners(cut_after: dict[str, float], row: str) -> None:
    """Ten seconds are all there is until a whole request is here, TLS included, however busy one looks."""
    assert 9.0 < cut_after[row] < 15.0


def test_plain_http_to_tls(guarded: Guarded) -> None:
    """Row 5: http on the https port is answered by a TLS alert at most, and the log says next to nothing."""
    before = len(guarded.server.log.splitlines())
    answer = exchange(guarded.tls_port, GET)
    assert b"HTTP" not in answer and answer[:1] in (b"", b"\x15")
    assert len(guarded.server.log.splitlines()) - before <= 1


@pytest.mark.parametrize(
    ("version", "name"), [(SSL.TLS1_VERSION, "1.0"), (SSL.TLS1_1_VERSION, "1.1")], ids=["row 6 1.0", "row 6 1.1"]
)
def test_old_tls(guarded: Guarded, version: int, name: str) -> None:
    """TLS before 1.2 gets the alert that says so."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    with connected(guarded.tls_port) as bare:
        bare.settimeout(None)  # pyOpenSSL does not wait on a socket with a timeout
        one = SSL.Connection(context, bare)
        one.set_connect_state()
        with pytest.raises(SSL.Error) as refused:
            one.do_handshake()
    assert "protocol version" in str(refused.value)


def test_renegotiation(guarded: Guarded) -> None:
    """Row 7: a TLS 1.2 client that wants to begin anew is refused, a hundred of them too."""
    for _ in range(100):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        with connected(guarded.tls_port) as bare:
            bare.settimeout(None)
            one = SSL.Connection(context, bare)
            one.set_connect_state()
            one.do_handshake()
            assert one.renegotiate()
            with pytest.raises(SSL.Error):
                one.do_handshake()
            assert one.total_renegotiations() <= 1


MANY = b"".join(b"X-%d: x\r\n" % n for n in range(501))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(PLAIN_GET + b"X: " + b"x" * 20_000_000, {431}, id="row 9 endless header"),
        pytest.param(handshake()[:-2] + b"X: " + b"x" * 20_000_000, {431}, id="row 9 endless header, upgrade"),
        pytest.param(PLAIN_GET + MANY + b"\r\n", {400, 431}, id="row 10 501 headers"),
        pytest.param(handshake()[:-2] + MANY + b"\r\n", {400, 431}, id="row 10 501 headers, upgrade"),
        pytest.param(PLAIN_GET + b"X: " + b"x" * 16_384 + b"\r\n\r\n", {431}, id="row 10 16 KiB of headers"),
        pytest.param(
            b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", {414}, id="row 11 20 KB URL"
        ),
        pytest.param(handshake("/" + "x" * 20_000), {414}, id="row 11 20 KB URL, upgrade"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", {400}, id="row 14 no Host"),
        pytest.param(PLAIN_GET + b"Host: localhost\r\n\r\n", {400}, id="row 14 two Hosts"),
        pytest.param(
            b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 104857600\r\n\r\n",
            {413},
            id="row 40 100 MB by polling",
        ),
        pytest.param(
            b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n",
            {413},
            id="row 40 100 MB by API",
        ),
        *(
            pytest.param(GET.replace(b"GET / ", b"GET " + path + b" "), {404}, id=f"row {row} {path.decode()}")
            for row, path in (
                (41, b"/../setup.cfg"),
                (41, b"/%2e%2e/setup.cfg"),
                (41, b"/static/..%2f..%2fservice.py"),
                (41, b"//etc/passwd"),
                (41, b"/\\..\\setup.cfg"),
                (42, b"/app/passwd"),
                (42, b"/page/passwd"),
                (43, b"/.env"),
                (43, b"/lite~"),
                (43, b"/static/"),
                (43, b"/app/"),
                (43, b"/static"),
                (44, b"/lite%00.png"),
                (44, b"/static/lite.css%00.png"),
            )
        ),
        *(
            pytest.param(GET.replace(b"GET /", request), {405, 501}, id=f"row 46 {request.decode()}")
            for request in (b"TRACE /", b"OPTIONS *", b"CONNECT chat.example:443", b"DELETE /", b"PATCH /lite")
        ),
    ],
)
def test_requests(guarded: Guarded, sent: bytes, expected: set[int]) -> None:
    """Each gets its status, once, and the connection ends."""
    answer = exchange(guarded.server.web_port, sent)
    assert status(answer) in expected
    assert answer.count(b"HTTP/1.1 ") == 1 and b"root:" not in answer


def test_a_link_out_of_the_kept_files(tmp_path: Path) -> None:
    """Row 42: a symbolic link among the kept files of an older build leads nowhere."""
    kept = tmp_path / "chat-data" / "page"
    kept.mkdir(parents=True, mode=0o700)
    (kept / "passwd").symlink_to("/etc/passwd")
    with Server(tmp_path) as server:
        for path in ("/app/passwd", "/page/passwd", "/passwd"):
            answer = exchange(server.web_port, GET.replace(b"GET / ", f"GET {path} ".encode()))
            assert status(answer) == 404 and b"root:" not in answer


def test_fifty_ranges(guarded: Guarded) -> None:
    """Row 45: however many ranges are asked for, a file is sent once, whole."""
    ranges = b"Range: bytes=" + b",".join([b"0-"] * 50) + b"\r\nConnection: close\r\n\r\n"
    whole = exchange(guarded.server.web_port, b"GET /static/lite.js HTTP/1.1\r\nHost: localhost\r\n" + ranges)
    plain = exchange(guarded.server.web_port, GET.replace(b"GET / ", b"GET /static/lite.js "))
    assert status(whole) == 200
    assert whole.partition(b"\r\n\r\n")[2] == plain.partition(b"\r\n\r\n")[2]


def test_head_says_nothing_in_the_log(guarded: Guarded) -> None:
    """A HEAD of a file is answered with the length of the file, and the log stays silent."""
    before = guarded.server.log
    for path in (b"/lite", b"/", b"/static/lite.js", b"/socket.io/socket.io.js"):
        head = exchange(guarded.server.web_port, GET.replace(b"GET / ", b"HEAD " + path + b" "))
        full = exchange(guarded.server.web_port, GET.replace(b"GET / ", b"GET " + path + b" "))
        body = full.partition(b"\r\n\r\n")[2]
        assert head.partition(b"\r\n\r\n")[2] == b"" and status(head) == status(full)
        if status(full) == 200:
            assert b"content-length: %d\r\n" % len(body) in head.lower()
    assert guarded.server.log.removeprefix(before) == ""


# --- rows 36 to 39: who is too many ---


def from_address(address: str, port: int) -> socket.socket:
    """A connection from one of this computer's other addresses."""
    return socket.create_connection(("127.0.0.1", port), 10, source_address=(address, 0))


def opens(bare: socket.socket, **headers: str) -> bool:
    """Whether a WebSocket opens on it."""
    try:
        bare.sendall(handshake("/echo", **headers))
        return bare.recv(4096).startswith(b"HTTP/1.1 101 ")
    except ConnectionError:
        return False


def test_one_address_has_so_many(tmp_path: Path) -> None:
    """Rows 36 and 37: the sixth connection of an address is closed at accept on every listener, what it says of
    being forwarded for somebody else changes nothing, others come in, and a place that is free again is given."""
    tls_port = free_port()
    options = ("--limit-loopback", "--connections-per-address=5", f"--self-signed={tls_port}")
    with Server(tmp_path, *options) as server, ExitStack() as stack:
        held = [stack.enter_context(from_address("127.0.0.2", server.web_port)) for _ in range(4)]
        assert all(opens(bare, X_Forwarded_For=f"203.0.113.{n}") for n, bare in enumerate(held))
        line = stack.enter_context(from_address("127.0.0.2", server.line_port))
        assert line.recv(100).startswith(b"Hi 127.0.0.2:")
        for port in (server.web_port, tls_port, server.line_port) * 4:
            with from_address("127.0.0.2", port) as bare:
                assert not opens(bare, X_Forwarded_For="203.0.113.77") and read_to_end(bare) == b""
        with from_address("127.0.0.3", server.web_port) as bare:
            assert opens(bare)
        held.pop().close()

        def comes_in() -> bool:
            with from_address("127.0.0.2", server.web_port) as bare:
                return opens(bare)

        eventually(comes_in, "the place is free again")
        lines = [line for line in server.log.splitlines() if "as one address may have" in line]
        assert len(lines) <= 2 and "127.0.0.2 " in lines[0]


def test_one_address_connects_so_often(tmp_path: Path) -> None:
    """Who connects more often than so many times in a minute is closed at accept; the others are not."""
    with Server(tmp_path, "--limit-loopback", "--connects-per-minute=20") as server:
        came_in = 0
        for _ in range(40):
            with from_address("127.0.0.2", server.web_port) as bare:
                came_in += opens(bare)
        assert 20 <= came_in <= 25
        with from_address("127.0.0.3", server.web_port) as bare:
            assert opens(bare)
        assert server.log.count("connects too often") == 1


def test_this_computer_is_free(tmp_path: Path) -> None:
    """Programs of this computer are bound by neither."""
    with (
        Server(tmp_path, "--connections-per-address=2", "--connects-per-minute=2") as server,
        ExitStack() as stack,
    ):
        assert all(opens(stack.enter_context(connected(server.web_port))) for _ in range(10))


def test_no_room_at_all(tmp_path: Path) -> None:
    """Rows 38 and 39: when the process has as many connections as it can, the next are told 503 and when to come
    back, those above are closed at accept, the old ones go on, and the log has a line or two."""
    command = ["sh", "-c", 'ulimit -n 120; exec "$@"', "sh", *twistd(), "-n"]
    with Server(tmp_path, "--log-level=warn", command=command) as server, ExitStack() as stack:
        old = [stack.enter_context(connected(server.web_port)) for _ in range(56)]
        assert all(opens(bare) for bare in old)
        waits: set[int] = set()
        for _ in range(20):
            answer = exchange(server.web_port, GET)
            assert status(answer) == 503
            head = answer.partition(b"\r\n\r\n")[0].lower()
            waits.add(int(head.partition(b"retry-after: ")[2].partition(b"\r\n")[0]))
        assert len(waits) > 1 and min(waits) >= 5 and max(waits) <= 30
        for _ in range(150):
            stack.enter_context(connected(server.web_port))
        for bare in old:
            bare.sendall(b"\x81\x82\x00\x00\x00\x00hi")
            assert bare.recv(100) == b"\x81\x02hi"
        assert len(server.log.splitlines()) < 20
