"""The metrics of one process, and the labels that every one of them carries.

Prometheus' client keeps a registry for the whole program; here it is an object that is handed
around. The constant labels are added when somebody asks, so that counting costs nothing more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, product
from typing import Final, NamedTuple

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

CONSTANT_LABELS: Final = ("stage", "slot")
"""Labels of every metric: the stage, and which of its processes (from 0)."""


class MetricSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the reference page says of one metric.

    Attributes:
        name: as it is queried; of a histogram, without ``_bucket``, ``_sum`` and ``_count``.
        kind: counter, gauge or histogram.
        labels: besides :data:`CONSTANT_LABELS`.
        unit: of the value.
        meaning: its help text.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    unit: str
    meaning: str


class Counted(NamedTuple):
    """A histogram at one moment.

    Attributes:
        bounds_s: upper bounds of the buckets [s].
        counts: in each bucket, and above the last.
        sum_s: of everything counted [s].
    """

    bounds_s: Sequence[float]
    counts: Sequence[int]
    sum_s: float


class StageRegistry(CollectorRegistry):
    """Metrics that all carry the labels ``stage`` and ``slot``."""

    def __init__(self, stage: str, slot: int) -> None:
        super().__init__()
        self._constant = dict(zip(CONSTANT_LABELS, (stage, str(slot)), strict=True))
        self.specs: list[MetricSpec] = []

    def register(self, collector: Collector) -> None:
        """Take a metric in; it will be shown with the constant labels."""
        super().register(_Labelled(collector, self._constant))

    def info(self, name: str, meaning: str, values: Mapping[str, str]) -> None:
        """A gauge ``<name>_info`` that is always 1 and says something by its labels."""
        self._note(f"{name}_info", "gauge", values, "", meaning)
        Info(name, meaning, registry=self).info(dict(values))

    def counter(
        self, name: str, meaning: str, unit: str, labels: Mapping[str, Iterable[str]] | None = None
    ) -> Counter:
        """A counter.

        Args:
            name: ends in ``_total``.
            meaning: help text.
            unit: of what is counted.
            labels: names with the values that are known beforehand: those begin at 0, so that
                the first event is seen as an increase.
        """
        known = dict(labels or {})
        self._note(name, "counter", known, unit, meaning)
        counter = Counter(name, meaning, list(known), registry=self)
        for values in product(*known.values()) if known else ():
            counter.labels(*values)
        return counter

    def histogram(
        self, name: str, meaning: str, buckets_s: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        """A histogram of durations, with upper bounds of its buckets [s]."""
        self._note(name, "histogram", labels, "s", meaning)
        return Histogram(name, meaning, labels, buckets=buckets_s, registry=self)

    def table(
        self,
        name: str,
        meaning: str,
        unit: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], float]],
    ) -> None:
        """A gauge whose values are asked for when they are shown.

        Args:
            name: of the gauge.
            meaning: help text.
            unit: of the values.
            labels: names.
            read: value by label values; what it leaves out is unknown, and not shown.
        """
        self._note(name, "gauge", labels, unit, meaning)
        self.register(_Table(name, meaning, labels, read))

    def distribution(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], Counted]],
    ) -> None:
        """A histogram of durations that is counted elsewhere, whole batches at once."""
        self._note(name, "histogram", labels, "s", meaning)
        self.register(_Distribution(name, meaning, labels, read))

    def _note(self, name: str, kind: str, labels: Iterable[str], unit: str, meaning: str) -> None:
        spec = MetricSpec(name=name, kind=kind, labels=tuple(labels), unit=unit, meaning=meaning)
        self.specs.append(spec)


class _Labelled:
    """A collector whose samples get further labels."""

    def __init__(self, collector: Collector, labels: Mapping[str, str]) -> None:
        self._collector = collector
        self._labels = labels

    def describe(self) -> Iterable[Metric]:
        """What names it will use, as far as it says."""
        describe = getattr(self._collector, "describe", None)
        return describe() if describe is not None else ()

    def collect(self) -> Iterable[Metric]:
        """Its metrics, without the times at which counters were made: nobody asks for them."""
        for metric in self._collector.collect():
            metric.samples = [
                sample._replace(labels={**sample.labels, **self._labels})
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ]
            yield metric


class _Table:
    """A gauge that is computed when it is shown."""

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], float]],
    ) -> None:
        self._name, self._meaning, self._labels, self._read = name, meaning, labels, read

    def describe(self) -> Iterable[Metric]:
        """Its name, without values."""
        return [GaugeMetricFamily(self._name, self._meaning, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        """What is known now."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, value in self._read().items():
            family.add_metric(labels, value)
        return [family]


class _Distribution:
    """A histogram that is made when it is shown."""

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], Counted]],
    ) -> None:
        self._name, self._meaning, self._labels, self._read = name, meaning, labels, read

    def describe(self) -> Iterable[Metric]:
        """Its name, without values."""
        return [HistogramMetricFamily(self._name, self._meaning, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        """What is counted by now."""
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, counted in self._read().items():
            bounds = [*(str(float(bound)) for bound in counted.bounds_s), "+Inf"]
            reached = accumulate(map(float, counted.counts))
            family.add_metric(labels, list(zip(bounds, reached, strict=True)), counted.sum_s)
        return [family]
