"""What all workers hear and one of them does."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from chatservice.domain.ports import Randomness
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_keys import Keys

ALONE_MS = 1000
"""Who takes goes on alone for so long, so that what comes in one go is taken in its order."""

AGAIN_S = 1.5
"""After so long somebody else takes what was not taken: that worker is gone."""

KEPT_MS = 600_000
"""Longer than any worker can be behind: one that hears nothing for some seconds hangs up."""


class RedisOnce:
    """See `chatservice.domain.bus.Once`; lua/heard.lua says how.

    :param source: the number of what is listened to. Each has its own beginnings, and is counted for itself.
    """

    def __init__(self, asking: Asking, keys: Keys, randomness: Randomness, source: int = 0) -> None:
        self._asking = asking
        self._keys = keys
        self._randomness = randomness
        self._word = ""
        self._since = 0
        # The first has none, as when there was only one: workers of both versions may run.
        self._source = b":%d" % source if source else b""

    def of(self, source: int) -> RedisOnce:
        """See `Once.of`."""
        return RedisOnce(self._asking, self._keys, self._randomness, source)

    def begin(self, then: Callable[[], object]) -> None:
        """See `Once.begin`."""
        word = self._word = self._randomness.token()

        def told(answer: Any) -> None:
            if word != self._word:
                return  # it has begun once more
            if isinstance(answer, Exception):
                self._asking.call_later(AGAIN_S, ask)
                return
            seconds, microseconds = map(int, answer)
            self._since = seconds * 1000 + microseconds // 1000
            then()

        def ask() -> None:
            self._asking.wire.call((b"TIME",), told)

        ask()

    def heard(self, words: bytes, do: Callable[[], object]) -> None:
        """See `Once.heard`."""
        digest = sha256(words).digest()
        self._ask(self._keys.heard(digest) + self._source, self._word, self._since, b"", do)

    def _ask(self, key: bytes, word: str, since: int, time: bytes, do: Callable[[], object]) -> None:
        def told(answer: Any) -> None:
            if isinstance(answer, Exception):
                return
            heard, verdict = answer
            if verdict == 1:
                do()
            elif verdict == 2:
                again = b"%d" % heard
                self._asking.call_later(AGAIN_S, lambda: self._ask(key, word, since, again, do))

        values = (word, since, time, ALONE_MS, KEPT_MS)
        self._asking.wire.run("heard", (key, self._keys.taker + self._source), values, told)
