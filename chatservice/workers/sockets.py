"""The listening sockets: one for each worker and place, open as long as the parent lives.

With SO_REUSEPORT the kernel spreads connections evenly over sockets (socket(7)), and what it has put into the
queue of one is lost when that is closed. So none is: a worker that is replaced leaves its queue to the next
one, and those that are too many are given nothing more before they go (steering.py). One socket for all would lose
nothing either, but whoever wakes first takes most.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterable, Set
from contextlib import suppress

from chatservice.workers.plan import Handed, Plan, Wanted
from chatservice.workers.steering import give_to_all, give_to_first

Key = tuple[int, str, int, str, int]
"""Slot and place; see `Wanted`."""


class CannotListen(Exception):
    """One of them cannot be opened; its text is one line for the operator."""


class Sockets:
    """Those of all slots.

    :ivar missing: what is optional and could not be had, one line each.
    """

    def __init__(self) -> None:
        self._open: dict[Key, socket.socket] = {}
        self._steered: dict[Key, None] = {}  # the first socket of each place
        self._mixed: set[Key] = set()  # places of whose sockets nobody knows the order
        self.missing: list[str] = []

    def open(self, plan: Plan, *, are_leaving: bool = False) -> None:
        """Open whatever the plan wants and is not open yet; nothing is closed.

        :param are_leaving: there are workers who may still have sockets that we have closed.
        :raises CannotListen: if one cannot be had. Those that were opened for this plan are closed again.
        """
        self._give_to_all()
        before = set(self._open)
        goes = {self._open[key].getsockname()[1] for key in before - _keys(plan) if not _path(key)}
        try:
            for wanted in plan.wanted:
                self._open_one(plan, wanted, goes, are_leaving=are_leaving)
        except CannotListen:
            self._close(set(self._open) - before)
            raise

    def leave_out(self, n: int) -> bool:
        """See to it that no more connections go to the sockets of slots above `n`, as far as that can be done;
        whether there are any of which that is so now."""
        for key in [key for key in self._open if key[0] == n + 1]:
            first = (1, *key[1:])
            sock = self._open.get(first)
            if sock is not None and _is_shared(key) and first not in self._mixed and give_to_first(sock, n):
                self._steered[first] = None
        return bool(self._steered)

    def _give_to_all(self) -> None:
        steered, self._steered = self._steered, {}
        for key in steered:
            sock = self._open.get(key)
            if sock is None:
                continue
            try:
                give_to_all(sock)
            except OSError:  # the kernel goes on choosing among the first: tried again at the next opening
                self._steered[key] = None

    def close_others(self, plan: Plan) -> None:
        """Close what the plan does not want; what it wants has its backlog and mode from now on."""
        self._close(set(self._open) - _keys(plan))
        for wanted in plan.wanted:
            for slot in range(1, plan.workers + 1):
                sock = self._open.get(_key(slot, wanted))
                if sock is not None:
                    sock.listen(wanted.backlog)  # listen(2) may be called again
            if wanted.path:
                with suppress(OSError):
                    os.chmod(wanted.path, wanted.mode)

    def of(self, slot: int, plan: Plan) -> list[tuple[str, int]]:
        """Names and descriptors for one worker."""
        found = [(wanted.name, self._open.get(_key(slot, wanted))) for wanted in plan.wanted]
        return [(name, sock.fileno()) for name, sock in found if sock is not None]

    def hand(self, plan: Plan, kept: Iterable[int]) -> Handed:
        """For the program that this process becomes."""
        sockets = []
        for slot in range(1, plan.workers + 1):
            for place, wanted in enumerate(plan.wanted):
                sock = self._open.get(_key(slot, wanted))
                if sock is not None:
                    sockets.append((slot, place, sock.fileno()))
        numbers = tuple(kept)
        for number in (*(number for _, _, number in sockets), *numbers, *(n for _, n in plan.inherited)):
            os.set_inheritable(number, True)
        return Handed(plan, tuple(sockets), numbers)

    def take(self, handed: Handed) -> None:
        """What `hand` has left."""
        for slot, place, number in handed.sockets:
            key = _key(slot, handed.plan.wanted[place])
            if key not in self._open:
                os.set_inheritable(number, False)
                self._open[key] = socket.socket(fileno=number)
        for number in (*handed.kept, *(number for _, number in handed.plan.inherited)):
            os.set_inheritable(number, False)

    def remove_files(self, plan: Plan) -> None:
        """The end: UNIX sockets leave no names behind."""
        for wanted in plan.wanted:
            if wanted.path:
                _unlink(wanted.path)

    def _close(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._open.pop(key).close()
            self._mixed.discard(key)
            if _path(key):
                _unlink(_path(key))

    def _open_one(self, plan: Plan, wanted: Wanted, goes: Set[int], *, are_leaving: bool) -> None:
        slots = range(1, plan.workers + 1)
        if all(_key(slot, wanted) in self._open for slot in slots):
            return
        try:
            if wanted.path:
                self._open[_key(1, wanted)] = _unix(wanted)
                return
            port = wanted.port
            if port in goes or (are_leaving and _key(1, wanted) in self._open):
                self._mixed.add(_key(1, wanted))
            for slot in slots:
                key = _key(slot, wanted)
                if key in self._open:
                    port = self._open[key].getsockname()[1] if not wanted.step else port
                    continue
                number = port + wanted.step * (slot - 1) if port else 0
                shares = (slot > 1 and not wanted.step) or number in goes
                self._open[key] = sock = _tcp(wanted.host, number, wanted.backlog, shares=shares)
                if not wanted.step:
                    port = sock.getsockname()[1]  # where any would do, all take the one the first has got
        except OSError as error:
            busy = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            told = f"{wanted.shown} {busy}"
            if not wanted.optional:
                raise CannotListen(told) from error
            self.missing.append(told)


def _key(slot: int, wanted: Wanted) -> Key:
    return (0 if wanted.path else slot, wanted.host, wanted.port, wanted.path, wanted.step)


def _is_shared(key: Key) -> bool:
    """Whether all slots have one port at that place."""
    return not key[3] and not key[4]


def _keys(plan: Plan) -> set[Key]:
    return {_key(slot, wanted) for slot in range(1, plan.workers + 1) for wanted in plan.wanted}


def _path(key: Key) -> str:
    return key[3]


def _tcp(host: str, port: int, backlog: int, *, shares: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if port and not shares:
        # With SO_REUSEPORT a program of the same user that listens there already would go unnoticed. Where one of
        # ours does that is about to go, there is nothing to try: it would be in the way itself.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _unix(wanted: Wanted) -> socket.socket:
    directory, _, name = wanted.path.rpartition("/")
    if _answers(directory, name):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    _unlink(wanted.path)
    at = os.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o777 & ~wanted.mode)  # from the first moment on nobody else may
    try:
        # The address of a socket has room for 107 bytes (unix(7)), which the path may not fit.
        sock.bind(f"/proc/self/fd/{at}/{name}")
        sock.listen(wanted.backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(mask)
        os.close(at)
    return sock


def _answers(directory: str, name: str) -> bool:
    """Whether somebody listens there; what a dead one left may be removed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            at = os.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            probe.setblocking(False)
            probe.connect(f"/proc/self/fd/{at}/{name}")
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
        finally:
            os.close(at)
    return True


def _unlink(path: str) -> None:
    with suppress(OSError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
