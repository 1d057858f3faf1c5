"""Which readings are accepted: known, plausible, in the right partition, and not too late."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.addressing import NOT_KNOWN, AddressBook
from processors.aligning.decoding import Address, Decoded, RefusedReading
from processors.aligning.open_readings import ReadingColumns
from processors.aligning.series import SeriesTable
from processors.aligning.watermarks import UNKNOWN_MS, Times
from schemas.identity import partition_of
from schemas.units import MICRO, QUANTITIES, VALUE_LIMIT, TelemetryKind, quantities_of
from schemas.windows import LATENESS_MS, WINDOW_MS, iso_utc

_LATEST_MS: Final = 2**60
"""Event times beyond it are nonsense, and would leave no room for arithmetic."""

_VALUE: Final = attrgetter("value")
_TIME: Final = attrgetter("event_time_ms")
_EVENT_ID: Final = attrgetter("event_id")


@dataclass(frozen=True, slots=True)
class Place:
    """Where records come from: the topic's kind, the partition, and how many there are."""

    kind: TelemetryKind
    partition: int
    partitions: int


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome for a batch of records.

    Attributes:
        accepted: readings that count.
        event_ids: of all readings; ``accepted.event_id`` are places in it.
        too_late: how many came after their window was final.
        refused: dead letters to be.
        series, delay_ms: of every reading whose series is known, accepted or not: how long
            after its event time it was appended [ms]; empty while no time is known.
    """

    accepted: ReadingColumns
    event_ids: Sequence[str]
    too_late: int
    refused: list[RefusedReading]
    series: NDArray[np.int64]
    delay_ms: NDArray[np.int64]


class Judge:
    """Judges the readings of one topic of a partition.

    Args:
        place: where they come from.
        table: the partition's series.
        max_ahead_ms: a reading may be this far ahead of the clock [ms].
        know_site: enters a site into the table, where there is one of that name.
    """

    def __init__(
        self,
        place: Place,
        table: SeriesTable,
        max_ahead_ms: int,
        know_site: Callable[[str], object],
    ) -> None:
        self._place = place
        self._table = table
        self._max_ahead_ms = max_ahead_ms
        self._know_site = know_site
        self._book = AddressBook(place.kind, table)

    def judge(self, decoded: Decoded, times: Times) -> Judged:
        """Judge readings by their series and by the watermark before their own offset.

        Args:
            decoded: the readings.
            times: at each record.
        """
        readings = decoded.readings()
        series, scale = self._series_of(decoded, len(readings))
        at = np.array(decoded.places(), np.int64)
        before_ms, now_ms = times.before_ms[at], times.now_ms[at]
        time_ms = _times_of(readings)
        with np.errstate(over="ignore"):  # what becomes infinite is not plausible
            value = np.fromiter(map(_VALUE, readings), np.float64, len(readings)) * scale
        too_far = (now_ms != UNKNOWN_MS) & (time_ms > now_ms + self._max_ahead_ms)
        known = series != NOT_KNOWN
        plausible = np.abs(value) <= VALUE_LIMIT * 1e6  # false for what is not a number, too
        good = known & plausible & (time_ms > 0) & ~too_far
        late = good & (time_ms - time_ms % WINDOW_MS + WINDOW_MS + LATENESS_MS <= before_ms)
        timed = known & (now_ms != UNKNOWN_MS) & (time_ms > 0)
        columns = ReadingColumns(
            series=series,
            time_ms=time_ms,
            value=np.rint(np.where(good, value, 0.0)).astype(np.int64),
            offset=np.array(decoded.records.offsets, np.int64)[at],
            watermark_ms=before_ms,
            event_id=np.arange(len(readings)),
        )
        return Judged(
            accepted=columns if good.all() and not late.any() else columns.take(good & ~late),
            event_ids=list(map(_EVENT_ID, readings)),
            too_late=int(late.sum()),
            refused=self._refused(decoded, ~good, scale, now_ms),
            series=series[timed],
            delay_ms=(now_ms - time_ms)[timed],
        )

    def _series_of(
        self, decoded: Decoded, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Each reading's series, and its factor to fixed point."""
        codes = self._book.codes(decoded.addresses(), count)
        new = codes == NOT_KNOWN
        if new.any():
            self._learn(set(compress(decoded.addresses(), new.tolist())))
            codes = self._book.codes(decoded.addresses(), count)
        series, scale = self._book.columns()
        return series[codes], scale[codes]

    def _learn(self, addresses: set[Address]) -> None:
        """Look up addresses that were not met before."""
        for site in {address[0] for address in addresses} - self._table.sites.keys():
            # A site has windows in its own partition only; elsewhere it stays unknown.
            if partition_of(site, self._place.partitions) == self._place.partition:
                self._know_site(site)
        for address in sorted(addresses):
            self._book.learn(address)

    def _refused(
        self,
        decoded: Decoded,
        which: NDArray[np.bool_],
        scale: NDArray[np.float64],
        now_ms: NDArray[np.int64],
    ) -> list[RefusedReading]:
        """Readable readings that are refused, each with every reason."""
        if not which.any():
            return []
        readings, addresses = decoded.readings(), list(decoded.addresses())
        refused = []
        for index in np.flatnonzero(which).tolist():
            now, reading = int(now_ms[index]), readings[index]
            factor = scale[index] / MICRO or 1.0  # of a series that is not known: unknown, too
            limit_ms = None if now == UNKNOWN_MS else now + self._max_ahead_ms
            unknown = self._unknown(addresses[index])
            wrong = _implausible(reading.value * factor, reading.event_time_ms, limit_ms)
            refused.append(decoded.refuse(index, (*unknown, *wrong)))
        return refused

    def _unknown(self, address: Address) -> list[str]:
        """What of the reading's site, device, quantity and unit is not known."""
        (name, device, quantity, unit), place = address, self._place
        expected = partition_of(name, place.partitions)
        if expected != place.partition:
            error = (
                f"site: {name!r} belongs to partition {expected}, not {place.partition};"
                " use the site as the key and librdkafka's default partitioner"
            )
            return [error]
        if name not in self._table.sites:
            return [f"site: {name!r} has no model on site.models"]
        errors = []
        number_of, of_kind = self._table.number_of, quantities_of(place.kind)
        if all(number_of(name, device, each.name, place.kind) is None for each in of_kind):
            errors.append(f"device: {device!r} is not a {place.kind} device of site {name!r}")
        known = QUANTITIES.get(quantity)
        if known is None or place.kind not in known.kinds:
            errors.append(f"quantity: {quantity!r} is not a {place.kind} quantity")
        elif unit not in known.accepted:
            accepted = ", ".join(known.accepted)
            errors.append(f"unit: {unit!r} is not one of {accepted} for {quantity}")
        elif not errors and self._table.number_of(name, device, quantity) is None:
            errors.append(f"quantity: the model of {device!r} does not declare {quantity}")
        return errors


def _times_of(readings: Sequence[Any]) -> NDArray[np.int64]:
    """Event times [ms]; nonsense becomes 0 or the latest, which are refused."""
    times = map(_TIME, readings)
    try:
        time_ms = np.fromiter(times, np.int64, len(readings))
    except OverflowError:
        bounded = (min(max(_TIME(reading), 0), _LATEST_MS) for reading in readings)
        time_ms = np.fromiter(bounded, np.int64, len(readings))
    return np.clip(time_ms, 0, _LATEST_MS)


def _implausible(value: float, time_ms: int, limit_ms: int | None) -> Iterator[str]:
    """What is wrong with a value [canonical unit] and a time that may be up to ``limit_ms``."""
    if not np.isfinite(value) or abs(value) > VALUE_LIMIT:
        yield f"value: {value:g} is not a plausible number"
    if time_ms <= 0:
        yield f"event_time_ms: {time_ms} is not a time since 1970"
    if limit_ms is not None and time_ms > limit_ms:
        stamp = iso_utc(time_ms) if time_ms < 2**47 else str(time_ms)
        yield f"event_time_ms: {stamp} is too far ahead; the limit is {iso_utc(limit_ms)}"
