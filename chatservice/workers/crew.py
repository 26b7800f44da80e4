"""Who is there, who is to come, who is to go. Pure: time, starting and ending come in through the door.

A slot has a socket of its own and one worker who serves it. At a replacement it has two for a while: the next one
takes up the slot's socket beside it, and only when that one is ready the other is asked to go, which then stops
accepting. So at no moment nobody accepts.

    starting ──READY=1──▶ ready ──told to go──▶ leaving ──▶ gone
        └──── dies, or takes too long: the slot waits a while and starts another ────┘
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from chatservice.workers.backoff import Backoff

START_S = 60.0
"""A worker that is not ready after this is ended."""

SILENT_S = 30.0
"""One that gives no sign of life for this is: its reactor or its log hangs."""

EMPTIED_S = 1.0
"""Whoever is given no more connections goes on for so long: those that were just being made for it, by people far
away, have come by then, and it has taken them."""

LEAVE_S = 25.0
"""One that was told to go has so long: it answers what was asked, and sees its people out (`stopping.see_out`)."""


class Hands(Protocol):
    """What the crew cannot do itself."""

    def spawn(self, slot: int, generation: int) -> int | None:
        """Start a worker for this slot; its process id, or None if the system has no room for it. MUST NOT
        raise."""

    def kill(self, pid: int, number: int) -> None:
        """Send a signal. MUST NOT raise, even if nobody is there."""

    def leave_out(self, n: int) -> bool:
        """See to it that nobody is given to slots above that any more; False if that cannot be done. MUST NOT
        raise."""

    def note(self, level: str, event: str, words: str, **fields: Any) -> None:
        """A line for the log."""


class Member:
    """One process.

    :ivar heard_at: its last sign of life.
    :ivar connections: as it said last.
    """

    def __init__(self, pid: int, slot: int, generation: int, now: float) -> None:
        self.pid, self.slot, self.generation = pid, slot, generation
        self.began_at = self.heard_at = now
        self.ready_at: float | None = None
        self.leave_by: float | None = None
        self.connections = 0


class Slot:
    """One worker's place.

    :ivar serving: who serves it, be it that it is only starting; `next`, who is to take its place.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.serving: Member | None = None
        self.next: Member | None = None
        self.backoff = Backoff()
        self.start_at: float | None = None


