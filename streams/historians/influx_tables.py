"""InfluxDB's answers, as CSV, back into points."""

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from schemas.errors import HistorianError
from schemas.site_window import Completeness, SeriesName, SeriesStatus
from streams.historians.influx_lines import body_fields
from streams.historians.points import EventKind, EventPoint, MeterPoint, SitePoint
from streams.historians.texts import relays_of, texts_of, weather_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_STATUSES: Final = {status.value: status for status in SeriesStatus}
_HEADER: Final = "result"
_REVISION, _STATUS, _VALUE = "revision", "status", "value"

Row = dict[str, str]
"""One row: text by column. An absent value is an empty text, as CSV has it."""

_SITE_FIELDS: Final = (
    "revision",
    "completeness",
    "load_kw",
    "generation_kw",
    "energy_known",
    "measured",
    "valid",
    "missing",
    "missing_rated_kw",
    "missing_series",
    "relays",
    "weather",
)
_EVENT_FIELDS: Final = ("window_start_ms", "seq", "reasons")
"""Fields that every point has, and that are never an empty text."""

_Fields = defaultdict[str, dict[str, str]]
"""Of one series: text by field, then by time."""

_FOREIGN: Final = (
    LookupError,
    ValueError,
    TypeError,
    OverflowError,
    csv.Error,
    msgspec.MsgspecError,
)
"""What reading an answer raises that is none to our questions."""

# The longest string that InfluxDB takes, each character quoted; Python's own limit is lower.
csv.field_size_limit(2 * 1_048_576)


def rows_of(answer: str) -> Iterator[Row]:
    """The rows of all tables.

    Raises:
        HistorianError: InfluxDB gave the query up in its midst.
    """
    # Tables of other columns come with a header of their own.
    columns: list[str] = []
    with _ours():
        for cells in _cells_of(answer):
            if cells[1] == _HEADER:
                columns = cells
            else:
                yield dict(zip(columns, cells, strict=True))


def site_points(answer: str, site: str) -> list[SitePoint]:
    """Windows of a site, in the order of time.

    Raises:
        HistorianError: there is something that we did not write.
    """
    with _ours():
        points = [_site_point(row, site) for row in rows_of(answer) if _is_whole(row, _SITE_FIELDS)]
    points.sort(key=lambda point: point.window_start_ms)
    return points


def event_points(answer: str, site: str) -> list[EventPoint]:
    """Events of one site, in no particular order.

    Raises:
        HistorianError: there is something that we did not write.
    """
    with _ours():
        return [_event_point(row, site) for row in rows_of(answer) if _is_whole(row, _EVENT_FIELDS)]


def meter_points(answer: str, wanted: Collection[SeriesName] | None = None) -> list[MeterPoint]:
    """Windows of series, by time, device and quantity; of all series, or those that are wanted.

    Raises:
        HistorianError: there is something that we did not write.
    """
    times = _Times()
    with _ours():
        points = [
            point
            for name, fields in _by_series(answer).items()
            if wanted is None or name in wanted
            for point in _series_points(name, fields, times)
        ]
    points.sort()
    return points


