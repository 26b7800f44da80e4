"""How each worker stands, beside its lease: a sheet of figures a beat, which all may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatservice.domain.board import Pinned
from chatservice.domain.promise import Promise, start
from chatservice.logs.redis_asking import Asking, State
from chatservice.logs.redis_keys import Keys

GONE_S = 600
"""So long the sheet of a worker that died is shown: whoever is called for it has the time to come and see."""

MOST = 200
"""Sheets that are read at once."""


class RedisBoard:
    """See `chatservice.domain.board.Board`.

    :param node: this worker's own word.
    """

    def __init__(self, asking: Asking, keys: Keys, node: str) -> None:
        self._asking = asking
        self._keys = keys
        self._node = node
        self._sheet: Callable[[], bytes] | None = None

    def keep(self, sheet: Callable[[], bytes]) -> None:
        """See `Board.keep`."""
        self._sheet = sheet
        self.beat()

    def beat(self) -> None:
        """Pin it anew. To be called together with `Presence.beat`. What is lost is written at the next one."""
        if self._sheet is not None and self._asking.state is State.UP:
            keys = (self._keys.board, self._keys.pinned)
            values = (self._node, self._sheet(), GONE_S * 1000)
            self._asking.wire.run("pin", keys, values, lambda _: None)

    def leave(self) -> None:
        """We end in good order: nobody needs to wonder where we are."""
        if self._sheet is not None:
            self._asking.wire.call((b"HDEL", self._keys.board, self._node), lambda _: None)
            self._asking.wire.call((b"ZREM", self._keys.pinned, self._node), lambda _: None)

    def read(self) -> Promise[Sequence[Pinned]]:
        """See `Board.read`."""
        return start(self._read())

    async def _read(self) -> Sequence[Pinned]:
        keys = (self._keys.board, self._keys.pinned, self._keys.workers)
        rows = await self._asking.run("board", keys, MOST)
        return tuple(
            Pinned(node.decode(), node.decode() == self._node, bool(lives), age_ms / 1000, sheet)
            for node, lives, age_ms, sheet in rows
        )
