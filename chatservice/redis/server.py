"""What a server says about itself, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatservice.redis.errors import Unusable

OLDEST = (7, 0)
"""Lists and small hashes are listpacks, and the append-only file has parts, since 7.0; Valkey began at 7.2."""

QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("INFO",),  # all of it: before 7.0 it took one section at most, and we want to say "too old"
    ("CONFIG", "GET", "appendfsync", "no-appendfsync-on-rewrite", "min-replicas-max-lag"),
)
"""What a new connection asks before anything else. A managed service may refuse the second."""


@dataclass(frozen=True, slots=True)
class Server:
    """Who is at the other end of one connection.

    :ivar identity: changes with every restart (`run_id`) and every promotion (`master_replid`); both are needed: a
        server that was demoted and promoted again keeps its run id.
    :ivar fsync: `always`, `everysec`, `no`; empty if the server would not say.
    :ivar fsync_stops: whether syncing stops while the file is rewritten.
    :ivar copies: whether it takes writes only while at least one replica follows; `lag_s` how far that one may be
        behind, 0 if the server would not say.
    """

    identity: str
    version: tuple[int, ...]
    role: str
    loading: bool
    appends: bool
    policy: str
    fsync: str = ""
    fsync_stops: bool = False
    copies: bool = False
    lag_s: int = 0

    @property
    def durability(self) -> str:
        """What an answered write has reached: `disk` survives a power cut, `process` a crash of ours (with the
        power the last second may go), `cache` neither."""
        if not self.appends:
            return "cache"
        return "disk" if self.fsync == "always" and not self.fsync_stops else "process"


def read_server(info: bytes, config: object) -> Server:
    """A server from its answers to `QUESTIONS`.

    :param config: an error counts as silence.
    :raises Unusable: if it hides who it is, as some proxies do.
    """
    lines = [line.partition(":") for line in info.decode("utf-8", "replace").splitlines()]
    facts = {name: value for name, colon, value in lines if colon}
    run_id, replid = facts.get("run_id", ""), facts.get("master_replid", "")
    if not (run_id and replid and facts.get("role")):
        raise Unusable(
            "it does not tell its run_id, master_replid and role (INFO): without them a loss of data cannot be"
            " noticed; connect to the server itself, not to a proxy"
        )
    said = _pairs(config)
    return Server(
        identity=f"{run_id[:12]}{replid[:12]}",
        version=_version(facts),
        role=facts["role"],
        loading=facts.get("loading") == "1",
        appends=facts.get("aof_enabled") == "1",
        policy=facts.get("maxmemory_policy", ""),
        fsync=said.get("appendfsync", ""),
        fsync_stops=said.get("no-appendfsync-on-rewrite") == "yes",
        # It is told only where both min-replicas-to-write and min-replicas-max-lag are set.
        copies="min_slaves_good_slaves" in facts,
        lag_s=int(said.get("min-replicas-max-lag", "0")),
    )


def _version(facts: Mapping[str, str]) -> tuple[int, ...]:
    # Valkey calls itself Redis 7.2.4 for old clients; its own number is beside it.
    said = facts.get("valkey_version") or facts.get("redis_version", "0")
    return tuple(int(part) for part in said.split(".")[:3] if part.isdigit())


def _pairs(config: object) -> dict[str, str]:
    words = [word.decode() for word in config if isinstance(word, bytes)] if isinstance(config, list) else []
    return dict(zip(words[::2], words[1::2], strict=False))


def check_ready(server: Server) -> None:
    """Whether it takes writes now.

    :raises Unusable: a replica, too old, or still reading its file.
    """
    if server.version < OLDEST:
        said = ".".join(map(str, server.version))
        raise Unusable(f"version {said} is too old: install Redis 7.0, Valkey 7.2 or a newer one")
    if server.role != "master":
        raise Unusable("it is a replica and takes no writes: name the primary, or the sentinels that know it")
    if server.loading:
        raise Unusable("it is still reading its data from disk: wait until it is done")


def check_safe(server: Server) -> None:
    """Whether it keeps what it has answered.

    :raises Unusable: with the remedy.
    """
    if not server.appends:
        raise Unusable(
            "it would forget the last minutes when it crashes: set `appendonly yes`, or say --durability cache"
        )
    if server.policy not in ("noeviction", ""):
        raise Unusable(
            f"it throws data away when its memory is full ({server.policy}): set `maxmemory-policy noeviction`,"
            " or say --durability cache"
        )


LONGEST_LAG_S = 10
"""A replica that was not heard of for longer must not count: Redis' own default."""


def check_copied(server: Server) -> None:
    """Whether it refuses what no replica would get.

    :raises Unusable: with the remedy.
    """
    if not server.copies or server.lag_s > LONGEST_LAG_S:
        raise Unusable(
            "it would take messages though no replica follows: set `min-replicas-to-write 1` and"
            " `min-replicas-max-lag 5`, or leave --durability replica out"
        )
