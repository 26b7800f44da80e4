"""The parent's loop: signals, what workers say, who has ended, and the clock."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chatservice.workers.crew import SILENT_S, Crew
from chatservice.workers.hearing import Ear
from chatservice.workers.manager import Manager
from chatservice.workers.notes import Notes
from chatservice.workers.plan import LIFELINE, Handed, Plan
from chatservice.workers.planner import NoPlan, Planner
from chatservice.workers.sockets import CannotListen, Sockets
from chatservice.workers.spawning import spawn

TICK_S = 1.0
WORKER = "CHATSERVICE_WORKER"
"""The environment variable that tells a worker which one it is: slot, process, how many there are."""

BANNER = "X_CHAT_BANNER"
"""How the first worker tells what it would have said to a person; line ends as `\\x1f`."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Parent:
    """Also the `Hands` of its crew.

    :param environment: what workers get, without what was meant for us.
    """

    def __init__(self, handed: Handed, environment: MutableMapping[str, str]) -> None:
        self._manager = Manager.of(environment, self._cannot_tell)
        for ours in (
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "LISTEN_PID",
            "LISTEN_FDS",
            "LISTEN_FDNAMES",
        ):
            environment.pop(ours, None)
        self._environment = environment
        self._plan = handed.plan
        self._next_plan: Plan | None = None
        self._words = handed.plan.words
        self._sockets = Sockets()
        self._sockets.take(handed)
        self._notes = Notes(_log_of(self._plan), is_json=self._plan.json)
        self._ear = Ear()
        self._lifeline, self._our_end = os.pipe()
        self._signals, told = socket.socketpair()
        self._signals.setblocking(False)
        told.setblocking(False)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        self._told = told
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._had_terminal = _has_terminal()
        self._selector = selectors.DefaultSelector()
        for file in (self._signals, self._ear.socket):
            self._selector.register(file, selectors.EVENT_READ)
        self._planner: Planner | None = None
        self._asked_again = False
        self._banner = ""
        self._stops = 0
        self._ticked_at = self._alive_at = 0.0
        self._status: int | None = None
        self._crew = Crew(self, time.monotonic, ready=self._ready, renewed=self._renewed, done=self._done)

    def run(self) -> int:
        """Until all is over; the exit status."""
        for line in self._sockets.missing:
            self._missing(line)
        self._crew.begin(self._plan.workers)
        while self._status is None:
            now = time.monotonic()
            wake_at = min(self._ticked_at + TICK_S, self._crew.next_at() or now + TICK_S)
            for key, _ in self._selector.select(max(0.0, wake_at - now)):
                self._read(key.fileobj)
            self._tick()
        self._sockets.remove_files(self._plan)
        if self._plan.pid_file:
            with suppress(OSError):
                os.unlink(self._plan.pid_file)
        return self._status

    # --- Hands ---

    def spawn(self, slot: int, generation: int) -> int | None:
        """See `Hands.spawn`."""
        plan = self._next_plan or self._plan
        sockets = [*plan.inherited, *self._sockets.of(slot, plan), (LIFELINE, self._lifeline)]
        environment = {
            **self._environment,
            WORKER: f"{slot}-{generation}/{plan.workers}",
            "NOTIFY_SOCKET": self._ear.address,
            # A third of what we wait for: see `Watchdog`.
            "WATCHDOG_USEC": str(int(SILENT_S * 1e6 / 3)),
        }
        command = [sys.executable, "-m", "chatservice.cli", "run", *plan.words]
        try:
            return spawn(command, environment, sockets, self._notes.number, self._notes.number)
        except OSError as error:  # EAGAIN where no more processes are allowed
            self.note(
                "error",
                "worker_not_started",
                "cannot start worker {worker}: {reason}",
                worker=slot,
                reason=str(error),
            )
            return None

    def kill(self, pid: int, number: int) -> None:
        """See `Hands.kill`."""
        with suppress(OSError):
            os.kill(pid, number)

    def leave_out(self, n: int) -> bool:
        """See `Hands.leave_out`."""
        return self._sockets.leave_out(n)

    def note(self, level: str, event: str, words: str, **fields: Any) -> None:
        """See `Hands.note`."""
        self._notes.note(level, event, words, **fields)

    # --- what happens ---

    def _read(self, file: Any) -> None:
        if file is self._signals:
            for number in self._signals.recv(4096):
                self._signal(number)
        elif file is self._ear.socket:
            while (told := self._ear.hear()) is not None:
                pid, said = told
                if BANNER in said:
                    self._banner = said[BANNER].replace("\x1f", "\n")
                self._crew.heard(pid, said)
        elif self._planner is not None and self._planner.read():
            self._selector.unregister(file)
            self._planned(self._planner)

    def _signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self._reap()
        elif number == signal.SIGHUP and (_has_terminal() or not self._had_terminal):
            self._reload()
        elif number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._stops += 1
            if self._stops == 1:
                self._manager.stopping()
                self._crew.end()
            else:
                self._crew.end_at_once()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._crew.exited(pid, os.waitstatus_to_exitcode(status))

    def _tick(self) -> None:
        now = time.monotonic()
        start_at = self._crew.next_at()
        if now < self._ticked_at + TICK_S and (start_at is None or now < start_at):
            return
        self._ticked_at = now
        self._crew.tick()
        ready, connections = self._crew.n_ready, self._crew.connections
        self._manager.status(f"{ready} of {len(self._crew.slots)} workers, {connections:,} connections")
        watched = self._manager.watchdog_s
        if watched is not None and self._crew.is_alive and now >= self._alive_at + min(TICK_S, watched / 3):
            self._alive_at = now
            self._manager.alive()

    def _ready(self) -> None:
        if self._banner and self._plan.says:
            sys.stderr.write(self._banner)
            sys.stderr.flush()
        n = self._plan.workers
        self.note("info", "workers_ready", "{n} workers are ready", n=n)
        self._manager.ready()

    # --- SIGHUP ---

    def _reload(self) -> None:
        if self._stops:
            return
        if self._planner is not None or self._crew.is_renewing:
            self._asked_again = True  # what has changed since may be half of it
            return
        self.note("info", "reload", "reading the settings again")
        self._manager.reloads()
        try:
            self._planner = Planner(self._words, self._environment, self._plan.inherited)
        except OSError as error:
            self._not_reloaded(str(error))
            return
        self._selector.register(self._planner.number, selectors.EVENT_READ)

    def _planned(self, planner: Planner) -> None:
        self._planner = None
        if self._stops:
            return
        try:
            now = self._plan
            plan = replace(planner.plan(), inherited=now.inherited, log=now.log, pid_file=now.pid_file)
            self._sockets.missing.clear()
            self._sockets.open(plan, are_leaving=self._crew.are_leaving)
        except (NoPlan, CannotListen) as error:
            self._not_reloaded(str(error))
            return
        for line in self._sockets.missing:
            self._missing(line)
        self._reopen_log()
        self._next_plan = plan
        self._crew.renew(plan.workers)

    def _renewed(self, all_are: bool) -> None:
        plan, self._next_plan = self._next_plan, None
        if plan is not None and all_are:
            self._plan = plan
            self.note("info", "workers_replaced", "all workers are replaced")
        self._sockets.close_others(self._plan)
        self._reloaded()

    def _not_reloaded(self, reason: str) -> None:
        self.note("error", "reload_failed", "the settings stay as they are: {reason}", reason=reason)
        self._reloaded()

    def _reloaded(self) -> None:
        if self._stops:
            return
        self._manager.ready()
        if self._asked_again:
            self._asked_again = False
            self._reload()

    def _reopen_log(self) -> None:
        """Whoever has moved the file away gets a new one; if that cannot be had, the old one is written on."""
        if self._plan.log in ("stderr", "stdout"):
            return
        try:
            number = _log_of(self._plan)
        except OSError as error:
            self.note("error", "log_not_reopened", "the log stays the file it was: {reason}", reason=str(error))
            return
        before, self._notes.number = self._notes.number, number
        os.close(before)

    # --- the end ---

    def _done(self, status: int) -> None:
        self._status = status

    def _missing(self, line: str) -> None:
        self.note("warn", "metrics_not_served", "no metrics: {reason}", reason=line)

    def _cannot_tell(self, address: str, why: str) -> None:
        self.note(
            "warn",
            "manager_unreachable",
            "the service manager cannot be told: {address!r}: {why}",
            address=address,
            why=why,
        )


def _log_of(plan: Plan) -> int:
    if plan.log in ("stderr", "stdout"):
        return 2 if plan.log == "stderr" else 1
    return os.open(plan.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _has_terminal() -> bool:
    return any(os.isatty(number) for number in (0, 1, 2))
