"""The demo's input: a week of 111 loads and 5 PV systems of a SimBench low-voltage grid.

``hardware/data/README.md`` says where the values come from, under which licence, and how
``benchmarks/extract_simbench.py`` cuts them out of the source. Consumption is positive and
generation negative, here as in the shipped file.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.errors import ConfigurationError

Powers = NDArray[np.float64]

STEP_S: Final = 900
"""Each value of the slice holds for this long [s]."""


@dataclass(frozen=True, slots=True)
class ExcerptCriteria:
    """What an excerpt of the net base load must look like after scaling.

    The defaults suit the demo: its relays draw 70 kW, its threshold is 85 kW, so that the base
    load may reach 15 kW before anything is shed.

    Attributes:
        peak_kw: ceiling of the whole excerpt [kW].
        threshold_kw: the base load must rise above this [kW].
        start_kw: ceiling of the first ``start_steps`` values [kW].
        start_steps: how many values come before the rise.
        rise_by: index of the value by which the threshold is passed, at the latest.
        end_kw: ceiling of the last ``end_steps`` values [kW]; the 3 kW that it leaves below
            the threshold are there for the hysteresis of a restore.
        end_steps: how many values the base load stays low at the end.
        step_kw: ceiling of the change from one value to the next [kW].
    """

    peak_kw: float = 45.0
    threshold_kw: float = 15.0
    start_kw: float = 14.0
    start_steps: int = 2
    rise_by: int = 5
    end_kw: float = 12.0
    end_steps: int = 4
    step_kw: float = 20.0


DEMO: Final = ExcerptCriteria()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive values of a slice, all multiplied by one factor.

    Attributes:
        first: index of the first value in the slice.
        start_ms: its time [ms since the epoch, UTC].
        scale: the factor [1].
        load_kw: active power of the loads, shape (steps, loads) [kW].
        load_kvar: their reactive power, same shape [kvar].
        pv_kw: active power of the PV systems, shape (steps, pvs), never positive [kW].
    """

    first: int
    start_ms: int
    scale: float
    load_kw: Powers
    load_kvar: Powers
    pv_kw: Powers

    @property
    def base_kw(self) -> Powers:
        """Net base load, loads plus (negative) PV, shape (steps,) [kW]."""
        return net_kw(self.load_kw, self.pv_kw)


@dataclass(frozen=True, slots=True)
class SimbenchSlice:
    """The shipped week. The arrays are read-only.

    Attributes:
        load_ids: meters of the loads, ``L001`` to ``L111``.
        pv_ids: meters of the PV systems, ``PV1`` to ``PV5``.
        rated_kw: rated power of ``load_ids + pv_ids``, positive for both [kW].
        start_ms: time from which the first value holds [ms since the epoch, UTC].
        load_kw: active power of the loads, shape (steps, loads) [kW].
        load_kvar: their reactive power, same shape; capacitive loads are negative [kvar].
        pv_kw: active power of the PV systems, shape (steps, pvs), never positive [kW].
        step_s: how long each value holds [s].
    """

    load_ids: tuple[str, ...]
    pv_ids: tuple[str, ...]
    rated_kw: Powers
    start_ms: int
    load_kw: Powers
    load_kvar: Powers
    pv_kw: Powers
    step_s: int = STEP_S

    def excerpt(self, hours: float = 5.0, criteria: ExcerptCriteria = DEMO) -> Excerpt:
        """Return the best excerpt of ``hours`` [h] under ``criteria``, already scaled.

        Raises:
            ConfigurationError: no excerpt of the week meets the criteria.
        """
        steps = round(hours * 3600 / self.step_s)
        first, scale = find_excerpt(net_kw(self.load_kw, self.pv_kw), steps, criteria)
        rows = slice(first, first + steps)
        return Excerpt(
            first=first,
            start_ms=self.start_ms + first * self.step_s * 1000,
            scale=scale,
            load_kw=scale * self.load_kw[rows],
            load_kvar=scale * self.load_kvar[rows],
            pv_kw=scale * self.pv_kw[rows],
        )


