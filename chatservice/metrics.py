"""`/metrics` for Prometheus: numbers that are kept anyway, read at the moment of asking. No label
names a room, a person or an address, so the number of time series has a bound.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from chatservice import __version__
from chatservice.domain.hub import Hub
from chatservice.logs.archive import Numbers
from chatservice.transports.counted import Counted, Histogram
from chatservice.transports.tls import ReloadableContext
from twisted import __version__ as twisted_version

LAG_EVERY_S = 0.25
"""How often the reactor's lateness is looked at."""

TRANSPORTS = ("websocket", "line", "socketio", "http")


class ChatCollector(Collector):
    """Reads the chat's numbers.

    :param connections: how many peers there are now, by kind of transport.
    :param now: seconds on the clock of `counted`.
    """

    def __init__(
        self,
        counted: Counted,
        hub: Hub,
        contexts: Iterable[ReloadableContext],
        connections: Callable[[], dict[str, int]],
        now: Callable[[], float],
    ) -> None:
        self._counted = counted
        self._hub = hub
        self._contexts = list(contexts)
        self._connections = connections
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        yield from self._traffic()
        yield from self._people()
        yield from self._trouble()
        yield from self._times()
        yield from self._build()

    def _traffic(self) -> Iterator[Metric]:
        counted, live = self._counted, self._connections()
        yield _gauge("chat_connections", "Connections now.", "transport", live)
        begun = CounterMetricFamily(
            "chat_connections", "Connections, by what came of them.", labels=["transport", "result"]
        )
        ended = CounterMetricFamily("chat_disconnections", "Connections that ended.", labels=["transport", "code"])
        for name in TRANSPORTS:
            traffic = counted.traffic[name]
            begun.add_metric([name, "accepted"], traffic.opened)
            for code, number in sorted(traffic.closed.items()):
                ended.add_metric([name, code], number)
        for result in ("cap", "rate", "total", "origin", "host"):
            begun.add_metric(["any", f"refused_{result}"], getattr(counted, f"refused_by_{result}"))
        yield begun  # in the text format it is chat_connections_total, and the gauge is another metric
        yield ended
        for name, words, attribute in (
            ("chat_messages_received", "What peers said: frames, lines, events, posts.", "received"),
            ("chat_messages_sent", "What peers were told, counted for each of them.", "sent"),
            ("chat_bytes_received", "Bytes of conversations; Socket.IO's are not counted.", "bytes_received"),
            ("chat_bytes_sent", "Bytes of what peers were told, before TLS; of Socket.IO about.", "bytes_sent"),
        ):
            yield _counter(
                name, words, "transport", {t: getattr(counted.traffic[t], attribute) for t in TRANSPORTS}
            )

    def _people(self) -> Iterator[Metric]:
        hub = self._hub
        yield GaugeMetricFamily("chat_users_online", "People with a session.", len(hub.sessions))
        yield GaugeMetricFamily("chat_rooms_active", "Rooms somebody is in.", len(hub.rooms))
        joined = sum(len(session.rooms) for sessions in hub.sessions.values() for session in sessions)
        yield GaugeMetricFamily("chat_subscriptions", "Rooms of all sessions together.", joined)

    def _trouble(self) -> Iterator[Metric]:
        counted = self._counted
        doors = {"connections": counted.refused_by_cap, "connects": counted.refused_by_rate}
        limited = self._counts("rate_limited_") | counted.limited | doors
        yield _counter("chat_messages_rejected", "Commands that were refused.", "reason", counted.rejected)
        yield _counter("chat_rate_limited", "Who was too fast or too many.", "kind", limited)
        yield _counter("chat_recoveries", "Joins with a position.", "result", counted.recoveries)
        heard, said = counted.emissions_heard, counted.emissions_said
        if heard or said:
            words = "What back ends published on Redis. Every worker hears and counts all of it."
            yield _counter("chat_emissions_heard", words, "result", heard)
            words = "Messages made of that. One worker makes and counts each."
            yield _counter("chat_emissions_said", words, "result", said)
        yield _counter("chat_auth", "Proofs of who one is.", "result", counted.auths)
        for name, words, label, prefix in (
            ("chat_moderation", "Orders of those who keep order.", "action", "mod_"),
            ("chat_turned_away", "Who wanted into a room and may not.", "reason", "turned_away_"),
        ):
            yield _counter(name, words, label, self._counts(prefix))
        flooders = self._hub.counts["flooders_ended"]
        yield CounterMetricFamily("chat_flooders_ended", "Peers ended because they would not slow down.", flooders)
        yield CounterMetricFamily("chat_slow_consumers", "Peers ended because they did not read.", counted.slow)
        up = counted.storage_is_up(self._now()) and not self._hub.is_away
        yield GaugeMetricFamily("chat_backend_up", "Whether the log takes what it is given.", int(up))

    def _counts(self, prefix: str) -> dict[str, int]:
        """Those of the hub that begin so, without that."""
        counts = self._hub.counts.items()
        return {what.removeprefix(prefix): n for what, n in counts if what.startswith(prefix)}

    def _times(self) -> Iterator[Metric]:
        counted = self._counted
        for name, words, histogram in (
            ("chat_broadcast_duration_seconds", "A turn's fan-out to all it concerns.", counted.broadcast_s),
            ("chat_ack_duration_seconds", "From a message to its answer.", counted.ack_s),
            ("chat_ping_rtt_seconds", "From a ping to its answer.", counted.ping_s),
            ("chat_event_loop_lag_seconds", "How late the reactor was.", counted.lag_s),
            ("chat_send_queue_bytes", "What waited for a peer as it began to read again.", counted.queue_bytes),
        ):
            family = HistogramMetricFamily(name, words)
            _add(family, [], histogram)
            yield family
        storage = HistogramMetricFamily(
            "chat_storage_op_duration_seconds",
            "A transaction (commit); a question, waiting included (read).",
            labels=["op"],
        )
        for op, histogram in sorted(counted.storage_s.items()):
            _add(storage, [op], histogram)
        yield storage

    def _build(self) -> Iterator[Metric]:
        expiry = GaugeMetricFamily(
            "chat_tls_certificate_expiry_timestamp_seconds", "When a certificate ends.", labels=["certificate"]
        )
        for number, context in enumerate(self._contexts):
            expiry.add_metric([f"{number}:{context.certificate.name}"], context.expires_at)
        yield expiry
        labels = {"version": __version__, "python": platform.python_version(), "twisted": twisted_version}
        build = GaugeMetricFamily("chat_build_info", "Always 1.", labels=list(labels))
        build.add_metric(list(labels.values()), 1)
        yield build


