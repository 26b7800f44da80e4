"""The parent's listening sockets when the settings change."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatservice.workers import steering
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


class Spread:
    """Three slots of one port, and people who connect to it."""

    def __init__(self, sockets: Sockets, host: str = "127.0.0.1") -> None:
        self.sockets = sockets
        self.wanted = Wanted("listen.0", host, free_port())
        self.plan = plan(self.wanted, workers=3)
        sockets.open(self.plan)

    def more_or_fewer(self, n: int, **more: bool) -> None:
        """As the parent does it; whoever was given to a socket that is closed has been taken by then."""
        new = plan(self.wanted, workers=n)
        self.sockets.open(new, **more)
        if n < self.plan.workers:
            self.sockets.leave_out(n)
        self.sockets.close_others(new)
        self.plan = new

    def taken(self, n: int = 60) -> list[int]:
        """How many of so many people each slot gets."""
        counts = []
        people = [socket.create_connection((self.wanted.host, self.wanted.port)) for _ in range(n)]
        for slot in range(1, 4):
            one = self.sockets._open.get((slot, self.wanted.host, self.wanted.port, "", 0))
            count = 0
            while one is not None:
                try:
                    one.accept()[0].close()
                except BlockingIOError:
                    break
                count += 1
            counts.append(count)
        for person in people:
            person.close()
        assert sum(counts) == n
        return counts


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("n", [1, 2])
def test_those_who_go_are_given_nothing(sockets: Sockets, n: int, host: str) -> None:
    """Before the sockets of slots that are too many are closed nothing goes to them any more; the others share it.
    With more slots again all get something, and the same slots can be left out again."""
    spread = Spread(sockets, host)
    assert min(spread.taken()) > 0
    for _ in range(3):
        assert sockets.leave_out(n)
        counts = spread.taken()
        assert min(counts[:n]) > 0 and sum(counts[n:]) == 0
        sockets.close_others(plan(spread.wanted, workers=n))
        assert sum(spread.taken()[:n]) == 60
        sockets.open(spread.plan)
        assert min(spread.taken(90)) > 0


def test_an_order_that_nobody_knows(sockets: Sockets) -> None:
    """Where a worker may still have the closed socket of a slot that is opened again, nothing is left out later:
    it could be a wrong one. What is opened anew can be."""
    spread = Spread(sockets)
    spread.more_or_fewer(1)
    spread.more_or_fewer(3, are_leaving=True)
    assert not sockets.leave_out(1) and min(spread.taken(90)) > 0
    sockets.close_others(plan())
    fresh = Spread(sockets)
    assert sockets.leave_out(1) and fresh.taken() == [60, 0, 0]


def test_a_kernel_that_does_not_undo_it(sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel refuses to choose among all again, the parent lives on; it is tried again when the settings
    are read the next time."""
    spread = Spread(sockets)
    assert sockets.leave_out(1)
    with monkeypatch.context() as patch:
        patch.setattr(steering, "_DETACH", 0x7FFF)
        sockets.open(spread.plan)
        assert spread.taken() == [60, 0, 0]
    sockets.open(spread.plan)
    assert min(spread.taken(90)) > 0


def test_a_kernel_that_does_not_know_how(sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel cannot undo it, it is not done."""
    monkeypatch.setattr(steering, "_DETACH", 0x7FFF)
    spread = Spread(sockets)
    assert not sockets.leave_out(1) and min(spread.taken()) > 0
