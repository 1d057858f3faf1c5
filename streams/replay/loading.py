"""Reading files into a recording."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from schemas.errors import ReplayError
from streams.replay.column_names import Override, parse_overrides
from streams.replay.columns import recognise
from streams.replay.options import ReplayOptions
from streams.replay.parsing import IntArray, Parsed, parse_rows
from streams.replay.recording import Recording, Track
from streams.replay.tables import open_table

SHOWN_ROWS: Final = 10
"""Bad rows that are told one by one; the others are only counted."""


def load_recording(
    files: Sequence[Path], options: ReplayOptions, note: Callable[[str], None]
) -> Recording:
    """Read all files.

    Args:
        files: CSV, gzipped CSV or Parquet.
        options: what their columns mean, and how they are stamped.
        note: told what was taken for granted.

    Raises:
        ReplayError: a file cannot be replayed; all such files are named at once.
    """
    overrides = parse_overrides(options.columns)
    tracks: list[Track] = []
    failures: list[ReplayError] = []
    for path in files:
        try:
            tracks.append(_load(path, overrides, options))
        except ReplayError as error:
            failures.append(error)
    _raise_all(failures, len(files))
    _check_used(overrides, tracks)
    for track in tracks:
        if track.parsed.naive:
            note(f"{track.path.name}: times without an offset are taken as UTC")
    return _joined(tracks, options.shift_intervals)


def _raise_all(failures: Sequence[ReplayError], files: int) -> None:
    """One failure as it is, several as one.

    Raises:
        ReplayError: there is any.
    """
    if len(failures) == 1:
        raise failures[0]
    if failures:
        message = f"{len(failures)} of {files} files cannot be replayed"
        raise ReplayError(message, problems=[f"{error}; {error.hint}" for error in failures])


def _check_used(overrides: Iterable[str], tracks: Iterable[Track]) -> None:
    unused = set(overrides).difference(*(track.header for track in tracks))
    if unused:
        message = f"no file has a column {', '.join(sorted(unused))}"
        raise ReplayError(message, hint="check --column; upper and lower case matter there")


def _load(path: Path, overrides: dict[str, Override], options: ReplayOptions) -> Track:
    """Read one file.

    Raises:
        ReplayError: it cannot be read, its columns do not fit, or no row of it can be used.
    """
    with open_table(path) as table:
        try:
            layout = recognise(
                table.header,
                overrides,
                options.quantities,
                device_given=options.device is not None,
            )
        except ReplayError as error:
            message = f"{path}: {error.message}"
            raise ReplayError(message, problems=error.problems) from error
        parsed = parse_rows(table.rows, layout, options.device)
    if not len(parsed.time_ms):
        problems = [f"{table.counts} {row}" for row in parsed.bad]
        message = f"{path}: none of its {parsed.rows} rows can be used"
        raise ReplayError(message, problems=problems[:SHOWN_ROWS])
    interval_ms = _intervals(path, parsed, options.interval_s)
    return Track(path, tuple(table.header), table.counts, layout, parsed, interval_ms)


def _intervals(path: Path, parsed: Parsed, given_s: float | None) -> IntArray:
    """Spacing of each device's readings [ms]: its most common one, the shorter of two.

    A device with a single stamp gets the most common spacing of the others.

    Raises:
        ReplayError: there is no device with two stamps, and no spacing is given.
    """
    count = len(parsed.devices)
    if given_s is not None:
        return np.full(count, round(given_s * 1000), np.int64)
    order = np.lexsort((parsed.time_ms, parsed.device))
    ends = np.searchsorted(parsed.device[order], np.arange(1, count))
    found = [_spacing(time_ms) for time_ms in np.split(parsed.time_ms[order], ends)]
    known = Counter(spacing for spacing in found if spacing is not None)
    if not known:
        message = f"{path}: the spacing of its readings cannot be told from one stamp"
        raise ReplayError(message, hint="give it with --interval SECONDS")
    usual = known.most_common(1)[0][0]
    return np.array([usual if spacing is None else spacing for spacing in found], np.int64)


def _spacing(time_ms: IntArray) -> int | None:
    """The most common difference between neighbouring stamps [ms], or None."""
    spacings, times = np.unique(np.diff(np.unique(time_ms)), return_counts=True)
    return int(spacings[times.argmax()]) if len(spacings) else None


def _joined(tracks: Sequence[Track], shift_intervals: int) -> Recording:
    """All readings in time order; of equal times, in the order of the files."""
    parsed = [track.parsed for track in tracks]
    interval_ms = np.concatenate([t.interval_ms[t.parsed.device] for t in tracks])
    time_ms = np.concatenate([p.time_ms for p in parsed]) + shift_intervals * interval_ms
    number = np.concatenate([np.full(len(p.time_ms), n) for n, p in enumerate(parsed)])
    order = np.argsort(time_ms, kind="stable")
    return Recording(
        tracks=tuple(tracks),
        track=number[order],
        device=np.concatenate([p.device for p in parsed])[order],
        column=np.concatenate([p.column for p in parsed])[order],
        time_ms=time_ms[order],
        interval_ms=interval_ms[order],
        value=np.concatenate([p.value for p in parsed])[order],
    )
