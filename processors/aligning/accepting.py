"""Which readings are accepted: known, plausible, in the right partition, and not too late."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.addressing import NOT_KNOWN, AddressBook
from processors.aligning.candidates import Candidates
from processors.aligning.decoding import Decoded, RefusedReading, decode
from processors.aligning.event_ids import EventIds
from processors.aligning.open_readings import ReadingColumns
from processors.aligning.records import Records
from processors.aligning.scanning import Address
from processors.aligning.series import SeriesTable
from processors.aligning.watermarks import UNKNOWN_MS, Times
from schemas.identity import partition_of
from schemas.units import MICRO, QUANTITIES, VALUE_LIMIT, TelemetryKind, quantities_of
from schemas.windows import LATENESS_MS, WINDOW_MS, iso_utc

_LATEST_MS: Final = 2**60
"""Event times beyond it are nonsense, and would leave no room for arithmetic."""

_VALUE_LIMIT_MICRO: Final = VALUE_LIMIT * MICRO


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
    event_ids: EventIds
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

    def judge(self, records: Records, times: Times) -> Judged:
        """Judge readings by their series and by the watermark before their own offset.

        Args:
            records: that hold them.
            times: at each record.
        """
        plain, rest = self._plain(records, times, np.arange(len(records)))
        parts, refused = [plain], list[RefusedReading]()
        some = 1
        while rest:
            # What these teach of addresses makes others plain: a new site is not read at length.
            others, reasons = self._others(records, times, rest[:some])
            plain, rest = self._plain(records, times, np.array(rest[some:], np.int64))
            parts += [others, plain]
            refused += reasons
            some *= 2
        return _judged(Candidates.joined(parts), records, times, refused)

    def _plain(
        self, records: Records, times: Times, places: NDArray[np.int64]
    ) -> tuple[Candidates, list[int]]:
        """The readings of plain records of which nothing is wrong, and the other records."""
        is_all = len(places) == len(records)
        values = records.values
        found = self._book.scan(values if is_all else [values[at] for at in places.tolist()])
        candidates = self._candidates(
            places[found.place], found.code, found.time_ms, found.value, found.event_ids, times
        )
        rest = [place for place in places[found.rest].tolist() if place not in records.ticks]
        if not candidates.bad.any():
            return candidates, rest
        not_plain = np.unique(candidates.place[candidates.bad])
        return candidates.without(not_plain), sorted([*rest, *not_plain.tolist()])

    def _others(
        self, records: Records, times: Times, places: Sequence[int]
    ) -> tuple[Candidates, list[RefusedReading]]:
        """The readings of records that are not plain, and why some cannot be used."""
        decoded = decode(records, places)
        readings, addresses = decoded.readings(), list(decoded.addresses())
        codes = self._book.codes(addresses)
        if (codes == NOT_KNOWN).any():
            self._learn(set(compress(addresses, (codes == NOT_KNOWN).tolist())))
            codes = self._book.codes(addresses)
        candidates = self._candidates(
            np.array(decoded.places(), np.int64),
            codes,
            np.fromiter((_bounded(each.event_time_ms) for each in readings), np.int64),
            np.fromiter((each.value for each in readings), np.float64),
            EventIds.of(each.event_id for each in readings),
            times,
        )
        refused = self._refused(decoded, candidates.bad, codes, times.now_ms[candidates.place])
        return candidates, decoded.refused + refused

    def _candidates(
        self,
        place: NDArray[np.int64],
        code: NDArray[np.int64],
        time_ms: NDArray[np.int64],
        value: NDArray[np.float64],
        event_ids: EventIds,
        times: Times,
    ) -> Candidates:
        """Readings by series, their values in fixed point; bad where that cannot be."""
        series, scale = self._book.columns()
        with np.errstate(over="ignore"):  # what becomes infinite is not plausible
            micro = value * scale[code]
        limit_ms = times.now_ms[place] + self._max_ahead_ms
        too_far = (time_ms > limit_ms) & (limit_ms > UNKNOWN_MS + self._max_ahead_ms)
        # Less than the limit is false for what is not a number, too.
        plausible = (np.abs(micro) <= _VALUE_LIMIT_MICRO) & (time_ms > 0)
        bad = ~plausible | too_far | (code == NOT_KNOWN)
        return Candidates(place, series[code], time_ms, micro, bad, np.arange(len(code)), event_ids)

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
        bad: NDArray[np.bool_],
        codes: NDArray[np.int64],
        now_ms: NDArray[np.int64],
    ) -> list[RefusedReading]:
        """Readable readings that are refused, each with every reason."""
        if not bad.any():
            return []
        readings, addresses = decoded.readings(), list(decoded.addresses())
        scale = self._book.columns()[1][codes]
        refused = []
        for index in np.flatnonzero(bad).tolist():
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


def _judged(
    candidates: Candidates, records: Records, times: Times, refused: list[RefusedReading]
) -> Judged:
    """Candidates as columns, without the bad ones and those that are too late."""
    place, time_ms, bad = candidates.place, candidates.time_ms, candidates.bad
    before_ms, now_ms = times.before_ms[place], times.now_ms[place]
    closed_ms = time_ms - time_ms % WINDOW_MS + WINDOW_MS + LATENESS_MS
    late = (closed_ms <= before_ms) & ~bad
    timed = (candidates.series != NOT_KNOWN) & (now_ms != UNKNOWN_MS) & (time_ms > 0)
    columns = ReadingColumns(
        series=candidates.series,
        time_ms=time_ms,
        value=np.rint(np.where(bad, 0.0, candidates.value)).astype(np.int64),
        offset=records.offsets[place],
        watermark_ms=before_ms,
        event_id=candidates.event_id,
    )
    out = bad | late
    return Judged(
        accepted=columns.take(~out) if out.any() else columns,
        event_ids=candidates.event_ids,
        too_late=int(late.sum()),
        refused=refused,
        series=candidates.series[timed],
        delay_ms=(now_ms - time_ms)[timed],
    )


def _bounded(time_ms: int) -> int:
    """An event time [ms]; nonsense becomes 0 or the latest, which are refused."""
    return min(max(time_ms, 0), _LATEST_MS)


def _implausible(value: float, time_ms: int, limit_ms: int | None) -> Iterator[str]:
    """What is wrong with a value [canonical unit] and a time that may be up to ``limit_ms``."""
    if not np.isfinite(value) or abs(value) > VALUE_LIMIT:
        yield f"value: {value:g} is not a plausible number"
    if time_ms <= 0:
        yield f"event_time_ms: {time_ms} is not a time since 1970"
    if limit_ms is not None and time_ms > limit_ms:
        stamp = iso_utc(time_ms) if time_ms < 2**47 else str(time_ms)
        yield f"event_time_ms: {stamp} is too far ahead; the limit is {iso_utc(limit_ms)}"
