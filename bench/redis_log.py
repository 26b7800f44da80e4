"""What one worker pays to publish and to hear by Redis: `python -m bench.redis_log URL [IN_FLIGHT] [MESSAGES]`.

An engine without a hub follows one room and appends to it, so many at a time; printed are messages a second, the
CPU of this process and of the server for each, and how long an answer takes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from twisted.internet import reactor as the_reactor

from chatservice.domain.accounts import Account
from chatservice.domain.events import Entry, Said, User
from chatservice.domain.limits import Rate
from chatservice.domain.ports import Appended, Pace
from chatservice.domain.promise import Promise
from chatservice.logs.registry import open_log
from chatservice.preparing import Secrets, connector
from chatservice.redis.address import parse_address
from chatservice.redis.blocking import Blocking

TEXT = "x" * 200
ROOM = "bench"

PACE = Pace(0, Rate(burst=1_000_000, per_s=1_000_000.0), lambda kind, wait_ms: AssertionError((kind, wait_ms)))
"""As a chat counts messages: never reached."""


class Bench:
    """The sink, and who appends."""

    def __init__(self, url: str, in_flight: int, messages: int) -> None:
        reactor = the_reactor
        self._url, self._left, self._in_flight = url, messages, in_flight
        self._messages = messages
        self._heard = self._answered = 0
        self._waits: list[float] = []
        self.log = open_log(
            url,
            Path("."),
            "cache",
            call_soon=lambda call: reactor.callLater(0, call),
            call_from_thread=reactor.callFromThread,  # type: ignore[attr-defined]
            clock=time.time,
            randomness=Secrets(),
            connect=connector(reactor),
            call_later=reactor.callLater,
            seconds=reactor.seconds,
        )

    def run(self) -> None:
        """All of it."""
        self.log.start(self)
        self.log.bus.follow(ROOM)
        self.log.read(ROOM, 0, 0).then(lambda _: self._begin())
        the_reactor.run()

    def committed(self, entry: Entry) -> None:
        """See `LogSink`."""
        self._heard += 1

    def pruned(self, room: str, first: int) -> None:
        """See `LogSink`."""

    def registered(self, account: Account) -> None:
        """See `LogSink`."""

    def _begin(self) -> None:
        self._server_cpu = server_cpu(self._url)
        self._began, self._cpu = time.perf_counter(), time.process_time()
        for _ in range(self._in_flight):
            self._say()

    def _say(self) -> None:
        if self._left:
            self._left -= 1
            begin = time.perf_counter()
            body = Said(User("u_bench", "bench"), TEXT, cid=f"c{self._left}-{self._began}")
            self.log.append(ROOM, body, pace=PACE).then(lambda done: self._done(done, begin))

    def _done(self, done: Promise[Appended], begin: float) -> None:
        done.result()
        self._waits.append(time.perf_counter() - begin)
        self._answered += 1
        if self._answered == self._messages:
            self._end()
        else:
            self._say()

    def _end(self) -> None:
        took, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        n = self._messages
        waits = sorted(self._waits)
        sys.stdout.write(
            f"{self._in_flight} in flight: {n / took:,.0f}/s, worker {cpu / n * 1e6:.1f} µs,"
            f" server {(server_cpu(self._url) - self._server_cpu) / n * 1e6:.1f} µs a message,"
            f" answer p50 {waits[n // 2] * 1e3:.2f} ms, p99 {waits[n * 99 // 100] * 1e3:.2f} ms;"
            f" heard {self._heard} of {n}\n"
        )
        the_reactor.stop()


def server_cpu(url: str) -> float:
    """Seconds that the server's threads have run."""
    with Blocking(parse_address(url)) as asking:
        info: bytes = asking.ask(("INFO", "cpu"))[0]
    lines = dict(line.split(":", 1) for line in info.decode().splitlines() if ":" in line)
    return float(lines["used_cpu_sys"]) + float(lines["used_cpu_user"])


if __name__ == "__main__":
    url, in_flight, messages, *_ = (*sys.argv[1:], *("unix:/run/redis.sock", "64", "20000")[len(sys.argv) - 1 :])
    Bench(url, int(in_flight), int(messages)).run()
