"""What is where in Redis. These names are for ever: what is kept under them outlives the program.

`{…}` is what a Redis Cluster places a key by: all that belongs to one room is on one server.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

PARTITIONS = 256


def partition_of(room: str) -> int:
    """The partition that a room belongs to."""
    return zlib.crc32(room.encode()) % PARTITIONS


@dataclass(frozen=True, slots=True)
class RoomKeys:
    """The keys of one room; what they hold stands in lua/fence.lua and lua/find.lua.

    :ivar named: the rooms of its partition by last use; empty for rooms that are on no list.
    :ivar expiring: those of its partition whose messages expire.
    :ivar unarchived: the rooms of its partition of which the archive has not all.
    """

    head: bytes
    id: bytes
    log: bytes
    cards: bytes
    records: bytes
    named: bytes
    channel: bytes
    workers: bytes
    present: bytes
    expiring: bytes
    unarchived: bytes

    @property
    def found(self) -> tuple[bytes, ...]:
        """What the scripts that begin with `find` take."""
        return (self.head, self.id, self.log, self.cards, self.records)


class Keys:
    """All names of one chat.

    :param prefix: what they begin with; two chats in one database have two.
    :param db: the database. Channels do not belong to one, so it is in their names.
    """

    def __init__(self, prefix: str = "cs", db: int = 0) -> None:
        self.prefix = f"{prefix}:".encode()
        self._channels = f"{prefix}@{db}:".encode()
        self.accounts = self.prefix + b"accounts"
        self.accounts_version = self.prefix + b"accounts:version"
        self.secret = self.prefix + b"secret"
        self.workers = self.prefix + b"w"
        self.board = self.prefix + b"board"
        self.pinned = self.prefix + b"board:at"
        self.erased = self.prefix + b"erased"
        self.shards = self.prefix + b"shards"
        self.taker = self.prefix + b"taker"
        self.archive = self.prefix + b"archive"
        self.swept = self.prefix + b"archive:swept"
        self.everybody = self._channels + b"all"
        self.nicks = self.prefix + b"nicks"
        self.number = self.prefix + b"number"
        self.holders = self.prefix + b"holders"
        self.users = self.prefix + b"u:"
        self.users_of = self.prefix + b"uw:"
        self.talk = self.prefix + b"t:"  # how much people have said lately; each shard counts its own
        self.nodes = self._channels + b"n:"
        self.room = lru_cache(4096)(self._room)

    def _room(self, name: str) -> RoomKeys:
        room = name.encode()
        partition = b"{%d}:" % partition_of(name)
        base = self.prefix + partition
        is_listed = not name.startswith(("dm:", "@"))
        return RoomKeys(
            head=base + b"m:" + room,
            id=base + b"id",
            log=base + b"l:" + room,
            cards=base + b"q:" + room,
            records=base + b"g:" + room,
            named=base + b"z" if is_listed else b"",
            channel=self._channels + partition + room,
            workers=base + b"w:" + room,
            # A room's name has no controls, so 0 ends it.
            present=base + b"p:" + room + b"\0",
            expiring=base + b"expiring",
            unarchived=base + b"n",
        )

    def partition_id(self, partition: int) -> bytes:
        """What is made with the first room of a partition, and so says that the partition is here."""
        return b"%s{%d}:id" % (self.prefix, partition)

    def moving(self, partition: int) -> bytes:
        """What that is called while the partition is moved away."""
        return b"%s{%d}:moving" % (self.prefix, partition)

    def cid(self, room: str, user_id: str, cid: str) -> bytes:
        """What remembers that this was stored."""
        return b"%s{%d}:i:%s" % (self.prefix, partition_of(room), "\0".join((room, user_id, cid)).encode())

    def marks(self, user_id: str) -> bytes:
        """How far a user has read."""
        return self.prefix + b"r:" + user_id.encode()

    def session(self, digest: bytes) -> bytes:
        """A session to resume."""
        return self.prefix + b"s:" + digest.hex().encode()

    def invite(self, id: str) -> bytes:
        """How often an invitation was used."""
        return self.prefix + b"v:" + id.encode()

    def heard(self, digest: bytes) -> bytes:
        """How often something was heard; see lua/heard.lua."""
        return self.prefix + b"h:" + digest.hex().encode()

    def lease(self, job: str) -> bytes:
        """Who does a job that one worker does."""
        return self.prefix + b"lease:" + job.encode()

    def node(self, worker: str) -> bytes:
        """The channel that one worker hears alone."""
        return self.nodes + worker.encode()

    def slow(self, room: str, user_id: str) -> bytes:
        """When a user last spoke in a slow room."""
        return b"%s{%d}:y:%s" % (self.prefix, partition_of(room), "\0".join((room, user_id)).encode())

    def bucket(self, what: str) -> bytes:
        """How much of something was used lately."""
        return self.prefix + b"b:" + what.encode()
