"""What a replay is asked to do, what it says meanwhile, and what it reports at the end."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from schemas.errors import ReplayError
from schemas.units import QUANTITIES


class Progress(Protocol):
    """Where a replay tells how far it is: a progress bar on a terminal, a list in a test."""

    def note(self, sentence: str) -> None:
        """Something that the user should know: a choice that was made, or a warning."""
        ...

    def start(self, readings: int) -> None:
        """Sending begins; ``readings`` will be sent."""
        ...

    def advance(self, readings: int) -> None:
        """So many more readings were handed to Kafka."""
        ...


class ReplayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to replay.

    Attributes:
        site: site that the devices belong to; by default the first file's name without its
            endings, unfit characters replaced.
        site_file: TOML file with the site's model, to declare it.
        device: device of the files that have no device column.
        columns: ``NAME=QUANTITY:UNIT``, ``NAME=device`` or ``NAME=time``: what a column is,
            where its name does not tell.
        quantities: what to send; by default active power of meters, and all of weather.
        interval_s: spacing of the readings [s]; by default each device's most common one.
        end_stamped: stamps mark the end of their interval. They are shifted one interval back,
            to where the reading holds from.
        known_at_end: play a value when it was known, not from when it held: at the end of its
            interval. Stamps are shifted one interval forward. With ``end_stamped`` the two
            shifts cancel out.
        rebase: on a running clock, shift the file's time so that it starts now.
        speed: must be the pipeline clock's speed where it is given.
        batch: readings per message; 1 sends single readings.

    Raises:
        ReplayError: options that make no sense; ``problems`` names each.
    """

    site: str | None = None
    site_file: Path | None = None
    device: str | None = None
    columns: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    interval_s: float | None = None
    end_stamped: bool = False
    known_at_end: bool = False
    rebase: bool = False
    speed: float | None = None
    batch: int = 1

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            message = "these replay options make no sense"
            raise ReplayError(message, problems=problems)

    @property
    def shift_intervals(self) -> int:
        """By how many intervals stamps are moved."""
        return int(self.known_at_end) - int(self.end_stamped)

    def _problems(self) -> Iterator[str]:
        if self.batch < 1:
            yield f"batch: {self.batch} is not at least 1"
        interval_s = self.interval_s
        if interval_s is not None and not (math.isfinite(interval_s) and interval_s * 1000 >= 1):
            yield f"interval: {interval_s} s is not at least a millisecond"
        for name in self.quantities:
            if name not in QUANTITIES:
                yield f"quantity: {name!r} is not one of {', '.join(QUANTITIES)}"


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did.

    Every reading sent is classified by align, every bad row is one dead letter of the replay's
    own: ``readings + bad_rows = windowed + duplicate + too late + dead-lettered``.

    Attributes:
        files: as they were given.
        site: site of all readings.
        declared: whether the site was declared before.
        rows: data rows of all files, bad ones included.
        bad_rows: rows with at least one cell that could not be used.
        readings: readings sent.
        ticks: records sent that only carry time; 0 on a running clock.
        first_ms, last_ms: event time of the first and the last reading sent [ms since the
            epoch]; None where none was sent.
        shift_ms: by how much ``rebase`` moved the file's time [ms].
        interrupted: whether it was stopped before its end.
        seconds: wall time from the first record to the last delivery [s].
        readings_per_s: readings sent per second of it.
    """

    files: tuple[str, ...]
    site: str
    declared: bool
    rows: int
    bad_rows: int
    readings: int
    ticks: int
    first_ms: int | None
    last_ms: int | None
    shift_ms: int
    interrupted: bool
    seconds: float
    readings_per_s: float
