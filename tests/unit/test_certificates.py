"""Certificates that change while people talk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from chatservice.transports import tls
from chatservice.transports.certificates import LOOK_EVERY, Certificates
from chatservice.transports.counted import Counted
from chatservice.transports.tls import BadCertificate, ReloadableContext, names_in, rehearse, self_signed


class Kept:
    """A certificate and its key in files, watched over."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.certificate, self.key = self_signed(directory / "used", "one.example")
        self.context = ReloadableContext(self.certificate, self.key)
        self.counted = Counted()
        self.certificates = Certificates([self.context], self.counted)

    def another(self, name: str) -> tuple[bytes, bytes]:
        """The files of another certificate."""
        certificate, key = self_signed(self._directory / name, name)
        return certificate.read_bytes(), key.read_bytes()

    def replace(self, path: Path, content: bytes) -> None:
        """As certbot and rsync do it: a new file takes the name."""
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        os.replace(beside, path)

    def look(self) -> None:
        """Time goes on to the next look."""
        for _ in range(LOOK_EVERY):
            self.certificates.tick()

    @property
    def numbers(self) -> tuple[int, int]:
        return self.counted.tls_reloads, self.counted.tls_failures


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_change_is_seen(kept: Kept) -> None:
    """Both files are replaced: at the second look that finds them so, new connections get the new certificate."""
    kept.look()
    old = kept.context.serverConnectionForTLS(None)  # type: ignore[arg-type]
    certificate, key = kept.another("two.example")
    kept.replace(kept.certificate, certificate)
    kept.replace(kept.key, key)
    kept.look()
    assert kept.numbers == (0, 0) and "one.example" in kept.context.names
    kept.look()
    assert kept.numbers == (1, 0) and "two.example" in kept.context.names
    new = kept.context.serverConnectionForTLS(None)  # type: ignore[arg-type]
    assert new.get_context() is not old.get_context()
    for _ in range(3):
        kept.look()
    assert kept.numbers == (1, 0)


def test_half_a_change_is_waited_for(kept: Kept) -> None:
    """Who writes the certificate just before a look and the key just after it has written both."""
    certificate, key = kept.another("two.example")
    kept.replace(kept.certificate, certificate)
    kept.look()
    kept.replace(kept.key, key)
    kept.look()
    kept.look()
    assert kept.numbers == (1, 0) and "two.example" in kept.context.names


@pytest.mark.parametrize("broken", ["nonsense", "empty", "gone", "another's key"])
def test_what_cannot_be_used(kept: Kept, broken: str) -> None:
    """The old certificate stays in use, that is told once, and the next good one is taken."""
    used = kept.context.serverConnectionForTLS(None).get_context()  # type: ignore[arg-type]
    certificate, key = kept.another("two.example")
    if broken == "gone":
        kept.key.unlink()
    elif broken == "another's key":
        kept.replace(kept.key, key)
    else:
        kept.replace(kept.certificate, b"nonsense" if broken == "nonsense" else b"")
    for _ in range(5):
        kept.look()
    assert kept.numbers == (0, 1) and "one.example" in kept.context.names
    assert kept.context.serverConnectionForTLS(None).get_context() is used  # type: ignore[arg-type]
    kept.certificates.reload()  # asked for by hand it is told again
    assert kept.numbers == (0, 2)
    kept.replace(kept.certificate, certificate)
    kept.replace(kept.key, key)
    kept.look()
    kept.look()
    assert kept.numbers == (1, 2) and "two.example" in kept.context.names


def test_a_key_that_is_given_to_us_later(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes new files first, and lets us read them afterwards, need not do more: they are taken then."""
    certificate, key = kept.another("two.example")
    with monkeypatch.context() as patch:  # modes do not keep root from reading
        patch.setattr(tls, "load_context", unreadable)
        kept.replace(kept.certificate, certificate)
        kept.replace(kept.key, key)
        for _ in range(5):
            kept.look()
    assert kept.numbers == (0, 1)
    kept.key.chmod(0o640)
    for _ in range(3):
        kept.look()
    assert kept.numbers == (1, 1) and "two.example" in kept.context.names


def unreadable(certificate: Path, key: Path) -> SSL.Context:
    """See `load_context`."""
    raise BadCertificate(f"cannot read {key}: Permission denied")


def test_a_handshake_is_tried(tmp_path: Path) -> None:
    """A context with which no client could begin is found out before it is used."""
    certificate, key = self_signed(tmp_path, "one.example")
    rehearse(ReloadableContext(certificate, key)._context, certificate)
    with pytest.raises(BadCertificate, match="no TLS handshake"):
        rehearse(SSL.Context(SSL.TLS_SERVER_METHOD), certificate)


def test_names(tmp_path: Path) -> None:
    """What it is good for; nothing if it does not say so."""
    certificate, _ = self_signed(tmp_path, "One.Example")
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert names_in(shown) == {"localhost", "one.example", "127.0.0.1", "::1"}
    key, nobody = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    blank = x509.CertificateBuilder(
        nobody, nobody, key.public_key(), 1, shown.not_valid_before_utc, shown.not_valid_after_utc
    )
    assert names_in(blank.sign(key, hashes.SHA256())) == frozenset()