def net_kw(load_kw: Powers, pv_kw: Powers) -> Powers:
    """Sum loads and (negative) PV of each step: shapes (steps, loads), (steps, pvs) [kW]."""
    net: Powers = load_kw.sum(axis=1) + pv_kw.sum(axis=1)
    return net


def find_excerpt(base_kw: Powers, steps: int, criteria: ExcerptCriteria) -> tuple[int, float]:
    """Find where ``steps`` values of ``base_kw`` begin that suit the demo best.

    Every candidate is scaled as far up as the criteria's ceilings allow; of those that then
    pass the threshold in time, the one with the highest peak wins, the earliest in a tie.

    Args:
        base_kw: net base load, shape (n,) [kW].
        steps: length of the excerpt; more than ``start_steps`` and ``end_steps`` together.
        criteria: ceilings and the threshold [kW].

    Returns:
        The index of its first value, and its factor.

    Raises:
        ConfigurationError: ``base_kw`` is too short, or no candidate passes the threshold.
    """
    if not criteria.start_steps + criteria.end_steps < steps <= len(base_kw):
        raise ConfigurationError(
            f"An excerpt of {steps} values does not fit a series of {len(base_kw)}.",
            hint=f"Ask for more than {criteria.start_steps + criteria.end_steps} values.",
        )
    candidates = np.lib.stride_tricks.sliding_window_view(base_kw, steps)
    scales = _largest_scales(candidates, criteria)
    rise_kw = candidates[:, criteria.start_steps : criteria.rise_by + 1].max(axis=1)
    rises = scales * rise_kw > criteria.threshold_kw
    if not rises.any():
        raise ConfigurationError(
            f"No {steps} consecutive values rise above {criteria.threshold_kw} kW "
            "and keep to the ceilings.",
            hint="Relax the criteria, or ask for another length.",
        )
    best = int(np.argmax(np.where(rises, scales * candidates.max(axis=1), 0.0)))
    return best, float(scales[best])


def _largest_scales(candidates: Powers, criteria: ExcerptCriteria) -> Powers:
    """Return the largest factor of each row (n, steps) that keeps it under all ceilings."""
    limited = (
        (candidates.max(axis=1), criteria.peak_kw),
        (candidates[:, : criteria.start_steps].max(axis=1), criteria.start_kw),
        (candidates[:, -criteria.end_steps :].max(axis=1), criteria.end_kw),
        (np.abs(np.diff(candidates, axis=1)).max(axis=1), criteria.step_kw),
    )
    # A part that never consumes sets no limit; a row that never consumes must not win.
    factors = [ceiling / np.where(kw > 0, kw, np.inf) for kw, ceiling in limited]
    scales: Powers = np.min([np.where(f > 0, f, np.inf) for f in factors], axis=0)
    return np.where(candidates.max(axis=1) > 0, scales, 0.0)


def load_slice() -> SimbenchSlice:
    """Read the shipped week (about 0.2 MB) from the package."""
    data = files("hardware") / "data"
    meters = pl.read_csv((data / "simbench_meters.csv").read_bytes())
    week = pl.read_csv((data / "simbench_week.csv.gz").read_bytes(), try_parse_dates=True)
    ids = {kind: meters.filter(kind=kind)["meter_id"].to_list() for kind in ("load", "pv")}
    return SimbenchSlice(
        load_ids=tuple(ids["load"]),
        pv_ids=tuple(ids["pv"]),
        rated_kw=_read_only(meters["rated_kw"].to_numpy()),
        start_ms=int(week["time_utc"].dt.epoch("ms")[0]),
        load_kw=_columns(week, ids["load"], "kw"),
        load_kvar=_columns(week, ids["load"], "kvar"),
        pv_kw=_columns(week, ids["pv"], "kw"),
    )


def _columns(week: pl.DataFrame, meter_ids: list[str], unit: str) -> Powers:
    """Return one quantity of some meters, shape (steps, meters), C order, read-only."""
    columns = week.select(pl.col(f"{meter_id}_{unit}" for meter_id in meter_ids))
    return _read_only(columns.to_numpy())


def _read_only(values: NDArray[np.generic]) -> Powers:
    """Return a contiguous copy as float that nobody can change."""
    copy = np.array(values, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy
