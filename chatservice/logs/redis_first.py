"""Asking a Redis before there is a reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatservice.domain.ports import LogError
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError
from chatservice.redis.words import DEADLINE_S


@contextmanager
def asking_first(address: Address, deadline_s: float = DEADLINE_S) -> Iterator[Blocking]:
    """A connection to it, closed at the end.

    :raises LogError: if it cannot be used, with one sentence; also for what goes wrong inside.
    """
    with blaming(address), Blocking(address, deadline_s) as asking:
        yield asking


@contextmanager
def blaming(address: Address) -> Iterator[None]:
    """What goes wrong inside is said of that Redis, whichever others are being asked too.

    :raises LogError: with one sentence.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        raise LogError(f"cannot use the Redis at {address}: {error}") from error
