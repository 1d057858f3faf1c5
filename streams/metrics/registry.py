"""The metrics of one process, and the labels that every one of them carries.

Prometheus' client keeps a registry for the whole program; here it is an object that is handed
around. The constant labels are added when somebody asks, so that counting costs nothing more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, product
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

FamilyT = TypeVar("FamilyT", bound=Metric)

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

        def fill(family: GaugeMetricFamily) -> None:
            for values, value in read().items():
                family.add_metric(values, value)

        self.register(_Shown(lambda: GaugeMetricFamily(name, meaning, labels=labels), fill))

    def distribution(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], Counted]],
    ) -> None:
        """A histogram of durations that is counted elsewhere, whole batches at once."""
        self._note(name, "histogram", labels, "s", meaning)

        def fill(family: HistogramMetricFamily) -> None:
            for values, counted in read().items():
                bounds = [*(str(float(bound)) for bound in counted.bounds_s), "+Inf"]
                reached = accumulate(map(float, counted.counts))
                buckets = list(zip(bounds, reached, strict=True))
                family.add_metric(values, buckets, counted.sum_s)

        self.register(_Shown(lambda: HistogramMetricFamily(name, meaning, labels=labels), fill))

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


class _Shown(Generic[FamilyT]):
    """A metric that is made when it is shown.

    Args:
        empty: makes it, without values.
        fill: adds what is known now.
    """

    def __init__(self, empty: Callable[[], FamilyT], fill: Callable[[FamilyT], None]) -> None:
        self._empty, self._fill = empty, fill

    def describe(self) -> Iterable[Metric]:
        """Its name, without values."""
        return [self._empty()]

    def collect(self) -> Iterable[Metric]:
        """With its values."""
        family = self._empty()
        self._fill(family)
        return [family]
