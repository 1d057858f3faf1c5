"""How late readings come, and whose clocks are off: counted, shown and logged."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from processors.aligning.delays import BOUNDS_MS, Distribution, Skew
from processors.aligning.partition import PartitionAligner
from schemas.units import TelemetryKind
from streams.metrics.registry import Counted, StageRegistry

log = logging.getLogger(__name__)

_DIRECTIONS: Final = ("ahead", "behind")
_NAMED: Final = 10
"""Devices that a log line names; the metric counts all of them."""


class LatenessMetrics:
    """Looks at the delays of all hosted partitions.

    Args:
        registry: of the process.
    """

    def __init__(self, registry: StageRegistry) -> None:
        self._seen: dict[TelemetryKind, Distribution] = {}
        self._skewed: dict[int, list[Skew]] = {}
        registry.distribution(
            "gridloom_reading_delay_seconds",
            "Pipeline time from what a reading says to its append, of all readings of known series;"
            " negative where a device's clock is ahead. Not on the data clock.",
            ["kind"],
            self._distributions,
        )
        registry.table(
            "gridloom_clock_skew_devices",
            "Devices whose readings all came from the future, or all came late, for a minute.",
            "devices",
            ["direction"],
            lambda: self._by_direction(len),
        )
        registry.table(
            "gridloom_clock_skew_seconds",
            "How far the worst of them is off, at least.",
            "s",
            ["direction"],
            lambda: self._by_direction(_worst_s),
        )

    def look(self, aligners: Mapping[int, PartitionAligner]) -> None:
        """Count what is new, and once a minute judge the devices' clocks."""
        for number in self._skewed.keys() - aligners.keys():
            del self._skewed[number]
        for number, aligner in aligners.items():
            for kind, noted in aligner.delays.taken().items():
                self._seen.setdefault(kind, Distribution()).add(noted)
            watermark_ms = aligner.watermark_ms()
            found = None if watermark_ms is None else aligner.delays.skewed(watermark_ms)
            if found is not None:
                _log_changes(self._skewed.get(number, []), found)
                self._skewed[number] = found

    def _distributions(self) -> Mapping[tuple[str, ...], Counted]:
        bounds_s = [bound / 1000 for bound in BOUNDS_MS]
        return {
            (str(kind),): Counted(bounds_s, seen.counts.tolist(), seen.sum_ms / 1000)
            for kind, seen in list(self._seen.items())
        }

    def _by_direction(
        self, measure: Callable[[list[Skew]], float]
    ) -> Mapping[tuple[str, ...], float]:
        skews = [skew for of_partition in list(self._skewed.values()) for skew in of_partition]
        ahead = [skew for skew in skews if skew.is_ahead]
        behind = [skew for skew in skews if not skew.is_ahead]
        return {
            (direction,): measure(chosen)
            for direction, chosen in zip(_DIRECTIONS, (ahead, behind), strict=True)
        }


def _worst_s(skews: list[Skew]) -> float:
    return max((abs(skew.delay_ms) / 1000 for skew in skews), default=0.0)


def _log_changes(before: Iterable[Skew], now: Iterable[Skew]) -> None:
    """Say which devices' clocks went off, or are right again."""
    off = {(skew.site, skew.device): skew for skew in now}
    were_off = {(skew.site, skew.device) for skew in before}
    new = [skew for device, skew in off.items() if device not in were_off]
    if new:
        text = "%d devices' clocks are off, or their readings are slow: %s"
        log.warning(text, len(new), _listed(map(_sentence, new)))
    if right := sorted(were_off - off.keys()):
        text = "%d devices' clocks are right again: %s"
        log.info(text, len(right), _listed("/".join(device) for device in right))


def _sentence(skew: Skew) -> str:
    what = "ahead by at least" if skew.is_ahead else "late by at least"
    return f"{skew.site}/{skew.device} is {what} {abs(skew.delay_ms) / 1000:g} s"


def _listed(names: Iterable[str]) -> str:
    """The first few of them."""
    everything = list(names)
    more = len(everything) - _NAMED
    return ", ".join(everything[:_NAMED]) + (f" and {more} more" if more > 0 else "")
