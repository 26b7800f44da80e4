"""Machines with addresses of their own on one cable, made of network namespaces: real cuts, real routes."""

from __future__ import annotations

import itertools
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import pytest
from redis_server import RedisServer

from e2e.server import Server, twistd

_numbers = itertools.count(1)


def ip(*words: str) -> None:
    """One command of iproute2."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """A switch without addresses, and hosts on it. Whoever may not make such is skipped, with the reason."""

    def __init__(self) -> None:
        self.name = f"cs{os.getpid() % 10000}{next(_numbers)}"
        # A block of its own for each test process: the routes to the hosts' front doors are in our own namespace.
        self.block = os.getpid() % 250
        self._stack = ExitStack()
        self._hosts = 0

    def __enter__(self) -> Self:
        try:
            self.namespace("sw")
            ip("-n", f"{self.name}sw", "link", "add", "name", "br0", "type", "bridge")
        except (OSError, subprocess.CalledProcessError) as error:
            self._stack.close()
            pytest.skip(f"no networks can be made here (root may): {getattr(error, 'stderr', '') or error}")
        ip("-n", f"{self.name}sw", "link", "set", "br0", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def namespace(self, word: str) -> str:
        """A new one, gone in the end."""
        name = self.name + word
        ip("netns", "add", name)
        self._stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def host(self) -> Host:
        """One more machine."""
        self._hosts += 1
        return Host(self, self._hosts)


class Host:
    """One machine: `back` is its address on the cable, `front` the one at which we reach it by another way."""

    def __init__(self, network: Network, number: int) -> None:
        self.back = f"10.231.{network.block}.{number}"
        self.front = f"10.232.{network.block}.{4 * number + 2}"
        self._namespace = name = network.namespace(f"h{number}")
        switch, port, door = f"{network.name}sw", f"p{number}", f"{network.name}d{number}"
        ip("-n", name, "link", "add", "back", "type", "veth", "peer", "name", port, "netns", switch)
        ip("-n", switch, "link", "set", port, "master", "br0", "up")
        ip("-n", name, "addr", "add", f"{self.back}/24", "dev", "back")
        self.plug_in()
        ip("link", "add", door, "type", "veth", "peer", "name", "front", "netns", name)
        ip("addr", "add", f"10.232.{network.block}.{4 * number + 1}/30", "dev", door)
        ip("link", "set", door, "up")
        ip("-n", name, "addr", "add", f"{self.front}/30", "dev", "front")
        ip("-n", name, "link", "set", "front", "up")

    @property
    def inside(self) -> list[str]:
        """What stands before a command that runs there."""
        return ["ip", "netns", "exec", self._namespace]

    def pull_out(self) -> None:
        """The cable is out: nothing comes, nothing goes, and nobody is told."""
        ip("-n", self._namespace, "link", "set", "back", "down")

    def plug_in(self) -> None:
        """It is in again."""
        ip("-n", self._namespace, "link", "set", "back", "up")


class HostServer(Server):
    """A chat on one of them."""

    def __init__(self, directory: Path, host: Host, *options: str) -> None:
        listen = f"--listen=tcp:8080:interface={host.front}"
        super().__init__(
            directory,
            listen,
            "--line=none",
            *options,
            command=[*host.inside, *twistd(), "-n"],
            own_ports=False,
        )
        self.host = host

    def socket_url(self, path: str = "/", **query: str | int) -> str:
        return f"ws://{self.host.front}:8080{path}{'?' + urlencode(query) if query else ''}"


def redis_on(host: Host) -> RedisServer:
    """A Redis on one of them; we ask it by its UNIX socket, the chats by the network."""
    return RedisServer("--port", "6379", "--bind", host.back, "--protected-mode", "no", before=host.inside)
