"""What an operator does to a running service: signals, certificates, proxies before it, names of its own."""

from __future__ import annotations

import os
import pty
import signal
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from e2e.peers import WebSocketPeer
from e2e.raw import connected, exchange, handshake, read_to_end
from e2e.server import PATIENCE_S, Server, assert_quiet, clean_environment, eventually, free_port, twistd

MAKE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=chat.test"


def make_certificate(key: Path, certificate: Path, name: str = "chat.test", days: int = 2) -> None:
    """A new pair of files."""
    names = ["-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"]
    names += ["-days", str(days)]
    subprocess.run([*MAKE.split(), *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)


def presented(port: int) -> x509.Certificate:
    """The certificate that is shown at a port."""
    shown = ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE_S)
    return x509.load_pem_x509_certificate(shown.encode())


class Sealed:
    """A server with an operator's own certificate, in files."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.key, self.certificate, self.port = directory / "key.pem", directory / "cert.pem", free_port()
        make_certificate(self.key, self.certificate)
        listen = f"--listen=ssl:{self.port}:interface=127.0.0.1:privateKey={self.key}:certKey={self.certificate}"
        self.server = Server(directory, listen, *options)

    def renew(self) -> x509.Certificate:
        """Replace the files; the new certificate."""
        beside = self.key.with_name("new.pem"), self.certificate.with_name("new.crt")
        make_certificate(*beside)
        os.replace(beside[0], self.key)
        os.replace(beside[1], self.certificate)
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def talker(self, nick: str) -> WebSocketPeer:
        """Somebody over TLS, who trusts whatever is there now."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return WebSocketPeer(f"wss://127.0.0.1:{self.port}/?nick={nick}", ssl=context)


@pytest.mark.parametrize("told", [True, False], ids=["SIGHUP", "the files change"])
def test_a_new_certificate(tmp_path: Path, told: bool) -> None:
    """A renewed certificate is shown to whoever connects from then on; those who talk go on talking."""
    sealed = Sealed(tmp_path)
    with sealed.server as server, sealed.talker("Ann") as ann:
        ann.arrived()
        new = sealed.renew()
        if told:
            os.kill(server.pid, signal.SIGHUP)
        try:
            eventually(lambda: presented(sealed.port) == new, "the new certificate")
        except (AssertionError, OSError) as error:
            raise AssertionError(f"{error}: {server.log}") from error
        with sealed.talker("Bob") as bob:
            bob.arrived()
            ann.say("still here")
            bob.until(lambda _: [frame["text"] for frame in bob.said] == ["still here"])
        assert server.log.count("is in use from now on") == 1


def test_a_broken_certificate(tmp_path: Path) -> None:
    """A file that is no certificate is one line in the log; the old one stays in use."""
    sealed = Sealed(tmp_path)
    with sealed.server as server:
        before = presented(sealed.port)
        sealed.certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: "the old certificate stays in use" in server.log, "the line in the log")
        assert presented(sealed.port) == before
        assert server.log.count("the old certificate stays in use") == 1


def test_two_signals_to_stop(tmp_path: Path) -> None:
    """Whoever is impatient and says it twice gets the same orderly end, without a traceback."""
    with Server(tmp_path) as server, WebSocketPeer(server.socket_url()) as peer:
        peer.arrived()
        for _ in range(3):
            os.kill(server.pid, signal.SIGTERM)
        assert peer.close_code() == 1012
        server.stop()


def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    """SIGHUP is also what a terminal says when its window is closed: what was started in it ends as before."""
    outer, inner = pty.openpty()
    port = free_port()
    command = [*twistd(), "-n", "chat", f"--listen=tcp:{port}:interface=127.0.0.1", "--line=none"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            cwd=tmp_path,
            env=clean_environment(),
            stdin=inner,
            stdout=log,
            stderr=log,
        )
    os.close(inner)
    try:

        def listens() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        eventually(listens, "the port")
        os.close(outer)
        process.wait(20)
    finally:
        process.kill()
    assert_quiet((tmp_path / "log").read_text())


ANN = b"203.0.113.9"


def greeting(port: int, sent: bytes, *, source: str = "127.0.0.1") -> bytes:
    """The first words of the line port to one who begins like this."""
    with socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0)) as bare:
        bare.sendall(sent)
        with suppress(ConnectionError):
            return bare.recv(200)
        return b""


