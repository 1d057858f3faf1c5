"""What a reserve is worth: plans of held-out days, against what these days then brought.

Seventeen houses of CityLearn (``shared/data``), hourly, as one site of 50 kW with a battery and
four vehicles a day, which were not there. Every forecast and every reserve is made of the days
before alone. A plan is carried out as it is, whatever comes. ``docs/how-to/plan.md`` has the
figures.
"""

import csv
import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from processors.accounting.peak_hours import PeakHours
from processors.planning.arrays import Floats, vector
from processors.planning.forecasting import History, forecast_site
from processors.planning.planner import Planner
from processors.planning.seasonal import backtest
from processors.planning.site_case import case_of_site
from processors.planning.site_outlook import Terms
from schemas.planning_case import Horizon
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_now import BatteryNow, SiteNow, VehicleNow
from tests.conftest import data_folder

pytestmark = pytest.mark.data

DAY = 24
WARM_UP_DAYS = 42
EVERY_DAYS = 8
"""Days between two that are planned: no multiple of a week, so that all weekdays are among them."""

MOST_DAYS = 56
CAPACITY_KW = 50.0
TERMS = Terms(zone=ZoneInfo("UTC"), peak_hours=PeakHours(first=16, end=21), peak_price=0.54)
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""The data has no year; any will do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the planned days.

    Attributes:
        over_kw: above the capacity, shape (days, 24) [kW].
        cost: of what was drawn [USD].
        covered: share of the hours in which the error was within the reserve.
        short_kwh: what vehicles were planned to lack [kWh].
    """

    over_kw: Floats
    cost: float
    covered: float
    short_kwh: float

    @property
    def steps_over(self) -> int:
        return int((self.over_kw > 1e-6).sum())

    @property
    def kwh_over(self) -> float:
        return float(self.over_kw.sum())


@cache
def street() -> History:
    """Load and generation of all houses together, shape (6552,) [kW]."""
    load_kw, sun_kw = np.zeros(6552), np.zeros(6552)
    path: Path = data_folder() / "B_meters" / "citylearn17_hourly.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            load_kw[int(row["step"])] += float(row["load_kwh"])
            sun_kw[int(row["step"])] += float(row["pv_kwh"])
    return History(load_kw, sun_kw)


def site() -> SiteModel:
    battery = {"capacity_kwh": 60, "max_charge_kw": 30, "max_discharge_kw": 30}
    data = {
        "name": "street",
        "capacity_kw": CAPACITY_KW,
        "meters": [{"id": "houses", "rated_kw": 60}],
        "batteries": [{"id": "store", "gateway": "g", **battery}],
        "chargers": [{"id": f"bay-{n}", "gateway": "g", "max_kw": 11} for n in range(4)],
        "tariff": {"currency": "USD", "import_price_per_kwh": 0.22},
    }
    return parse_site_model(data, "test")


def state(start: datetime) -> SiteNow:
    """Two vehicles until 7 o'clock, two from 17 o'clock on, with 30 kWh each."""
    hours = [(0, 7), (0, 7), (17, 24), (17, 24)]
    vehicles = (
        VehicleNow(
            charger=f"bay-{n}",
            arrival=start + timedelta(hours=first),
            departure=start + timedelta(hours=end),
            energy_kwh=30.0,
        )
        for n, (first, end) in enumerate(hours)
    )
    return SiteNow(batteries=(BatteryNow(id="store", soc=0.5),), vehicles=tuple(vehicles))


@cache
def outcome(quantile: float | None) -> Outcome:
    """Every eighth day planned with this reserve."""
    planner, model, known = Planner(), site(), street()
    over_kw, cost, within, short_kwh = [], 0.0, [], 0.0
    for first in range(WARM_UP_DAYS * DAY, len(known.base_kw) - DAY, EVERY_DAYS * DAY):
        past, day = slice(max(0, first - MOST_DAYS * DAY), first), slice(first, first + DAY)
        start = ORIGIN + timedelta(hours=first)
        horizon = Horizon(steps=DAY, step_s=3600, start_ms=round(1000 * start.timestamp()))
        history = History(known.base_kw[past], known.generation_kw[past])
        outlook = forecast_site(history, horizon, quantile).outlook
        case = case_of_site(model, state(start), outlook, TERMS).case
        result = planner.plan(case)
        planned_kw = np.array(result.grid_kw) - (outlook.base_kw - outlook.generation_kw)
        net_kw = known.net_kw[day] + planned_kw
        over_kw.append(np.maximum(net_kw - CAPACITY_KW, 0.0))
        cost += float(np.maximum(net_kw, 0.0) @ vector(case.grid.import_price_per_kwh, DAY))
        within.append(net_kw <= np.array(result.grid_kw) + outlook.reserve_kw)
        short_kwh += sum(each.amount for each in result.unmet if each.unit == "kWh")
    return Outcome(np.array(over_kw), cost, float(np.mean(within)), short_kwh)


def test_a_reserve_makes_breaches_rare_and_small() -> None:
    point, some, much = (outcome(quantile) for quantile in (None, 0.8, 0.95))
    assert point.steps_over > some.steps_over > much.steps_over
    assert point.kwh_over > 50
    assert some.kwh_over < 0.5 * point.kwh_over
    assert much.kwh_over < 0.1 * point.kwh_over


def test_a_reserve_has_its_price_and_leaves_no_vehicle_short() -> None:
    point, some, much = (outcome(quantile) for quantile in (None, 0.8, 0.95))
    assert point.cost < some.cost < much.cost < 1.08 * point.cost
    assert point.short_kwh == some.short_kwh == much.short_kwh == 0


def test_on_days_that_were_not_learnt_from_the_reserve_covers_about_what_it_promises() -> None:
    assert outcome(0.8).covered == pytest.approx(0.8, abs=0.05)
    assert outcome(0.95).covered == pytest.approx(0.95, abs=0.03)


def test_here_the_day_before_says_more_than_the_week_before() -> None:
    """Houses with PV follow the weather; weekdays matter less."""
    by_day, by_week = (
        backtest(street().net_kw, DAY, season * DAY, 1).mean_absolute_error for season in (1, 7)
    )
    assert by_day == pytest.approx(4.69, abs=0.01)
    assert by_week == pytest.approx(6.17, abs=0.01)
