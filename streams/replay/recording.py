"""Files put together: every reading in time order, each device with its interval."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from streams.replay.columns import Layout
from streams.replay.parsing import BadRow, FloatArray, IntArray, Parsed


@dataclass(frozen=True, slots=True)
class Track:
    """One file.

    Attributes:
        path: where it is.
        header: its column names.
        counts: what the position of a bad row counts, ``line`` or ``row``.
        layout: what its columns mean.
        parsed: its readings and bad rows, stamps as they stand in the file.
        interval_ms: spacing of each device's readings [ms], int64 [devices].
    """

    path: Path
    header: tuple[str, ...]
    counts: str
    layout: Layout
    parsed: Parsed
    interval_ms: IntArray

    @property
    def source(self) -> str:
        """Who publishes its readings; part of their identity."""
        return f"replay:{self.path.name}"


@dataclass(frozen=True)
class Recording:
    """Readings of all files in time order; columns of equal length.

    Attributes:
        tracks: the files.
        track: number of the file.
        device, column: numbers within that file.
        time_ms: event time [ms since the epoch], never falling.
        interval_ms: how long the reading is measured [ms].
        value: in its column's unit.
    """

    tracks: tuple[Track, ...]
    track: IntArray
    device: IntArray
    column: IntArray
    time_ms: IntArray
    interval_ms: IntArray
    value: FloatArray

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def rows(self) -> int:
        """Data rows of all files."""
        return sum(track.parsed.rows for track in self.tracks)

    @property
    def bad_rows(self) -> list[tuple[Track, BadRow]]:
        """Every bad row with its file."""
        return [(track, row) for track in self.tracks for row in track.parsed.bad]

    @property
    def first_ms(self) -> int:
        """Event time of the first reading [ms since the epoch]."""
        return int(self.time_ms[0])

    @cached_property
    def end_ms(self) -> int:
        """Time up to which something is measured [ms since the epoch]."""
        return int((self.time_ms + self.interval_ms).max())

    def shifted(self, by_ms: int) -> "Recording":
        """The same at another time."""
        return replace(self, time_ms=self.time_ms + by_ms)
