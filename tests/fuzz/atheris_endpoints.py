"""Any listener string is a listener or is refused in words."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.transports.endpoints import BadEndpoint, parse_listener

SEEDS = [
    b"tcp:8080:interface=127.0.0.1",
    b"ssl:443:privateKey=/a/b.key:certKey=/a/b.crt",
    b"tcp6:80:interface=\\:\\:1",
    b"unix:/run/chat.sock:mode=660",
]


def target(data: bytes) -> None:
    try:
        listener = parse_listener(data.decode("utf-8", "replace"))
    except BadEndpoint as refused:
        assert str(refused)
        return
    if listener.port is not None:
        assert 0 <= listener.port <= 65_535
        listener.url("http")


if __name__ == "__main__":
    fuzz(target, SEEDS)
