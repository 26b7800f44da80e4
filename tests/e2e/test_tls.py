"""https and wss: a certificate of our own making, one from files, and nothing older than TLS 1.2."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.conftest import Serve
from e2e.peers import WebSocketPeer
from e2e.server import Server, free_port


@pytest.fixture
def tls_port() -> int:
    """Where the server under test speaks TLS."""
    return free_port()


@pytest.fixture
def server(serve: Serve, tls_port: int) -> Server:
    """A server with a self-signed listener beside the plain one."""
    return serve(f"--self-signed={tls_port}")


def certificate_of(server: Server) -> Path:
    """Where the service keeps its own certificate."""
    return server.data / "tls" / "self-signed.crt"


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(certificate))


def presented(port: int) -> x509.Certificate:
    """The certificate that is shown at a port."""
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode())


def test_chromium_and_python_chat_over_wss_and_plain_ws_at_once(
    server: Server, tls_port: int, browsing: Browsing
) -> None:
    """A browser over https, a Python client over wss and one over plain ws talk on the same service."""
    page = browsing.page(f"https://127.0.0.1:{tls_port}/lite?nick=Ann", ignore_https_errors=True)
    context = trusting(certificate_of(server))
    with (
        WebSocketPeer(f"wss://localhost:{tls_port}/?nick=Bob", ssl=context) as bob,
        WebSocketPeer(server.socket_url(nick="Cem")) as cem,
    ):
        bob.arrived()
        cem.arrived()
        expect(page.locator("#people-list li")).to_have_count(3)
        page.locator("#text").fill("sealed")
        page.locator("#text").press("Enter")
        cem.until(lambda _: [frame["text"] for frame in cem.said] == ["sealed"])
        bob.say("sealed as well")
        cem.until(lambda _: len(cem.said) == 2)
        cem.say("in the open")
        expect(page.locator("#rows .text")).to_have_text(["sealed", "sealed as well", "in the open"])
        bob.until(lambda _: [frame["text"] for frame in bob.said][-1:] == ["in the open"])
    with (
        urllib.request.urlopen(server.page_url) as plain,
        urllib.request.urlopen(f"https://127.0.0.1:{tls_port}/", context=context) as sealed,
    ):
        assert plain.read() == sealed.read() != b""


def test_the_certificate_names_this_computer_and_is_private(server: Server, tls_port: int) -> None:
    """The self-signed certificate is ECDSA P-256, names this computer, and only its owner can read it."""
    shown = presented(tls_port)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    host = socket.gethostname()
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", host}
    assert {str(ip) for ip in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}
    key = shown.public_key()
    assert isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    tls = certificate_of(server).parent
    assert {file.name for file in tls.iterdir()} == {"self-signed.crt", "self-signed.key"}
    for file in tls.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tls.stat().st_mode) == 0o700
    fingerprint = shown.fingerprint(shown.signature_hash_algorithm or pytest.fail("no hash")).hex(":").upper()
    assert fingerprint in server.banner
    for name in ("127.0.0.1", "localhost", host):
        with socket.create_connection(("127.0.0.1", tls_port), 10) as bare:
            trusting(certificate_of(server)).wrap_socket(bare, server_hostname=name).close()


def test_the_certificate_is_made_once(server: Server, tls_port: int) -> None:
    """The second start uses the certificate of the first, so that an exception made for it stays good."""
    first = presented(tls_port)
    server.restart()
    assert presented(tls_port) == first
    server.kill9()
    server.start()
    assert presented(tls_port) == first


def test_wss_from_key_and_certificate_files(serve: Serve, tmp_path: Path) -> None:
    """`--listen ssl:…` serves page and chat with the operator's own key and certificate."""
    key, certificate, port = tmp_path / "our key.pem", tmp_path / "our.pem", free_port()
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=chat.test"
    names = ["-addext", "subjectAltName=DNS:chat.test,IP:127.0.0.1"]
    subprocess.run([*make.split(), *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = serve(f"--listen=ssl:{port}:privateKey={key}:certKey={certificate}:interface=127.0.0.1")
    assert f"https://127.0.0.1:{port}/" in server.banner
    assert f"wss://127.0.0.1:{port}/" in server.banner
    assert presented(port) == x509.load_pem_x509_certificate(certificate.read_bytes())
    context = trusting(certificate)
    with WebSocketPeer(f"wss://127.0.0.1:{port}/text", ssl=context) as peer:
        peer.say("hi")
        peer.hears("hi")
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=context) as page:
        assert b"<!doctype html>" in page.read()
        assert "Strict-Transport-Security" not in page.headers  # this computer's own name is not only ours


@pytest.mark.parametrize(
    ("version", "welcome"),
    [
        (ssl.TLSVersion.TLSv1, False),
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_tls_1_2_and_newer(server: Server, tls_port: int, version: ssl.TLSVersion, welcome: bool) -> None:
    """TLS 1.0 and 1.1 are refused by an alert, 1.2 and 1.3 are spoken."""
    context = trusting(certificate_of(server))
    context.set_ciphers("ALL:@SECLEVEL=0")  # else our own side would refuse the old ones first
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", tls_port), 10) as bare:
        if welcome:
            with context.wrap_socket(bare, server_hostname="localhost") as sealed:
                assert sealed.version() == version.name.replace("_", ".")
        else:
            with pytest.raises(ssl.SSLError) as refusal:
                context.wrap_socket(bare, server_hostname="localhost")
            assert "alert protocol version" in str(refusal.value)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(server: Server, tls_port: int, version: ssl.TLSVersion) -> None:
    """Whoever comes back with the ticket it was given need not do the whole handshake again."""
    context = trusting(certificate_of(server))
    context.minimum_version = context.maximum_version = version

    def visit(session: ssl.SSLSession | None) -> tuple[bool | None, ssl.SSLSession | None]:
        with (
            socket.create_connection(("127.0.0.1", tls_port), 10) as bare,
            context.wrap_socket(bare, server_hostname="localhost", session=session) as sealed,
        ):
            sealed.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            received = b""
            while more := sealed.recv(65_536):
                received += more
            assert received.startswith(b"HTTP/1.1 200 ")
            return sealed.session_reused, sealed.session

    reused, session = visit(None)
    assert not reused and session is not None and session.has_ticket
    assert visit(session)[0]


@pytest.mark.parametrize(
    ("cipher", "welcome"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA", False),
        ("ECDHE-ECDSA-AES256-SHA384", False),
        ("AES128-GCM-SHA256", False),
        ("AES256-SHA", False),
    ],
)
def test_only_modern_ciphers(shared_tls: tuple[Server, int], cipher: str, welcome: bool) -> None:
    """Ciphers without forward secrecy or authenticated encryption are refused by an alert."""
    server, port = shared_tls
    context = trusting(certificate_of(server))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", port), 10) as bare:
        if welcome:
            with context.wrap_socket(bare, server_hostname="localhost") as sealed:
                agreed = sealed.cipher()
                assert agreed is not None and agreed[0] == cipher
        else:
            with pytest.raises(ssl.SSLError) as refusal:
                context.wrap_socket(bare, server_hostname="localhost")
            assert "handshake failure" in str(refusal.value)


@pytest.fixture(scope="module")
def shared_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """One server and its TLS port for tests that change nothing."""
    port = free_port()
    with Server(tmp_path_factory.mktemp("tls"), f"--self-signed={port}") as server:
        yield server, port


def test_plain_http_on_the_tls_port_harms_nobody(server: Server, tls_port: int) -> None:
    """Somebody who forgets the s in https is cut off; the next one over TLS is served."""
    with socket.create_connection(("127.0.0.1", tls_port), 10) as bare:
        bare.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        try:
            while more := bare.recv(4096):
                received += more
        except ConnectionResetError:
            pass
        assert b"<!doctype" not in received
    with WebSocketPeer(f"wss://127.0.0.1:{tls_port}/echo", ssl=trusting(certificate_of(server))) as peer:
        peer.say("hello")
        peer.hears("hello")
