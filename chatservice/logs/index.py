"""The index of words, a little behind the messages.

A commit that indexes one message costs twice what it costs without: FTS5 begins a new segment each time, on pages
of its own. So messages are indexed many at once: when enough wait, when nothing else is to be done, and before a
search. Whoever searches finds what was said before.
"""

from __future__ import annotations

import sqlite3

from chatservice.logs.search import indexed

MANY = 256
"""Messages that may wait. To index so many takes some milliseconds, which the next message waits for."""


class Index:
    """What of the messages is indexed; for the writer's thread.

    :ivar waiting: at least so many messages are not indexed yet, as far as the transaction under way goes.
    """

    def __init__(self) -> None:
        self.waiting = MANY  # until the first look
        self._has_grown = False

    def added(self) -> None:
        """There is one message more."""
        self.waiting += 1
        self._has_grown = True

    def keep_up(self, connection: sqlite3.Connection) -> None:
        """Within a transaction, as its last work: do not let too many wait. A transaction that has added none must
        not write here: it may only look, and go on doing so when the disk is full."""
        has_grown, self._has_grown = self._has_grown, False
        if has_grown and self.waiting >= MANY:
            self.catch_up(connection)

    def look(self, connection: sqlite3.Connection) -> None:
        """Within a transaction: index what waits, if anything does. Who asks for it in the writer's queue is
        answered when all that was said before is indexed and committed."""
        if self.waiting:
            self.catch_up(connection)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Within a transaction: index all that waits."""
        rows = connection.execute(
            "SELECT id, room, text FROM message WHERE id > (SELECT upto FROM indexed) AND deleted = 0"
        ).fetchall()
        connection.executemany(
            "INSERT INTO found (rowid, body) VALUES (?, ?)", [(id, indexed(room, text)) for id, room, text in rows]
        )
        connection.execute("UPDATE indexed SET upto = (SELECT coalesce(max(id), 0) FROM message)")
        self.waiting = 0

    def forget(self) -> None:
        """A transaction came to nothing: look again."""
        self.waiting = max(self.waiting, MANY)
        self._has_grown = False


def shrink(connection: sqlite3.Connection) -> None:
    """Messages were deleted. SQLite gives the next one the highest id plus one: it must not count as indexed."""
    connection.execute("UPDATE indexed SET upto = min(upto, (SELECT coalesce(max(id), 0) FROM message))")


def take_out(connection: sqlite3.Connection, id: int, room: int, text: str) -> bool:
    """Take a message's old words out of the index.

    A contentless index must be told the old words; SQLite 3.40 has no other way to take them out.

    :returns: False if it was not indexed yet; what it says when its turn comes is what will be.
    """
    if id > connection.execute("SELECT upto FROM indexed").fetchone()[0]:
        return False
    connection.execute("INSERT INTO found (found, rowid, body) VALUES ('delete', ?, ?)", (id, indexed(room, text)))
    return True
