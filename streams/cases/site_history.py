"""What a site drew and generated, step by step, from recorded meter files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from processors.planning.arrays import Floats
from processors.planning.forecasting import History
from schemas.errors import ConfigurationError
from schemas.site_model import Role, SiteModel
from schemas.windows import WINDOW_MS
from streams.counterfactual.recorded import HOLD_INTERVALS, Series, read_series
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions

LONGEST_DAYS: Final = 56
"""Days of history that count: eight of each day of the week (ours)."""

_DAY_MS: Final = 86_400_000


class SiteMeters:
    """The meters of a site's balance, as recorded.

    Args:
        model: the site.
        files: meter files, as ``replay`` reads them.
        options: what their columns mean.
        note: told what was taken for granted.

    Raises:
        ReplayError: a file cannot be read.
        ConfigurationError: a meter of the site is in no file, or it has none of its load.
    """

    def __init__(
        self,
        model: SiteModel,
        files: Sequence[Path],
        options: ReplayOptions,
        note: Callable[[str], None],
    ) -> None:
        series = read_series(load_recording(files, options, note))
        named = {
            role: [meter.id for meter in model.meters if meter.role is role]
            for role in (Role.LOAD, Role.GENERATION)
        }
        if not named[Role.LOAD]:
            raise ConfigurationError(f"Site {model.name} has no meter of its load.")
        counted = {name for names in named.values() for name in names}
        if missing := sorted(counted - series.keys()):
            raise ConfigurationError(
                f"Meters of site {model.name} are in no file.", problems=missing
            )
        if unused := sorted(series.keys() - counted):
            note(f"not of the load or generation of {model.name}, left out: {', '.join(unused)}")
        self._loads = [series[name] for name in named[Role.LOAD]]
        self._generators = [series[name] for name in named[Role.GENERATION]]

    @property
    def end_ms(self) -> int:
        """When the last reading's interval ends [ms since the epoch]."""
        every = (*self._loads, *self._generators)
        return max(int(each.time_ms[-1]) + each.hold_ms // HOLD_INTERVALS for each in every)

    def until(self, known_ms: int, end_ms: int, step_ms: int) -> History:
        """Mean power in every step before an instant.

        A step is known if each of its windows is; one of which a part is not past yet is not.

        Args:
            known_ms: what is past [ms since the epoch].
            end_ms: end of the last step, not before ``known_ms`` [ms since the epoch].
            step_ms: length of a step [ms].
        """
        first_ms = min(int(each.time_ms[0]) for each in (*self._loads, *self._generators))
        steps = max(0, min(end_ms - first_ms, LONGEST_DAYS * _DAY_MS)) // step_ms
        starts_ms = end_ms - step_ms * np.arange(steps, 0, -1, dtype=np.int64)
        windows_ms = starts_ms[:, np.newaxis] + np.arange(0, step_ms, WINDOW_MS)
        past = starts_ms + step_ms <= known_ms
        load_kw = _sum_kw(self._loads, windows_ms)
        generation_kw = -_sum_kw(self._generators, windows_ms)
        return History(
            base_kw=np.where(past, load_kw, np.nan),
            generation_kw=np.where(past, np.maximum(generation_kw, 0.0), np.nan),
        )


def _sum_kw(every: Sequence[Series], windows_ms: np.ndarray) -> Floats:
    """Mean power of all of them in each step, NaN where one is unknown, shape (n,) [kW]."""
    total = np.zeros(len(windows_ms))
    for each in every:
        known = (windows_ms >= each.time_ms[0]) & ~each.stale_at(windows_ms)
        total += np.where(known, each.at(windows_ms), np.nan).mean(axis=1)
    return total
