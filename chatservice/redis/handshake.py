"""What is said first on every connection: who we are, which database, who is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chatservice.redis.address import Address
from chatservice.redis.errors import RedisError, Refusal, Unusable
from chatservice.redis.server import QUESTIONS, Server, check_ready, read_server

Commands = Sequence[tuple[str, ...]]


def opening(address: Address) -> list[tuple[str, ...]]:
    """The commands of a handshake, all sent at once."""
    first: list[tuple[str, ...]] = []
    if address.password:
        login = (address.user, address.password) if address.user else (address.password,)
        first.append(("AUTH", *login))
    if address.db:
        first.append(("SELECT", str(address.db)))
    return [*first, *QUESTIONS]


def opened(address: Address, answers: Sequence[object]) -> Server:
    """Who is there, by the answers to `opening`.

    :raises Unusable: if it does not let us in, or takes no writes.
    :raises RedisError: if the connection did not last.
    """
    for command, answer in zip(opening(address), answers, strict=True):
        if isinstance(answer, Refusal) and command[0] != "CONFIG":
            # Its words may repeat ours, and those of AUTH are a password.
            raise Unusable(f"it refuses {command[0]}: {answer if command[0] != 'AUTH' else answer.code}")
        if isinstance(answer, RedisError) and not isinstance(answer, Refusal):
            raise answer
    info, config = answers[-2:]
    if not isinstance(info, bytes):
        raise Unusable("it does not answer INFO")
    server = read_server(info, config)
    check_ready(server)
    return server


def sentinel_opening(address: Address) -> list[tuple[str, ...]]:
    """What a sentinel is asked. It has no password of ours: that is the server's."""
    return [("SENTINEL", "get-master-addr-by-name", address.master)]


def named_by(answer: object) -> tuple[str, int] | None:
    """Host and port that a sentinel names; None if it knows none."""
    if not (isinstance(answer, list) and len(answer) == 2):
        return None
    host, port = (word.decode() if isinstance(word, bytes) else "" for word in answer)
    return (host, int(port)) if host and port.isdigit() else None


def pairs(words: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """A hash as RESP2 has it: names and values in turn, all bytes."""
    return zip(words[::2], words[1::2], strict=True)
