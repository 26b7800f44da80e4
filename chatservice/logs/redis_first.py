"""Asking a Redis before there is a reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatservice.domain.ports import LogError
from chatservice.redis.address import Address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import RedisError


@contextmanager
def asking_first(address: Address) -> Iterator[Blocking]:
    """A connection to it, closed at the end.

    :raises LogError: if it cannot be used, with one sentence; also for what goes wrong inside.
    """
    try:
        with Blocking(address) as asking:
            yield asking
    except (RedisError, OSError) as error:
        raise LogError(f"cannot use the Redis at {address}: {error}") from error