def test_behind_a_proxy_that_speaks_its_protocol(tmp_path: Path) -> None:
    """Before lines, WebSocket and TLS alike the PROXY header of a trusted address is read; who does not begin with
    one is cut; from another address it is no header."""
    tls_port = free_port()
    header = b"PROXY TCP4 " + ANN + b" 192.0.2.1 5123 443\r\n"
    other = header.replace(ANN, b"203.0.113.8")  # whose connection counts until its end is noticed
    options = ("--trusted-proxy=127.0.0.1", "--proxy-protocol", f"--self-signed={tls_port}")
    with Server(tmp_path, *options, "--connections-per-address=2") as server:
        assert greeting(server.line_port, other).startswith(b"Hi 203.0.113.8:5123!")
        assert greeting(server.line_port, b"hello\n") == b""
        assert greeting(server.line_port, b"", source="127.0.0.2").startswith(b"Hi 127.0.0.2:")
        held = []
        for n in range(3):
            bare = connected(tls_port)
            bare.sendall(header)
            context = ssl.create_default_context(cafile=str(server.data / "tls" / "self-signed.crt"))
            try:
                sealed = context.wrap_socket(bare, server_hostname="localhost")
                sealed.sendall(handshake("/echo"))
                assert sealed.recv(1000).startswith(b"HTTP/1.1 101 ")
                held.append(sealed)
            except (ssl.SSLError, ConnectionError):
                bare.close()
                assert n == 2
        assert len(held) == 2
        for sealed in held:
            sealed.close()
        assert "203.0.113.9 has as many connections" in server.log


def test_behind_a_proxy_that_adds_headers(tmp_path: Path) -> None:
    """With X-Forwarded-For from a trusted proxy each person counts alone, whatever the public name is."""
    with Server(tmp_path, "--trusted-proxy=127.0.0.1", "--connections-per-address=2") as server:
        held, statuses = [], []
        for address in (ANN, ANN, b"203.0.113.10", ANN):
            bare = connected(server.web_port)
            request = handshake("/echo", X_Forwarded_For=address.decode(), Origin="https://chat.example.org")
            bare.sendall(request.replace(b"Host: 127.0.0.1", b"Host: chat.example.org"))
            statuses.append(int(bare.recv(1000).split(b" ")[1]))
            held.append(bare)
        for bare in held:
            bare.close()
        assert statuses == [101, 101, 101, 429]


def test_behind_a_proxy_at_a_unix_socket(tmp_path: Path) -> None:
    """Who comes over a UNIX socket is as good as a proxy if that is said, and brings nobody if it is not."""
    for options, last in (((), 101), (("--trusted-proxy=unix",), 429)):
        directory = tmp_path / str(last)
        directory.mkdir()
        path = directory / "web.sock"
        with Server(directory, f"--listen=unix:{path}", "--connections-per-address=1", *options):
            held, statuses = [], []
            for address in ("203.0.113.9", "203.0.113.10", "203.0.113.9"):
                bare = socket.socket(socket.AF_UNIX)
                bare.settimeout(10)
                bare.connect(str(path))
                bare.sendall(handshake("/echo", X_Forwarded_For=address))
                statuses.append(int(bare.recv(1000).split(b" ")[1]))
                held.append(bare)
            for bare in held:
                bare.close()
            assert statuses == [101, 101, last]


def test_redirect(tmp_path: Path) -> None:
    """Plain http at the port for that is sent to https, where there is a certificate for that name."""
    redirect = free_port()
    sealed = Sealed(tmp_path, f"--redirect=tcp:{redirect}:interface=127.0.0.1")
    with sealed.server:
        for host, told in (("chat.test", b"308"), ("evil.example", b"421")):
            answer = exchange(redirect, f"GET /lite?x=1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert answer.split(b" ")[1] == told
            location = b"Location: https://chat.test:%d/lite?x=1\r\n" % sealed.port
            assert (location in answer) is (told == b"308")
        assert b"101" not in exchange(redirect, handshake("/echo"))[:20]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--redirect=0"], "--redirect"),
        (["--origin=*"], "--insecure-any-origin"),
        (["--proxy-protocol"], "--trusted-proxy"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    """A start that could not do what it is asked to do ends with one line."""
    done = subprocess.run(
        [*twistd(), "-n", "chat", *options, "--listen=tcp:0:interface=127.0.0.1", "--line=none"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1


def test_any_origin_is_warned_of(tmp_path: Path) -> None:
    """Whoever opens it to every page is told so at each start."""
    with Server(tmp_path, "--insecure-any-origin") as server:
        assert "WARNING    --insecure-any-origin" in server.banner
        with connected(server.web_port) as bare:
            bare.sendall(handshake("/echo", Origin="https://evil.example"))
            assert bare.recv(100).startswith(b"HTTP/1.1 101 ")
            bare.shutdown(socket.SHUT_WR)
            read_to_end(bare)
