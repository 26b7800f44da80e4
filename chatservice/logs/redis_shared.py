"""What workers ask each other and count together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from chatservice.domain.bus import Known
from chatservice.domain.limits import Rate
from chatservice.domain.promise import Promise, start
from chatservice.domain.rules import rank
from chatservice.logs.redis_asking import Asking
from chatservice.logs.redis_keys import Keys

ANSWERS_S = 1.0
"""Whoever has not answered by then is not waited for: a moderator is waiting."""


class Questions:
    """Asks all other workers what they know of a user.

    :param node: this worker's own word.
    """

    def __init__(self, asking: Asking, keys: Keys, node: str) -> None:
        self._asking = asking
        self._keys = keys
        self._node = node
        self._count = 0
        self._open: dict[str, _Question] = {}

    def who(self, user_id: str) -> Promise[Known]:
        """See `Bus.who`."""
        self._count += 1
        number = str(self._count)
        question = self._open[number] = _Question()
        timer = self._asking.call_later(ANSWERS_S, question.end)

        def ended(_: object) -> None:
            del self._open[number]
            timer.cancel() if question.is_answered else None

        question.promise.then(ended)
        told = b"q%s" % "\x1f".join((self._node, number, user_id)).encode()
        self._asking.wire.call((b"PUBLISH", self._keys.everybody, told), question.expect)
        return question.promise

    def asked(self, told: bytes, who: Callable[[str], Known]) -> None:
        """Another worker asks: worker, number and id, split by 0x1F."""
        node, number, user_id = told.decode().split("\x1f")
        if node != self._node:
            known = who(user_id)
            words = b"r%s\x1f%s" % (number.encode(), orjson.dumps((known.role, known.networks)))
            self._asking.wire.call((b"PUBLISH", self._keys.node(node), words), lambda _: None)

    def answered(self, told: bytes) -> None:
        """Another worker answers: number, 0x1F, JSON."""
        number, _, words = told.partition(b"\x1f")
        question = self._open.get(number.decode())
        if question is not None:
            role, networks = orjson.loads(words)
            question.hear(Known(role, tuple(networks)))


class _Question:
    """One that is open."""

    def __init__(self) -> None:
        self.promise: Promise[Known] = Promise()
        self.is_answered = False
        self._heard: list[Known] = []
        self._wanted: int | None = None

    def expect(self, answer: Any) -> None:
        """So many hear it, one of whom is ourselves."""
        self._wanted = 0 if isinstance(answer, Exception) else answer - 1
        self._look()

    def hear(self, known: Known) -> None:
        """One has answered."""
        self._heard.append(known)
        self._look()

    def _look(self) -> None:
        if self._wanted is not None and len(self._heard) >= self._wanted and not self.promise.done:
            self.is_answered = True
            self.end()

    def end(self) -> None:
        """That is all."""
        roles = [known.role for known in self._heard if known.role]
        networks = sorted({network for known in self._heard for network in known.networks})
        self.promise.resolve(Known(max(roles, key=rank, default=""), tuple(networks)))


class SharedMeter:
    """See `Meter`."""

    def __init__(self, asking: Asking, keys: Keys) -> None:
        self._asking = asking
        self._keys = keys

    def take(self, what: str, rate: Rate) -> Promise[int]:
        """See `Meter.take`."""
        return self._asking.run("take", (self._bucket(what),), *_costs(rate), 1)

    def put_back(self, what: str, rate: Rate) -> None:
        """See `Meter.put_back`."""
        values = (*_costs(rate), -1)
        self._asking.wire.run("take", (self._bucket(what),), values, lambda _: None)

    def _bucket(self, what: str) -> bytes:
        # What is tried for a name may be anything, and is nobody's business.
        return self._keys.bucket(hashlib.sha256(what.encode()).hexdigest()[:32])


def _costs(rate: Rate) -> tuple[int, int]:
    each = round(1_000_000 / rate.per_s)
    return each, each * rate.burst


def read_tops(asking: Asking, keys: Keys, rooms: Iterable[str]) -> Promise[Mapping[str, tuple[str, int]]]:
    """See `Bus.tops`: one write, however many there are."""
    return start(_tops(asking, keys, list(rooms)))


async def _tops(asking: Asking, keys: Keys, rooms: list[str]) -> Mapping[str, tuple[str, int]]:
    asked = [(room, asking.call(b"HMGET", keys.room(room).head, b"e", b"s")) for room in rooms]
    answers = [(room, await answer) for room, answer in asked]
    return {room: (epoch.decode(), int(top)) for room, (epoch, top) in answers if epoch is not None}
