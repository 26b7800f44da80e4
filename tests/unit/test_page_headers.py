"""Which answers tell a browser to insist on TLS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatservice.config import read_config
from chatservice.listening import page_headers
from chatservice.transports.headers import HSTS, security_headers

SSL = "ssl:443:privateKey=key.pem:certKey=cert.pem"


@pytest.mark.parametrize(
    ("endpoint", "insists"),
    [
        (SSL, True),
        (f"{SSL}:interface=192.0.2.1", True),
        (f"{SSL}:interface=127.0.0.1", False),
        ("tcp:80", False),
        ("unix:/run/chat.sock", False),
    ],
)
def test_only_where_the_certificate_is_ours(endpoint: str, insists: bool) -> None:
    """Where TLS is ours and others come; not behind a proxy, nor under this computer's own name."""
    config = read_config({"listen": [endpoint]}, {})
    (listener,) = config.listeners
    headers = dict(page_headers(config, listener))
    assert headers == {**security_headers(), **(dict([HSTS]) if insists else {})}


def test_not_with_a_certificate_of_nobody() -> None:
    """A self-signed one may be gone tomorrow, and everything else on that host with it."""
    config = read_config({"self-signed": "8443:interface=0.0.0.0"}, {})
    listener = replace(config.self_signed[0], key="key.pem", certificate="cert.pem")
    assert listener.is_tls and HSTS[0] not in page_headers(config, listener)
