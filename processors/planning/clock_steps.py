"""From clock times to steps: nothing is promised outside of the time that a vehicle is there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.planning_case import Horizon

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """A vehicle's time at a charger, ``[arrival_ms, departure_ms)`` [ms since the epoch]."""

    arrival_ms: int
    departure_ms: int

    def whole_steps(self, horizon: Horizon) -> tuple[int, int]:
        """The steps ``first <= t < end`` that lie within the stay as a whole.

        The arrival is rounded up and the departure down, and both are cut to the horizon. There
        is no such step where ``end <= first``.
        """
        step_ms = _step_ms(horizon)
        first = -((horizon.start_ms - self.arrival_ms) // step_ms)
        end = (self.departure_ms - horizon.start_ms) // step_ms
        return min(max(first, 0), horizon.steps), min(max(end, 0), horizon.steps)

    def share_within(self, horizon: Horizon) -> float:
        """How much of what is left of the stay the horizon holds, 0 to 1.

        Of energy wanted at the departure this share is planned. What is left for later can then
        still be charged, wherever all of it could.
        """
        end_ms = horizon.start_ms + horizon.steps * _step_ms(horizon)
        begin_ms = max(self.arrival_ms, horizon.start_ms)
        within_ms = max(0, min(self.departure_ms, end_ms) - begin_ms)
        return within_ms / (self.departure_ms - begin_ms) if within_ms else 0.0


def _step_ms(horizon: Horizon) -> int:
    return round(1000 * horizon.step_s)


def instant_ms(moment: datetime, zone: ZoneInfo) -> int:
    """An instant [ms since the epoch]; a time without an offset is one of the zone's clock."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return (aware - _EPOCH) // _MS


def step_starts_ms(horizon: Horizon) -> range:
    """Start of every step [ms since the epoch]."""
    step_ms = _step_ms(horizon)
    return range(horizon.start_ms, horizon.start_ms + horizon.steps * step_ms, step_ms)
