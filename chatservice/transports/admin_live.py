"""Those who have the operator's page open: told every two seconds, all the same bytes, none more than it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import orjson
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from chatservice.domain.errors import Refused
from chatservice.domain.promise import Promise
from chatservice.domain.rules import rank
from chatservice.domain.trust import Identity
from chatservice.transports.admin_state import house_state
from chatservice.transports.admin_workers import Workers
from chatservice.transports.figures import Flow, figures, who_we_are
from chatservice.transports.surroundings import Surroundings
from chatservice.transports.transport import Transport

EVERY_S = 2.0
STEPS = 4
"""The loop is asked so often in between how late it is."""

MOST = 16
"""Pages that are told at once: whoever keeps order has some tabs."""

PATIENCE = 15
"""Who has read nothing for so many rounds is gone."""


def about(identity: Identity) -> dict[str, Any]:
    """Who somebody is, and what they may do here."""
    return {
        "id": identity.user_id,
        "nick": identity.nick,
        "role": identity.role,
        "looks": rank(identity.role) >= rank("mod"),
        "acts": identity.role == "owner",
    }


class Onlookers:
    """Of one listener. There is one timer as long as anybody looks on, and none else."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._open: list[_Onlooker] = []
        self._timer: IDelayedCall | None = None
        self._due = 0.0
        self._told_at = 0.0
        self._late_ms = self._latest_ms = 0.0
        self._flow = Flow()
        self._workers = Workers(around)
        self._started_at = around.now()
        around.desk.closing.append(self.close)

    def introduction(self, identity: Identity) -> dict[str, Any]:
        """What concerns the one who looks, and what does not change."""
        settings = [shown._asdict() for shown in self._around.desk.settings()]
        return {"you": about(identity), "settings": settings, "every_s": EVERY_S}

    def look(self) -> dict[str, Any]:
        """How things stand now."""
        now = self._around.now()
        plain = figures(self._around)
        since = {
            "per_s": self._flow.per_s(now, plain["written"]),
            "lag_ms": round(self._late_ms, 1),
            "up_s": round(now - self._started_at),
        }
        state, ours = house_state(self._around, plain), {**who_we_are(self._around), **plain, **since}
        return {**state, **since, **self._workers.told(ours)}

    def learn(self) -> Promise[None]:
        """How the other workers stand, if there are any; answers in any case."""
        learned: Promise[None] = Promise()
        self._workers.ask(lambda: learned.resolve(None))
        return learned

    def add(self, request: Request, identity: Identity, prove: Callable[[], object]) -> None:
        """Tell them from now on, as long as they prove who they are.

        :param prove: raises `Refused` when they are not, or not any more, allowed to look.
        """
        while len(self._open) >= MOST:
            self._open[0].end()
        request.setHeader(b"Content-Type", b"text/event-stream")
        request.setHeader(b"Cache-Control", b"no-store")
        request.setHeader(b"X-Accel-Buffering", b"no")  # nginx would else keep a stream to itself
        onlooker = _Onlooker(request, prove, self._forget)
        self._open.append(onlooker)
        onlooker.tell(_event("about", self.introduction(identity)))
        self._workers.ask(lambda: self._tell([onlooker]))
        if self._timer is None:
            self._told_at = self._around.now()
            self._wait()

    def close(self) -> None:
        """Send all away."""
        for onlooker in list(self._open):
            onlooker.end()

    def _forget(self, onlooker: _Onlooker) -> None:
        if onlooker in self._open:
            self._open.remove(onlooker)
        if not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._due = self._around.now() + EVERY_S / STEPS
        self._timer = self._around.call_later(EVERY_S / STEPS, self._round)

    def _round(self) -> None:
        self._timer = None
        now = self._around.now()
        self._latest_ms = max(self._latest_ms, (now - self._due) * 1000)
        if now - self._told_at > EVERY_S - EVERY_S / STEPS / 2:
            self._told_at = now
            self._late_ms, self._latest_ms = self._latest_ms, 0.0
            if self._workers.is_asked:  # since the last round: what is known must do
                self._tell_all()
            else:
                self._workers.ask(self._tell_all)
        if self._open:
            self._wait()

    def _tell_all(self) -> None:
        for onlooker in list(self._open):
            onlooker.look_after()
        if self._open:
            self._tell(list(self._open))

    def _tell(self, onlookers: Iterable[_Onlooker]) -> None:
        try:
            event = _event("state", self.look())
        except Exception as error:
            self._around.report(error)
            return
        for onlooker in onlookers:
            onlooker.tell(event)


@implementer(IPushProducer)
class _Onlooker:
    """One page that is open. While it does not read it is told nothing: the next state has all."""

    def __init__(self, request: Request, prove: Callable[[], object], forget: Callable[[_Onlooker], None]) -> None:
        self._request = request
        self._prove = prove
        self._forget = forget
        self._is_full = False
        self._missed = 0
        self._is_over = False
        request.registerProducer(self, True)
        request.notifyFinish().addBoth(lambda _: self._gone())

    def tell(self, event: bytes) -> None:
        """Send it, unless it would have to wait."""
        if not self._is_full and not self._is_over:
            self._missed = 0
            self._request.write(event)

    def look_after(self) -> None:
        """Once a round: it must still be allowed to look, and read sometimes."""
        self._missed += self._is_full
        if self._missed > PATIENCE:
            cast(Transport, self._request.transport).abortConnection()
            return
        try:
            self._prove()
        except Refused:
            self.end()

    def end(self) -> None:
        """Send it away; it may ask anew."""
        if not self._is_over:
            self._gone()
            self._request.unregisterProducer()
            self._request.finish()

    def _gone(self) -> None:
        self._is_over = True
        self._forget(self)

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        self._is_full = True

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        self._is_full = False

    def stopProducing(self) -> None:
        """See `IPushProducer`."""


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(fields))
