"""The parent's listening sockets when the settings change."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatservice.workers.plan import Plan, Wanted
from chatservice.workers.sockets import CannotListen, Sockets


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """None is open."""
    sockets = Sockets()
    yield sockets
    sockets.close_others(plan())


def plan(*wanted: Wanted, workers: int = 2) -> Plan:
    return Plan(workers, wanted, "/nowhere")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("before", "after"), [("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1")])
def test_another_interface(sockets: Sockets, before: str, after: str) -> None:
    """A listener may change its interface and keep its port, where our own old sockets still are."""
    port = free_port()
    sockets.open(plan(Wanted("listen.0", before, port)))
    new = plan(Wanted("listen.0", after, port))
    sockets.open(new)
    sockets.close_others(new)
    names = [socket.socket(fileno=os.dup(number)) for slot in (1, 2) for _, number in sockets.of(slot, new)]
    assert [one.getsockname() for one in names] == [(after, port)] * 2
    for one in names:
        one.close()


def test_another_interface_of_somebody_else(sockets: Sockets) -> None:
    """A port that another program has is refused as ever, with what was opened for the same plan closed again."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        first, taken = Wanted("listen.0", "127.0.0.1", free_port()), other.getsockname()[1]
        sockets.open(plan(first))
        with pytest.raises(CannotListen, match="is in use"):
            sockets.open(plan(first, Wanted("listen.1", "127.0.0.1", taken)))


def test_a_path_that_is_left_out(sockets: Sockets, tmp_path: Path) -> None:
    """The name of a UNIX socket goes with it; that of one that stays is left alone."""
    stays, goes = (Wanted(f"listen.{n}", path=str(tmp_path / f"{n}.sock")) for n in (0, 1))
    sockets.open(plan(stays, goes))
    sockets.close_others(plan(stays))
    assert os.listdir(tmp_path) == ["0.sock"]


def test_another_mode_and_backlog(sockets: Sockets, tmp_path: Path) -> None:
    """A socket that stays open has the file mode and the backlog that hold now."""
    path = tmp_path / "s"
    sockets.open(plan(Wanted("listen.0", path=str(path), backlog=8, mode=0o600)))
    new = plan(Wanted("listen.0", path=str(path), backlog=1, mode=0o666))
    sockets.open(new)
    sockets.close_others(new)
    assert path.stat().st_mode & 0o777 == 0o666
    with (
        socket.socket(socket.AF_UNIX) as one,
        socket.socket(socket.AF_UNIX) as two,
        socket.socket(socket.AF_UNIX) as late,
    ):
        one.connect(str(path))
        two.connect(str(path))
        late.setblocking(False)
        with pytest.raises(BlockingIOError):
            late.connect(str(path))
