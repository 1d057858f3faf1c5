"""Which readings are accepted: known, plausible, in the right partition, and not too late."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.aligning.decoding import RefusedReading, Row
from processors.aligning.open_readings import ReadingColumns, no_readings
from processors.aligning.series import SeriesTable
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.identity import partition_of
from schemas.units import QUANTITIES, VALUE_LIMIT, TelemetryKind
from schemas.windows import LATENESS_MS, WINDOW_MS, iso_utc

_NO_SERIES = (-1, 0.0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where records come from: the topic's kind, the partition, and how many there are."""

    kind: TelemetryKind
    partition: int
    partitions: int


@dataclass(frozen=True, slots=True)
class Accepting:
    """The outcome for a batch of records.

    ``too_late`` and ``accepted`` are columns; ``refused`` are dead letters to be.
    """

    accepted: ReadingColumns
    too_late: int
    refused: list[RefusedReading]


def accept(
    rows: Sequence[Row],
    *,
    place: Place,
    table: SeriesTable,
    watermark_ms: NDArray[np.int64],
    now_ms: NDArray[np.int64],
    max_ahead_ms: int,
) -> Accepting:
    """Judge readings by the partition's series and by the watermark before their own offset.

    Args:
        rows: decoded readings.
        place: topic kind and partition that they were read from.
        table: the partition's series.
        watermark_ms: watermark before each *record* [ms].
        now_ms: pipeline time at each record's append [ms]; UNKNOWN_MS where there is none.
        max_ahead_ms: a reading may be this far ahead of it [ms].
    """
    if not rows:
        return Accepting(no_readings(), 0, [])
    scales = table.scales(place.kind)
    found = [scales.get((row[2], row[3], row[4], row[5]), _NO_SERIES) for row in rows]
    series = np.array([number for number, _ in found], np.int64)
    scale = np.array([factor for _, factor in found], np.float64)
    at = np.array([row[0] for row in rows], np.int64)
    time_ms = np.array([_bounded(row[7]) for row in rows], np.int64)
    raw = np.array([row[6] for row in rows], np.float64)
    value = raw * scale
    limit = now_ms[at] + max_ahead_ms
    too_far = (now_ms[at] != UNKNOWN_MS) & (time_ms > limit)
    plausible = np.isfinite(value) & (np.abs(value) <= VALUE_LIMIT * 1e6) & (time_ms > 0)
    good = (series >= 0) & plausible & ~too_far
    refused = [
        _refused(rows[i], place, table, None if not too_far[i] else int(limit[i]))
        for i in np.flatnonzero(~good).tolist()
    ]
    before = watermark_ms[at]
    window_end = time_ms - time_ms % WINDOW_MS + WINDOW_MS
    late = good & (window_end + LATENESS_MS <= before)
    columns = ReadingColumns(
        series=series,
        time_ms=time_ms,
        value=np.rint(np.where(good, value, 0.0)).astype(np.int64),
        offset=np.array([row[1] for row in rows], np.int64),
        watermark_ms=before,
        event_id=np.array([row[8] for row in rows], np.object_),
    )
    return Accepting(columns.take(good & ~late), int(late.sum()), refused)


def _bounded(time_ms: int) -> int:
    """An event time that fits 64 bits with room for arithmetic; nonsense becomes refusable."""
    return time_ms if 0 < time_ms < 2**60 else (0 if time_ms <= 0 else 2**60)


def _refused(row: Row, place: Place, table: SeriesTable, limit_ms: int | None) -> RefusedReading:
    """A readable reading that is refused, with every reason."""
    _, offset, site, _, _, _, value, time_ms, _, item, original = row
    errors = list(_unknown(row, place, table))
    if not np.isfinite(value) or abs(value) > VALUE_LIMIT:
        errors.append(f"value: {value} is not a plausible number")
    if time_ms <= 0:
        errors.append(f"event_time_ms: {time_ms} is not a time since 1970")
    if limit_ms is not None:
        stamp = iso_utc(time_ms) if time_ms < 2**47 else str(time_ms)
        errors.append(f"event_time_ms: {stamp} is too far ahead; the limit is {iso_utc(limit_ms)}")
    return RefusedReading(offset, item, original, tuple(errors), site)


def _unknown(row: Row, place: Place, table: SeriesTable) -> list[str]:
    """What of the reading's site, device, quantity and unit is not known."""
    site_name, device, quantity, unit = row[2:6]
    expected = partition_of(site_name, place.partitions)
    if expected != place.partition:
        error = (
            f"site: {site_name!r} belongs to partition {expected}, not {place.partition};"
            " use the site as the key and librdkafka's default partitioner"
        )
        return [error]
    site = table.sites.get(site_name)
    if site is None:
        return [f"site: {site_name!r} has no model on site.models"]
    errors = []
    devices = {spec.device for spec in site.specs if spec.kind is place.kind}
    if device not in devices:
        errors.append(f"device: {device!r} is not a {place.kind} device of site {site_name!r}")
    known = QUANTITIES.get(quantity)
    if known is None or place.kind not in known.kinds:
        errors.append(f"quantity: {quantity!r} is not a {place.kind} quantity")
    elif unit not in known.accepted:
        errors.append(f"unit: {unit!r} is not one of {', '.join(known.accepted)} for {quantity}")
    elif not errors and table.number_of(site_name, device, quantity) is None:
        errors.append(f"quantity: the model of {device!r} does not declare {quantity}")
    return errors