def time_ms(text: str) -> int:
    """A time as InfluxDB writes it, in ms since the epoch."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MS


def _by_series(answer: str) -> dict[SeriesName, _Fields]:
    """Every value of every series, by field and time. A table holds one field of one series."""
    found: defaultdict[SeriesName, _Fields] = defaultdict(lambda: defaultdict(dict))
    columns: list[str] = []
    table, values, time_at, value_at = "", dict[str, str](), 0, 0
    for cells in _cells_of(answer):
        if cells[1] == _HEADER:
            columns, table = cells, ""
            time_at, value_at = cells.index("_time"), cells.index("_value")
            continue
        if cells[2] != table:
            row = dict(zip(columns, cells, strict=True))
            name = SeriesName(device=row["device"], quantity=row["quantity"])
            table, values = cells[2], found[name][row["_field"]]
        values[cells[time_at]] = cells[value_at]
    return found


class _Times(dict[str, int]):
    """Times in ms since the epoch by their text; each is understood once."""

    def __missing__(self, text: str) -> int:
        self[text] = time_ms(text)
        return self[text]


def _series_points(name: SeriesName, fields: _Fields, times: _Times) -> Iterator[MeterPoint]:
    """The points of one series.

    The status decides: where the newest revision is missing, the value of an older one stays.
    A point that is being written may come with some of its fields only; it comes next time.
    """
    statuses, values = fields[_STATUS], fields[_VALUE]
    for time, revision in fields[_REVISION].items():
        status = _STATUSES.get(statuses.get(time, ""))
        if status is SeriesStatus.MISSING:
            value = None
        elif status is not None and time in values:
            value = float(values[time])
        else:
            continue
        yield MeterPoint(times[time], name.device, name.quantity, int(revision), status, value)


def _site_point(row: Row, site: str) -> SitePoint:
    """A window of a site."""
    energy_known = row["energy_known"] == "true"
    return SitePoint(
        site=site,
        window_start_ms=time_ms(row["_time"]),
        revision=int(row["revision"]),
        model_hash=_text(row["model_hash"]),
        completeness=Completeness(row["completeness"]),
        load_kw=float(row["load_kw"]),
        generation_kw=float(row["generation_kw"]),
        energy_import_kwh=float(row["energy_import_kwh"]) if energy_known else None,
        measured=int(row["measured"]),
        valid=int(row["valid"]),
        missing=int(row["missing"]),
        missing_rated_kw=float(row["missing_rated_kw"]),
        missing_series=texts_of(row["missing_series"]),
        relays=relays_of(row["relays"]),
        weather=weather_of(row["weather"]),
    )


def _event_point(row: Row, site: str) -> EventPoint:
    """A step of a decision."""
    numbers: dict[str, Any] = {name: _float(row.get(name)) for name in _EVENT_FLOATS}
    counts: dict[str, Any] = {name: _int(row.get(name)) for name in _EVENT_COUNTS}
    return EventPoint(
        site=site,
        kind=EventKind(row["kind"]),
        key=_text(row["key"]),
        window_start_ms=int(row["window_start_ms"]),
        decision_id=_text(row["decision_id"]),
        device=row.get("device") or None,
        seq=int(row["seq"]),
        outcome=_text(row["outcome"]),
        reasons=texts_of(row["reasons"]),
        body=_body(row),
        currency=_text(row.get("currency", "")) or None,
        **counts,
        **numbers,
    )


_EVENT_COUNTS: Final = ("at_ms", "switched_on", "switched_off")
_EVENT_FLOATS: Final = (
    "load_kw",
    "uncontrolled_kw",
    "expected_kw",
    "threshold_kw",
    "violation_kw",
    "price_per_kwh",
)


def _body(row: Row) -> str:
    """A body from its parts."""
    parts: list[str] = []
    for name in body_fields():
        if not row.get(name):
            return "".join(parts)
        parts.append(_text(row[name]))
    return "".join(parts)


def _is_whole(row: Row, fields: Iterable[str]) -> bool:
    """Whether a row has all fields; one that is being written may not have them yet."""
    return all(row.get(name) for name in fields)


@contextmanager
def _ours() -> Iterator[None]:
    """The body reads what we wrote; an error that says so where somebody else did."""
    try:
        yield
    except _FOREIGN as error:
        message = f"the bucket holds something that Gridloom did not write: {error!r}"
        hint = "Give Gridloom a bucket of its own: [influxdb] bucket."
        raise HistorianError(message, hint=hint) from error


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _float(text: str | None) -> float | None:
    return float(text) if text else None


def _text(text: str) -> str:
    """A text as it was written: InfluxDB's CSV turns every line break into two characters."""
    return text.replace("\r\n", "\n")


def _cells_of(answer: str) -> Iterator[list[str]]:
    """Headers and rows, without the empty lines between tables.

    Raises:
        HistorianError: InfluxDB gave the query up in its midst.
    """
    lines = csv.reader(io.StringIO(answer, newline=""))
    for cells in lines:
        if cells[1:2] == ["error"]:
            _, problem, *_ = next(lines, ("", "no reason given"))
            raise HistorianError(f"InfluxDB gave a query up: {problem}")
        if cells:
            yield cells