class Crew:
    """All of them.

    :param done: called once when all have gone after `end`, with the exit status.
    :param ready: called once when all are ready for the first time.
    :param renewed: called at the end of each `renew`, with whether every worker was replaced. Only after that
        those who are too many are told to go, so that nobody is given to a socket that none of them serves.
        Before it they are left out, and have the time to take whom they were given.
    """

    def __init__(
        self,
        hands: Hands,
        now: Callable[[], float],
        *,
        ready: Callable[[], object],
        renewed: Callable[[bool], object],
        done: Callable[[int], object],
    ) -> None:
        self._hands, self._now = hands, now
        self._ready, self._renewed, self._done = ready, renewed, done
        self.slots: dict[int, Slot] = {}
        self._leaving: dict[int, Member] = {}
        self._generation = 0
        self._to_renew: deque[int] = deque()
        self._renewing: int | None = None
        self._replaced: Member | None = None
        self._surplus: list[Member] = []
        self._all_are = True
        self._emptied_at: float | None = None  # when those are told to go
        self._before = self._wanted = 0
        self._status: int | None = None
        self._was_ready = self._is_over = False

    # --- what is wanted ---

    def begin(self, n: int) -> None:
        """Start so many."""
        for number in range(1, n + 1):
            if self._status is None:
                self._start(self._slot(number))

    def renew(self, n: int) -> None:
        """Replace one after the other; when that is done there are so many."""
        if self._status is not None:
            return
        self._before, self._wanted = max(self.slots, default=0), n
        for number in range(1, n + 1):
            if number not in self.slots:
                self._start(self._slot(number))
            else:
                self._to_renew.append(number)
        self._renew_next()

    @property
    def is_renewing(self) -> bool:
        """Whether the last `renew` is not over yet."""
        return self._renewing is not None or bool(self._to_renew) or self._emptied_at is not None

    @property
    def are_leaving(self) -> bool:
        """Whether some are on their way out."""
        return bool(self._leaving)

    def end(self, status: int = 0) -> None:
        """Send all away."""
        if self._status is None:
            self._status = status
            self._to_renew.clear()
            for slot in self.slots.values():
                slot.start_at = None
            for member in list(self._members()):
                self._send_away(member)
            if self._emptied_at is not None:
                self._send_surplus_away()
        self._look_whether_over()

    def end_at_once(self) -> None:
        """Kill them."""
        self.end()
        for member in self._members():
            self._hands.kill(member.pid, signal.SIGKILL)

    # --- what happens ---

    def heard(self, pid: int, told: dict[str, str]) -> None:
        """A worker has said something; see sd_notify(3)."""
        member = next((member for member in self._members() if member.pid == pid), None)
        if member is None:
            return
        member.heard_at = self._now()
        count = told.get("STATUS", "").partition(" connections")[0].replace(",", "")
        if count.isascii() and count.isdigit():
            member.connections = int(count)
        is_wanted = member.leave_by is None and pid not in self._leaving
        if told.get("READY") == "1" and member.ready_at is None and is_wanted:
            member.ready_at = self._now()
            self._is_ready(member)

    def exited(self, pid: int, status: int) -> None:
        """A process is gone.

        :param status: as of `os.waitstatus_to_exitcode`.
        """
        leaving = self._leaving.pop(pid, None)
        if leaving is not None:
            if leaving is self._replaced:
                self._replaced = self._renewing = None
                self._renew_next()
            self._look_whether_over()
            return
        for slot in list(self.slots.values()):
            if slot.next is not None and slot.next.pid == pid:
                self._successor_died(slot, _words(status))
            elif slot.serving is not None and slot.serving.pid == pid:
                self._died(slot, slot.serving, status)

    def tick(self) -> None:
        """To be called about once a second."""
        now = self._now()
        if self._emptied_at is not None and now >= self._emptied_at:
            self._send_surplus_away()
        for slot in list(self.slots.values()):
            if slot.start_at is not None and now >= slot.start_at:
                self._start(slot)
        for member in list(self._members()):
            if member.leave_by is not None:
                if now >= member.leave_by:
                    self._hands.kill(member.pid, signal.SIGKILL)
            elif member.ready_at is None and now >= member.began_at + START_S:
                self._give_up(member, f"is not ready after {START_S:.0f} s")
            elif member.ready_at is not None and now >= member.heard_at + SILENT_S:
                self._give_up(member, f"has given no sign of life for {SILENT_S:.0f} s")

    # --- how it stands ---

    @property
    def n_ready(self) -> int:
        """How many slots are served."""
        return sum(slot.serving is not None and slot.serving.ready_at is not None for slot in self.slots.values())

    @property
    def connections(self) -> int:
        """Of all together."""
        return sum(member.connections for member in self._members())

    @property
    def is_alive(self) -> bool:
        """Whether every worker there is has given a sign of life lately, so that nobody has to end us all."""
        now = self._now()
        return all(now < member.heard_at + 2 * START_S for member in self._members())

    def next_at(self) -> float | None:
        """When a worker is to be started, if one is."""
        return min((slot.start_at for slot in self.slots.values() if slot.start_at is not None), default=None)

    # --- inside ---

    def _members(self) -> Iterator[Member]:
        for slot in self.slots.values():
            for member in (slot.serving, slot.next):
                if member is not None:
                    yield member
        yield from self._leaving.values()

    def _slot(self, number: int) -> Slot:
        return self.slots.setdefault(number, Slot(number))

    def _make(self, slot: Slot) -> Member | None:
        self._generation += 1
        pid = self._hands.spawn(slot.number, self._generation)
        return None if pid is None else Member(pid, slot.number, self._generation, self._now())

    def _start(self, slot: Slot) -> None:
        slot.start_at = None
        slot.serving = self._make(slot)
        if slot.serving is not None:
            return
        if not self._was_ready:
            self.end(1)
        else:
            slot.start_at = self._now() + slot.backoff.died(0.0)

    def _is_ready(self, member: Member) -> None:
        slot = self.slots[member.slot]
        if slot.next is member:
            before, slot.serving, slot.next = slot.serving, member, None
            self._hands.note("info", "worker_replaced", "worker {worker} is replaced", worker=slot.number)
            if before is not None:
                self._replaced = before  # `exited` goes on with the next slot
                self._send_away(before)
            elif self._renewing == slot.number:
                self._renewing = None
                self._renew_next()
        elif self._renewing == slot.number and slot.next is None:
            self._renewing = None
            self._renew_next()
        if not self._was_ready and self.n_ready == len(self.slots):
            self._was_ready = True
            self._ready()

    def _renew_next(self) -> None:
        if self._renewing is not None or self._status is not None:
            return
        while self._to_renew:
            slot = self.slots.get(self._to_renew.popleft())
            if slot is None:
                continue
            self._renewing = slot.number
            if slot.serving is None:  # it waits to be started, which then is with the new settings
                self._start(slot)
            else:
                slot.next = self._make(slot)
                if slot.next is None:
                    self._successor_died(slot, "it cannot be started")
            return
        self._end_renewal(all_are=True)

    def _successor_died(self, slot: Slot, how: str) -> None:
        slot.next = None
        self._hands.note(
            "error",
            "workers_not_replaced",
            "the new worker {worker} has ended before it was ready ({how}); the others stay as they are",
            worker=slot.number,
            how=how,
        )
        self._renewing = None
        self._to_renew.clear()
        self._end_renewal(all_are=False)

    def _end_renewal(self, *, all_are: bool) -> None:
        n = self._wanted if all_are else self._before
        surplus = [self.slots.pop(number) for number in list(self.slots) if number > n]
        self._surplus = [m for slot in surplus for m in (slot.serving, slot.next) if m is not None]
        self._all_are = all_are
        self._leaving |= {member.pid: member for member in self._surplus}
        if self._surplus and self._hands.leave_out(n):
            self._emptied_at = self._now() + EMPTIED_S
        else:
            self._send_surplus_away()

    def _send_surplus_away(self) -> None:
        surplus, self._surplus, self._emptied_at = self._surplus, [], None
        self._renewed(self._all_are)
        for member in surplus:
            if member.pid in self._leaving and member.leave_by is None:  # else it has died, or all are to go
                self._send_away(member)

    def _died(self, slot: Slot, member: Member, status: int) -> None:
        slot.serving = None
        if not self._was_ready:  # at the start one that cannot is told to whoever has started us
            self.end(status if status > 0 else 1)
            return
        served_s = 0.0 if member.ready_at is None else self._now() - member.ready_at
        if slot.next is not None:  # there is one already
            slot.serving, slot.next = slot.next, None
        else:
            slot.start_at = self._now() + slot.backoff.died(served_s)
        self._hands.note(
            "error",
            "worker_died",
            "worker {worker} has died ({how}); another one is started",
            worker=slot.number,
            how=_words(status),
        )

    def _send_away(self, member: Member) -> None:
        for slot in self.slots.values():
            if slot.serving is member:
                slot.serving = None
            if slot.next is member:
                slot.next = None
        self._leaving[member.pid] = member
        member.leave_by = self._now() + LEAVE_S
        self._hands.kill(member.pid, signal.SIGTERM)

    def _give_up(self, member: Member, why: str) -> None:
        self._hands.note(
            "error", "worker_hangs", "worker {worker} {why}; it is ended", worker=member.slot, why=why
        )
        self._hands.kill(member.pid, signal.SIGKILL)

    def _look_whether_over(self) -> None:
        if self._status is not None and not self._is_over and not any(True for _ in self._members()):
            self._is_over = True
            self._done(self._status)


def _words(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
