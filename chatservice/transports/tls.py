"""TLS for the listeners: contexts that can be replaced while connections are open, and a certificate for
trying things out.

Built on a plain `SSL.Context`. Twisted's `CertificateOptions` sets an ALPN callback through cffi, which needs
memory that is both writable and executable and dies under systemd's MemoryDenyWriteExecute.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

# Forward secrecy and authenticated encryption only; TLS 1.3 has its own fixed list.
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_FLIGHTS = 6  # a handshake of TLS 1.2 or 1.3 takes three of each side at most

_SERVER_SESSION_ID = b"chatservice"


class BadCertificate(Exception):
    """A certificate or key cannot be used; its text is one sentence for the operator."""


def load_context(certificate: Path, key: Path) -> SSL.Context:
    """A server context with that chain and key, TLS 1.2 or newer.

    :raises BadCertificate: if a file cannot be read or the two do not belong together.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise BadCertificate(f"cannot read {path}: {error.strerror}") from error
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION | SSL.OP_SINGLE_ECDH_USE
    )
    context.set_cipher_list(CIPHERS)
    context.set_session_id(_SERVER_SESSION_ID)  # without it OpenSSL refuses to resume
    # Sessions are resumed by tickets, which the peer keeps; OpenSSL would keep 20 000 sessions beside.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # else each idle connection holds 34 KB
    try:
        context.use_certificate_chain_file(os.fspath(certificate))
        context.use_privatekey_file(os.fspath(key))
        context.check_privatekey()
    except SSL.Error as error:
        raise BadCertificate(f"{certificate} and {key} are not a certificate and its key in PEM") from error
    return context


def rehearse(context: SSL.Context, certificate: Path) -> None:
    """One whole handshake in memory: what OpenSSL takes from a file it may still refuse to use.

    :raises BadCertificate: if it comes to nothing.
    """
    failed = f"no TLS handshake succeeds with {certificate}"
    server, client = SSL.Connection(context, None), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    done: set[SSL.Connection] = set()
    for _ in range(_FLIGHTS):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
                done.add(one)
            except SSL.WantReadError:
                pass
            except SSL.Error as error:
                raise BadCertificate(failed) from error
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65_536))
    if len(done) < 2:
        raise BadCertificate(failed)


@implementer(IOpenSSLServerConnectionCreator)
class ReloadableContext:
    """Gives each new connection the newest context; open ones keep theirs.

    :raises BadCertificate: see `load_context`.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self._key = key
        self._seen = self._used = self._state()
        self._load()

    def reload(self) -> None:
        """Read the files again.

        :raises BadCertificate: and the old context stays in use.
        """
        # Before they are read: what changes meanwhile is seen the next time.
        self._seen = self._used = self._state()
        self._load()

    def has_changed(self) -> bool:
        """Whether the files are others than those last read, and the same as at the last look: who renews a
        certificate writes two files, one after the other."""
        before, self._seen = self._seen, self._state()
        return self._seen == before and self._seen != self._used

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See `IOpenSSLServerConnectionCreator`."""
        return SSL.Connection(self._context, None)

    @property
    def names(self) -> frozenset[str]:
        """The hosts the certificate is good for, in small letters; `*.` stands for one more name before."""
        return self._names

    @property
    def expires_at(self) -> float:
        """When the certificate in use ends, in seconds since 1970."""
        return self._expires_at

    def _load(self) -> None:
        context = load_context(self.certificate, self._key)
        rehearse(context, self.certificate)
        shown = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        self._expires_at = shown.not_valid_after_utc.timestamp()
        self._context, self._names = context, names_in(shown)

    def _state(self) -> tuple[object, ...]:
        return tuple(_state(path) for path in (self.certificate, self._key))


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    # ctime is also another when an owner or a mode is: a key is often written first and given to us then.
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def names_in(certificate: x509.Certificate) -> frozenset[str]:
    """The DNS names and addresses in a certificate (RFC 6125: the subject's own name counts no more)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return frozenset()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return frozenset(name.lower() for name in (*names.get_values_for_type(x509.DNSName), *addresses))


def self_signed(directory: Path, hostname: str) -> tuple[Path, Path]:
    """The paths of a certificate and key for this computer, made in `directory` when they are missing.

    ECDSA P-256, 397 days; both files are readable by their owner alone.

    :raises BadCertificate: if they cannot be written.
    """
    certificate, key = directory / "self-signed.crt", directory / "self-signed.key"
    if certificate.exists() and key.exists():
        return certificate, key
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chatservice (self-signed)")])
    now = datetime.datetime.now(datetime.UTC)
    loopback = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=397))  # browsers refuse more
        .add_extension(x509.SubjectAlternativeName([*_dns_names(hostname), *loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(
            key,
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        _write_private(certificate, made.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise BadCertificate(f"cannot write {directory}: {error.strerror}") from error
    return certificate, key


def fingerprint(certificate: Path) -> str:
    """The certificate's SHA-256 as browsers show it."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def _dns_names(hostname: str) -> list[x509.DNSName]:
    names = ["localhost"]
    if hostname and hostname.isascii() and hostname != "localhost":
        names.append(hostname)
    return [x509.DNSName(name) for name in names]


def _write_private(path: Path, content: bytes) -> None:
    # The mode is set at creation: a moment of 0644 would be enough to copy a key.
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
