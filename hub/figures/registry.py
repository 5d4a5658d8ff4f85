"""The table as prometheus-client objects; and a mirror for figures other processes count."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from hub.figures.table import BY_NAME, FIGURES, Figure, Kind

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series each that nobody asks for

Labelled = Mapping[tuple[str, ...], float]
"""Values by label values; the empty tuple where there are no labels."""
Mirrored = Mapping[str, Labelled]


def gauge(registry: CollectorRegistry, name: str) -> Gauge:
    """A gauge of the table, kept in this process."""
    figure = _of_kind(name, Kind.GAUGE)
    return Gauge(name, figure.meaning, figure.label_names, registry=registry)


def counter(registry: CollectorRegistry, name: str) -> Counter:
    """A counter of the table, kept in this process."""
    figure = _of_kind(name, Kind.COUNTER)
    return Counter(name, figure.meaning, figure.label_names, registry=registry)


def histogram(registry: CollectorRegistry, name: str) -> Histogram:
    """A histogram of the table, kept in this process."""
    figure = _of_kind(name, Kind.HISTOGRAM)
    return Histogram(
        name, figure.meaning, figure.label_names, buckets=figure.buckets, registry=registry
    )


class Mirror(Collector):
    """Figures somebody else counts, read when they are asked for.

    What is not known just now is left out: a 0 would be a lie.
    """

    def __init__(
        self,
        read: Callable[[], Mirrored],
        dwell: Callable[[], "Tallied | None"],
        tallied: Callable[[], Mapping[str, "Tallied"]] = dict,
    ) -> None:
        """`tallied`: further histograms, by figure."""
        self._tallied = tallied
        self._read = read
        self._dwell = dwell

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks nobody."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One family a figure."""
        values = self._read()
        for figure in FIGURES:
            if figure.name in values:
                yield _family(figure, values[figure.name])
        dwell = self._dwell()
        histograms = dict(self._tallied())
        if dwell is not None:
            histograms["carebell_dwell_seconds"] = dwell
        for name, tallied in histograms.items():
            figure = BY_NAME[name]
            family = HistogramMetricFamily(figure.name, figure.meaning)
            edges = [*map(str, figure.buckets), "+Inf"]
            family.add_metric([], list(zip(edges, tallied.cumulative, strict=True)), tallied.total)
            yield family


class Tallied:
    """A histogram that came over the desk bus: counts per bucket, and the sum of all."""

    def __init__(self, counts: list[int], total: float) -> None:
        self.cumulative = [sum(counts[: index + 1]) for index in range(len(counts))]
        self.total = total


def _family(figure: Figure, values: Labelled) -> Metric:
    kind = CounterMetricFamily if figure.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(figure.name, figure.meaning, labels=list(figure.label_names))
    for labels, value in values.items():
        family.add_metric(list(labels), value)
    return family


def _of_kind(name: str, kind: Kind) -> Figure:
    figure = BY_NAME[name]
    if figure.kind is not kind:
        raise TypeError(name)
    return figure