class ArchiveCollector(Collector):
    """Reads what is counted of the archive. How far it is behind, the worker knows that copies; others say 0."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        numbers = self._numbers
        yield GaugeMetricFamily("chat_archive_up", "Whether the archive can be used.", int(not numbers.away))
        yield GaugeMetricFamily("chat_archive_lag_entries", "Entries that wait for it.", numbers.lag_entries)
        yield GaugeMetricFamily("chat_archive_lag_seconds", "For how long the oldest of them has.", numbers.lag_s)
        yield CounterMetricFamily("chat_archive_entries", "Entries that this worker has copied.", numbers.copied)
        yield CounterMetricFamily("chat_archive_errors", "What the archive failed to do.", numbers.errors)


def _gauge(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _counter(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    buckets = [("+Inf" if bound == float("inf") else f"{bound:g}", count) for bound, count in histogram.buckets()]
    family.add_metric(labels, buckets, histogram.total)


def registry_of(collector: Collector) -> CollectorRegistry:
    """The chat's numbers, the process's and Python's."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class MetricsResource(Resource):
    """`/metrics`."""

    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def render_GET(self, request: Request) -> bytes:
        """The text format."""
        request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
        request.setHeader(b"Cache-Control", b"no-store")
        body = generate_latest(self._registry)
        if request.method == b"HEAD":
            request.setHeader(b"Content-Length", b"%d" % len(body))
            return b""
        return body


class _Bodiless(Request):
    """Who comes to read brings nothing along; Twisted would keep it, however long it is."""

    def gotLength(self, length: int | None) -> None:
        """See `Request`; None if it comes in chunks."""
        super().gotLength(0)
        if length != 0:
            self.channel.forceAbortClient()


class MetricsSite(Site):
    """A listener of its own: `/metrics` and nothing else, for machines that come from time to time."""

    noisy = False
    displayTracebacks = False
    requestFactory = _Bodiless

    def __init__(self, metrics: Resource, reactor: Any) -> None:
        root = Resource()
        root.putChild(b"metrics", metrics)
        super().__init__(root, timeout=15, reactor=reactor)

    def log(self, request: Any) -> None:
        """Nothing: it would be the same line for ever."""


class LoopLag:
    """Looks how late the reactor is."""

    def __init__(self, reactor: Any, histogram: Histogram) -> None:
        self._reactor = reactor
        self._histogram = histogram
        self._due = reactor.seconds() + LAG_EVERY_S
        self._call = reactor.callLater(LAG_EVERY_S, self._look)

    def _look(self) -> None:
        now = self._reactor.seconds()
        self._histogram.observe(max(0.0, now - self._due))
        self._due = now + LAG_EVERY_S
        self._call = self._reactor.callLater(LAG_EVERY_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._call.active():
            self._call.cancel()
