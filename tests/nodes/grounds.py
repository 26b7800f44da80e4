"""What chaos happens on: servers and all that can befall them, one class a mode."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redis_server import Pair, RedisServer, Sentinel, free_port

from chatservice.redis.address import Address, Place
from chatservice.redis.errors import RedisError
from nodes.chats import Node

Fault = Callable[[], object]


class Always:
    """One server that writes everything to its disk before it answers: connections are killed, it is stopped,
    hangs, and is killed; nothing that was answered is ever lost.

    :param turn: lets the chats do something meanwhile, for so many seconds.
    :ivar durability: what the engines ask of it.
    :ivar may_lose: whether what was answered may be lost; those who saw it are told.
    """

    may_lose = False
    durability = "disk"
    settings: Sequence[str] = ()

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.turn: Callable[[float], None]
        self.now = RedisServer(*self.settings)

    @property
    def address(self) -> Address:
        """Where the engines look for it."""
        return self.now.address

    def node(self, name: str, **more: Any) -> Node:
        """A chat on it."""
        return Node(self, name, **{"durability": self.durability, **more})  # type: ignore[arg-type]

    def faults(self) -> list[Fault]:
        """What may happen; what stands here twice happens twice as often."""
        return [self.kill_commands, self.kill_ears, self.pause, self.sleep, self.crash]

    def worst(self) -> None:
        """What happens in any case."""
        self.crash()

    def kill_commands(self) -> None:
        self.now.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def kill_ears(self) -> None:
        self.now.ask("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")

    def pause(self) -> None:
        """The process is stopped; what is sent to it waits."""
        self.now.signal(signal.SIGSTOP)
        self.turn(self.chance.choice((0.05, 0.2, 0.4)))
        self.now.signal(signal.SIGCONT)

    def sleep(self) -> None:
        """It hangs in the middle of a command, also for longer than anybody waits (1 s)."""
        self.now.send("DEBUG", "SLEEP", self.chance.choice(("0.1", "0.3", "1.2")))

    def crash(self) -> None:
        self.now.kill9()
        self.now.start()

    def finish(self) -> None:
        """End all."""
        self.now.finish()


class Snapshots(Always):
    """One that has only snapshots, taken now and then: each crash loses what came after the last."""

    may_lose = True
    durability = "cache"
    settings = ("--appendonly", "no")

    def faults(self) -> list[Fault]:
        return [*super().faults(), self.crash, self.save, self.save]

    def save(self) -> None:
        self.now.ask("SAVE")


class ByHand(Always):
    """A primary and its replica; the replica takes over, in each way in which that can go. Engines find the
    primary by a name that is pointed at the new one."""

    may_lose = True
    durability = "disk"
    copied: Sequence[str] = ("--min-replicas-to-write", "0")

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.turn: Callable[[float], None]
        self.pair = Pair(*self.copied)
        self.link = self.pair.now.directory / "primary.sock"
        self._point()

    @property
    def now(self) -> RedisServer:  # type: ignore[override]
        return self.pair.now

    @property
    def address(self) -> Address:
        return Address((Place(path=str(self.link)),))

    def faults(self) -> list[Fault]:
        return [self.kill_commands, self.kill_ears, self.pause, self.die, self.part, self.demote]

    def worst(self) -> None:
        self.die()

    def die(self) -> None:
        """The primary is gone, the replica takes over at once."""
        self.pair.now.kill9()
        self._promote()
        self.pair.other.start()
        self._follow()

    def part(self) -> None:
        """The replica is made the primary while the old one goes on answering those who have not noticed."""
        self._promote()
        self.turn(self.chance.choice((0.05, 0.3)))
        self._follow()

    def demote(self) -> None:
        """The old one is made a replica at once, and lives: who is connected to it is told READONLY."""
        self._promote()
        self._follow()

    def _promote(self) -> None:
        self.pair.other.ask("REPLICAOF", "NO", "ONE")
        self.pair.now, self.pair.other = self.pair.other, self.pair.now
        self._point()

    def _point(self) -> None:
        new = self.link.with_name("new.sock")
        new.symlink_to(self.pair.now.socket)
        new.rename(self.link)

    def _follow(self) -> None:
        self.pair.other.ask("REPLICAOF", "127.0.0.1", self.pair.ports[self.pair.now])
        self.turn(0.2)
        self.pair.wait()

    def finish(self) -> None:
        self.pair.now.finish()
        self.pair.other.finish()


class Copied(ByHand):
    """The same where every answer waits for the replica: then nothing that was answered is lost either."""

    may_lose = False
    durability = "replica"
    copied = ()


class BySentinel(ByHand):
    """The same, but a real sentinel finds out who is gone, and engines ask it where to go."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        conf = Path(self.pair.now.directory) / "sentinel.conf"
        port = self.pair.ports[self.pair.now]
        conf.write_text(
            f"sentinel monitor main 127.0.0.1 {port} 1\nsentinel down-after-milliseconds main 300\n"
            "sentinel failover-timeout main 1500\nsentinel resolve-hostnames no\n"
        )
        self._port = free_port()
        self._sentinel = Sentinel(conf, self._port)
        self._sentinel.wait()

    @property
    def address(self) -> Address:
        return Address((Place("127.0.0.1", self._port),), master="main")

    def faults(self) -> list[Fault]:
        return [self.kill_commands, self.kill_ears, self.pause, self.die, self.hang, self.demote]

    def die(self) -> None:
        """The primary is gone for good, until another is found; then it is back and is made a replica."""
        self.pair.now.kill9()
        self._wait_for_another()
        self.pair.other.start()
        self._settle()

    def hang(self) -> None:
        """It hangs until another is found, and wakes up as one who believes to be the primary."""
        self.pair.now.signal(signal.SIGSTOP)
        self._wait_for_another()
        self.pair.other.signal(signal.SIGCONT)
        self._settle()

    def demote(self) -> None:
        """The operator wants the other one (SENTINEL FAILOVER); both live."""
        try:
            self._sentinel.ask("SENTINEL", "FAILOVER", "main")
        except RedisError:  # it is not ready for another one yet
            return
        self._wait_for_another()
        self._settle()

    def _wait_for_another(self) -> None:
        port = str(self.pair.ports[self.pair.other]).encode()
        for _ in range(200):
            if self._sentinel.ask("SENTINEL", "get-master-addr-by-name", "main")[1] == port:
                self.pair.now, self.pair.other = self.pair.other, self.pair.now
                return
            self.turn(0.1)
        raise AssertionError("the sentinel has found no other one")

    def _settle(self) -> None:
        """Until the other one is a replica, and the sentinel knows that it lives: else it has nobody to turn to.
        The sentinel would make it one too, but takes 10 s for it."""
        self.turn(self.chance.choice((0.05, 0.5)))
        self._follow()
        for _ in range(200):
            (replica,) = self._sentinel.ask("SENTINEL", "REPLICAS", "main")
            if dict(zip(replica[::2], replica[1::2], strict=True))[b"flags"] == b"slave":
                return
            self.turn(0.1)
        raise AssertionError("the sentinel does not know that it lives")

    def finish(self) -> None:
        self._sentinel.__exit__()
        super().finish()


class Shards(Always):
    """Two servers, each with half of the rooms; each time one of them is meant."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.turn: Callable[[float], None]
        self.servers = [RedisServer(), RedisServer()]

    @property
    def now(self) -> RedisServer:  # type: ignore[override]
        return self.chance.choice(self.servers)

    def node(self, name: str, **more: Any) -> Node:
        return Node(self.servers, name, **more)

    def pause(self) -> None:
        server = self.now
        server.signal(signal.SIGSTOP)
        self.turn(self.chance.choice((0.05, 0.2, 0.4)))
        server.signal(signal.SIGCONT)

    def crash(self) -> None:
        server = self.now
        server.kill9()
        self.turn(self.chance.choice((0.0, 0.2)))
        server.start()

    def finish(self) -> None:
        for server in self.servers:
            server.finish()


MODES: dict[str, type[Always]] = {
    "always": Always,
    "snapshots": Snapshots,
    "by-hand": ByHand,
    "by-sentinel": BySentinel,
    "replica": Copied,
    "shards": Shards,
}
