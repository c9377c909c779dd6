"""What operators see of notify_server on /metrics. Figures that change with every event are read when asked for."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class Metrics:
    """The registry of one process.

    closed   streams that the server ended, by code
    refused  requests for a stream that were refused, by the problem's code
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.closed = Counter(
            "fechatter_notify_closed", "Streams that the server ended", ["code"], registry=self.registry
        )
        self.refused = Counter(
            "fechatter_notify_refused", "Streams that were not opened", ["code"], registry=self.registry
        )
        self.fell_behind = Counter(
            "fechatter_notify_fell_behind", "Times that a reader's buffer was full", registry=self.registry
        )
        self.loop_stall = Histogram(
            "fechatter_notify_loop_stall_seconds",
            "By how much the event loop was late for a timer",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
            registry=self.registry,
        )

    def watch(
        self, gauges: dict[str, tuple[str, Callable[[], float]]], counters: dict[str, tuple[str, Callable[[], float]]]
    ) -> None:
        """Show values that are read when asked for: by name, a description and how to read it."""
        self.registry.register(_Live(gauges, counters))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Live(Collector):
    def __init__(
        self, gauges: dict[str, tuple[str, Callable[[], float]]], counters: dict[str, tuple[str, Callable[[], float]]]
    ) -> None:
        self._gauges = gauges
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, (about, read) in self._gauges.items():
            yield GaugeMetricFamily(name, about, read())
        for name, (about, read) in self._counters.items():
            yield CounterMetricFamily(name, about, read())
